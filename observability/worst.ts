import { type Context, context, ROOT_CONTEXT, TraceFlags, trace } from "@opentelemetry/api";
import { type SloName, slos } from "./contract.ts";
import { onExample } from "./instruments.ts";

/** One thing that happened: how long it took, ms, and where to see it. */
export type Worst = { value: number; at: number; traceId: string };
type Example = Worst & { isGood: boolean };

/** Kept for each service level: one screen of a list. */
const kept = 20;
/** An example older than this, ms, explains nothing that happens now, and its trace is gone. As long as snapshots are kept. */
const forgotten = 3600_000;
/** Lines a minute and service level: when everything fails, ten examples say so as well as ten thousand. */
const linesPerMinute = 10;

/**
 * Remembers the worst of what was counted for each service level, and writes a line for what breaks one, in place of the
 * exemplars OpenTelemetry for JavaScript has not: from a chart that goes wrong to a trace that did. `stop` ends it.
 */
export function openWorst(given: {
	/** Writes the event `slo.exemplar`; absent, nothing is written. */
	log?: ((event: "slo.exemplar", fields: Record<string, string | number>) => void) | undefined;
	clock?: () => number;
}): { worst(slo: SloName): Worst[]; stop(): void } {
	const clock = given.clock ?? Date.now;
	const examples = new Map<SloName, Example[]>();
	const lines = new Map<SloName, { minute: number; written: number }>();

	const stop = onExample((slo, isGood, { value, traceId, messageId }) => {
		if (!/^(?!0{32})[0-9a-f]{32}$/.test(traceId)) return;
		const at = clock();
		keep(slo, { value, at, traceId, isGood });
		if (!isGood && given.log && mayWrite(slo, at)) {
			try {
				const fields = { metric: slo, value: Math.round(value * 100) / 100, reference: traceId.slice(0, 12) };
				if (messageId) context.with(atRootOf(traceId), () => given.log?.("slo.exemplar", { ...fields, message_id: messageId }));
				else given.log("slo.exemplar", fields);
			} catch {
				// The message it is about must not fail for a line about it.
			}
		}
	});

	function keep(slo: SloName, example: Example): void {
		let list = examples.get(slo);
		if (!list) {
			list = [];
			examples.set(slo, list);
		}
		const least = list.at(-1);
		if (list.length >= kept && least && least.at > example.at - forgotten && isWorse(least, example) <= 0) return;
		list = list.filter((known) => known.at > example.at - forgotten);
		list.push(example);
		list.sort(isWorse);
		examples.set(slo, list.slice(0, kept));
	}

	function mayWrite(slo: SloName, at: number): boolean {
		const minute = Math.floor(at / 60_000);
		let known = lines.get(slo);
		if (known?.minute !== minute) {
			known = { minute, written: 0 };
			lines.set(slo, known);
		}
		return known.written++ < linesPerMinute;
	}

	return {
		/** Of the last hour: what broke it first, then the slowest. */
		worst: (slo) =>
			(examples.get(slo) ?? []).filter((known) => known.at > clock() - forgotten).map(({ value, at, traceId }) => ({ value, at, traceId })),
		stop,
	};
}

/** What broke the level before what did not, the slower before the faster, the later before the earlier. */
const isWorse = (one: Example, other: Example): number =>
	Number(one.isGood) - Number(other.isGood) || other.value - one.value || other.at - one.at;

/** Lines written here belong to the message's trace; the span they hang on is its root, which follows from the trace id. */
const atRootOf = (traceId: string): Context =>
	trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId: traceId.slice(16), traceFlags: TraceFlags.SAMPLED });

/** Whether a text names a service level. */
export const isSlo = (name: string): name is SloName => name in slos;
