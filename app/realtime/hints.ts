import type { Fact, Signal } from "../contract/facts.ts";
import type { Rate } from "../contract/limits.ts";
import type { TracePart } from "../contract/ops.ts";
import type { Person } from "../contract/shapes.ts";

/**
 * What instances tell each other. Two versions run side by side during a deploy, so: fields may be added and kinds may be
 * added, since what is not known is passed over; what is there never changes its meaning. A change that cannot keep to this
 * raises `hintVersion`, and the two versions then hear nothing of each other and heal from the database until the deploy is over.
 */
export type Hint =
	/** A change of a room, whole: who follows the room need not ask the database. `ts`: its stamps so far, as in an envelope. */
	| { kind: "fact"; fact: Fact; ts?: number[] | undefined }
	| { kind: "pointer"; roomId: string; userId: string; deliveredSeq: number; displayedSeq: number }
	| { kind: "typing"; roomId: string; person: Person }
	/** Who came to the sender or went from it, and everybody who is there; `who` asks for the latter. */
	| { kind: "presence"; roomId: string; came: string[]; went: string[] }
	| { kind: "here"; roomId: string; people: string[] }
	| { kind: "who"; roomId: string }
	/** For one person's own sockets. */
	| { kind: "signal"; userId: string; signal: Signal }
	| { kind: "session-ended"; session: string }
	/** Tokens that were taken from buckets, by key. */
	| { kind: "spent"; spent: [key: string, rate: Rate, tokens: number][] }
	| { kind: "log-level"; raised: boolean; by: string }
	/** An operator looks at a trace (or asks by the beginning of its id): everybody answers with what they kept of it, null for nothing. */
	| { kind: "trace-asked"; ask: string; reference: string }
	| { kind: "trace-told"; ask: string; part: TracePart | null }
	/** The sender stops: whoever was there is there no more. */
	| { kind: "goodbye" };
export type HintKind = Hint["kind"];

const hintVersion = 1;

/** One text for all that a channel is told in one turn. `from` names the sender. */
export function encodeHints(from: string, hints: readonly Hint[]): string {
	return JSON.stringify({ v: hintVersion, from, hints });
}

/** What a text says, or null when it is of a version that cannot be read. Hints of unknown kinds are in it all the same. */
export function decodeHints(text: string): { from: string; hints: Hint[] } | null {
	let read: unknown;
	try {
		read = JSON.parse(text);
	} catch {
		return null;
	}
	const { v, from, hints } = (read ?? {}) as { v?: unknown; from?: unknown; hints?: unknown };
	if (v !== hintVersion || typeof from !== "string" || !Array.isArray(hints)) return null;
	return { from, hints: hints.filter((hint) => typeof (hint as Hint | null)?.kind === "string") };
}
