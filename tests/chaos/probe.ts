/*
 * Loaded into an instance under test by `node --import`, before everything else: gives it a clock that is wrong, and tells
 * its memory when asked. The product knows nothing of it.
 */

/** How far the clock of this instance is off, ms. */
const skew = Number(process.env.CHAOS_CLOCK_SKEW ?? 0);
if (skew !== 0) {
	const RealDate = Date;
	const now = () => RealDate.now() + skew;
	globalThis.Date = new Proxy(RealDate, {
		construct: (target, args, self) => Reflect.construct(target, args.length === 0 ? [now()] : args, self),
		apply: () => new RealDate(now()).toString(),
		get: (target, name, self) => (name === "now" ? now : Reflect.get(target, name, self)),
	});
}

process.on("message", (asked) => {
	if (asked !== "memory") return;
	globalThis.gc?.();
	const { heapUsed, external, rss } = process.memoryUsage();
	process.send?.({ heapUsed: heapUsed + external, rss, now: Date.now() } satisfies Probed);
});
// Being asked must not keep a process alive that wants to end.
process.channel?.unref();

/** What is alive after a collection, and what the process holds, bytes; and what it takes for the time, ms since 1970. */
export type Probed = { heapUsed: number; rss: number; now: number };
