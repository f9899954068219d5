import type { Rate } from "../contract/limits.ts";
import { refuse } from "../contract/refusals.ts";

/** Takes one token for `key` or throws `too-fast` with the seconds until there is one. */
export type Throttle = (rate: Rate, key: string) => void;

/**
 * Token buckets in memory: `burst` at once, then `perSecond`. A bucket that is full again is forgotten, so memory follows
 * the people who are busy now. `off` is for load tests alone.
 */
export function openThrottle(given: { clock: () => number; off?: boolean }): Throttle {
	return openBuckets(given).take;
}

/**
 * The same where other instances take from the same buckets: each tells what it took, and takes away what it is told of. So
 * everybody has their rate over all instances together, nobody waits to be asked, and what a burst to several of them at once
 * gets too much in the moment before they hear of it is owed: a bucket may be below empty. Only durations count, on one's own clock.
 */
export function openBuckets(given: {
	clock: () => number;
	off?: boolean;
	/** A token was taken here. */
	onTaken?: (rate: Rate, key: string) => void;
}): { take: Throttle; takenElsewhere: (rate: Rate, key: string, tokens: number) => void } {
	if (given.off) return { take() {}, takenElsewhere() {} };
	type Bucket = { tokens: number; at: number; rate: Rate };
	const buckets = new Map<string, Bucket>();
	let sweepAt = 0;

	function level(bucket: Bucket, now: number): number {
		return Math.min(bucket.rate.burst, bucket.tokens + ((now - bucket.at) / 1000) * bucket.rate.perSecond);
	}

	function look(rate: Rate, key: string): { tokens: number; now: number } {
		const now = given.clock();
		if (now > sweepAt) {
			sweepAt = now + 60_000;
			for (const [name, bucket] of buckets) if (level(bucket, now) >= bucket.rate.burst) buckets.delete(name);
		}
		return { tokens: level(buckets.get(key) ?? { tokens: rate.burst, at: now, rate }, now), now };
	}

	return {
		take(rate, key) {
			const { tokens, now } = look(rate, key);
			if (tokens < 1) throw refuse("too-fast", { seconds: Math.max(1, Math.ceil((1 - tokens) / rate.perSecond)) });
			buckets.set(key, { tokens: tokens - 1, at: now, rate });
			given.onTaken?.(rate, key);
		},
		takenElsewhere(rate, key, taken) {
			const { tokens, now } = look(rate, key);
			// Nobody is ever more than a burst behind, whatever was told.
			buckets.set(key, { tokens: Math.max(-rate.burst, tokens - taken), at: now, rate });
		},
	};
}
