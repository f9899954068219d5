import * as v from "valibot";
import { type Field, Problem } from "./problem.ts";

/** The contract's figures (app/contract/orders.ts), of which a function may know types only; a test compares them. */
export const itemPattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
export const mostLines = 100;
export const mostOfOne = 999;
/** Entries of `items` that are looked at: more is refused by number, before each is checked. */
const mostEntries = 1000;

const item = v.pipe(v.string("is not a text"), v.regex(itemPattern, "is not an item's id: 1 to 64 of A-Z a-z 0-9 . _ -"));
const quantity = v.pipe(
	v.number("is not a number"),
	v.integer("is not a whole number"),
	v.minValue(1, "is less than 1"),
	v.maxValue(mostOfOne, `is more than ${mostOfOne}`),
);
const oneLine = (most: number) =>
	v.pipe(
		v.string("is not a text"),
		v.check((text) => text.isWellFormed(), "is not well-formed Unicode"),
		v.transform((text) => text.normalize("NFC").trim()),
		v.check((text) => text.length > 0, "is empty"),
		v.check((text) => [...text].length <= most, `is longer than ${most} characters`),
		v.check((text) => !/[\p{Cc}\u202a-\u202e\u2066-\u2069\u2028\u2029]/u.test(text), "has control or direction-changing characters"),
	);

const order = v.strictObject({
	items: v.pipe(
		v.array(
			v.union([item, v.strictObject({ id: item, quantity: v.optional(quantity, 1) })], "is neither an item's id nor {id, quantity}"),
			"is not a list",
		),
		v.minLength(1, "is empty"),
	),
	user: v.optional(oneLine(64), "me"),
	room: v.optional(v.nullable(oneLine(64)), null),
});

/** An order as it was asked for: each item once, in the order of first mention. */
export type OrderAsked = { lines: { id: string; quantity: number }[]; user: string; room: string | null };

/**
 * Reads the body of POST /cart. An item named twice is two of it. Throws `invalid` with the path of every field that is
 * wrong, `too-many-items` before looking at ten thousand of them.
 */
export function readOrder(body: unknown): OrderAsked {
	const entries = (body as { items?: unknown } | null)?.items;
	if (Array.isArray(entries) && entries.length > mostEntries) throw new Problem("too-many-items", { limit: mostLines });
	const result = v.safeParse(order, body);
	if (!result.success) throw new Problem("invalid", { fields: fieldsOf(result.issues) });
	const lines = new Map<string, number>();
	for (const entry of result.output.items) {
		const [id, count] = typeof entry === "string" ? [entry, 1] : [entry.id, entry.quantity];
		lines.set(id, (lines.get(id) ?? 0) + count);
	}
	if (lines.size > mostLines) throw new Problem("too-many-items", { limit: mostLines });
	const over = [...lines].find(([, count]) => count > mostOfOne);
	if (over) throw new Problem("invalid", { fields: [{ path: "items", problem: `has more than ${mostOfOne} of ${over[0]}` }] });
	return { lines: [...lines].map(([id, count]) => ({ id, quantity: count })), user: result.output.user, room: result.output.room };
}

/** At most ten: a list of a thousand wrong items says no more. */
function fieldsOf(issues: readonly v.BaseIssue<unknown>[]): Field[] {
	const flat = issues.flatMap((issue) => (issue.type === "union" && issue.issues ? deepest(issue) : [issue]));
	return flat.slice(0, 10).map((issue) => {
		const path = v.getDotPath(issue) ?? "";
		const isMissing = issue.type === "strict_object" || issue.type === "object";
		// valibot's own words for a key too much, a key too few and a body that is no object.
		const problem = !isMissing
			? issue.message
			: issue.received === "undefined"
				? "is missing"
				: issue.expected === "never"
					? "is not known"
					: "is not an object";
		return { path, problem };
	});
}

/** Of an item that is neither a text nor an object: the words of what it comes nearest to. */
function deepest(issue: v.BaseIssue<unknown>): v.BaseIssue<unknown>[] {
	const wanted = typeof issue.input === "string" ? "regex" : typeof issue.input === "object" && issue.input !== null ? null : undefined;
	if (wanted === undefined) return [issue];
	const inner = issue.issues ?? [];
	const found = inner.filter((each) => (wanted === "regex" ? each.type === "regex" : (each.path?.length ?? 0) > (issue.path?.length ?? 0)));
	return found.length > 0 ? (found as v.BaseIssue<unknown>[]) : [issue];
}
