/**
 * Adds up what is to be told, and tells it at once the first time, then once in `every` ms at most; nothing added stays untold.
 * Its timer does not keep the process alive.
 */
export function sometimes<About>(every: number, tell: (count: number, latest: About) => void) {
	let count = 0;
	let latest: About;
	let timer: NodeJS.Timeout | null = null;
	let nextAt = 0;

	function say(): void {
		timer = null;
		nextAt = Date.now() + every;
		const told = count;
		count = 0;
		tell(told, latest);
	}
	return {
		add(more: number, about: About): void {
			count += more;
			latest = about;
			if (timer) return;
			const wait = nextAt - Date.now();
			if (wait <= 0) return say();
			timer = setTimeout(say, wait);
			timer.unref();
		},
		/** Tells what is left at once: the end. */
		flush(): void {
			if (timer) clearTimeout(timer);
			if (count > 0) say();
		},
	};
}
