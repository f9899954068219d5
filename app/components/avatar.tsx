import type { Person } from "../contract/shapes.ts";
import { hueOf, initialsOf } from "./hue.ts";

/** Somebody's initials on their own colour; the bot has a face. Decorative: the name always stands beside it. */
export function Avatar({ person, size = "m", isHere }: { person: Person; size?: "s" | "m" | "l"; isHere?: boolean }) {
	return (
		<span className={`avatar avatar-${size} ${person.bot ? "avatar-bot" : hueOf(person.id)}`} aria-hidden="true">
			{person.bot ? <BotFace /> : initialsOf(person.name)}
			{isHere !== undefined && <span className={isHere ? "here-dot is-here" : "here-dot"} />}
		</span>
	);
}

/** Two eyes, and a brow that goes up when a fact arrives. */
function BotFace() {
	return (
		<svg viewBox="0 0 24 24" className="bot-face" aria-hidden="true">
			<circle cx="8.2" cy="13" r="1.6" />
			<circle cx="15.8" cy="13" r="1.6" />
			<path d="M5.8 9.2c1.4-.7 3.1-.8 4.6-.2" />
			<path className="brow" d="M13.4 8.4c1.5-1 3.4-1.1 4.9-.2" />
			<path d="M9.4 17.3c1.6.900 3.6.900 5.2 0" />
		</svg>
	);
}
