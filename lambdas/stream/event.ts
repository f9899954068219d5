import * as v from "valibot";
import type { Activity } from "../../app/contract/activity.ts";

const uuid = v.pipe(v.string(), v.uuid());
const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

/** Unknown kinds and fields are welcome: a newer server may send them. */
const activity = v.pipe(
	v.object({
		id: v.string(),
		roomId: uuid,
		seq: v.pipe(count, v.minValue(1)),
		kind: v.pipe(v.string(), v.regex(/^[a-z][a-z-]{0,30}$/)),
		/** Later than this software and before the year 2100: anything else is not milliseconds. */
		at: v.pipe(v.number(), v.minValue(1_577_836_800_000), v.maxValue(4_102_444_800_000)),
		authorId: uuid,
		bytes: count,
		target: v.nullable(count),
		flags: v.pipe(v.array(v.string()), v.maxLength(10)),
		reach: v.nullable(v.object({ here: count, delivered: count })),
		tp: v.string(),
	}),
	v.check((event) => event.id === `${event.roomId}:${event.seq}`, "id is not room and seq"),
);

/** One record of the stream: what happened in one room, in order. */
const envelope = v.object({ v: v.literal(1), events: v.pipe(v.array(v.unknown()), v.minLength(1), v.maxLength(1000)) });

/** A record nothing can be made of: trying again does not help. */
export class BadRecord extends Error {
	constructor(reason: string) {
		super(reason);
		this.name = "BadRecord";
	}
}

const decoder = new TextDecoder("utf-8", { fatal: true });

/** Reads the bytes of a record. Throws BadRecord, saying what is wrong and never what it holds. */
export function readRecord(bytes: Uint8Array): Activity[] {
	let parsed: unknown;
	try {
		parsed = JSON.parse(decoder.decode(bytes));
	} catch (error) {
		throw new BadRecord(error instanceof SyntaxError ? "not JSON" : "not UTF-8");
	}
	const outer = v.safeParse(envelope, parsed);
	if (!outer.success) throw new BadRecord(`not a record of version 1: ${describe(outer.issues[0])}`);
	const events = outer.output.events.map(readEvent);
	const [first] = events;
	for (const [i, event] of events.entries()) {
		if (event.roomId !== first?.roomId) throw new BadRecord("events of several rooms");
		if (i > 0 && event.seq <= (events[i - 1] as Activity).seq) throw new BadRecord("events out of order");
	}
	return events;
}

/** Checks one event. Throws BadRecord. */
export function readEvent(given: unknown): Activity {
	const result = v.safeParse(activity, given);
	if (!result.success) throw new BadRecord(describe(result.issues[0]));
	return result.output as Activity;
}

const describe = (issue: v.BaseIssue<unknown>): string => `${v.getDotPath(issue) ?? "it"}: ${issue.type}`;

/** A record's bytes; at most `maxEvents` of one room. */
export const writeRecord = (events: readonly Activity[]): Uint8Array => new TextEncoder().encode(JSON.stringify({ v: 1, events }));
