import { monitorEventLoopDelay } from "node:perf_hooks";

/** The event loop is looked at so often, ms, by timers that should run every so many ms. */
const lookEvery = 1000;
const resolution = 20;
/** Looks in a row that have to say the same: a single pause (a large page, garbage) turns nobody away. */
const agreeing = 3;
/** Whoever is turned away is told to wait so long at least, s: until there may be time again, or somebody may have gone. */
const waits = { busy: 5, full: 15 } as const;

export type Reason = keyof typeof waits;

/**
 * Whether there is room for one more connection. Beyond `maxSockets`, or while half of all timers run later than `maxLag` ms,
 * newcomers wait, so that those who are here can go on: everybody slower than bearable is no help to anybody.
 */
export function openAdmission(given: {
	maxSockets: number;
	maxLag: number;
	sockets: () => number;
	/** Told each time newcomers begin to be turned away, again every minute, and when they are let in again. */
	onChange?: (reason: Reason | null, about: { sockets: number; lag: number }) => void;
	/** How late half of the timers ran since the last look, ms. */
	lag?: () => number;
}) {
	const delay = monitorEventLoopDelay({ resolution });
	delay.enable();
	const lagNow =
		given.lag ??
		(() => {
			// Counts the time a timer took, its due time included.
			const median = delay.percentile(50) / 1e6 - resolution;
			delay.reset();
			return Number.isFinite(median) ? Math.max(0, median) : 0;
		});
	let lag = 0;
	let above = 0;
	let isLate = false;
	let told: Reason | null = null;
	let toldAt = 0;

	function reason(): Reason | null {
		return isLate ? "busy" : given.sockets() >= given.maxSockets ? "full" : null;
	}

	function look(): void {
		lag = lagNow();
		above = lag > given.maxLag ? above + 1 : 0;
		if (above >= agreeing) isLate = true;
		// Let in again only well below, or it would go on and off.
		if (lag < given.maxLag / 2) isLate = false;
		tell();
	}

	function tell(): void {
		const now = reason();
		if (now === told && (now === null || performance.now() - toldAt < 60_000)) return;
		told = now;
		toldAt = performance.now();
		given.onChange?.(now, { sockets: given.sockets(), lag: Math.round(lag) });
	}

	const timer = setInterval(look, lookEvery);
	timer.unref();

	return {
		/** Null when there is room; else why not, and in how many seconds to ask again at the earliest. */
		refusal(): { reason: Reason; seconds: number } | null {
			const why = reason();
			if (!why) return null;
			tell();
			return { reason: why, seconds: waits[why] };
		},
		/** For tests: look now. */
		look,
		close(): void {
			clearInterval(timer);
			delay.disable();
		},
	};
}
