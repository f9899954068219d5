import type { Fact } from "../contract/facts.ts";
import { limits } from "../contract/limits.ts";
import type { Member, Message, MyRoom, OpenedRoom, Stretch } from "../contract/shapes.ts";
import { excerpt } from "../contract/text.ts";
import { withDeleted } from "../contract/unread.ts";
import type { RoomState } from "./live-state.ts";

/** A room as a loader fetched it, ready to be followed by facts from its `lastSeq` on. */
export function openState(opened: OpenedRoom): RoomState {
	const members: Record<string, Member> = {};
	for (const member of opened.members) members[member.person.id] = member;
	const state: RoomState = {
		room: opened.room,
		members,
		messages: [],
		hasBefore: opened.hasBefore,
		hasAfter: opened.hasAfter,
		cursor: opened.room.lastSeq,
		anchor: null,
	};
	return withMessages(state, opened.messages, "oldest");
}

/**
 * One step of the room's history. A fact at or below the cursor changes nothing, so live delivery, catch-up and repeats
 * may overlap freely. The caller keeps facts in order: what is beyond a gap must wait until the gap is filled.
 * `me` is the reader's person id, for changes that concern the reader's own role.
 */
export function fold(state: RoomState, fact: Fact, me?: string): RoomState {
	if (fact.roomId !== state.room.id || fact.seq <= state.cursor) return state;
	const next = foldContent(state, fact);
	return { ...next, room: foldRoom(state.room, fact, me), members: foldMembers(state.members, fact), cursor: fact.seq };
}

/** What a fact changes of a room in the list: its head, its count, its name, and the reader's role. Never goes back. */
export function foldRoom(room: MyRoom, fact: Fact, me?: string): MyRoom {
	if (fact.roomId !== room.id || fact.seq <= room.lastSeq) return room;
	const next = { ...room, lastSeq: fact.seq };
	if (fact.kind === "message-posted") next.lastMsg = Math.max(room.lastMsg, fact.message.msgNo);
	if (fact.kind === "room-changed" && room.kind !== "direct") {
		next.name = fact.name;
		next.topic = fact.topic;
	}
	if (fact.kind === "member-joined" && fact.person.id === me) next.role = fact.role;
	return fact.kind === "message-deleted" ? withDeleted(next, [fact.target]) : next;
}

/**
 * Does again what facts did to messages, whatever the cursor says. For a stretch that was read before facts which
 * arrived ahead of it: without this an edit would be undone, and a message posted meanwhile lost, by late history.
 */
export function refold(state: RoomState, facts: readonly Fact[]): RoomState {
	return facts.filter((fact) => fact.roomId === state.room.id).reduce(foldContent, state);
}

/** Older history in front of the window. */
export function prepend(state: RoomState, stretch: Stretch): RoomState {
	return withMessages({ ...state, hasBefore: stretch.hasBefore }, [...stretch.messages, ...state.messages], "newest");
}

/** Newer history behind the window. */
export function append(state: RoomState, stretch: Stretch): RoomState {
	return withMessages({ ...state, hasAfter: stretch.hasAfter }, [...state.messages, ...stretch.messages], "oldest");
}

/** Another window of the same room. The cursor stays: a stretch is at least as new as what was asked with. */
export function replace(state: RoomState, stretch: Stretch): RoomState {
	const bare = { ...state, anchor: null, hasBefore: stretch.hasBefore, hasAfter: stretch.hasAfter };
	return withMessages(bare, stretch.messages, "oldest");
}

function foldContent(state: RoomState, fact: Fact): RoomState {
	switch (fact.kind) {
		case "message-posted":
			// Away from the live end there would be a hole between the window and the new message.
			return state.hasAfter || has(state.messages, fact.seq) ? state : appendLive(state, fact.message);
		case "message-edited":
			return mapMessages(state, (message) => {
				const edited =
					message.seq === fact.target && message.deletedAt === null
						? { ...message, body: fact.body, html: fact.html, editedAt: fact.editedAt }
						: message;
				return requote(edited, fact.target, excerpt(fact.body));
			});
		case "message-deleted":
			return mapMessages(state, (message) => {
				const emptied =
					message.seq === fact.target && message.deletedAt === null
						? { ...withoutCard(message), body: "", html: null, editedAt: null, replyTo: null, deletedAt: fact.deletedAt }
						: message;
				return requote(emptied, fact.target, null);
			});
		case "cart-changed":
			return mapMessages(state, (message) => {
				const changed =
					message.seq === fact.target && message.deletedAt === null
						? { ...message, body: fact.body, html: fact.html, card: fact.cart }
						: message;
				return requote(changed, fact.target, excerpt(fact.body));
			});
		default:
			return state;
	}
}

function withoutCard({ card: _card, ...message }: Message): Message {
	return message;
}

function foldMembers(members: Record<string, Member>, fact: Fact): Record<string, Member> {
	if (fact.kind === "member-joined") {
		const known = members[fact.person.id];
		// A newcomer's pointers stand where the room stood just before: earlier messages do not wait for them.
		const member = known
			? { ...known, person: fact.person, role: fact.role }
			: { person: fact.person, role: fact.role, deliveredSeq: fact.seq - 1, displayedSeq: fact.seq - 1 };
		return { ...members, [fact.person.id]: member };
	}
	if (fact.kind === "member-left") {
		const { [fact.person.id]: _gone, ...rest } = members;
		return rest;
	}
	return members;
}

function appendLive(state: RoomState, message: Message): RoomState {
	const { anchor } = state;
	const full = state.messages.length >= limits.mounted;
	const wouldDrop = state.messages[state.messages.length - limits.mounted];
	// Making room would take away what the reader looks at: let the window go from the live end instead.
	if (full && anchor != null && wouldDrop && wouldDrop.seq >= anchor) return { ...state, hasAfter: true };
	return withMessages(state, [...state.messages, message], "oldest");
}

/** Messages ordered by seq, each once (the later mention wins), at most `limits.mounted`: the rest is dropped from one end. */
function withMessages(state: RoomState, messages: readonly Message[], dropFrom: "oldest" | "newest"): RoomState {
	const bySeq = new Map(messages.map((message) => [message.seq, message]));
	const ordered = [...bySeq.values()].sort((a, b) => a.seq - b.seq);
	if (ordered.length <= limits.mounted) return { ...state, messages: ordered };
	return dropFrom === "oldest"
		? { ...state, messages: ordered.slice(-limits.mounted), hasBefore: true }
		: { ...state, messages: ordered.slice(0, limits.mounted), hasAfter: true };
}

function mapMessages(state: RoomState, change: (message: Message) => Message): RoomState {
	let changed = false;
	const messages = state.messages.map((message) => {
		const next = change(message);
		if (next !== message) changed = true;
		return next;
	});
	return changed ? { ...state, messages } : state;
}

/** A quote follows what it quotes; once that was deleted it stays empty. */
function requote(message: Message, target: number, text: string | null): Message {
	const quote = message.replyTo;
	if (!quote || quote.seq !== target || quote.excerpt === null || quote.excerpt === text) return message;
	return { ...message, replyTo: { ...quote, excerpt: text } };
}

function has(messages: readonly Message[], seq: number): boolean {
	for (let i = messages.length - 1; i >= 0; i--) {
		const at = (messages[i] as Message).seq;
		if (at === seq) return true;
		if (at < seq) return false;
	}
	return false;
}
