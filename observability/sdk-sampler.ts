import { hash } from "node:crypto";
import { TraceFlags, trace } from "@opentelemetry/api";
import { type Sampler, SamplingDecision, type SamplingResult } from "@opentelemetry/sdk-trace";

/** New traces of one instance in a second, at most: far more than anybody looks at, and what a busy hour may cost. */
const tracesPerSecond = 20;

/**
 * Whether a trace is exported whatever becomes of it: by a salted hash of its id, so that all instances agree and nobody
 * outside can make one be taken.
 *
 * `ratio` is the largest share. An instance that would take more than 20 a second takes a smaller one for the next second,
 * and grows back when it is calm. As the hash decides, what a smaller share takes a larger one takes too: a trace that a busy
 * instance exports is exported by the others as well. A ratio of 1 asks for everything and gets it.
 */
export function openSampling(ratio: number, salt: string, clock: () => number = Date.now): (traceId: string) => boolean {
	if (ratio >= 1) return () => true;
	if (ratio <= 0) return () => false;
	let share = ratio;
	let taken = 0;
	let since = clock();
	let last = { traceId: "", isTaken: false };
	const mixed = openMix(salt);
	return (traceId) => {
		// A message is asked about before its span is made, and again by it.
		if (traceId === last.traceId) return last.isTaken;
		const at = clock();
		if (at - since >= 1000 || at < since) {
			// Seconds without any message count as calm ones.
			const perSecond = (taken * 1000) / Math.max(1000, at - since);
			share = Math.min(ratio, share * Math.min(2, tracesPerSecond / Math.max(perSecond, 1e-9)));
			taken = 0;
			since = at;
		}
		const isTaken = mixed(traceId) < share * 0x1_0000_0000;
		if (isTaken) taken++;
		last = { traceId, isTaken };
		return isTaken;
	};
}

/**
 * 32 bits that follow from a trace id and the salt alone. Each message is asked about, and a cryptographic hash was a tenth of all that
 * telemetry cost it; who wants to be taken has to guess 128 bits of keys, and would gain one of the 20 traces a second.
 */
function openMix(salt: string): (traceId: string) => number {
	const keys = hash("sha256", salt, "buffer");
	const [first, ...rest] = [0, 4, 8, 12, 16].map((at) => keys.readInt32BE(at)) as [number, number, number, number, number];
	return (traceId) => {
		let bits = first;
		for (let part = 0; part < 4; part++) {
			bits = Math.imul(bits ^ Number.parseInt(traceId.slice(part * 8, part * 8 + 8), 16), (rest[part] as number) | 1);
			bits ^= bits >>> 15;
		}
		// So that each bit of the id counts for the highest ones, by which it is decided (the last steps of MurmurHash3).
		bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
		bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
		return (bits ^ (bits >>> 16)) >>> 0;
	};
}

const taken: SamplingResult = { decision: SamplingDecision.RECORD_AND_SAMPLED };
const recorded: SamplingResult = { decision: SamplingDecision.RECORD };

/** Records everything, since what fails is exported after all and /ops shows the rest; sampled says what is exported for certain. */
export function recordingSampler(isSampled: (traceId: string) => boolean): Sampler {
	return {
		shouldSample(context, traceId) {
			const parent = trace.getSpanContext(context);
			// Within this process a trace is taken as a whole. What others decided is not for us to follow.
			const isTaken = parent && !parent.isRemote ? (parent.traceFlags & TraceFlags.SAMPLED) !== 0 : isSampled(traceId);
			return isTaken ? taken : recorded;
		},
		toString: () => "RecordingSampler",
	};
}
