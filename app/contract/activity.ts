/**
 * What leaves a room's log, and what is known of a room's activity from it. Ids, kinds, sizes and times; never what was said:
 * whatever needs the text (is it a question, has it links) is decided where the text is, and only the answer leaves.
 */

/** What the text of a message is, as far as anybody else has to know. */
export type ActivityFlag = "question" | "links" | "words" | "bot";

/** One thing that happened in a room. */
export type Activity = {
	/** `<room>:<seq>`: the same fact has the same id however often it comes. */
	id: string;
	roomId: string;
	/** Place in the room's log: of two events of a room the later has the higher one. */
	seq: number;
	/** The log's name for it: message, edit, delete, join, leave, change and whatever is added. */
	kind: string;
	/** ms since 1970, by the database's clock. */
	at: number;
	authorId: string;
	/** UTF-8 bytes of the text. */
	bytes: number;
	/** The message it answers, changes or deletes. */
	target: number | null;
	flags: ActivityFlag[];
	/** Messages alone: how many others were here a moment after it, and how many of them had it. Null where that is not known. */
	reach: { here: number; delivered: number } | null;
	/** Where it began, as W3C's traceparent. */
	tp: string;
};

/** Why somebody should look at a message. Nothing is done to it. */
export type HintReason = "flood" | "links" | "words";
export type Hint = { seq: number; reason: HintReason; authorId: string; at: number };
export type OpenQuestion = { seq: number; authorId: string; at: number };

/**
 * A room's day (UTC), up to `seq`: all that is kept of its activity, in one document, so that taking in an event is one write
 * that happens or does not.
 */
export type RoomDay = {
	roomId: string;
	/** 2026-11-25 */
	day: string;
	/** The last event that is in it; an event at or below it has been counted, unless it is in a gap. */
	seq: number;
	/** Stretches below `seq`, ends included, that never came: sent again they are counted late. The last fifty; not there where there are none. */
	gaps?: [from: number, to: number][];
	/** By hour (0 to 23) and kind: how many, and how many bytes. */
	hours: Record<string, Record<string, [count: number, bytes: number]>>;
	/** Messages by author, of the first thousand authors. */
	people: Record<string, number>;
	/** Recipients who were here, and those of them who had the message in time. */
	reach: { here: number; delivered: number };
	hints: Hint[];
	/** Questions nobody has answered so far; they go along into the next day. */
	questions: OpenQuestion[];
	/** How many questions found an answer this day. */
	answered: number;
	/** The last seconds, for who floods: authors with their times, and who was said to lately. */
	recent: [authorId: string, at: number][];
	flooded: [authorId: string, at: number][];
};

/** Where documents are kept: PostgreSQL on a laptop, DynamoDB in AWS. */
export type ActivityStore = {
	/** The newest document of each of these rooms. */
	newest(roomIds: readonly string[]): Promise<Map<string, RoomDay>>;
	/** Keeps a document whose predecessor ended at `from` (null: there was none of that day). False when somebody else was there first. */
	keep(doc: RoomDay, from: number | null): Promise<boolean>;
	/** The documents of these days, of all rooms. */
	days(days: readonly string[]): Promise<RoomDay[]>;
};

/** Where the archive is written: a folder on a laptop, a bucket in AWS. The same key again replaces what was there. */
export type ArchiveStore = { put(key: string, bytes: Uint8Array): Promise<void> };

/** An event nothing can be made of, and why. */
export type SetAside = { id: string; reason: string };
