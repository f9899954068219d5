import type { TraceSpan } from "../app/contract/ops.ts";
import { scope } from "./instruments.ts";
import { spanKinds } from "./trace-span.ts";

type Value = { stringValue: string } | { boolValue: boolean } | { intValue: string } | { doubleValue: number };
type KeyValue = { key: string; value: Value };

/** Status code of a span that failed, as OTLP counts. */
const errorCode = 2;

/**
 * A trace as OTLP/JSON, which any viewer takes: ids in hex, times as texts in ns, kinds as numbers. One resource for each
 * service and instance that recorded a part of it, with `more` beside its names.
 */
export function otlpJson(spans: readonly TraceSpan[], more: Record<string, string> = {}): unknown {
	const resources = new Map<string, TraceSpan[]>();
	for (const span of spans) {
		const key = `${span.service}\n${span.instance}`;
		const group = resources.get(key);
		if (group) group.push(span);
		else resources.set(key, [span]);
	}
	return {
		resourceSpans: [...resources.values()].map((group) => {
			const { service, instance } = group[0] as TraceSpan;
			return {
				resource: { attributes: keyValues({ ...more, "service.name": service, ...(instance ? { "service.instance.id": instance } : {}) }) },
				scopeSpans: [{ scope: { name: scope }, spans: group.map(spanJson) }],
			};
		}),
	};
}

function spanJson(span: TraceSpan) {
	return {
		traceId: span.traceId,
		spanId: span.spanId,
		...(span.parentSpanId ? { parentSpanId: span.parentSpanId } : {}),
		name: span.name,
		kind: spanKinds.indexOf(span.kind) + 1,
		startTimeUnixNano: nanos(span.start),
		endTimeUnixNano: nanos(span.start + span.duration),
		attributes: keyValues(span.attributes),
		links: span.links.map(({ traceId, spanId }) => ({ traceId, spanId })),
		status: span.error === null ? {} : { code: errorCode, message: span.error },
	};
}

/** To the microsecond, which is as fine as ms since 1970 are in a double. */
const nanos = (ms: number): string => (BigInt(Math.round(ms * 1000)) * 1000n).toString();

const keyValues = (attributes: TraceSpan["attributes"]): KeyValue[] =>
	Object.entries(attributes).map(([key, value]) => ({ key, value: anyValue(value) }));

function anyValue(value: string | number | boolean): Value {
	if (typeof value === "string") return { stringValue: value };
	if (typeof value === "boolean") return { boolValue: value };
	// JSON has no 64-bit integers: OTLP writes them as text.
	return Number.isSafeInteger(value) ? { intValue: String(value) } : { doubleValue: value };
}
