/** How long everything is written once somebody asked for it: long enough to see a problem again, too short to fill the disk. */
const raisedFor = 15 * 60_000;
const raised = "debug";

/** The level of a logger, raised for a while and lowered by itself. */
export type LevelSwitch = {
	level(): string;
	/** When it goes back by itself, ms since 1970; null when it is as configured. */
	until(): number | null;
	/** Writes everything for 15 minutes. Again, by whomever: 15 minutes from now. */
	raise(by: string): void;
	/** Back to what is configured at once; nothing happens when it is so already. */
	lower(by: string): void;
	/** Back without a word, and no timer left: the end of the process. */
	stop(): void;
};

/** `after` runs something once, after so many ms, and returns what cancels it; its timer must not keep the process alive. */
export function openLevel(given: {
	logger: { level: string; warn(event: string, fields?: Record<string, unknown>): unknown };
	clock?: () => number;
	after?: (ms: number, run: () => void) => () => void;
}): LevelSwitch {
	const { logger } = given;
	const clock = given.clock ?? Date.now;
	const after = given.after ?? afterUnref;
	let raisedNow: { from: string; until: number; cancel: () => void } | null = null;

	function lower(by: string | null): void {
		if (!raisedNow) return;
		const { from, cancel } = raisedNow;
		cancel();
		raisedNow = null;
		// While it is still raised: a level that leaves out warnings would leave out this one.
		tell(raised, from, null, by);
		logger.level = from;
	}

	function tell(from: string, to: string, until: number | null, by: string | null): void {
		logger.warn("log.level_changed", {
			level_from: from,
			level_to: to,
			...(until === null ? {} : { until: new Date(until).toISOString() }),
			...(by === null ? {} : { user_id: by }),
		});
	}

	return {
		level: () => logger.level,
		until: () => raisedNow?.until ?? null,
		raise(by) {
			// What is configured, however often it was raised since.
			const from = raisedNow?.from ?? logger.level;
			const before = logger.level;
			raisedNow?.cancel();
			const until = clock() + raisedFor;
			raisedNow = { from, until, cancel: after(raisedFor, () => lower(null)) };
			logger.level = raised;
			tell(before, raised, until, by);
		},
		lower: (by) => lower(by),
		stop() {
			if (!raisedNow) return;
			raisedNow.cancel();
			logger.level = raisedNow.from;
			raisedNow = null;
		},
	};
}

function afterUnref(ms: number, run: () => void): () => void {
	const timer = setTimeout(run, ms);
	timer.unref();
	return () => clearTimeout(timer);
}
