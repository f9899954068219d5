import { type Attributes, metrics as api, type Histogram, type Meter, type MeterProvider, type ObservableResult } from "@opentelemetry/api";
import { type MetricName, metrics, type SloName } from "./contract.ts";

/** The scope everything of ours is recorded under. */
export const scope = "charla";

/** OpenTelemetry's own, for what has none in the contract. */
const usualBuckets = [0, 5, 10, 25, 50, 75, 100, 250, 500, 750, 1000, 2500, 5000, 7500, 10_000];

type Named<T extends string> = { [N in MetricName]: (typeof metrics)[N]["type"] extends T ? N : never }[MetricName];
type Values<N extends MetricName> = Partial<Record<(typeof metrics)[N]["attributes"][number], string | number | boolean | undefined>>;
type Series = { attributes: Attributes; value: number };
type Sum = Map<string, Series>;

/** What was recorded in one series, in the shape of OpenTelemetry's data points. */
export type Recorded = {
	attributes: Attributes;
	value: { buckets: { boundaries: readonly number[]; counts: number[] }; count: number; sum: number; min: number; max: number };
};

let provider: MeterProvider | null = null;
let meter: Meter;
let histograms = new Map<string, Histogram>();
let sums = new Map<string, Sum>();
/** What was recorded since it was last taken, by metric and series; null while nobody takes it. */
let recorded: Map<MetricName, Map<string, Recorded>> | null = null;
let isExported = true;

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
	const key = keyOf(values);
	const series = sum.get(key);
	if (series) series.value += by;
	else sum.set(key, { attributes: given(values), value: by });
}

/** Attributes stand in one order at each place, so their values say which series is meant. */
function keyOf(values: Record<string, unknown>): string {
	let key = "";
	for (const name in values) key += `${String(values[name])}\u0000`;
	return key;
}

/**
 * From now on what is recorded is counted here as well, in the fixed buckets of the contract, for whoever takes it: all that was
 * recorded since the last time. For one taker, the latest. OpenTelemetry would keep it once for each reader, and pay for its
 * attributes each time.
 */
export function takeRecorded(): () => ReadonlyMap<MetricName, Iterable<Recorded>> {
	recorded = new Map();
	return () => {
		const taken = new Map([...(recorded ?? [])].map(([name, series]) => [name, series.values()]));
		recorded = new Map();
		return taken;
	};
}

/** Whether histograms go to OpenTelemetry: where nothing is exported there is nobody to read them. */
export function exportHistograms(exported: boolean): void {
	isExported = exported;
}

function keep(name: MetricName, boundaries: readonly number[], value: number, values: Record<string, unknown>): void {
	let all = recorded?.get(name);
	if (!all) {
		all = new Map();
		recorded?.set(name, all);
	}
	const key = keyOf(values);
	let series = all.get(key);
	if (!series) {
		const buckets = { boundaries, counts: new Array<number>(boundaries.length + 1).fill(0) };
		series = {
			attributes: given(values),
			value: { buckets, count: 0, sum: 0, min: Number.POSITIVE_INFINITY, max: Number.NEGATIVE_INFINITY },
		};
		all.set(key, series);
	}
	const { value: known } = series;
	// A value belongs to the first bucket whose upper bound it does not exceed.
	let place = 0;
	while (place < boundaries.length && value > (boundaries[place] as number)) place++;
	known.buckets.counts[place] = (known.buckets.counts[place] as number) + 1;
	known.count++;
	known.sum += value;
	if (value < known.min) known.min = value;
	if (value > known.max) known.max = value;
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
	const { buckets } = metrics[name] as { buckets?: readonly number[] };
	if (recorded) keep(name, buckets ?? usualBuckets, value, values);
	if (!isExported) return;
	const meter = current();
	let histogram = histograms.get(name);
	if (!histogram) {
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
