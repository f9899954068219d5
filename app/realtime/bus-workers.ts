import type { OpenBus } from "./bus.ts";

/** What a worker and the primary process say to each other about hints. */
export type RelayMessage =
	| { bus: "follow" | "unfollow" | "following"; channels: string[] }
	| { bus: "hint"; channel: string; text: string };

/** One end of the way between a worker and its primary: the process's own IPC, or a test's. */
export type Line = {
	send(message: RelayMessage): void;
	onMessage(listener: (message: unknown) => void): void;
};

export function isRelayMessage(message: unknown): message is RelayMessage {
	return typeof (message as RelayMessage | null)?.bus === "string";
}

/** Hints between the processes of one machine: the primary passes them on to those who follow. It goes when it goes. */
export function workersBus(line: Line): OpenBus {
	return ({ heard, following }) => {
		let changed = new Map<string, "follow" | "unfollow">();
		let closed = false;

		line.onMessage((message) => {
			if (closed || !isRelayMessage(message)) return;
			if (message.bus === "hint") heard(message.channel, message.text);
			if (message.bus === "following") following(message.channels);
		});

		/** All that changed in one turn of the event loop is two messages. */
		function soon(channel: string, what: "follow" | "unfollow"): void {
			if (changed.size === 0) setImmediate(tell);
			changed.set(channel, what);
		}
		function tell(): void {
			const all = [...changed];
			changed = new Map();
			for (const bus of ["unfollow", "follow"] as const) {
				const channels = all.filter(([, what]) => what === bus).map(([channel]) => channel);
				if (channels.length > 0 && !closed) line.send({ bus, channels });
			}
		}

		return {
			adapter: "workers",
			send(channel, text) {
				if (!closed) line.send({ bus: "hint", channel, text });
			},
			follow: (channel) => soon(channel, "follow"),
			unfollow: (channel) => soon(channel, "unfollow"),
			isOpen: () => !closed,
			async close() {
				closed = true;
			},
		};
	};
}

/** The primary's part: knows who follows what, and passes each hint on to all of them but its sender. */
export function openRelay() {
	const followers = new Map<string, Set<Line>>();

	function leave(line: Line, channel: string): void {
		const lines = followers.get(channel);
		lines?.delete(line);
		if (lines?.size === 0) followers.delete(channel);
	}

	return {
		/** A worker's line; returns what forgets it when the worker is gone. */
		join(line: Line): () => void {
			line.onMessage((message) => {
				if (!isRelayMessage(message)) return;
				if (message.bus === "hint") {
					for (const other of followers.get(message.channel) ?? []) if (other !== line) other.send(message);
				} else if (message.bus === "follow") {
					for (const channel of message.channels) followers.set(channel, (followers.get(channel) ?? new Set()).add(line));
					line.send({ bus: "following", channels: message.channels });
				} else if (message.bus === "unfollow") {
					for (const channel of message.channels) leave(line, channel);
				}
			});
			return () => {
				for (const channel of [...followers.keys()]) leave(line, channel);
			};
		},
	};
}
