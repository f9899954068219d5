/**
 * What a page sends to /telemetry: OTLP/JSON spans, and numbers beside them. JSON, in whichever content type:
 *
 * {
 *   "resourceSpans": [{
 *     "resource": { "attributes": [service.name "chat-browser", service.version (build of the page), session.id] },
 *     "scopeSpans": [{ "scope": { "name": "chat.browser", "version": "1" }, "spans": [at most 50, may be none] }]
 *   }],
 *   "metrics": [at most 150 of `Measured`]
 * }
 *
 * Spans are sampled; numbers never are, since service levels are counted from them. Times are by the server's clock.
 */
import type { AttributeName } from "../contract.ts";

/** Spans and numbers the server takes in one body. */
export const spansAtMost = 50;
export const measuredAtMost = 150;

/** All ms. `trace` is the trace to look at when the number is bad, `weight` the N of a 1-in-N report. */
export type Measured =
	/** A message was answered ok this long after the click (or after its first attempt, had it waited for a connection). */
	| { name: "sent"; ms: number; trace: string }
	/** An attempt to send a message got no answer: a dead server counts no failures. */
	| { name: "unsent"; trace: string }
	/** Accepted by the server until it reached this browser; `stage`: since it was published. */
	| { name: "delivered"; ms: number; stage: number; hop: "local" | "remote"; weight: number; trace: string }
	/** Click until painted here, null where the click is not known; `stage`: since it reached this browser. */
	| { name: "painted"; ms: number | null; stage: number; weight: number; trace: string }
	/** Connection lost until caught up, or until the person gave up. */
	| { name: "reconnect"; ms: number; ok: boolean; trace: string }
	/** `value` in ms, but for cls. */
	| { name: "vital"; vital: string; value: number; rating: string; route: string }
	/** A script failed: the kind of error and the page's pattern, no text. */
	| { name: "error"; type: string; route: string }
	/** What found no place in the queue. */
	| { name: "dropped"; count: number };

type OtlpValue = { stringValue: string } | { intValue: string } | { doubleValue: number } | { boolValue: boolean };
type OtlpAttribute = { key: string; value: OtlpValue };
export type OtlpSpan = {
	traceId: string;
	spanId: string;
	parentSpanId?: string;
	name: string;
	kind: number;
	startTimeUnixNano: string;
	endTimeUnixNano: string;
	attributes: OtlpAttribute[];
	status: { code?: number; message?: string };
};

/** OTLP's numbers of the kinds a browser makes. */
export const kinds = { internal: 1, client: 3, consumer: 5 };

export type Attributes = Partial<Record<AttributeName | "service.name" | "service.version", string | number | boolean | undefined>>;

/** A span as OTLP/JSON writes it. `error` is a constant sentence; without one the status is not set. */
export function otlpSpan(given: {
	traceId: string;
	spanId: string;
	parent?: string | undefined;
	name: string;
	kind: number;
	start: number;
	end: number;
	attributes: Attributes;
	error?: string | undefined;
}): OtlpSpan {
	const { traceId, spanId, parent, name, kind, start, end, error } = given;
	return {
		traceId,
		spanId,
		...(parent ? { parentSpanId: parent } : {}),
		name,
		kind,
		startTimeUnixNano: nanos(start),
		// Clocks are set while a page is open; nothing ends before it began.
		endTimeUnixNano: nanos(Math.max(start, end)),
		attributes: otlpAttributes(given.attributes),
		status: error ? { code: 2, message: error } : {},
	};
}

export function otlpAttributes(attributes: Attributes): OtlpAttribute[] {
	return Object.entries(attributes)
		.filter(([, value]) => value !== undefined)
		.map(([key, value]) => ({ key, value: otlpValue(value as string | number | boolean) }));
}

function otlpValue(value: string | number | boolean): OtlpValue {
	if (typeof value === "string") return { stringValue: value };
	if (typeof value === "boolean") return { boolValue: value };
	return Number.isInteger(value) ? { intValue: String(value) } : { doubleValue: value };
}

const nanos = (ms: number): string => `${Math.round(ms)}000000`;
