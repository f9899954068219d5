import type { Cart } from "./orders.ts";

/** What a browser sees of the domain. Every field is listed here on purpose: nothing else ever goes over the wire. */

/** Somebody: a guest, or the built-in bot. `id` also gives the stable hue of the avatar. */
export type Person = { id: string; name: string; bot?: true };

export type RoomKind = "public" | "private" | "direct";

/** A room as anybody who may see it sees it. For a direct room `name` is the other person's name. */
export type Room = {
	id: string;
	kind: RoomKind;
	name: string;
	topic: string;
	/** Newest entry of the room's log: the head of the cursor. */
	lastSeq: number;
	/** How many messages the room ever had. */
	lastMsg: number;
};

export type Role = "owner" | "member";

/** A room in my list, with my own pointers. */
export type MyRoom = Room & {
	role: Role;
	readMsg: number;
	readSeq: number;
	/**
	 * Seqs of deleted messages after `readSeq`, ascending, the newest `limits.unreadDeleted` of them; left out when there are none.
	 * Unread is `lastMsg - readMsg` without these.
	 */
	unreadDeleted?: number[];
	/** Whom a direct room is with. */
	with?: Person;
};

/** A room I could join. */
export type OpenRoom = Room & { members: number; joined: boolean };

/** A member with the pointers that give delivered and displayed for every message. */
export type Member = {
	person: Person;
	role: Role;
	deliveredSeq: number;
	displayedSeq: number;
};

/** The message another one answers, as much as a quote needs. `excerpt` is null when it was deleted. */
export type Quote = { seq: number; author: Person; excerpt: string | null };

export type Message = {
	roomId: string;
	/** Place in the room's log, gapless per room over every kind of change. */
	seq: number;
	/** Running number among messages only: gives the numbered page. */
	msgNo: number;
	author: Person;
	/** UUID the sender's browser made; the pending message with it is this one. */
	clientId: string;
	/** What the person wrote; empty when deleted. */
	body: string;
	/** Sanitised HTML, or null when the body is plain text and needs no markup. */
	html: string | null;
	/** Server's clock, ms since 1970. */
	createdAt: number;
	editedAt: number | null;
	deletedAt: number | null;
	replyTo: Quote | null;
	/** An order, shown in place of the body: whoever does not know of cards reads that. */
	card?: Cart;
};

/** Everything a browser needs to show a room and then follow it by facts. */
export type OpenedRoom = {
	room: MyRoom;
	members: Member[];
	messages: Message[];
	/** Whether older or newer messages exist outside `messages`. */
	hasBefore: boolean;
	hasAfter: boolean;
};

/** One stretch of history, oldest first. */
export type Stretch = { messages: Message[]; hasBefore: boolean; hasAfter: boolean };

/** One numbered page. `page` 1 is the oldest. */
export type Page = { room: MyRoom; messages: Message[]; page: number; pages: number; size: number };

/**
 * How far one of my own messages got: counts of the other members. Times are the first and the last that this server heard
 * of, null where it heard of none (it was started since). `people` is there in rooms small enough to name them.
 */
export type MessageJourney = {
	messageId: string;
	seq: number;
	storedAt: number;
	others: number;
	delivered: { count: number; first: number | null; last: number | null };
	displayed: { count: number; first: number | null; last: number | null };
	people: { person: Person; delivered: boolean; displayed: boolean }[] | null;
};
