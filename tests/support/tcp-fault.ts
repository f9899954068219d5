import { connect, createServer, type Socket } from "node:net";

/** A way to a server through which everything goes until it is told otherwise: swallowing as a broken network does, or refusing. */
export async function tcpFault(target: { host: string; port: number } | { path: string }) {
	let mode: "pass" | "swallow" | "refuse" = "pass";
	const pairs = new Set<[Socket, Socket]>();
	const server = createServer((near) => {
		if (mode === "refuse") return void near.resetAndDestroy();
		const far = connect(target as { path: string });
		const pair: [Socket, Socket] = [near, far];
		pairs.add(pair);
		for (const [from, to] of [
			[near, far],
			[far, near],
		] as const) {
			// What came while it was swallowing is gone for good, as the connection is.
			from.on("data", (data) => {
				if (mode === "pass") to.write(data);
			});
			from.on("error", () => undefined);
			from.on("close", () => {
				if (mode !== "swallow") to.destroy();
				if (near.destroyed && far.destroyed) pairs.delete(pair);
			});
		}
	});
	await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
	return {
		port: (server.address() as { port: number }).port,
		/** Packets go nowhere from now on, and nobody is told. */
		swallow() {
			mode = "swallow";
		},
		/** Connections break, and new ones are refused. */
		refuse() {
			mode = "refuse";
			for (const pair of pairs) for (const socket of pair) socket.destroy();
		},
		pass() {
			mode = "pass";
		},
		async [Symbol.asyncDispose]() {
			for (const pair of pairs) for (const socket of pair) socket.destroy();
			await new Promise((done) => server.close(done));
		},
	};
}
