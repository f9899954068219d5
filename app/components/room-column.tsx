import { Form, Link, NavLink } from "@remix-run/react";
import { memo, useMemo } from "react";
import type { MyRoom, RoomKind } from "../contract/shapes.ts";
import { useLiveState } from "../live/use-live.tsx";
import { useWords } from "../words/use-words.tsx";
import { Avatar } from "./avatar.tsx";
import { Icon } from "./icons.tsx";
import { Logo } from "./logo.tsx";
import { LanguageSwitch, ThemeSwitch } from "./preference-forms.tsx";
import { inOrder, kinds, unreadOf } from "./room-order.ts";

/** What goes out no more until somebody says how. */
const stuck: ReadonlySet<string> = new Set(["failed", "stale"]);

/** My rooms with what waits in them, the ways to others, and who I am. */
export function RoomColumn({ onKeys, onStrays, onLeave }: { onKeys(): void; onStrays(): void; onLeave(event: React.FormEvent): void }) {
	const { t, n, language } = useWords();
	const rooms = useLiveState((state) => state.rooms);
	const drafts = useLiveState((state) => state.drafts);
	const pending = useLiveState((state) => state.pending);
	const unsent = useMemo(() => new Set(pending.flatMap(({ state, roomId }) => (stuck.has(state) ? [roomId] : []))), [pending]);
	const strays = pending.filter((waiting) => !rooms[waiting.roomId]).length;
	const here = useLiveState((state) => state.here);
	const me = useLiveState((state) => state.me);
	const ordered = inOrder(rooms, language);
	return (
		<nav className="column" data-region tabIndex={-1} aria-label={t("rooms.title")} id="rooms">
			<header className="column-head">
				<Link className="wordmark" to="/rooms">
					<Logo />
					<span>{t("app.name")}</span>
				</Link>
				<Link className="icon-button" to="/rooms/browse" aria-label={t("rooms.browse")} title={t("rooms.browse")}>
					<Icon name="compass" />
				</Link>
				<Link className="icon-button" to="/rooms/new" aria-label={t("rooms.new")} title={t("rooms.new")}>
					<Icon name="plus" />
				</Link>
			</header>
			<div className="column-rooms">
				{kinds.map((kind) => (
					<RoomSection key={kind} kind={kind} rooms={ordered[kind]} drafts={drafts} unsent={unsent} here={here} />
				))}
				{strays > 0 && (
					<button type="button" className="room-line room-way" onClick={onStrays}>
						<span className="room-sign">
							<Icon name="warning" />
						</span>
						<span className="room-name">{n("rooms.strays", strays)}</span>
					</button>
				)}
			</div>
			<details className="me">
				<summary title={t("me.menu")}>
					<Avatar person={me} />
					<span className="me-name">
						<bdi>{me.name}</bdi>
						<span className="hidden">: {t("me.menu")}</span>
					</span>
					<Icon name="more" />
				</summary>
				<div className="me-menu">
					<ThemeSwitch />
					<LanguageSwitch />
					<button type="button" className="menu-line needs-js" onClick={onKeys}>
						<Icon name="keys" />
						{t("me.shortcuts")}
					</button>
					<Form method="post" action="/leave" onSubmit={onLeave}>
						<button type="submit" className="menu-line" title={t("me.leaveNote")}>
							<Icon name="leave" />
							{t("me.leave")}
						</button>
					</Form>
				</div>
			</details>
		</nav>
	);
}

function RoomSection(props: {
	kind: RoomKind;
	rooms: MyRoom[];
	drafts: Record<string, string>;
	unsent: ReadonlySet<string>;
	here: Record<string, true>;
}) {
	const { kind, rooms, drafts, unsent, here } = props;
	const { t } = useWords();
	if (rooms.length === 0 && kind !== "direct") return null;
	const titleId = `rooms-${kind}`;
	return (
		<section aria-labelledby={titleId}>
			<h2 className="column-title" id={titleId}>
				{t(`rooms.${kind}`)}
			</h2>
			<ul>
				{rooms.map((room) => (
					<RoomLine
						key={room.id}
						room={room}
						hasDraft={Boolean(drafts[room.id]?.trim())}
						hasUnsent={unsent.has(room.id)}
						isHere={room.with ? here[room.with.id] === true : false}
					/>
				))}
				{kind === "direct" && (
					<li>
						<NavLink className="room-line room-way" to="/people">
							<span className="room-sign">
								<Icon name="plus" />
							</span>
							<span className="room-name">{t(rooms.length === 0 ? "rooms.noDirect" : "rooms.people")}</span>
						</NavLink>
					</li>
				)}
			</ul>
		</section>
	);
}

const RoomLine = memo(function RoomLine(props: { room: MyRoom; hasDraft: boolean; hasUnsent: boolean; isHere: boolean }) {
	const { room, hasDraft, hasUnsent, isHere } = props;
	const { t, n } = useWords();
	const unread = unreadOf(room);
	return (
		<li>
			<NavLink className={unread > 0 ? "room-line has-unread" : "room-line"} to={`/rooms/${room.id}`} prefetch="intent">
				<span className="room-sign">
					{room.with ? (
						<Avatar person={room.with} size="s" isHere={isHere || undefined} />
					) : (
						<Icon name={room.kind === "private" ? "lock" : "hash"} />
					)}
				</span>
				<span className="room-name">
					<bdi>{room.name}</bdi>
				</span>
				{hasUnsent && (
					<span className="draft-mark is-grave" title={t("hilo.failed")}>
						<Icon name="warning" />
						<span className="hidden">{t("hilo.failed")}</span>
					</span>
				)}
				{hasDraft && (
					<span className="draft-mark" title={t("rooms.draft")}>
						<Icon name="edit" />
						<span className="hidden">{t("rooms.draft")}</span>
					</span>
				)}
				{unread > 0 && (
					<span className="count" title={n("rooms.unread", unread)}>
						<span aria-hidden="true">{unread > 99 ? "99+" : unread}</span>
						<span className="hidden">{n("rooms.unread", unread)}</span>
					</span>
				)}
			</NavLink>
		</li>
	);
});
