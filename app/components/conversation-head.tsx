import { Link } from "@remix-run/react";
import type { MyRoom, Person } from "../contract/shapes.ts";
import { useWords } from "../words/use-words.tsx";
import { Avatar } from "./avatar.tsx";
import { Icon } from "./icons.tsx";
import { Latency } from "./latency.tsx";

/** The room's name and topic, and what can be opened beside it. */
export function ConversationHead(props: {
	room: MyRoom;
	members: number;
	/** A few of them, for their faces. */
	faces: Person[];
	panel: string | null;
	isHere: boolean;
	onConnection(): void;
}) {
	const { room, members, faces, panel, isHere, onConnection } = props;
	const { t, n } = useWords();
	const to = (name: string) => (panel === name ? `/rooms/${room.id}` : `/rooms/${room.id}?panel=${name}`);
	return (
		<header className="conversation-head">
			<Link className="icon-button back" to="/rooms" aria-label={t("rooms.back")}>
				<Icon name="back" />
			</Link>
			{room.with ? <Avatar person={room.with} isHere={room.with.bot ? undefined : isHere} /> : null}
			<div className="conversation-title">
				<h1>
					<Link to={to("about")} preventScrollReset title={t("room.about")}>
						{room.kind === "private" && <Icon name="lock" />}
						<bdi>{room.name}</bdi>
					</Link>
				</h1>
				<p className="topic" dir="auto" title={room.topic}>
					{room.kind === "direct" ? t("room.direct") : room.topic || t("room.noTopic")}
				</p>
			</div>
			<Latency onOpen={onConnection} />
			<nav className="conversation-ways" aria-label={t("room.about")}>
				{room.kind !== "direct" && (
					<Link
						className="head-button"
						to={to("members")}
						preventScrollReset
						aria-label={n("room.members", members)}
						title={n("room.members", members)}
						aria-current={panel === "members" ? "true" : undefined}
					>
						{faces.length > 0 && (
							<span className="stack">
								{faces.map((person) => (
									<Avatar key={person.id} person={person} size="s" />
								))}
							</span>
						)}
						<Icon name="people" />
						<span aria-hidden="true">{members}</span>
					</Link>
				)}
				<Link className="head-button" to={`/rooms/${room.id}/pages`} aria-label={t("room.pages")} title={t("room.pages")}>
					<Icon name="pages" />
				</Link>
				<Link
					className="head-button"
					to={to("about")}
					preventScrollReset
					aria-label={t("room.about")}
					title={t("room.about")}
					aria-current={panel === "about" ? "true" : undefined}
				>
					<Icon name="about" />
				</Link>
			</nav>
		</header>
	);
}
