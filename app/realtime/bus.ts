/**
 * The way to the other instances (and to the other processes of this one): texts on channels, fast and without any promise.
 * What is lost on it is healed from the database, so nobody ever waits for it and nothing is kept for later: a late hint is
 * worth nothing. Three ways there are: bus-alone.ts, bus-workers.ts and bus-redis.ts, held to the same tests.
 */
export type Bus = {
	/** How it is called in telemetry. */
	adapter: "memory" | "workers" | "redis";
	/** Sends a text to everybody else who follows the channel; lost while the way is not open. Never throws. */
	send(channel: string, text: string): void;
	/** Begins to hear a channel, whenever the way opens; `following` tells when it is so. */
	follow(channel: string): void;
	unfollow(channel: string): void;
	/** Whether texts come and go right now, as far as is known. */
	isOpen(): boolean;
	close(): Promise<void>;
};

export type BusListener = {
	/** What somebody sent; where the way makes no difference (Redis), what this one sent itself as well. */
	heard(channel: string, text: string): void;
	/** From now on these channels are heard; what was sent on them before may have been missed. Again after every break. */
	following(channels: readonly string[]): void;
};

export type OpenBus = (listener: BusListener) => Bus;
