import type { ConnectionState } from "../live/live-state.ts";

/** How a connection feels: `good` instant, `fair` noticeable, `slow` in the way; `none` while there is none. */
export type Quality = "good" | "fair" | "slow" | "none";

/** Up to here an answer feels instant, ms; past the second it is waited for. The same lines as the service levels draw. */
const goodUpTo = 150;
const fairUpTo = 500;
/** Round trips that say how it is now: one alone may have met a busy moment. */
const recent = 5;

/** The typical round trip of the last few calls, ms; null before the first. */
export function latencyOf(roundTrips: readonly number[]): number | null {
	return medianOf(roundTrips.slice(-recent));
}

/** The middle one, rounded; null of none. */
export function medianOf(samples: readonly number[]): number | null {
	const sorted = samples.toSorted((a, b) => a - b);
	const middle = sorted[sorted.length >> 1];
	return middle === undefined ? null : Math.round(middle);
}

export function qualityOf({ state, roundTrips }: Pick<ConnectionState, "state" | "roundTrips">): Quality {
	const latency = latencyOf(roundTrips);
	if (state !== "online" || latency === null) return "none";
	return latency <= goodUpTo ? "good" : latency <= fairUpTo ? "fair" : "slow";
}
