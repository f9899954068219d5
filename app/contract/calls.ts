import * as v from "valibot";
import type { CaughtUp } from "./facts.ts";
import { limits } from "./limits.ts";
import type { PublicSlo } from "./ops.ts";
import { verdicts } from "./orders.ts";
import type { RefusalCode, RefusalDetails } from "./refusals.ts";
import type { MessageJourney, MyRoom, Stretch } from "./shapes.ts";
import { isBlank, lengthOf } from "./text.ts";

const id = v.pipe(v.string(), v.uuid("malformed"), v.toLowerCase());
const seq = v.pipe(v.number("malformed"), v.safeInteger("malformed"), v.minValue(0, "malformed"));

/** A message's text. NUL is not storable in PostgreSQL and lone surrogates are not text: both are refused, never repaired in silence. */
export const body = v.pipe(
	v.string("malformed"),
	v.check((text) => !text.includes("\0") && text.isWellFormed(), "malformed"),
	v.check((text) => !isBlank(text), "empty"),
	v.check((text) => text.length <= limits.body * 2 && lengthOf(text) <= limits.body, "too-long"),
	v.transform((text) => text.replace(/\r\n?/g, "\n").replace(/\s+$/, "")),
);

const replyTo = v.optional(v.nullable(seq), null);

/** What a browser may ask over the socket (or by form: the same schema reads both). A message in a schema is a refusal code. */
export const calls = {
	"message:post": v.strictObject({ roomId: id, clientId: id, body, replyTo }),
	"message:edit": v.strictObject({ roomId: id, clientId: id, seq, body }),
	"message:delete": v.strictObject({ roomId: id, clientId: id, seq }),
	/** How far one of my own messages got. */
	"message:journey": v.strictObject({ roomId: id, seq }),
	/** One stretch of history: before, after or around a seq; with none, the newest. */
	"message:stretch": v.strictObject({
		roomId: id,
		before: v.optional(seq),
		after: v.optional(seq),
		around: v.optional(seq),
	}),
	/** Catch-up by cursor for all my rooms in one go. */
	"room:since": v.strictObject({
		cursors: v.pipe(v.array(v.strictTuple([id, seq])), v.maxLength(limits.catchUpRooms, "malformed")),
	}),
	/** Who is here now, of one room. */
	"room:here": v.strictObject({ roomId: id }),
	/** My pointers in one room moved; each only ever moves forward. */
	"pointer:move": v.strictObject({
		roomId: id,
		delivered: v.optional(seq),
		displayed: v.optional(seq),
		read: v.optional(seq),
	}),
	/** Approves, rejects or withdraws an order of the room. */
	"cart:decide": v.strictObject({ roomId: id, cartId: id, verdict: v.picklist(verdicts, "malformed") }),
	typing: v.strictObject({ roomId: id }),
	/** How long an answer takes, and who gives it. */
	"server:ping": v.strictObject({}),
	/** How well the server keeps its promises. */
	"server:slos": v.strictObject({}),
} as const;

export type CallName = keyof typeof calls;
export type CallInput<N extends CallName> = v.InferOutput<(typeof calls)[N]>;

/** What posting answers: a stored message, or the outcome of a command. `notice` is a code the page has words for. */
export type Posted = { id: string; seq: number } | { id: string; seq: null; notice: string; goTo?: string };

export type CallAnswer = {
	"message:post": Posted;
	"message:edit": { seq: number };
	"message:delete": { seq: number };
	"message:journey": MessageJourney;
	"message:stretch": Stretch;
	/** `gone`: asked for, but I am not in it. `added`: mine, but not asked for (joined elsewhere while away). */
	"room:since": { rooms: CaughtUp[]; gone: string[]; added: MyRoom[] };
	"room:here": { here: string[] };
	"cart:decide": { version: number };
	"pointer:move": { readSeq: number; readMsg: number };
	typing: null;
	/** `at`: the server's clock, ms. `instance` names the process. */
	"server:ping": { at: number; instance: string };
	/** Null where nothing is measured. */
	"server:slos": { slos: PublicSlo[] | null };
};

export type Answer<T> = { ok: true; data: T } | { ok: false; code: RefusalCode; details?: RefusalDetails };

/** Names and headlines of rooms: one line, no control or direction-changing characters. */
const oneLine = (max: number, whenLong: RefusalCode) =>
	v.pipe(
		v.string("malformed"),
		v.check((text) => text.isWellFormed(), "malformed"),
		v.transform((text) =>
			text
				.normalize("NFC")
				.replace(/[\p{Cc}\p{Cf}\p{Z}\s]+/gu, (run) => (/\u200d/.test(run) && !/\s/.test(run) ? "\u200d" : " "))
				.trim(),
		),
		v.check((text) => text.length <= max * 2 && lengthOf(text) <= max, whenLong),
	);
const roomName = v.pipe(
	oneLine(limits.roomName, "too-long"),
	v.check((text) => !isBlank(text), "empty"),
);

/** What only forms ask: they are rare, so a page load is their answer. */
export const forms = {
	enter: v.object({ name: v.pipe(v.string("malformed"), v.maxLength(500, "name-too-long")) }),
	"room:create": v.object({
		name: roomName,
		topic: v.optional(oneLine(limits.topic, "too-long"), ""),
		kind: v.picklist(["public", "private"], "malformed"),
		/** None from a page of the version before. */
		clientId: v.optional(id),
	}),
	"room:change": v.object({ roomId: id, name: roomName, topic: v.optional(oneLine(limits.topic, "too-long"), "") }),
	"room:join": v.object({ roomId: id }),
	"room:leave": v.object({ roomId: id }),
	"room:invite": v.object({ roomId: id, name: v.pipe(v.string("malformed"), v.maxLength(500, "name-too-long")) }),
	"room:direct": v.object({ userId: id }),
} as const;
export type FormName = keyof typeof forms;
export type FormInput<N extends FormName> = v.InferOutput<(typeof forms)[N]>;
