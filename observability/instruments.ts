import { type Attributes, metrics as api, type Histogram, type Meter, type MeterProvider, type ObservableResult } from "@opentelemetry/api";
import { type MetricName, metrics, type SloName } from "./contract.ts";

/** The scope everything of ours is recorded under. */
export const scope = "charla";

type Named<T extends string> = { [N in MetricName]: (typeof metrics)[N]["type"] extends T ? N : never }[MetricName];
type Values<N extends MetricName> = Partial<Record<(typeof metrics)[N]["attributes"][number], string | number | boolean | undefined>>;
type Series = { attributes: Attributes; value: number };
type Sum = Map<string, Series>;

let provider: MeterProvider | null = null;
let meter: Meter;
let histograms = new Map<string, Histogram>();
let sums = new Map<string, Sum>();

/** Instruments are made on first use, and anew when another provider was registered: tests start telemetry more than once. */
function current(): Meter {
	const registered = api.getMeterProvider();
	if (registered !== provider) {
		provider = registered;
		meter = registered.getMeter(scope);
		histograms = new Map();
		sums = new Map();
	}
	return meter;
}

const about = (name: MetricName) => ({ unit: metrics[name].unit, description: metrics[name].what });

/** An attribute without a value would be exported as an empty one. */
function given(values: Record<string, unknown>): Attributes {
	for (const key in values)
		if (values[key] === undefined)
			return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Attributes;
	return values as Attributes;
}

/**
 * Sums are kept here and read when somebody collects: adding is a lookup by a short key instead of OpenTelemetry's hashing
 * of attributes, which a message would pay eight times.
 */
function add(name: MetricName, by: number, values: Record<string, unknown>): void {
	const meter = current();
	let sum = sums.get(name);
	if (!sum) {
		const made: Sum = new Map();
		sum = made;
		sums.set(name, made);
		const options = about(name);
		const instrument =
			metrics[name].type === "counter" ? meter.createObservableCounter(name, options) : meter.createObservableUpDownCounter(name, options);
		instrument.addCallback((result: ObservableResult) => {
			for (const { attributes, value } of made.values()) result.observe(value, attributes);
		});
	}
	let key = "";
	for (const name in values) key += `${String(values[name])}\u0000`;
	const series = sum.get(key);
	if (series) series.value += by;
	else sum.set(key, { attributes: given(values), value: by });
}

/** Adds to a counter. Attributes are those the contract lists for it, in one order at each place; what is undefined is left out. */
export function count<N extends Named<"counter">>(name: N, value: number, values: Values<N>): void {
	add(name, value, values);
}

/** Adds to (or takes from) a sum that may fall. */
export function change<N extends Named<"up-down">>(name: N, by: number, values: Values<N>): void {
	add(name, by, values);
}

/** Records a value in the histogram's own unit: seconds for durations. */
export function record<N extends Named<"histogram">>(name: N, value: number, values: Values<N>): void {
	const meter = current();
	let histogram = histograms.get(name);
	if (!histogram) {
		const { buckets } = metrics[name] as { buckets?: readonly number[] };
		histogram = meter.createHistogram(name, { ...about(name), ...(buckets ? { advice: { explicitBucketBoundaries: [...buckets] } } : {}) });
		histograms.set(name, histogram);
	}
	histogram.record(value, given(values));
}

/** Asks for values whenever a reader collects. Returns what stops it. */
export function observed<N extends Named<"observed">>(name: N, read: () => { value: number; values?: Values<N> }[]): () => void {
	const gauge = current().createObservableGauge(name, about(name));
	const callback = (result: ObservableResult) => {
		for (const { value, values } of read()) result.observe(value, given(values ?? {}));
	};
	gauge.addCallback(callback);
	return () => gauge.removeCallback(callback);
}

type Example = { value: number; traceId: string; messageId?: string };
const listeners = new Set<(slo: SloName, isGood: boolean, example: Example) => void>();

/**
 * Counts one event of a service level, never sampled; `weight` is the N of a 1-in-N report. An example is told to whoever
 * keeps the worst ones.
 */
export function countSlo(slo: SloName, isGood: boolean, example?: Example, weight = 1): void {
	count("slo.valid", weight, { slo });
	// Zero as well, so that a service level that only fails has both its series.
	count("slo.good", isGood ? weight : 0, { slo });
	if (example) for (const hear of listeners) hear(slo, isGood, example);
}

/** Hears examples of all service levels. Returns what stops it. */
export function onExample(listener: (slo: SloName, isGood: boolean, example: Example) => void): () => void {
	listeners.add(listener);
	return () => listeners.delete(listener);
}
