import { createClient } from "@redis/client";
import type { OpenBus } from "./bus.ts";

type Log = Record<"info" | "warn", (message: string, fields?: Record<string, unknown>) => void>;

/** A connection that cannot be made is given up after so long, ms, and tried again after a pause that grows to a second. */
const connectWithin = 2000;
const pauseAtMost = 1000;
/** Redis is asked for a sign of life so often, ms, and its connection given up after so much silence: a frozen one hangs up on nobody. */
const askEvery = 1000;
const silenceAtMost = 3000;
/** Commands that wait for an answer; more than a frozen Redis is asked within `silenceAtMost` would only fill memory. */
const unansweredAtMost = 20_000;
/** Channels named in one command. */
const channelsAtOnce = 1000;

/**
 * Hints over Redis, publish and subscribe. Redis keeps nothing of ours: killed, emptied and started again it is as good as
 * before. `namespace` keeps two Charlas on one Redis apart.
 */
export function redisBus(given: { url: string; namespace: string; log: Log }): OpenBus {
	return ({ heard, following }) => {
		const prefix = `charla:${given.namespace}:`;
		const options = {
			url: given.url,
			RESP: 3 as const,
			// What is told while Redis is away is lost, as it should be: queued, it would come late, or in part.
			disableOfflineQueue: true,
			commandsQueueMaxLength: unansweredAtMost,
			pingInterval: askEvery,
			socket: {
				connectTimeout: connectWithin,
				socketTimeout: silenceAtMost,
				reconnectStrategy: (retries: number) => Math.min(pauseAtMost, 50 * 2 ** retries) * (0.5 + Math.random() / 2),
			},
		};
		const publisher = createClient(options);
		const subscriber = createClient(options);
		const wanted = new Set<string>();
		let changed = new Set<string>();
		let open = false;
		let closed = false;
		let tellsTrouble = true;

		const hear = (text: string, channel: string) => heard(channel.slice(prefix.length), text);

		async function subscribe(channels: string[]): Promise<void> {
			update();
			for (let from = 0; from < channels.length; from += channelsAtOnce) {
				const some = channels.slice(from, from + channelsAtOnce);
				await subscriber.subscribe(
					some.map((channel) => prefix + channel),
					hear,
				);
				following(some);
			}
		}

		/** All that changed in one turn of the event loop is two commands. What fails is done again when the connection is back. */
		function soon(channel: string): void {
			if (changed.size === 0) setImmediate(settle);
			changed.add(channel);
		}
		function settle(): void {
			const all = [...changed];
			changed = new Set();
			if (closed || !subscriber.isReady) return;
			const lost = all.filter((channel) => !wanted.has(channel)).map((channel) => prefix + channel);
			if (lost.length > 0) subscriber.unsubscribe(lost, hear).catch(() => undefined);
			subscribe(all.filter((channel) => wanted.has(channel))).catch(() => undefined);
		}

		function update(): void {
			const isOpen = !closed && publisher.isReady && subscriber.isReady;
			if (isOpen === open) return;
			open = isOpen;
			tellsTrouble = true;
			if (closed) return;
			if (open) given.log.info("adapter.open", { adapter: "redis" });
			else given.log.warn("adapter.lost", { adapter: "redis" });
		}

		for (const client of [publisher, subscriber]) {
			client.on("error", (error: Error) => {
				update();
				// Once for each time it is away, however often it is tried.
				if (tellsTrouble && !closed) given.log.warn("adapter.away", { adapter: "redis", exception_message: error.message });
				tellsTrouble = false;
			});
			client.on("reconnecting", update);
		}
		publisher.on("ready", update);
		subscriber.on("ready", () => void subscribe([...wanted]).catch(() => undefined));
		for (const client of [publisher, subscriber]) client.connect().catch(() => undefined);

		return {
			adapter: "redis",
			send(channel, text) {
				if (publisher.isReady) publisher.publish(prefix + channel, text).catch(() => undefined);
			},
			follow(channel) {
				wanted.add(channel);
				soon(channel);
			},
			unfollow(channel) {
				wanted.delete(channel);
				soon(channel);
			},
			isOpen: () => open && publisher.isReady && subscriber.isReady,
			async close() {
				closed = true;
				update();
				// What was sent last has left when Redis has answered, if it does.
				await Promise.race([publisher.isReady ? publisher.close() : undefined, new Promise((done) => setTimeout(done, 500))]).catch(
					() => undefined,
				);
				for (const client of [publisher, subscriber]) if (client.isOpen) client.destroy();
			},
		};
	};
}
