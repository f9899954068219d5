/** Something to be looked after every so often, and at once when somebody knows that there is something; never twice at a time. */
export function openLook(given: { every: number; look: () => Promise<unknown>; onError: (error: unknown) => void }): {
	/** Looks as soon as nobody is looking. */
	now(): void;
	/** No more looking; resolves when the last look is done. */
	stop(): Promise<void>;
} {
	let isStopped = false;
	let isWanted = false;
	let running: Promise<void> | null = null;

	async function run(): Promise<void> {
		while (isWanted && !isStopped) {
			isWanted = false;
			await given.look().catch(given.onError);
		}
		running = null;
	}
	function now(): void {
		isWanted = true;
		if (!isStopped) running ??= run();
	}
	const timer = setInterval(now, given.every);
	timer.unref();
	return {
		now,
		async stop() {
			isStopped = true;
			clearInterval(timer);
			await running;
		},
	};
}
