import type { Fact } from "../contract/facts.ts";
import type { Message, MyRoom } from "../contract/shapes.ts";
import { type Read, withRead } from "../contract/unread.ts";
import type { LiveState, RoomState } from "./live-state.ts";
import { fold, foldRoom } from "./timeline.ts";

/** The live state of a page as its loaders found it. */
export function firstState(me: LiveState["me"], rooms: readonly MyRoom[], open: RoomState | null): LiveState {
	const state: LiveState = {
		me,
		connection: {
			state: "connecting",
			retryAt: null,
			transport: null,
			roundTrips: [],
			reconnects: 0,
			lostAt: null,
			clockOffset: 0,
			newVersion: false,
			synced: false,
			refusal: null,
		},
		rooms: {},
		cursors: {},
		open: null,
		here: {},
		typing: {},
		pending: [],
		drafts: {},
		loading: null,
		notLoaded: null,
		announced: [],
	};
	const listed = rooms.reduce(withRoom, state);
	return open ? withOpen(listed, open) : listed;
}

/** Puts a room into the list as it is given. The open room's own copy is the same object, so that both always agree. */
export function withRoom(state: LiveState, room: MyRoom): LiveState {
	return {
		...state,
		rooms: { ...state.rooms, [room.id]: room },
		cursors: { ...state.cursors, [room.id]: room.lastSeq },
		open: state.open?.room.id === room.id ? { ...state.open, room } : state.open,
	};
}

/** Shows this room. What the list knew of reading and counts is kept where it is further. */
export function withOpen(state: LiveState, open: RoomState): LiveState {
	const known = state.rooms[open.room.id];
	const room = { ...(known ? withRead(open.room, known) : open.room), lastSeq: open.cursor };
	if (known) room.lastMsg = Math.max(room.lastMsg, known.lastMsg);
	return withRoom({ ...state, open: { ...open, room } }, room);
}

/** Takes a room out of the list, and off the screen when it is open. */
export function withoutRoom(state: LiveState, roomId: string): LiveState {
	if (!state.rooms[roomId]) return state;
	const { [roomId]: _room, ...rooms } = state.rooms;
	const { [roomId]: _cursor, ...cursors } = state.cursors;
	const { [roomId]: _typists, ...typing } = state.typing;
	const left = { ...state, rooms, cursors, typing };
	return state.open?.room.id === roomId ? { ...left, open: null, here: {}, loading: null, notLoaded: null, announced: [] } : left;
}

/** One fact folded into the list and, when its room is open, into what is on screen. */
export function withFact(state: LiveState, fact: Fact): LiveState {
	const room = state.rooms[fact.roomId];
	if (!room || fact.seq <= (state.cursors[fact.roomId] ?? 0)) return state;
	if (state.open?.room.id !== fact.roomId) return withRoom(state, foldRoom(room, fact, state.me.id));
	const open = fold(state.open, fact, state.me.id);
	return withRoom({ ...state, open }, open.room);
}

/** The reader's own pointer, which only ever moves forward. */
export function withReadUpTo(state: LiveState, roomId: string, read: Read): LiveState {
	const room = state.rooms[roomId];
	if (!room) return state;
	const next = withRead(room, read);
	return next === room ? state : withRoom(state, next);
}

/**
 * A room as a loader fetched it, which may be older or newer than what is known. The open room is never moved past
 * what was folded into it: what is missing has to come as facts.
 */
export function withListed(state: LiveState, listed: MyRoom): LiveState {
	const known = state.rooms[listed.id];
	if (!known) return withRoom(state, listed);
	const isNewer = listed.lastSeq >= known.lastSeq && state.open?.room.id !== listed.id;
	const room = { ...withRead(isNewer ? listed : known, isNewer ? known : listed) };
	room.lastMsg = Math.max(known.lastMsg, listed.lastMsg);
	return sameRoom(room, known) ? state : withRoom(state, room);
}

/** Newest of these messages at or before a seq. */
export function messageAt(messages: readonly Message[], seq: number): Message | undefined {
	return messages.findLast((message) => message.seq <= seq);
}

function sameRoom(a: MyRoom, b: MyRoom): boolean {
	return (
		a.name === b.name &&
		a.topic === b.topic &&
		a.kind === b.kind &&
		a.role === b.role &&
		a.lastSeq === b.lastSeq &&
		a.lastMsg === b.lastMsg &&
		a.readSeq === b.readSeq &&
		a.readMsg === b.readMsg &&
		a.unreadDeleted?.length === b.unreadDeleted?.length &&
		a.with?.id === b.with?.id &&
		a.with?.name === b.with?.name
	);
}
