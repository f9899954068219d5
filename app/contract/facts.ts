import type { Cart } from "./orders.ts";
import type { Message, MyRoom, Person, Role } from "./shapes.ts";

/**
 * What happened in a room. Each is one row of the room's log: `seq` is gapless per room, so a browser knows
 * when one is missing, and folding the same fact twice changes nothing.
 */
export type Fact =
	| { kind: "message-posted"; roomId: string; seq: number; message: Message }
	| { kind: "message-edited"; roomId: string; seq: number; target: number; body: string; html: string | null; editedAt: number }
	| { kind: "message-deleted"; roomId: string; seq: number; target: number; deletedAt: number }
	| { kind: "member-joined"; roomId: string; seq: number; person: Person; role: Role }
	| { kind: "member-left"; roomId: string; seq: number; person: Person }
	/** What this server knows the place of and nothing else: a newer one wrote it, or it was overtaken by a later edit. */
	| { kind: "unknown-change"; roomId: string; seq: number }
	| { kind: "room-changed"; roomId: string; seq: number; by: Person; name: string; topic: string }
	/** An order shown as message `target` is another now. */
	| { kind: "cart-changed"; roomId: string; seq: number; target: number; body: string; html: string | null; cart: Cart };

export type FactKind = Fact["kind"];

/**
 * What is worth showing now but not worth keeping: it may be lost, and the next one (or a reload) repairs it.
 * Sent to a room or to one person's own sockets.
 */
export type Signal =
	/** Sent once per connection, after the socket stands in all its rooms: catch up only after it. */
	| { kind: "welcome"; me: Person; build: string; serverTime: number; roomIds: string[] }
	| { kind: "typing"; roomId: string; person: Person }
	/** Who came to be here and who went, gathered over a second. `here` lists ids. */
	| { kind: "presence"; roomId: string; came: string[]; went: string[] }
	/** Pointers that moved, gathered over a second: [personId, deliveredSeq, displayedSeq]. */
	| { kind: "pointers"; roomId: string; moved: [string, number, number][] }
	/** My own read pointer moved in another tab or device. */
	| { kind: "read"; roomId: string; readSeq: number; readMsg: number }
	/** A room came into my list, or left it. */
	| { kind: "room-added"; room: MyRoom }
	| { kind: "room-removed"; roomId: string }
	/** This socket was too slow to follow: catch up by cursor. */
	| { kind: "resync" }
	/** The server is going away: come back after a random part of `within` ms. */
	| { kind: "move"; within: number }
	/** The session ended elsewhere. */
	| { kind: "signed-out" };

/** Catch-up for one room: facts after the cursor, or `reset` when the browser is too far behind and must load the newest page. */
export type CaughtUp = {
	roomId: string;
	facts: Fact[];
	lastSeq: number;
	lastMsg: number;
	readSeq: number;
	readMsg: number;
	/** As in `MyRoom`, with `reset` only: otherwise the facts say it. */
	unreadDeleted?: number[];
	reset: boolean;
};
