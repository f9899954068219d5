import type { Line } from "../realtime/bus-workers.ts";

/** Messages that may wait for a process that reads none (stopped, or stuck): more would only fill memory, and hints may be lost. */
const unreadAtMost = 10_000;

type Ipc = {
	send?(message: object, handle: undefined, options: undefined, sent: (error: Error | null) => void): unknown;
	on(event: "message", listener: (message: unknown) => void): unknown;
};

/** Node's own IPC as a line for hints: never throws, and drops what the other side does not read. */
export function ipcLine(ipc: Ipc): Line {
	let unread = 0;
	return {
		send(message) {
			if (unread >= unreadAtMost) return;
			unread++;
			try {
				ipc.send?.(message, undefined, undefined, () => {
					unread--;
				});
			} catch {
				// The other side is gone; whoever watches over it notices.
				unread--;
			}
		},
		onMessage: (listener) => void ipc.on("message", listener),
	};
}
