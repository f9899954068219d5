import type { HintReason } from "./activity.ts";
import type { RoomKind } from "./shapes.ts";

/** What happened in rooms, as the pages show it. Times are ms since 1970. */

export type RoomActivity = {
	roomId: string;
	/** Null for rooms whose name is their members' affair. */
	name: string | null;
	kind: RoomKind;
	messages: number;
	people: number;
	orders: number;
	bytes: number;
	/** Of those who were here, the share that had a message a moment later; null where nobody was. */
	reach: number | null;
	lastHour: number;
};

export type ShownHint = { roomId: string; name: string | null; seq: number; reason: HintReason; authorId: string; at: number };
export type ShownQuestion = { roomId: string; name: string | null; seq: number; at: number };

export type Overview = {
	from: number;
	/** By hour, oldest first. */
	hours: { at: number; messages: number; orders: number; changes: number }[];
	rooms: RoomActivity[];
	hints: ShownHint[];
	questions: ShownQuestion[];
	answered: number;
	reach: { here: number; delivered: number };
};

/** How the relay stands, per consumer. */
export type RelayState = { consumer: string; behind: number; aside: number };
