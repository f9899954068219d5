import * as v from "valibot";
import type { ImportedRecord, ImportKind, RecordFault } from "../../app/contract/imports.ts";

/** Characters as people count them, nearly. */
const lengthOf = (text: string) => Array.from(text).length;

/** One visible line of well-formed text. The message of a check is a RecordFault. */
const line = (max: number) =>
	v.pipe(
		v.string("wrong-type"),
		v.check((text) => text.isWellFormed() && !text.includes("\0"), "malformed"),
		v.transform((text) =>
			text
				.normalize("NFC")
				.replace(/[\p{Cc}\p{Z}\s]+/gu, " ")
				.trim(),
		),
		v.check((text) => lengthOf(text) <= max, "too-long"),
	);
const named = (max: number) =>
	v.pipe(
		line(max),
		v.check((text) => text !== "", "empty"),
		// Characters that hide or turn text.
		v.check((text) => !/[\u202a-\u202e\u2066-\u2069\u200b\u2060]/u.test(text), "malformed"),
	);

const item = v.pipe(
	v.object({
		id: v.pipe(
			v.union([v.string(), v.pipe(v.number(), v.safeInteger("malformed"))], "wrong-type"),
			v.transform(String),
			v.regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, "malformed"),
		),
		name: named(200),
		price: v.optional(v.nullable(v.pipe(v.number("wrong-type"), v.safeInteger("malformed"), v.minValue(0, "malformed"))), null),
		currency: v.optional(v.nullable(v.pipe(v.string("wrong-type"), v.regex(/^[A-Z]{3}$/, "malformed"))), null),
		present: v.optional(v.boolean("wrong-type"), true),
	}),
	// A price is in something.
	v.forward(
		v.check(({ price, currency }) => price === null || currency !== null, "missing"),
		["currency"],
	),
);

const person = v.pipe(
	v.object({
		name: v.optional(v.string("wrong-type")),
		real_name: v.optional(v.string("wrong-type")),
		profile: v.optional(
			v.object({ display_name: v.optional(v.string("wrong-type")), real_name: v.optional(v.string("wrong-type")) }, "wrong-type"),
		),
	}),
	// As Slack writes people, whose `name` is a handle; a file of one's own has nothing but a name.
	v.transform(({ name, real_name, profile }) => ({ name: profile?.display_name || profile?.real_name || real_name || name || "" })),
	v.object({ name: named(32) }),
);

const topic = v.union(
	[
		v.string(),
		v.pipe(
			v.object({ value: v.string() }),
			v.transform(({ value }) => value),
		),
	],
	"wrong-type",
);
const room = v.pipe(
	v.object({
		name: named(60),
		topic: v.optional(v.pipe(topic, line(200)), ""),
		kind: v.optional(v.picklist(["public", "private"], "malformed")),
		is_private: v.optional(v.boolean("wrong-type"), false),
		members: v.optional(
			v.pipe(v.array(v.pipe(v.string("wrong-type"), v.maxLength(100, "too-long")), "wrong-type"), v.maxLength(1000, "too-long")),
			[],
		),
	}),
	v.transform(({ name, topic, kind, is_private, members }) => ({
		name,
		topic,
		kind: kind ?? (is_private ? ("private" as const) : ("public" as const)),
		members,
	})),
);

const text = v.optional(v.string("wrong-type"));
const message = v.pipe(
	v.object({
		ts: v.pipe(v.union([v.string(), v.number()], "wrong-type"), v.transform(String), v.regex(/^\d{9,10}(\.\d{1,9})?$/, "malformed")),
		text: v.pipe(
			v.string("wrong-type"),
			v.check((said) => said.isWellFormed() && !said.includes("\0"), "malformed"),
			v.transform((said) => said.replace(/\r\n?/g, "\n").replace(/\s+$/, "")),
			v.check((said) => said.trim() !== "", "empty"),
			v.check((said) => lengthOf(said) <= 4000, "too-long"),
		),
		user: text,
		username: text,
		user_profile: v.optional(v.object({ display_name: text, real_name: text, name: text }, "wrong-type")),
		thread_ts: text,
	}),
	v.transform(({ ts, text: said, user, username, user_profile: profile, thread_ts }) => ({
		ts,
		at: Math.round(Number(ts) * 1000),
		author: profile?.display_name || profile?.real_name || profile?.name || username || user || "",
		text: said,
		thread: thread_ts && thread_ts !== ts ? thread_ts : null,
	})),
	v.object({ ts: v.string(), at: v.number(), author: named(32), text: v.string(), thread: v.nullable(v.string()) }),
);

const schemas: Record<ImportKind, v.GenericSchema> = { catalogue: item, people: person, rooms: room, channel: message };

/** Checks one record. What makes two records of a file the same is `key`. */
export function readRecord(kind: ImportKind, given: unknown): ImportedRecord | { field: string; fault: RecordFault } {
	if (typeof given !== "object" || given === null || Array.isArray(given)) return { field: "", fault: "wrong-type" };
	const result = v.safeParse(schemas[kind], given);
	if (!result.success) {
		const [issue] = result.issues;
		const field = v.getDotPath(issue) ?? "";
		const isMissing = issue.received === "undefined" && issue.type === "object";
		return { field, fault: isMissing ? "missing" : ((recordFault.has(issue.message) ? issue.message : "wrong-type") as RecordFault) };
	}
	const value = result.output as never;
	return { kind, key: keyOf[kind](value), value } as ImportedRecord;
}

const recordFault: ReadonlySet<string> = new Set(["missing", "wrong-type", "malformed", "too-long", "duplicate", "empty"]);

const keyOf: Record<ImportKind, (value: never) => string> = {
	catalogue: ({ id }: { id: string }) => id,
	people: ({ name }: { name: string }) => name.normalize("NFKC").toLowerCase(),
	rooms: ({ name }: { name: string }) => name.normalize("NFKC").toLowerCase(),
	channel: ({ ts, author }: { ts: string; author: string }) => `${ts} ${author}`,
};
