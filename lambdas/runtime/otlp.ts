import type { Attributes, Span } from "./trace.ts";

/** A number of this call, as OTLP counts: what happened since the last one (delta). */
export type Measure = { name: string; unit: string; attributes: Attributes } & (
	| { count: number }
	| { value: number; bounds: readonly number[] }
);

export type Resource = Record<string, string>;

const kinds = ["internal", "server", "client", "producer", "consumer"] as const;
const scope = { name: "charla.lambda" };
const delta = 1;
const errorCode = 2;

/** The body of POST /v1/traces. */
export const tracesBody = (spans: readonly Span[], resource: Resource): unknown => ({
	resourceSpans: [{ resource: { attributes: keyValues(resource) }, scopeSpans: [{ scope, spans: spans.map(spanJson) }] }],
});

/** The body of POST /v1/metrics. */
export const metricsBody = (measures: readonly Measure[], from: number, to: number, resource: Resource): unknown => ({
	resourceMetrics: [
		{
			resource: { attributes: keyValues(resource) },
			scopeMetrics: [{ scope, metrics: measures.map((measure) => metricJson(measure, nanos(from), nanos(to))) }],
		},
	],
});

function spanJson(span: Span) {
	return {
		traceId: span.traceId,
		spanId: span.spanId,
		...(span.parentSpanId ? { parentSpanId: span.parentSpanId } : {}),
		name: span.name,
		kind: kinds.indexOf(span.kind) + 1,
		startTimeUnixNano: nanos(span.start),
		endTimeUnixNano: nanos(span.end),
		attributes: keyValues(span.attributes),
		links: span.links.map(({ traceId, spanId }) => ({ traceId, spanId })),
		status: span.error === null ? {} : { code: errorCode, message: span.error },
	};
}

function metricJson(measure: Measure, startTimeUnixNano: string, timeUnixNano: string) {
	const { name, unit } = measure;
	const point = { attributes: keyValues(measure.attributes), startTimeUnixNano, timeUnixNano };
	if ("count" in measure)
		return {
			name,
			unit,
			sum: { aggregationTemporality: delta, isMonotonic: true, dataPoints: [{ ...point, asInt: String(measure.count) }] },
		};
	const { value, bounds } = measure;
	const place = bounds.findIndex((bound) => value <= bound);
	const bucketCounts = [...bounds, 0].map((_, i) => (i === (place === -1 ? bounds.length : place) ? "1" : "0"));
	return {
		name,
		unit,
		histogram: {
			aggregationTemporality: delta,
			dataPoints: [{ ...point, count: "1", sum: value, min: value, max: value, bucketCounts, explicitBounds: bounds }],
		},
	};
}

/** To the microsecond, which is as fine as ms since 1970 are in a double. */
const nanos = (ms: number): string => (BigInt(Math.round(ms * 1000)) * 1000n).toString();

const keyValues = (attributes: Readonly<Record<string, string | number | boolean | undefined>>) =>
	Object.entries(attributes)
		.filter(([, value]) => value !== undefined)
		.map(([key, value]) => ({ key, value: anyValue(value as string | number | boolean) }));

function anyValue(value: string | number | boolean) {
	if (typeof value === "string") return { stringValue: value };
	if (typeof value === "boolean") return { boolValue: value };
	// JSON has no 64-bit integers: OTLP writes them as text.
	return Number.isSafeInteger(value) ? { intValue: String(value) } : { doubleValue: value };
}
