import { connect, createServer, type NetConnectOpts, type Socket } from "node:net";
import { parentPort } from "node:worker_threads";
import type { LinkState, ToWorker } from "./links.ts";

/*
 * Carries bytes both ways, as a network would: at once, late, or (for a while) not at all. A thread of its own, so that a
 * busy crowd in the main thread does not look like a slow network.
 */

type Link = { state: LinkState; pairs: Set<Pair> };
type Pair = { apply(): void; destroy(): void };

const links = new Map<number, Link>();

parentPort?.on("message", (told: ToWorker) => {
	if (told.kind === "open") return open(told.id, told.to, told.host);
	const link = links.get(told.id);
	if (!link) return;
	link.state = told.state;
	for (const pair of link.pairs) pair.apply();
});

function open(id: number, to: NetConnectOpts, host: string): void {
	const link: Link = { state: { kind: "open" }, pairs: new Set() };
	links.set(id, link);
	const server = createServer({ allowHalfOpen: true }, (near) => {
		near.setNoDelay(true);
		near.on("error", () => near.destroy());
		link.pairs.add(join(link, near, to));
	});
	server.listen({ port: 0, host, backlog: 4096 }, () => {
		parentPort?.postMessage({ id, port: (server.address() as { port: number }).port });
	});
}

function join(link: Link, near: Socket, to: NetConnectOpts): Pair {
	const far = connect({ ...to, allowHalfOpen: true } as NetConnectOpts);
	if ("port" in to) far.setNoDelay(true);
	const ways = [carry(link, near, far), carry(link, far, near)];
	const pair: Pair = {
		apply() {
			for (const way of ways) way();
		},
		destroy() {
			link.pairs.delete(pair);
			near.destroy();
			far.destroy();
		},
	};
	for (const socket of [near, far]) {
		socket.on("error", pair.destroy);
		socket.on("close", pair.destroy);
	}
	return pair;
}

/** One direction. Gives what must be called when the link's state changed. */
function carry(link: Link, from: Socket, to: Socket): () => void {
	/** What is under way and when it arrives; in order, whatever the delay becomes meanwhile. */
	const waiting: { at: number; bytes: Buffer | null }[] = [];
	let timer: NodeJS.Timeout | undefined;

	function pump(): void {
		clearTimeout(timer);
		if (link.state.kind === "stalled") return void from.pause();
		while (waiting[0] && waiting[0].at <= Date.now()) {
			const { bytes } = waiting.shift() as { bytes: Buffer | null };
			if (bytes === null) to.end();
			else if (!to.write(bytes)) {
				from.pause();
				to.once("drain", pump);
				return;
			}
		}
		if (waiting[0]) timer = setTimeout(pump, waiting[0].at - Date.now());
		else if (from.isPaused()) from.resume();
	}
	function take(bytes: Buffer | null): void {
		waiting.push({ at: Date.now() + (link.state.kind === "delayed" ? link.state.ms : 0), bytes });
		pump();
	}
	from.on("data", take);
	from.on("end", () => take(null));
	pump();
	return pump;
}
