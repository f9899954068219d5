import type { Bus, OpenBus } from "./bus.ts";
import { decodeHints, encodeHints, type Hint, type HintKind } from "./hints.ts";

type Of<K extends HintKind> = Extract<Hint, { kind: K }>;

export type Peers = {
	adapter: Bus["adapter"];
	/** Tells all others who follow the channel, at the end of this turn of the event loop. */
	tell(channel: string, hint: Hint): void;
	/** `from` names the instance that told it. */
	on<K extends HintKind>(kind: K, listener: (hint: Of<K>, from: string) => void): void;
	/** These channels are heard from now on; what was told before may have been missed. */
	onFollowing(listener: (channels: readonly string[]) => void): void;
	follow(channel: string): void;
	unfollow(channel: string): void;
	isOpen(): boolean;
	/** Says goodbye and closes. */
	close(): Promise<void>;
};

/** Heard by everybody: what concerns no room and no single person. */
export const everybody = "all";

/**
 * The other instances, as hints: what this one tells them in one turn goes as one text per channel, and what they tell is given
 * to whoever listens to its kind. A hint nobody here knows (a newer version sent it) is passed over.
 */
export function openPeers(given: { openBus: OpenBus; instance: string; onError: (error: unknown) => void }): Peers {
	const listeners = new Map<HintKind, ((hint: never, from: string) => void)[]>();
	const followListeners: ((channels: readonly string[]) => void)[] = [];
	let waiting = new Map<string, Hint[]>();

	const bus = given.openBus({
		heard(_channel, text) {
			const said = decodeHints(text);
			if (!said || said.from === given.instance) return;
			for (const hint of said.hints)
				for (const listener of listeners.get(hint.kind) ?? [])
					try {
						listener(hint as never, said.from);
					} catch (error) {
						// One that cannot be used must not take those behind it along.
						given.onError(error);
					}
		},
		following(channels) {
			for (const listener of followListeners) listener(channels);
		},
	});
	bus.follow(everybody);

	function flush(): void {
		const turn = waiting;
		waiting = new Map();
		for (const [channel, hints] of turn) bus.send(channel, encodeHints(given.instance, hints));
	}

	return {
		adapter: bus.adapter,
		tell(channel, hint) {
			if (!bus.isOpen()) return;
			const hints = waiting.get(channel);
			if (hints) hints.push(hint);
			else waiting.set(channel, [hint]);
			if (waiting.size === 1 && !hints) setImmediate(flush);
		},
		on(kind, listener) {
			listeners.set(kind, [...(listeners.get(kind) ?? []), listener]);
		},
		onFollowing: (listener) => void followListeners.push(listener),
		follow: bus.follow,
		unfollow: bus.unfollow,
		isOpen: bus.isOpen,
		close() {
			waiting.set(everybody, [...(waiting.get(everybody) ?? []), { kind: "goodbye" }]);
			flush();
			return bus.close();
		},
	};
}
