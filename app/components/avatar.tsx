import type { Person } from "../contract/shapes.ts";
import { hueOf, initialsOf } from "./hue.ts";

/** Somebody's initials on their own colour; the bot has a face. Decorative, and no text: the name always stands beside it. */
export function Avatar({ person, size = "m", isHere }: { person: Person; size?: "s" | "m"; isHere?: boolean }) {
	return (
		<span
			className={person.bot ? `avatar avatar-${size}` : `avatar avatar-${size} ${hueOf(person.id)}`}
			aria-hidden="true"
			data-initials={person.bot ? undefined : initialsOf(person.name)}
		>
			{person.bot && <BotFace />}
			{isHere !== undefined && <span className={isHere ? "here-dot is-here" : "here-dot"} />}
		</span>
	);
}

/** Two eyes, a smile, and a brow that goes up when a fact arrives. */
function BotFace() {
	return (
		<svg viewBox="0 0 36 36" className="bot-face" aria-hidden="true">
			<path d="M12 18v1.5M24 18v1.5M13.5 25.2q4 2 8.5-.6" />
			<path d="M8.8 13.2q3-1.2 6 0" />
			<path className="brow" d="M20.8 11.6q2.8-3.4 6.6-2.2" />
		</svg>
	);
}
