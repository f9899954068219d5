/** What a server under test and the bench say to each other over the IPC channel between them. */

/** Asked of a server: rooms with so many members each. */
export type Wanted = { rooms: number; members: number };
/** A room and, where the system knows who is who, a cookie for each member. */
export type Offered = { id: string; cookies: (string | null)[] };
/** Bytes: pages the process holds, and what is alive on its heap and in buffers. */
export type Memory = { resident: number; live: number };
export type FromServer = { ready: { port: number; rooms: Offered[] } } | { memory: Memory };
export type ToServer = "memory" | "stop";

export const wanted: Wanted = JSON.parse(process.env.BENCH_WANTED ?? '{"rooms":1,"members":1}');

/** Rooms of a system that knows nobody. */
export function anonymousRooms(): Offered[] {
	return Array.from({ length: wanted.rooms }, (_, i) => ({ id: `r${i}`, cookies: new Array<null>(wanted.members).fill(null) }));
}

/** Tells the bench where we are and does what it asks; stops when told, on a signal, and when the bench is gone. */
export function serveParent(port: number, rooms: Offered[], stop: () => Promise<void>): void {
	const tell = (message: FromServer) => process.send?.(message);
	let stopping = false;
	const end = () => {
		if (stopping) return;
		stopping = true;
		stop().then(
			() => process.exit(0),
			() => process.exit(1),
		);
	};
	process.on("message", (message: ToServer) => {
		if (message === "stop") return end();
		// Twice: what the first one frees lets go of more. Pages go back to the system a moment later.
		for (let i = 0; i < 2; i++) globalThis.gc?.();
		setTimeout(() => {
			const { rss, heapUsed, external } = process.memoryUsage();
			tell({ memory: { resident: rss, live: heapUsed + external } });
		}, 300);
	});
	process.once("disconnect", end);
	process.once("SIGINT", end);
	process.once("SIGTERM", end);
	tell({ ready: { port, rooms } });
}
