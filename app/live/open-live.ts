import type { CallAnswer, CallInput, CallName } from "../contract/calls.ts";
import type { CaughtUp, Fact, Signal } from "../contract/facts.ts";
import type { RefusalCode, RefusalDetails } from "../contract/refusals.ts";
import type { Message, MyRoom, OpenedRoom, Person, Stretch } from "../contract/shapes.ts";
import { unreadOf } from "../contract/unread.ts";
import { browserPorts } from "./browser-ports.ts";
import { openCatchUp } from "./catch-up.ts";
import { comeBack } from "./come-back.ts";
import { openConnection } from "./connection.ts";
import { openDrafts } from "./drafts.ts";
import type { Asked, Live, LiveState, RoomState } from "./live-state.ts";
import { openOutbox } from "./outbox.ts";
import { openPointers } from "./pointers.ts";
import type { LivePorts } from "./ports.ts";
import { firstState, messageAt, withFact, withListed, withOpen, withoutRoom, withReadUpTo, withRoom } from "./room-list.ts";
import { openStore } from "./store.ts";
import { append, openState, prepend, refold, replace } from "./timeline.ts";
import { openTyping } from "./typing.ts";

export type LiveOptions = {
	me: Person;
	rooms: readonly MyRoom[];
	/** The room the page opens with, when it does: rendered by the server from the same state. */
	opened?: OpenedRoom | null;
	/** Build of this page; the server saying another makes `newVersion` true. */
	build: string;
	/** Where the server is; this page's own origin by default. */
	url?: string;
	/** What stands for the browser in a test. */
	ports?: LivePorts;
};

/** How long the fact of a stored message may take before it is asked for, ms. */
const factWithin = 2000;
/** How long a connection has to prove itself after the page slept, ms. */
const awakeWithin = 3000;
/** A measurement that takes longer says nothing new: the connection is slow, or gone, ms. */
const pingWithin = 5000;
/** Live messages kept for the screen reader. */
const announcedAtMost = 20;
/** How often an edit or deletion is asked for before giving up: it is shown as failed, and the text is kept. */
const changeTries = 3;

/** The browser's side of the protocol, tied together. Touches neither window nor network before `start`. */
export function createLive(options: LiveOptions): Live {
	const ports = options.ports ?? browserPorts(options.me.id, options.url);
	const { timers, recorder } = ports;
	const first = firstState(options.me, options.rooms, options.opened ? openState(options.opened) : null);
	const store = openStore(first);
	const meId = options.me.id;
	const notices = new Set<(notice: { notice: string; goTo?: string }) => void>();
	const reloads = new Set<() => void>();
	/** Facts folded while history is being fetched: see `refold`. */
	const journals = new Set<Fact[]>();
	/** Changes whenever the window is another one, so that a late answer finds out that it is not wanted. */
	let view = {};
	/** Who started it and has not let go: layout and provider may both do so, and it is one connection all the same. */
	let holders = 0;
	let stops: (() => void)[] = [];
	/** Facts that catching up brought since the last welcome. */
	let backfilled = 0;
	/** Rooms that were on screen in this page: what switching to one again finds at hand. */
	const seen = new Set<string>();

	const connection = openConnection({
		myId: meId,
		build: options.build,
		ports,
		show: (part) => store.update((state) => ({ ...state, connection: { ...state.connection, ...part } })),
		onWelcome(welcome) {
			store.update((state) => ({ ...state, me: welcome.me }));
			backfilled = 0;
			catchUp.pause();
			outbox.wake();
			pointers.wake();
			catchUp.all();
			void fetchHere();
			const { notLoaded } = store.get();
			if (notLoaded) void loadEnd(notLoaded);
		},
		onFact(fact, envelope) {
			recorder?.heard(fact, envelope, fact.roomId === openRoomId());
			catchUp.receive(fact);
		},
		onSignal: hear,
		onAwake() {
			setSynced(false);
			catchUp.all(awakeWithin);
			void fetchHere();
		},
		onLeaving: () => drafts.flush(),
	});
	const { call, isReady } = connection;

	const outbox = openOutbox({
		me: options.me,
		ports,
		call,
		isReady,
		show: (pending) => store.update((state) => ({ ...state, pending })),
		onStored(roomId, seq) {
			const cursor = store.get().cursors[roomId];
			if (cursor === undefined || cursor >= seq) outbox.followed(roomId, cursor ?? Number.POSITIVE_INFINITY);
			else timers.after(factWithin, () => catchUp.expect(roomId, seq));
		},
		onNotice: (notice) => {
			for (const listener of [...notices]) listener(notice);
		},
		onSignedOut: connection.signOut,
		onForgotten: () => drafts.forget(),
	});

	const pointers = openPointers({
		timers,
		call,
		isReady,
		onRead: (roomId, read) => store.update((state) => withReadUpTo(state, roomId, read)),
	});

	const drafts = openDrafts({ ports, show: (change) => store.update((state) => ({ ...state, drafts: change(state.drafts) })) });

	const typing = openTyping({
		timers,
		tell: (roomId) => void call("typing", { roomId }),
		get: () => store.get().typing,
		show: (next) => store.update((state) => ({ ...state, typing: next })),
	});

	const catchUp = openCatchUp({
		timers,
		call,
		isReady,
		roomIds: () => Object.keys(store.get().rooms),
		cursor: (roomId) => store.get().cursors[roomId],
		fold: foldFact,
		reset,
		settle(caught) {
			backfilled += caught.facts.length;
			store.update((state) => withReadUpTo(withCount(state, caught.roomId, caught.lastMsg), caught.roomId, caught));
			outbox.followed(caught.roomId, store.get().cursors[caught.roomId] ?? 0);
		},
		add: (room) => store.update((state) => withRoom(state, room)),
		remove: removeRoom,
		onSynced() {
			setSynced(true);
			connection.caughtUp(backfilled);
		},
		onDeaf: connection.renew,
	});

	function setSynced(synced: boolean): void {
		store.update((state) =>
			state.connection.synced === synced ? state : { ...state, connection: { ...state.connection, synced: synced && isReady() } },
		);
	}

	function openRoomId(): string | null {
		return store.get().open?.room.id ?? null;
	}

	function foldFact(fact: Fact): void {
		const before = store.get();
		const room = before.rooms[fact.roomId];
		if (!room || fact.seq <= (before.cursors[fact.roomId] ?? 0)) return;
		for (const journal of journals) journal.push(fact);
		store.update((state) => withFact(state, fact));
		if (fact.kind === "message-posted") posted(fact.message, room);
		outbox.followed(fact.roomId, fact.seq);
	}

	/** Everything beyond the timeline that a new message means. Runs in the same turn, so no render falls in between. */
	function posted(message: Message, roomBefore: MyRoom): void {
		const { roomId, seq, author } = message;
		typing.ended(roomId, author.id);
		if (author.id === meId) {
			outbox.arrived([message]);
			// Who had read everything and writes has read what they wrote.
			if (unreadOf(roomBefore) === 0) markRead(roomId, seq, message.msgNo);
			return;
		}
		pointers.delivered(roomId, seq);
		if (openRoomId() === roomId) store.update((state) => ({ ...state, announced: [...state.announced, message].slice(-announcedAtMost) }));
	}

	function markRead(roomId: string, seq: number, msgNo: number): void {
		store.update((state) => withReadUpTo(state, roomId, { readSeq: seq, readMsg: msgNo }));
		pointers.displayed(roomId, seq);
	}

	/** What a loader brought has reached this browser: it replaces what was pending, and the server hears of it. */
	function reached(): void {
		const { open } = store.get();
		if (!open) return;
		outbox.arrived(open.messages);
		outbox.followed(open.room.id, open.cursor);
		if (open.cursor > (open.members[meId]?.deliveredSeq ?? 0)) pointers.delivered(open.room.id, open.cursor);
	}

	function removeRoom(roomId: string): void {
		if (openRoomId() === roomId) view = {};
		pointers.drop(roomId);
		seen.delete(roomId);
		store.update((state) => withoutRoom(state, roomId));
	}

	function hear(signal: Signal): void {
		switch (signal.kind) {
			case "typing":
				if (signal.person.id !== meId && store.get().rooms[signal.roomId]) typing.theirs(signal.roomId, signal.person);
				return;
			case "presence":
				if (openRoomId() === signal.roomId) store.update((state) => ({ ...state, here: moved(state.here, signal.came, signal.went) }));
				return;
			case "pointers":
				return store.update((state) =>
					state.open?.room.id === signal.roomId ? { ...state, open: pointed(state.open, signal.moved) } : state,
				);
			case "read":
				return store.update((state) => withReadUpTo(state, signal.roomId, signal));
			case "room-added":
				store.update((state) => withListed(state, signal.room));
				catchUp.added(signal.room.id);
				return;
			case "room-removed":
				return removeRoom(signal.roomId);
			case "resync":
				setSynced(false);
				return catchUp.all();
		}
	}

	async function fetchHere(): Promise<void> {
		const roomId = openRoomId();
		if (!roomId) return;
		const answer = await call("room:here", { roomId });
		if (!answer?.ok || openRoomId() !== roomId) return;
		const here = Object.fromEntries(answer.data.here.map((id) => [id, true as const]));
		store.update((state) => ({ ...state, here }));
	}

	/** Too far behind for facts. The window is read anew at the end, or around what the reader of old messages looks at. */
	async function reset(caught: CaughtUp): Promise<boolean> {
		const open = store.get().open;
		if (open?.room.id !== caught.roomId) {
			store.update((state) => {
				const room = state.rooms[caught.roomId];
				return room ? withRoom(state, { ...room, lastSeq: Math.max(room.lastSeq, caught.lastSeq) }) : state;
			});
		} else {
			const middle = open.messages[Math.floor(open.messages.length / 2)];
			const mine = {};
			view = mine;
			store.update((state) => ({ ...state, loading: null, notLoaded: null }));
			const stretch = await fetchStretch(caught.roomId, open.hasAfter && middle ? { around: open.anchor ?? middle.seq } : {});
			// Opened anew or jumped meanwhile: the question is asked again with the cursor of what is there now.
			if (!stretch || view !== mine) return false;
			store.update((state) =>
				state.open
					? withOpen(state, {
							...refold(replace(state.open, stretch.data), stretch.journal),
							cursor: Math.max(state.open.cursor, caught.lastSeq),
						})
					: state,
			);
			outbox.arrived(stretch.data.messages);
		}
		pointers.delivered(caught.roomId, caught.lastSeq);
		for (const listener of [...reloads]) listener();
		return true;
	}

	async function fetchStretch(
		roomId: string,
		range: Omit<CallInput<"message:stretch">, "roomId">,
	): Promise<{ data: Stretch; journal: Fact[] } | null> {
		const journal: Fact[] = [];
		journals.add(journal);
		const answer = await call("message:stretch", { roomId, ...range });
		journals.delete(journal);
		return answer?.ok ? { data: answer.data, journal } : null;
	}

	async function load(
		loading: NonNullable<LiveState["loading"]>,
		range: Omit<CallInput<"message:stretch">, "roomId">,
		put: (open: RoomState, stretch: Stretch) => RoomState,
	): Promise<boolean> {
		const roomId = openRoomId();
		if (!roomId) return false;
		const mine = {};
		view = mine;
		store.update((state) => ({ ...state, loading, notLoaded: null }));
		const stretch = await fetchStretch(roomId, range);
		if (view !== mine) return stretch !== null;
		store.update((state) => {
			const settled = { ...state, loading: null, notLoaded: stretch || loading === "jump" ? null : loading };
			if (!stretch || state.open?.room.id !== roomId) return settled;
			return { ...settled, open: refold(put(state.open, stretch.data), stretch.journal) };
		});
		if (stretch) outbox.arrived(stretch.data.messages);
		return stretch !== null;
	}

	async function loadEnd(end: "before" | "after"): Promise<void> {
		const { open, loading } = store.get();
		const edge = end === "before" ? open?.messages[0] : open?.messages.at(-1);
		if (!edge || loading || !(end === "before" ? open?.hasBefore : open?.hasAfter)) return;
		if (!isReady()) store.update((state) => (state.notLoaded === end ? state : { ...state, notLoaded: end }));
		else if (end === "before") await load(end, { before: edge.seq }, prepend);
		else await load(end, { after: edge.seq }, append);
	}

	/** A change that is the same however often it is asked for (by its clientId, or since it says what is to be), asked again while no answer comes: it is carried out at most once. */
	async function change<N extends "message:edit" | "message:delete" | "cart:decide">(
		name: N,
		input: CallInput<N>,
	): Promise<{ code: RefusalCode; details: RefusalDetails } | null> {
		for (let tried = 0; tried < changeTries && isReady(); tried++) {
			const answer = await call(name as CallName, input as CallInput<CallName>);
			if (answer?.ok) return null;
			if (answer) return { code: answer.code, details: answer.details ?? {} };
		}
		return { code: "no-answer", details: {} };
	}

	async function asked<N extends CallName>(name: N, input: CallInput<N>): Promise<Asked<CallAnswer[N]>> {
		const answer = await call(name, input);
		if (answer?.ok) return answer;
		return { ok: false, code: answer?.code ?? "no-answer", details: answer?.details ?? {} };
	}

	return {
		build: options.build,
		getState: store.get,
		getToldState: store.told,
		getServerState: () => first,
		subscribe: store.subscribe,
		start() {
			if (holders++ === 0) {
				stops = [outbox.start(), drafts.start(), connection.start()];
				reached();
			}
			let isHolding = true;
			return () => {
				if (!isHolding) return;
				isHolding = false;
				if (--holders > 0) return;
				for (const stop of stops.reverse()) stop();
				catchUp.pause();
			};
		},
		switching: (roomId) => recorder?.switching(roomId),
		openRoom(opened) {
			const { open, cursors } = store.get();
			const roomId = opened.room.id;
			const known = cursors[roomId] ?? 0;
			if (open?.room.id === roomId && isWithin(opened, open)) {
				// The same place fetched again: following goes on from what is on screen, so that nobody loses their place.
				if (opened.room.lastSeq >= open.cursor) store.update((state) => withMembersOf(state, opened));
				store.update((state) => withListed(state, opened.room));
			} else {
				view = {};
				const isOther = open?.room.id !== roomId;
				store.update((state) => ({
					...withOpen(state, openState(opened)),
					loading: null,
					notLoaded: null,
					...(isOther ? { here: {}, announced: [] } : {}),
				}));
				if (isOther) {
					recorder?.switched(roomId, seen.has(roomId));
					seen.add(roomId);
					void fetchHere();
				}
			}
			reached();
			catchUp.added(roomId);
			catchUp.expect(roomId, Math.max(known, opened.room.lastSeq));
		},
		closeRoom() {
			view = {};
			store.update((state) => (state.open ? { ...state, open: null, here: {}, announced: [], loading: null, notLoaded: null } : state));
		},
		setRooms(rooms) {
			const listed = new Set(rooms.map((room) => room.id));
			const missing = Object.keys(store.get().rooms).filter((roomId) => !listed.has(roomId) && roomId !== openRoomId());
			store.update((state) => rooms.reduce(withListed, state));
			for (const room of rooms) {
				catchUp.added(room.id);
				catchUp.expect(room.id, room.lastSeq);
			}
			// A list fetched before a room was added lacks it just as one fetched after it was left: the server knows.
			if (missing.length > 0 && isReady()) catchUp.all();
			else for (const roomId of missing) removeRoom(roomId);
		},
		send: outbox.send,
		retry: outbox.retry,
		discard: outbox.discard,
		journey: (roomId, seq) => asked("message:journey", { roomId, seq }),
		async slos() {
			const answer = await asked("server:slos", {});
			return answer.ok ? { ok: true, data: answer.data.slos } : answer;
		},
		async ping() {
			const answer = await call("server:ping", {}, pingWithin);
			return answer?.ok ? { instance: answer.data.instance } : null;
		},
		async edit(seq, body) {
			const roomId = openRoomId();
			return roomId ? change("message:edit", { roomId, clientId: ports.uuid(), seq, body }) : { code: "not-found", details: {} };
		},
		async remove(seq) {
			const roomId = openRoomId();
			return roomId ? change("message:delete", { roomId, clientId: ports.uuid(), seq }) : { code: "not-found", details: {} };
		},
		async decide(cartId, verdict) {
			const roomId = openRoomId();
			return roomId ? change("cart:decide", { roomId, cartId, verdict }) : { code: "not-found", details: {} };
		},
		loadBefore: () => loadEnd("before"),
		loadAfter: () => loadEnd("after"),
		async jumpTo(seq) {
			return store.get().open?.messages.some((message) => message.seq === seq) || load("jump", { around: seq }, replace);
		},
		async jumpToLatest() {
			return !store.get().open?.hasAfter || load("jump", {}, replace);
		},
		displayed(seq) {
			const { open } = store.get();
			if (!open) return;
			pointers.displayed(open.room.id, seq);
			const message = messageAt(open.messages, seq);
			if (message) store.update((state) => withReadUpTo(state, open.room.id, { readSeq: seq, readMsg: message.msgNo }));
		},
		reading(seq) {
			store.update((state) =>
				state.open && (state.open.anchor ?? null) !== seq ? { ...state, open: { ...state.open, anchor: seq } } : state,
			);
		},
		typing: typing.mine,
		setDraft: drafts.set,
		retryNow: connection.retryNow,
		comeBack,
		onNotice(listener) {
			notices.add(listener);
			return () => notices.delete(listener);
		},
		onReload(listener) {
			reloads.add(listener);
			return () => reloads.delete(listener);
		},
	};
}

function moved(here: Record<string, true>, came: string[], went: string[]): Record<string, true> {
	const next = { ...here };
	for (const id of came) next[id] = true;
	for (const id of went) delete next[id];
	return next;
}

function pointed(open: RoomState, moves: [string, number, number][]): RoomState {
	const members = { ...open.members };
	for (const [id, deliveredSeq, displayedSeq] of moves) {
		const member = members[id];
		if (member)
			members[id] = {
				...member,
				deliveredSeq: Math.max(member.deliveredSeq, deliveredSeq),
				displayedSeq: Math.max(member.displayedSeq, displayedSeq),
			};
	}
	return { ...open, members };
}

function withCount(state: LiveState, roomId: string, lastMsg: number): LiveState {
	const room = state.rooms[roomId];
	return room && lastMsg > room.lastMsg ? withRoom(state, { ...room, lastMsg }) : state;
}

function withMembersOf(state: LiveState, opened: OpenedRoom): LiveState {
	if (!state.open) return state;
	const members = Object.fromEntries(
		opened.members.map((member) => {
			const known = state.open?.members[member.person.id];
			const deliveredSeq = Math.max(member.deliveredSeq, known?.deliveredSeq ?? 0);
			const displayedSeq = Math.max(member.displayedSeq, known?.displayedSeq ?? 0);
			return [member.person.id, { ...member, deliveredSeq, displayedSeq }];
		}),
	);
	return { ...state, open: { ...state.open, members } };
}

/** Whether everything a loader fetched is on screen already, or newer than what was followed so far. */
function isWithin(opened: OpenedRoom, open: RoomState): boolean {
	const shown = new Set(open.messages.map((message) => message.seq));
	return opened.messages.every((message) => shown.has(message.seq) || (message.seq > open.cursor && !open.hasAfter));
}
