/** What one person's browsers may still claim within this minute. */
export type Allowance = {
	/** Takes one service level event of that weight; false when there is nothing left. */
	event(weight: number): boolean;
	/** Takes one line in the log. */
	line(): boolean;
};

/** A page reports every ten seconds; a person has several. */
const requests = { perSecond: 1, burst: 10 };
/** Events of service levels and lines of one person, each minute: a message arriving every fifth of a second, and more than that lies. */
const eventsAtMost = 300;
/** Their weights together: the largest room's report once or twice a minute. */
const weightAtMost = 20_000;
const linesAtMost = 20;
/** People whose allowance is kept; the one who asked longest ago begins anew. */
const keptAtMost = 5000;
const minute = 60_000;

type Kept = { tokens: number; at: number; minute: number; events: number; weight: number; lines: number };

/** Allowances by person, so that whoever forges reports bends no more of a service level than one busy person counts for. */
export function openAllowances(clock: () => number, rate = requests) {
	const kept = new Map<string, Kept>();

	function find(key: string): Kept {
		const now = clock();
		const found = kept.get(key) ?? { tokens: rate.burst, at: now, minute: now, events: 0, weight: 0, lines: 0 };
		kept.delete(key);
		kept.set(key, found);
		if (kept.size > keptAtMost) kept.delete(kept.keys().next().value as string);
		if (now - found.minute >= minute) Object.assign(found, { minute: now, events: 0, weight: 0, lines: 0 });
		return found;
	}

	return {
		/** Whether one more request may be read. */
		request(key: string): boolean {
			const found = find(key);
			const now = clock();
			found.tokens = Math.min(rate.burst, found.tokens + (Math.max(0, now - found.at) / 1000) * rate.perSecond);
			found.at = now;
			if (found.tokens < 1) return false;
			found.tokens--;
			return true;
		},
		of(key: string): Allowance {
			const found = find(key);
			return {
				event(weight) {
					if (found.events >= eventsAtMost || found.weight + weight > weightAtMost) return false;
					found.events++;
					found.weight += weight;
					return true;
				},
				line: () => found.lines++ < linesAtMost,
			};
		},
	};
}
