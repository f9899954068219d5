import type { Histogram } from "@opentelemetry/sdk-metrics";

/** What was recorded in a histogram, however many series it came in. */
export type Buckets = { boundaries: readonly number[]; counts: number[]; count: number; min: number; max: number };

/** Adds up histograms with the same boundaries; those with others are left out. Null when nothing was recorded. */
export function mergeBuckets(given: Iterable<Histogram | Buckets>): Buckets | null {
	let merged: Buckets | null = null;
	for (const one of given) {
		if (one.count === 0) continue;
		const { boundaries, counts } = "buckets" in one ? one.buckets : one;
		const { min, max } = { min: one.min ?? 0, max: one.max ?? boundaries.at(-1) ?? 0 };
		if (merged === null) merged = { boundaries, counts: [...counts], count: one.count, min, max };
		else if (merged.boundaries.length === boundaries.length) {
			for (const [place, count] of counts.entries()) merged.counts[place] = (merged.counts[place] ?? 0) + count;
			merged.count += one.count;
			merged.min = Math.min(merged.min, min);
			merged.max = Math.max(merged.max, max);
		}
	}
	return merged;
}

/**
 * The value a share of all recorded ones (0 to 1) does not exceed, in the histogram's unit. Within a bucket values are taken to
 * be spread evenly, and never outside of the smallest and the largest that were recorded.
 */
export function quantile(buckets: Buckets, share: number): number {
	const { boundaries, counts, count, min, max } = buckets;
	const rank = share * count;
	let before = 0;
	for (const [place, within] of counts.entries()) {
		if (within === 0 || before + within < rank) {
			before += within;
			continue;
		}
		const lower = Math.max(min, place === 0 ? min : (boundaries[place - 1] as number));
		const upper = Math.min(max, boundaries[place] ?? max);
		return lower + (upper - lower) * (Math.max(0, rank - before) / within);
	}
	return max;
}

/** As many values as were recorded, at most `most`, spread as they were: what a system that makes its own percentiles is given. */
export function valuesOf(buckets: Buckets, most: number): number[] {
	const wanted = Math.min(most, Math.round(buckets.count));
	return Array.from({ length: wanted }, (_, place) => quantile(buckets, (place + 0.5) / wanted));
}
