import { setTimeout as sleep } from "node:timers/promises";

/** Probes without any answer that have to follow each other: one may be the fault of a busy machine. A refusal is an answer. */
const silentProbes = 2;
/** While it is away the server is asked so often whether it is back, ms. */
const probeEvery = 250;

/**
 * Knows whether the database is away, so that nobody waits for it then: a failure raises the suspicion, one probe at a time
 * settles it, and until a probe succeeds everything is refused at once.
 */
export function openWatch(given: {
	/** Connects anew and asks for something; rejects when there is no server that takes writes. */
	probe: () => Promise<void>;
	/** It is away: whatever still waits for it waits in vain. */
	onAway: (reason: string) => void;
	onBack: (milliseconds: number) => void;
}) {
	let awaySince: number | null = null;
	/** Under way until it is known whether the database is there; what may follow then is its being back. */
	let verdict: Promise<void> | null = null;
	let stopped = false;

	async function settle(known: () => void): Promise<void> {
		let silent = 0;
		while (!stopped) {
			try {
				await given.probe();
				break;
			} catch (error) {
				if (isSilence(error)) silent++;
				else silent = silentProbes;
				if (awaySince === null && silent >= silentProbes && !stopped) {
					awaySince = performance.now();
					given.onAway((error as Error).message);
					known();
				}
				await sleep(probeEvery, undefined, { ref: false });
			}
		}
		verdict = null;
		known();
		if (awaySince === null || stopped) return;
		const milliseconds = Math.round(performance.now() - awaySince);
		awaySince = null;
		given.onBack(milliseconds);
	}

	return {
		isAway: (): boolean => awaySince !== null,
		/** Something did not get its answer: finds out whether the database is there, and resolves when that is known. */
		suspect(): Promise<void> {
			if (stopped) return Promise.resolve();
			verdict ??= new Promise((known) => void settle(known));
			return verdict;
		},
		stop(): void {
			stopped = true;
		},
	};
}

/** Neither a yes nor a no, only time that passed. */
const isSilence = (error: unknown): boolean => /timeout|timed out/i.test((error as Error).message);
