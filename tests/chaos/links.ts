import type { NetConnectOpts } from "node:net";
import { Worker } from "node:worker_threads";

/**
 * How a piece of network behaves. `stalled`: nothing gets through and nobody is told, as when a cable is pulled; what was
 * under way arrives when it is put back. `delayed`: so much later, in each direction.
 */
export type LinkState = { kind: "open" } | { kind: "delayed"; ms: number } | { kind: "stalled" };
export type ToWorker = { kind: "open"; id: number; to: NetConnectOpts; host: string } | { kind: "set"; id: number; state: LinkState };

/** A piece of network that can be cut and delayed. */
export type Link = { host: string; port: number; set(state: LinkState): Promise<void> };

/** A network of our own, a thread that carries every byte of it. */
export function openLinks() {
	const worker = new Worker(new URL("./links-worker.ts", import.meta.url));
	worker.unref();
	const opened = new Map<number, (port: number) => void>();
	worker.on("message", ({ id, port }: { id: number; port: number }) => opened.get(id)?.(port));
	let ids = 0;
	return {
		/** A port on this machine, at one of its addresses, that leads to `to`. */
		async open(to: NetConnectOpts, host = "127.0.0.1"): Promise<Link> {
			const id = ++ids;
			const port = await new Promise<number>((resolve) => {
				opened.set(id, resolve);
				worker.postMessage({ kind: "open", id, to, host } satisfies ToWorker);
			});
			return { host, port, set: async (state) => worker.postMessage({ kind: "set", id, state } satisfies ToWorker) };
		},
		close: () => worker.terminate(),
	};
}
export type Links = ReturnType<typeof openLinks>;
