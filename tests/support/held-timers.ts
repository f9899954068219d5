import type { TestContext } from "node:test";

/**
 * Takes the timers of one length, ms, out of time: they wait until the test lets that time pass. All others go on, which connections
 * and the database need. For what runs in the test's own process.
 */
export function holdTimers(t: TestContext, length: number) {
	const real = globalThis.setTimeout;
	const held = new Set<() => void>();
	t.mock.method(globalThis, "setTimeout", ((work: (...rest: unknown[]) => void, ms?: number, ...rest: unknown[]) => {
		if (ms !== length) return real(work, ms, ...rest);
		// So that it can be cleared like any other; it would not come in any test's life.
		const timer = real(() => {}, 2 ** 31 - 1).unref();
		const due = () => {
			held.delete(due);
			const wasCleared = (timer as unknown as { _destroyed: boolean })._destroyed;
			clearTimeout(timer);
			if (!wasCleared) work(...rest);
		};
		held.add(due);
		return timer;
	}) as typeof setTimeout);
	/** That time is over for all who wait now. */
	return { pass: () => [...held].forEach((due) => void due()) };
}

/** What durations are measured by stands still, but for what the test lets pass: rates are counted by it, timers are not. */
export function holdClock(t: TestContext): { pass(ms: number): void } {
	// Whole milliseconds: with fractions, a second later is now and then a hair less than a second.
	let now = Math.round(performance.now());
	t.mock.method(performance, "now", () => now);
	return {
		pass(ms) {
			now += ms;
		},
	};
}
