import { Form, Link, NavLink } from "@remix-run/react";
import { type FormEvent, type KeyboardEvent, memo, type ReactNode, useEffect, useMemo, useRef } from "react";
import type { MyRoom } from "../contract/shapes.ts";
import { unreadOf } from "../contract/unread.ts";
import { useLiveState } from "../live/use-live.tsx";
import { useWords } from "../words/use-words.tsx";
import { Avatar } from "./avatar.tsx";
import { Icon, type IconName } from "./icons.tsx";
import { Latency } from "./latency.tsx";
import { Logo } from "./logo.tsx";
import { LanguageSwitch, ThemeSwitch } from "./preference-forms.tsx";
import { inOrder } from "./room-order.ts";

/** What goes out no more until somebody says how. */
const stuck: ReadonlySet<string> = new Set(["failed", "stale"]);

type ColumnProps = { onKeys(): void; onGoTo(): void; onConnection(): void; onStrays(): void; onLeave(event: FormEvent): void };

/** My rooms with what waits in them, the ways to others, and who I am. */
export function RoomColumn({ onKeys, onGoTo, onConnection, onStrays, onLeave }: ColumnProps) {
	const { t, n, language } = useWords();
	const rooms = useLiveState((state) => state.rooms);
	const drafts = useLiveState((state) => state.drafts);
	const pending = useLiveState((state) => state.pending);
	const unsent = useMemo(() => new Set(pending.flatMap(({ state, roomId }) => (stuck.has(state) ? [roomId] : []))), [pending]);
	const menu = useRef<HTMLDetailsElement>(null);
	useEffect(() => {
		const onPointerDown = (event: PointerEvent) => {
			if (menu.current?.open && !menu.current.contains(event.target as Node)) menu.current.open = false;
		};
		document.addEventListener("pointerdown", onPointerDown);
		return () => document.removeEventListener("pointerdown", onPointerDown);
	}, []);
	function closeMenu(event: KeyboardEvent): void {
		if (!menu.current?.open) return;
		// One step back, not the sheet with it.
		event.preventDefault();
		menu.current.open = false;
		menu.current.querySelector("summary")?.focus();
	}
	const strays = pending.filter((waiting) => !rooms[waiting.roomId]).length;
	const here = useLiveState((state) => state.here);
	const me = useLiveState((state) => state.me);
	const isOnline = useLiveState((state) => state.connection.state === "online");
	const ordered = inOrder(rooms, language);
	return (
		<nav className="column" data-region tabIndex={-1} aria-label={t("rooms.title")} id="rooms">
			<header className="column-head">
				<Link className="wordmark" to="/rooms">
					<Logo />
					<span>{t("app.name")}</span>
				</Link>
			</header>
			<button type="button" className="go-to needs-js" onClick={onGoTo} aria-haspopup="dialog">
				<Icon name="search" />
				<span>{t("rooms.goTo")}</span>
				<kbd>Ctrl K</kbd>
			</button>
			<div className="column-rooms">
				<RoomSection
					title={t("rooms.public")}
					id="rooms-public"
					rooms={[...ordered.public, ...ordered.private]}
					drafts={drafts}
					unsent={unsent}
					here={here}
				>
					<ColumnWay to="/rooms/browse" icon="compass" words={t("rooms.browse")} />
					<ColumnWay to="/rooms/new" icon="plus" words={t("rooms.new")} />
				</RoomSection>
				<RoomSection title={t("rooms.direct")} id="rooms-direct" rooms={ordered.direct} drafts={drafts} unsent={unsent} here={here}>
					{ordered.direct.length > 0 && <ColumnWay to="/people" icon="plus" words={t("rooms.people")} />}
				</RoomSection>
				{ordered.direct.length === 0 && (
					<NavLink className="room-line room-way" to="/people">
						<span className="room-sign">
							<Icon name="plus" />
						</span>
						<span className="room-name">{t("rooms.noDirect")}</span>
					</NavLink>
				)}
				{strays > 0 && (
					<button type="button" className="room-line room-way" onClick={onStrays}>
						<span className="room-sign">
							<Icon name="warning" />
						</span>
						<span className="room-name">{n("rooms.strays", strays)}</span>
					</button>
				)}
			</div>
			<div className="me-place">
				<details className="me" ref={menu} onKeyDown={(event) => event.key === "Escape" && closeMenu(event)}>
					<summary title={t("me.menu")}>
						<Avatar person={me} isHere={isOnline} />
						<span className="me-name">
							<bdi>{me.name}</bdi>
							<span className="hidden">: {t("me.menu")}</span>
						</span>
						<Icon name="settings" />
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
				<Latency onOpen={onConnection} />
			</div>
		</nav>
	);
}

type SectionProps = {
	title: string;
	id: string;
	rooms: MyRoom[];
	drafts: Record<string, string>;
	unsent: ReadonlySet<string>;
	here: Record<string, true>;
	/** Ways to more of the kind, beside the title. */
	children: ReactNode;
};

function RoomSection({ title, id, rooms, drafts, unsent, here, children }: SectionProps) {
	return (
		<section aria-labelledby={id}>
			<div className="column-title">
				<h2 id={id}>{title}</h2>
				{children}
			</div>
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
			</ul>
		</section>
	);
}

function ColumnWay({ to, icon, words }: { to: string; icon: IconName; words: string }) {
	return (
		<Link className="icon-button" to={to} aria-label={words} title={words}>
			<Icon name={icon} />
		</Link>
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
						<Icon name={room.kind === "private" ? "lock" : "mark"} />
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
