/**
 * What travels beside a call or a fact, so that one message is one trace: short names, since it goes with every message.
 * Nothing depends on it; a page or server of another version may leave it out.
 */
export type Envelope = {
	/** W3C traceparent of whoever sent this; only when the trace is sampled. */
	tp?: string;
	/** Stamps of a message so far, ms since 1970: [clicked, accepted, committed, published], on the server's clock; 0 when not known. */
	ts?: number[];
	/** One in so many recipients reports when it was delivered and painted. */
	sx?: number;
	/** Calls only: how often the browser tried, and how long it waited for a connection, ms. */
	attempt?: number;
	queued?: number;
};

/**
 * The trace of a message follows from its clientId alone: the UUID's 128 bits are the trace id, its last 64 the id of the
 * root span. So every instance and every browser that has the message knows its trace, also when no envelope came along.
 */
export function traceOf(clientId: string): { traceId: string; rootSpanId: string; traceparent: string } {
	const traceId = clientId.replaceAll("-", "").toLowerCase();
	const rootSpanId = traceId.slice(16);
	return { traceId, rootSpanId, traceparent: `00-${traceId}-${rootSpanId}-01` };
}

/** The message a trace would belong to: the UUID with that trace id. */
export function messageIdOf(traceId: string): string {
	return traceId.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

const traceparentShape = /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

/** Whether a text is a traceparent we understand. */
export const isTraceparent = (text: unknown): text is string => typeof text === "string" && traceparentShape.test(text);

/** Reads what claims to be an envelope; whatever is not right in it is left out. Never throws. */
export function readEnvelope(given: unknown): Envelope {
	if (typeof given !== "object" || given === null) return {};
	const { tp, ts, sx, attempt, queued } = given as Record<string, unknown>;
	const isCount = (value: unknown, max: number): value is number => typeof value === "number" && value >= 0 && value <= max;
	return {
		...(isTraceparent(tp) ? { tp } : {}),
		...(Array.isArray(ts) && ts.length <= 4 && ts.every((at) => isCount(at, 1e14)) ? { ts: ts as number[] } : {}),
		...(isCount(sx, 1e6) && sx >= 1 ? { sx } : {}),
		...(isCount(attempt, 1e6) ? { attempt } : {}),
		...(isCount(queued, 1e12) ? { queued } : {}),
	};
}
