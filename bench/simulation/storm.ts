import { reconnectAfter } from "../../app/live/backoff.ts";
import { seeded } from "../seeded.ts";

/** Steps of the clock, ms: finer than anything people notice. */
const step = 10;

export type StormInput = {
	seed: number;
	people: number;
	/** Instances that take people, once they are up. */
	instances: number;
	/** From the moment everybody lost the connection until the instances are up, ms. */
	down: number;
	/** CPU of an instance and of the database per connection made, ms, and how many cores the database has. */
	connect: number;
	connectStore: number;
	databaseCores: number;
	/** After this long a browser gives an attempt up, ms. */
	patience: number;
	/** An instance with more work waiting than this, ms, says so at once; null: everybody waits in line. */
	admitBelow: number | null;
	/** How browsers wait; the product's own when left out. */
	wait?: (attempt: number, random: number) => number;
	/** Nobody looks any further, ms. */
	horizon: number;
};

export type StormResult = {
	/** Attempts, and what became of them. */
	attempts: number;
	refused: number;
	givenUp: number;
	back: number;
	/** Who was not back at the horizon. */
	away: number;
	/** ms since the connection was lost until this share of the people was back; null when it never was. */
	half: number | null;
	most: number | null;
	all: number | null;
	/** People back, and attempts made, in each second. */
	backPerSecond: number[];
	attemptsPerSecond: number[];
	/** Work done for people who had given up already, as a share of all. */
	wasted: number;
};

/**
 * Everybody loses the connection at 0 and comes back as the product's browsers do. Every single browser is followed: its attempts,
 * its place in the line of an instance and then of the one database, and its patience. The same input gives the same result.
 */
export function simulateStorm(input: StormInput): StormResult {
	const { people, instances, horizon, patience } = input;
	const wait = input.wait ?? reconnectAfter;
	const random = seeded(input.seed);
	const steps = Math.ceil(horizon / step);
	// A list of browsers for each step of the clock: no object per browser, so that ten million fit.
	const first = new Int32Array(steps).fill(-1);
	const next = new Int32Array(people);
	const attempt = new Uint8Array(people);
	const seconds = Math.ceil(horizon / 1000);
	const backPerSecond = new Array<number>(seconds).fill(0);
	const attemptsPerSecond = new Array<number>(seconds).fill(0);
	const instanceFree = new Float64Array(instances).fill(input.down);
	const storeEach = input.connectStore / input.databaseCores;
	let storeFree = input.down;
	let [attempts, refused, givenUp, back, wasted, served] = [0, 0, 0, 0, 0, 0];

	function plan(browser: number, at: number): void {
		const slot = Math.floor(at / step);
		if (slot >= steps) return;
		next[browser] = first[slot] as number;
		first[slot] = browser;
	}
	const again = (browser: number, from: number) => {
		const tries = attempt[browser] as number;
		if (tries < 255) attempt[browser] = tries + 1;
		plan(browser, from + Math.max(step, wait(tries, random())));
	};

	for (let browser = 0; browser < people; browser++) again(browser, 0);
	for (let slot = 0; slot < steps; slot++) {
		const now = slot * step;
		let browser = first[slot] as number;
		while (browser >= 0) {
			const following = next[browser] as number;
			attempts++;
			count(attemptsPerSecond, now);
			const chosen = Math.floor(random() * instances);
			const free = Math.max(now, instanceFree[chosen] as number);
			if (now < input.down) {
				// Nobody listens: refused by the system, at no cost.
				refused++;
				again(browser, now);
			} else if (input.admitBelow !== null && (free - now > input.admitBelow || storeFree - now > input.admitBelow)) {
				refused++;
				again(browser, now);
			} else {
				const taken = free + input.connect;
				instanceFree[chosen] = taken;
				storeFree = Math.max(storeFree, taken) + storeEach;
				served++;
				if (storeFree - now > patience) {
					givenUp++;
					wasted++;
					again(browser, now + patience);
				} else {
					back++;
					count(backPerSecond, storeFree);
				}
			}
			browser = following;
		}
	}
	return {
		attempts,
		refused,
		givenUp,
		back,
		away: people - back,
		half: reached(backPerSecond, people * 0.5),
		most: reached(backPerSecond, people * 0.95),
		all: reached(backPerSecond, people),
		backPerSecond,
		attemptsPerSecond,
		wasted: served === 0 ? 0 : wasted / served,
	};
}

/** One more in the second of a moment; beyond the horizon nobody counts. */
function count(perSecond: number[], at: number): void {
	const second = Math.floor(at / 1000);
	if (second < perSecond.length) perSecond[second] = (perSecond[second] as number) + 1;
}

/** The end of the second in which so many were back, ms. */
function reached(perSecond: readonly number[], count: number): number | null {
	let sum = 0;
	for (const [second, more] of perSecond.entries()) {
		sum += more;
		if (sum >= count) return (second + 1) * 1000;
	}
	return null;
}
