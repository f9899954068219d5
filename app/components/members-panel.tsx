import type { Member } from "../contract/shapes.ts";
import { useWords } from "../words/use-words.tsx";
import { Avatar } from "./avatar.tsx";
import { MessageButton } from "./message-button.tsx";

/** Who is in the room: those who are here now first. */
export function MembersPanel({ members, here, me }: { members: Record<string, Member>; here: Record<string, true>; me: string }) {
	const { t, language } = useWords();
	const collator = new Intl.Collator(language, { sensitivity: "base" });
	const isHere = (member: Member) => member.person.id === me || here[member.person.id] === true;
	const ordered = Object.values(members).sort(
		(a, b) => Number(isHere(b)) - Number(isHere(a)) || collator.compare(a.person.name, b.person.name),
	);
	return (
		<ul className="members">
			{ordered.map((member) => (
				<li key={member.person.id} className="member">
					<Avatar person={member.person} isHere={member.person.bot ? undefined : isHere(member)} />
					<span className="member-name">
						<bdi>{member.person.name}</bdi>
						<span className="quiet">
							{[
								member.person.id === me && t("members.you"),
								member.person.bot && t("members.bot"),
								member.role === "owner" && t("members.owner"),
								!member.person.bot && member.person.id !== me && t(isHere(member) ? "rooms.here" : "rooms.away"),
							]
								.filter(Boolean)
								.join(" · ")}
						</span>
					</span>
					{member.person.id !== me && !member.person.bot && <MessageButton person={member.person} />}
				</li>
			))}
		</ul>
	);
}
