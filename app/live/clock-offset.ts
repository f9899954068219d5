/** The estimate of what the server's clock shows. */
export type ClockOffset = {
	/** The server wrote this time into something that came just now. */
	stamped(serverTime: number, now: number): void;
	/** A question and its answer took this long, ms. */
	answered(roundTrip: number): void;
	/** Server's clock minus ours, ms. */
	get(): number;
};

/** Samples of each kind that count: few enough that a clock which was set is believed after a handful of messages. */
const remembered = 8;

/**
 * Estimates how far the server's clock is ahead of ours. A stamp is always late by its way here, never early, so the best of
 * the last ones is the one that came fastest; its way took about half of the shortest round trip.
 */
export function openClockOffset(): ClockOffset {
	const ahead: number[] = [];
	const roundTrips: number[] = [];
	const keep = (samples: number[], sample: number) => {
		samples.push(sample);
		if (samples.length > remembered) samples.shift();
	};

	return {
		stamped: (serverTime, now) => keep(ahead, serverTime - now),
		answered: (roundTrip) => keep(roundTrips, roundTrip),
		get() {
			if (ahead.length === 0) return 0;
			const way = roundTrips.length > 0 ? Math.min(...roundTrips) / 2 : 0;
			return Math.round(Math.max(...ahead) + way);
		},
	};
}
