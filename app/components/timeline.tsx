import { Link, useLocation, useRouteLoaderData } from "@remix-run/react";
import { forwardRef, useCallback, useEffect, useImperativeHandle, useMemo, useRef, useState } from "react";
import { limits } from "../contract/limits.ts";
import type { Member, Message, MyRoom, Person } from "../contract/shapes.ts";
import { unreadOf } from "../contract/unread.ts";
import type { Pending } from "../live/live-state.ts";
import { useLive, useLiveState } from "../live/use-live.tsx";
import { useWords } from "../words/use-words.tsx";
import { copiedLines } from "./copy-lines.ts";
import { copyText } from "./copy-text.ts";
import { decides } from "./decides.ts";
import { editDraft, editsKept } from "./draft-names.ts";
import { Icon } from "./icons.tsx";
import { late } from "./late.tsx";
import { type Day, daysOf, type Line } from "./lines.ts";
import { EmptyArt } from "./logo.tsx";
import { MessageRow, type RowDoing } from "./message-row.tsx";
import { type Place, unreadOffset } from "./opening.ts";
import { keepPlace, keptPlace } from "./places.ts";
import { hiloOf, openReach } from "./reach.ts";
import { useRoving } from "./roving.ts";
import { ScrollKeeper, type Sight } from "./scroll-keeper.tsx";
import { useChoice } from "./use-choice.ts";
import { useDisplayed } from "./use-displayed.ts";
import { useLayout } from "./use-layout.ts";
import { useNow } from "./use-now.ts";
import { useUnreadMark } from "./use-unread-mark.ts";

// A day's wrapper stands between the list and its items; <ul> and <li> do not allow one, roles do.
const item = { role: "listitem" } as const;

const ConfirmDelete = late(() => import("./confirm-delete.tsx").then((module) => module.ConfirmDelete));

/** History that close to the edge is fetched, px: less than two screens of scrolling ahead. */
const ahead = 1200;
/** How long the target of a link stands out, ms. */
const highlight = 2000;

export type TimelineView = { room: MyRoom; members: Record<string, Member>; messages: Message[]; hasBefore: boolean; hasAfter: boolean };
export type TimelineHandle = {
	/** Edits my last message; false when there is none. */
	editLast(): boolean;
	/** Shows how far my last message has come; false when there is none. */
	journeyOfLast(): boolean;
	/** Focus on the list. */
	focus(): void;
};

type Props = {
	view: TimelineView;
	/** The page follows the room live: false while rendered on the server and until hydrated. */
	isFollowed: boolean;
	me: Person;
	at: number | null;
	onReply(line: Line): void;
	/** Shows how far a message of mine has come. */
	onJourney(seq: number): void;
	/** The text of a message that was not sent goes back to where it was written. */
	onRewrite(pending: Pending): void;
	/** Editing or a menu ended: where the focus goes when it did not start in the list. */
	onDone(): void;
	say(words: string): void;
};

/** Once the rows of what the store holds are there: it tells its listeners in a microtask, and then a frame is rendered. */
const shown = () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));

/** The messages of a room: grouped, by days, with what is on its way at the end. */
export const Timeline = forwardRef<TimelineHandle, Props>(function Timeline(props, handle) {
	const { view, isFollowed, me, at, onReply, onJourney, onRewrite, onDone, say } = props;
	const { room, members, messages, hasBefore, hasAfter } = view;
	const { t, n, day, dayKey, time } = useWords();
	const live = useLive();
	const { key: locationKey } = useLocation();
	const pendingOfAll = useLiveState((state) => state.pending);
	const clockOffset = useLiveState((state) => state.connection.clockOffset);
	const loading = useLiveState((state) => state.loading);
	// Before there was a connection nothing has failed yet.
	const notLoaded = useLiveState(({ connection, notLoaded }) =>
		connection.state === "connecting" && connection.lostAt === null ? null : notLoaded,
	);
	// As text, so that writing elsewhere draws nothing anew here.
	const edits = useLiveState((state) => editsKept(state.drafts, room.id).join());
	const isAdmin = useRouteLoaderData<{ isAdmin: boolean }>("routes/chat")?.isAdmin ?? false;
	const [singleKeys] = useChoice("single-keys");
	const now = useNow(clockOffset);

	const pending = useMemo(() => pendingOfAll.filter((waiting) => waiting.roomId === room.id), [pendingOfAll, room.id]);
	const unreadMark = useUnreadMark(room, messages, me.id);
	const days = useMemo(
		() => daysOf({ messages, pending: hasAfter ? [] : pending, me, unread: unreadMark, clockOffset, dayKey }),
		[messages, pending, hasAfter, me, unreadMark, clockOffset, dayKey],
	);
	// Among old messages what I write stands below the gap until the end is here.
	const beyond = useMemo(
		() => (hasAfter ? daysOf({ messages: [], pending, me, unread: null, clockOffset, dayKey }) : []),
		[pending, hasAfter, me, clockOffset, dayKey],
	);
	const allDays = useMemo(() => [...days, ...beyond], [days, beyond]);
	const reachOf = useMemo(() => openReach(members, me.id), [members, me.id]);

	const keeper = useRef<ScrollKeeper>(null);
	const content = useMemo(
		() => ({
			get current() {
				return keeper.current?.content.current ?? null;
			},
		}),
		[],
	);
	const [isAtEnd, setAtEnd] = useState(true);
	const [target, setTarget] = useState<number | null>(null);
	const [active, setActive] = useState<{ key: string; state: "menu" | "editing" } | null>(null);
	const [deleting, setDeleting] = useState<Line | null>(null);
	const fromComposer = useRef(false);
	const roving = useRoving(content, allDays);
	const liveSince = useRef(room.lastSeq);

	// Where the reader is, for coming back to: by room, and by this entry of the tab's history.
	const sight = useRef<Sight | null>(null);
	const placed = useRef(false);
	const missing = useRef<Place | null>(null);
	const saving = useRef<ReturnType<typeof setTimeout>>();
	const save = useCallback(() => {
		clearTimeout(saving.current);
		if (placed.current && sight.current && !missing.current)
			keepPlace([room.id, locationKey], sight.current.isAtEnd ? null : sight.current.first);
	}, [room.id, locationKey]);
	const latestSave = useRef(save);
	latestSave.current = save;

	const fetchMore = useCallback(() => {
		const seen = sight.current;
		const { open } = live.getState();
		if (!seen || !placed.current || open?.room.id !== room.id) return;
		if (seen.above < ahead && open.hasBefore) void live.loadBefore();
		else if (seen.below < ahead && open.hasAfter) void live.loadAfter();
	}, [live, room.id]);

	const onSight = useCallback(
		(seen: Sight) => {
			const before = sight.current;
			sight.current = seen;
			setAtEnd(seen.isAtEnd);
			if (!placed.current) return;
			if (isFollowed) live.reading(seen.isAtEnd ? null : (seen.first?.seq ?? null));
			clearTimeout(saving.current);
			saving.current = setTimeout(() => latestSave.current(), 150);
			// Only on the way there: an answer that did not come must not be asked for again and again.
			if (before && (seen.above < before.above || seen.below < before.below)) fetchMore();
		},
		[live, isFollowed, fetchMore],
	);

	/** A message that was asked for while nobody could be asked. */
	const unreached = useRef<number | null>(null);
	/** What I sent among old messages leads to the end, as soon as that can be fetched. */
	const owesEnd = useRef(false);
	const goTo = useCallback(
		async (seq: number) => {
			const show = () => keeper.current?.bring(seq, "middle") ?? false;
			owesEnd.current = false;
			unreached.current = null;
			if (!show()) {
				const isAnswered = await live.jumpTo(seq);
				await shown();
				if (!show()) {
					if (!isAnswered) unreached.current = seq;
					return say(t(isAnswered ? "timeline.notThere" : "timeline.notLoaded"));
				}
			}
			setTarget(seq);
		},
		[live, say, t],
	);
	const fetchPlace = useCallback(
		async (place: Place) => {
			await shown();
			if (keeper.current?.bring(place.seq, place.offset)) return;
			if (!(await live.jumpTo(place.seq))) missing.current = place;
			await shown();
			keeper.current?.bring(place.seq, place.offset);
		},
		[live],
	);
	useEffect(() => {
		if (target === null) return;
		const timer = setTimeout(() => setTarget(null), highlight);
		return () => clearTimeout(timer);
	}, [target]);

	// Where to open: at the linked message, where the reader was, at the first unread one, else at the end.
	const firstUnread = days.flatMap((d) => d.lines).find((line) => line.startsUnread)?.seq ?? null;
	const opening = useRef({ firstUnread, hasAfter });
	useLayout(() => {
		if (placed.current || at !== null) return;
		const kept = keptPlace(room.id);
		if (kept) missing.current = keeper.current?.bring(kept.seq, kept.offset) ? null : kept;
		else if (opening.current.firstUnread !== null) keeper.current?.bring(opening.current.firstUnread, unreadOffset);
		placed.current = true;
		keeper.current?.look();
	}, [room.id, at]);
	const shownKey = useRef<string | null>(null);
	useEffect(() => {
		const isReturn = shownKey.current !== null;
		if (!isFollowed || shownKey.current === locationKey) return;
		shownKey.current = locationKey;
		// "Back" leads to where the reader was, also when the address names a message they came by.
		const kept = isReturn ? keptPlace(locationKey) : undefined;
		if (kept) void fetchPlace(kept);
		else if (at !== null) {
			placed.current = true;
			void goTo(at);
		} else if (kept === null) keeper.current?.toEnd();
		else if (!isReturn) fetchMore();
	}, [isFollowed, at, locationKey, goTo, fetchPlace, fetchMore]);
	// A place further up than what the page came with has to wait for the connection.
	const canFetch = useLiveState((state) => state.connection.state === "online") && isFollowed;
	useEffect(() => {
		if (!canFetch) return;
		const [place, seq] = [missing.current, unreached.current];
		missing.current = null;
		if (place) void fetchPlace(place);
		if (seq !== null) void goTo(seq);
	}, [canFetch, fetchPlace, goTo]);
	useEffect(() => () => latestSave.current(), []);

	// Who is still near the edge after a stretch came asks for the next one: at the very edge nothing scrolls any more.
	const [oldest, newestSeq] = [messages[0]?.seq, messages.at(-1)?.seq];
	useEffect(() => {
		if (isFollowed && oldest !== undefined && newestSeq !== undefined) fetchMore();
	}, [isFollowed, oldest, newestSeq, fetchMore]);

	const tellDisplayed = useCallback((seq: number) => isFollowed && live.displayed(seq), [live, isFollowed]);
	useDisplayed(content, days, tellDisplayed);

	// What I send is seen, wherever I was reading.
	const [openedAt] = useState(() => Date.now());
	const isSentHere = (waiting: Pending | null | undefined) => (waiting?.createdAt ?? 0) >= openedAt;
	const lastSent = isSentHere(pending.at(-1)) ? pending.at(-1)?.clientId : undefined;
	const knownSent = useRef(lastSent);
	useEffect(() => {
		if (lastSent !== knownSent.current) {
			knownSent.current = lastSent;
			owesEnd.current ||= lastSent !== undefined;
		}
		if (!owesEnd.current || !canFetch) return;
		void live.jumpToLatest().then((isThere) => {
			if (!isThere || !owesEnd.current) return;
			owesEnd.current = false;
			keeper.current?.toEnd();
		});
	}, [lastSent, canFetch, live]);

	const refocus = useCallback(
		(key: string | undefined) => {
			const row = key ? content.current?.querySelector<HTMLElement>(`[data-key="${CSS.escape(key)}"]`) : null;
			if (row) row.focus({ preventScroll: true });
			else keeper.current?.scroller.current?.focus();
		},
		[content],
	);

	const latest = useRef({ active, onReply, onJourney, onRewrite, onDone, say });
	latest.current = { active, onReply, onJourney, onRewrite, onDone, say };
	const doing = useMemo<RowDoing>(
		() => ({
			openMenu: (line) => setActive({ key: line.key, state: "menu" }),
			closeMenu(isBack) {
				const key = latest.current.active?.key;
				setActive(null);
				if (isBack) refocus(key);
			},
			reply(line) {
				setActive(null);
				latest.current.onReply(line);
			},
			rewrite: (waiting) => latest.current.onRewrite(waiting),
			journey(line) {
				setActive(null);
				// Where the panel gives the focus back to.
				refocus(line.key);
				latest.current.onJourney(line.seq ?? 0);
			},
			edit(line) {
				fromComposer.current = false;
				setActive({ key: line.key, state: "editing" });
			},
			remove(line) {
				setActive(null);
				setDeleting(line);
			},
			decide: live.decide,
			save: (line, body) => live.edit(line.seq ?? 0, body),
			dropEdit(line) {
				live.setDraft(editDraft(room.id, line.seq ?? 0), "");
				refocus(line.key);
			},
			doneEditing() {
				const key = latest.current.active?.key;
				setActive(null);
				if (fromComposer.current) latest.current.onDone();
				else refocus(key);
			},
			jump(seq) {
				latestSave.current();
				keeper.current?.bring(seq, "middle");
				// The address follows, so that "back" leads here again.
				return false;
			},
			say: (words) => latest.current.say(words),
		}),
		[live, room.id, refocus],
	);

	const hasEdit = useMemo(() => new Set(edits.split(",").map(Number)), [edits]);
	const lines = allDays.flatMap((d) => d.lines);
	// In words without being pointed at: what is on its way, and of each state the newest.
	const told = new Set<string>();
	const saying = new Set<string>();
	for (const line of lines.toReversed()) {
		if (line.author.id !== me.id || line.isDeleted) continue;
		const state = hiloOf(line.seq === null ? null : reachOf(line.seq), line.pending?.state ?? null);
		if (line.pending || !told.has(state)) saying.add(line.key);
		told.add(state);
		// What everybody saw is the furthest there is: above it only more of it.
		if (state === "all") break;
	}
	const lastOfMine = () => lines.findLast((line) => line.author.id === me.id && line.seq !== null && !line.isDeleted);
	const editLast = useRef<() => boolean>(() => false);
	editLast.current = () => {
		const mine = lastOfMine();
		if (!mine) return false;
		fromComposer.current = true;
		setActive({ key: mine.key, state: "editing" });
		return true;
	};
	useImperativeHandle(handle, () => ({
		journeyOfLast() {
			const mine = lastOfMine();
			if (mine) onJourney(mine.seq ?? 0);
			return mine !== undefined;
		},
		editLast() {
			// Among old messages the last one on the page is not my last one: the end has to come first.
			if (hasAfter)
				void toLatest().then(async (isThere) => {
					await shown();
					if (isThere) editLast.current();
				});
			return hasAfter || editLast.current();
		},
		focus: () => roving.focus(),
	}));

	function onKeyDown(event: React.KeyboardEvent): void {
		const row = event.target instanceof HTMLElement && event.target.dataset.key !== undefined ? event.target : null;
		const line = row ? lines.find((known) => known.key === row.dataset.key) : undefined;
		if (!line || event.ctrlKey || event.metaKey || event.altKey) return;
		const { key } = event;
		const canSingle = singleKeys && line.seq !== null && !line.isDeleted;
		if (roving.move(key)) event.preventDefault();
		else if (key === "Enter" && line.seq !== null) {
			event.preventDefault();
			doing.openMenu(line);
		} else if (key === "r" && canSingle) {
			event.preventDefault();
			doing.reply(line);
		} else if (key === "e" && canSingle && line.author.id === me.id) {
			event.preventDefault();
			doing.edit(line);
		} else if (key === "Escape") onDone();
	}

	function onCopy(event: ClipboardEvent): void {
		const box = content.current;
		const text =
			box && copiedLines(box, lines, (line, words) => t("message.line", { name: line.author.name, time: time(line.at), text: words }));
		if (!text) return;
		event.preventDefault();
		event.clipboardData?.setData("text/plain", text);
	}

	async function onClick(event: MouseEvent): Promise<void> {
		const hit = event.target instanceof Element ? event.target : null;
		// The thread leads to the journey, for a pointer; keys have the menu.
		const thread = hit?.closest(".hilo, .hilo-words")?.closest<HTMLElement>("[data-key]");
		const travelling = thread && lines.find((line) => line.key === thread.dataset.key && line.seq !== null);
		if (travelling) onJourney(travelling.seq ?? 0);
		const button = hit?.closest<HTMLElement>("[data-copy-code]");
		if (!button) return;
		const isCopied = await copyText(button.parentElement?.querySelector("code")?.textContent ?? "");
		say(t(isCopied ? "message.copied" : "message.notCopied"));
	}

	async function toLatest(): Promise<boolean> {
		const isThere = await live.jumpToLatest();
		if (isThere) requestAnimationFrame(() => keeper.current?.toEnd());
		else say(t("timeline.notLoaded"));
		return isThere;
	}

	const unread = unreadOf(room);
	const newest = lines.at(-1);
	const label = t("timeline.label", { name: room.name });
	const list = { role: "list", className: "lines", "aria-label": label, onFocus: roving.onFocus, onKeyDown } as const;
	const dayOf = (d: Day) => (
		<div key={d.key} className="day" role="none">
			<p className="day-mark" {...item}>
				<time dateTime={d.key} suppressHydrationWarning>
					{day(d.at, now)}
				</time>
			</p>
			{/* Flat: in a list of lists every row would be made anew whenever history is put before it. */}
			{d.lines.flatMap((line) => {
				const isMine = line.author.id === me.id;
				const reach = isMine && line.seq !== null ? reachOf(line.seq) : null;
				return [
					line.startsUnread && (
						<p key="unread" className="unread-mark" {...item}>
							<span>{t("timeline.unread")}</span>
						</p>
					),
					<MessageRow
						key={line.key}
						line={line}
						roomId={room.id}
						isMine={isMine}
						state={active?.key === line.key ? active.state : "plain"}
						saysState={isMine && saying.has(line.key)}
						hasEdit={isMine && line.seq !== null && hasEdit.has(line.seq)}
						isTarget={line.seq !== null && line.seq === target}
						delivered={reach?.delivered ?? 0}
						seen={reach?.seen ?? 0}
						total={reach?.total ?? 0}
						isLive={line.seq !== null && line.seq > liveSince.current}
						me={me.id}
						mayDecide={line.card !== null && decides(room, isAdmin, line.card, me.id)}
						doing={doing}
					/>,
				];
			})}
		</div>
	);
	return (
		<div className="timeline">
			<ScrollKeeper
				ref={keeper}
				label={label}
				newest={newest?.key ?? null}
				isOwn={isSentHere(newest?.pending)}
				hasAfter={hasAfter}
				onSight={onSight}
				onCopy={onCopy}
				onClick={onClick}
			>
				{hasBefore ? (
					<Edge
						end="before"
						edge={messages[0]}
						isBusy={loading === "before"}
						isMissing={notLoaded === "before"}
						onAgain={live.loadBefore}
					/>
				) : (
					<Beginning room={room} isEmpty={lines.length === 0} onWrite={onDone} />
				)}
				<div {...list}>{days.map(dayOf)}</div>
				{hasAfter && (
					<Edge
						end="after"
						edge={messages.at(-1)}
						isBusy={loading === "after"}
						isMissing={notLoaded === "after"}
						onAgain={live.loadAfter}
					/>
				)}
				{beyond.length > 0 && <div {...list}>{beyond.map(dayOf)}</div>}
			</ScrollKeeper>
			{!isAtEnd && (
				<button type="button" className={unread > 0 ? "pill has-new" : "pill"} onClick={() => void toLatest()}>
					<span>{unread > 0 ? n("timeline.new", unread) : t("timeline.latest")}</span>
					<Icon name="down" />
				</button>
			)}
			{loading === "jump" && (
				<p className="jumping" role="status">
					{t("timeline.loading")}
				</p>
			)}
			{deleting && (
				<ConfirmDelete
					excerpt={deleting.body}
					onClose={() => setDeleting(null)}
					onDelete={() => live.remove(deleting.seq ?? 0)}
					returnTo={() => keeper.current?.row(deleting.seq ?? 0) ?? keeper.current?.scroller.current ?? null}
				/>
			)}
		</div>
	);
});

/** Space where more history will stand; as high as it stays, so that nothing moves when it comes, or says that it did not. */
function Edge(props: { end: "before" | "after"; edge: Message | undefined; isBusy: boolean; isMissing: boolean; onAgain(): void }) {
	const { end, edge, isBusy, isMissing, onAgain } = props;
	const page = Math.max(1, Math.ceil(((edge?.msgNo ?? 1) + (end === "before" ? -1 : 1)) / limits.page));
	const { t } = useWords();
	return (
		<div className={isBusy ? "edge is-busy" : "edge"}>
			<span className="hidden">{isBusy ? t("timeline.loading") : ""}</span>
			{edge && (
				<noscript>
					<a className="edge-note" href={`/rooms/${edge.roomId}/pages/${page}`}>
						{t(end === "before" ? "timeline.older" : "timeline.newer")}
					</a>
				</noscript>
			)}
			<p role="status" className={isMissing ? "edge-note" : "hidden"}>
				{isMissing && (
					<>
						{t(end === "before" ? "timeline.olderMissing" : "timeline.newerMissing")}
						<button type="button" className="button button-quiet button-small" onClick={onAgain}>
							{t("timeline.again")}
						</button>
					</>
				)}
			</p>
			<span className="ghost" />
			<span className="ghost" />
			<span className="ghost" />
		</div>
	);
}

/** Above the first message of a room. */
function Beginning({ room, isEmpty, onWrite }: { room: MyRoom; isEmpty: boolean; onWrite(): void }) {
	const { t } = useWords();
	const isDirect = room.kind === "direct";
	return (
		<div className={isEmpty ? "beginning is-empty" : "beginning"}>
			{isEmpty && <EmptyArt />}
			<p className="beginning-title">
				{isDirect
					? t("timeline.emptyDirect", { name: room.name })
					: isEmpty
						? t("timeline.empty")
						: t("timeline.start", { name: room.name })}
			</p>
			{isEmpty && <p className="quiet">{t("timeline.emptyNote")}</p>}
			{isEmpty && (
				<p className="blank-ways">
					<button type="button" className="chip needs-js" onClick={onWrite}>
						<Icon name="reply" />
						{t("timeline.hello")}
					</button>
					{!isDirect && (
						<Link className="chip" to={`/rooms/${room.id}?panel=about`} preventScrollReset>
							<Icon name="people" />
							{t("timeline.invite")}
						</Link>
					)}
				</p>
			)}
		</div>
	);
}
