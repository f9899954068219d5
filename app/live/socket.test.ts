import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type TestContext, test } from "node:test";
import { Server } from "socket.io";
import type { WireEvents } from "./ports.ts";
import { socketAt } from "./socket.ts";

/** A real server and one real socket of ours; `happened` lists what the socket reported. */
async function connected(t: TestContext, { transports = ["websocket", "polling"] as ("websocket" | "polling")[], refuse = "" } = {}) {
	const http = createServer();
	const io = new Server(http, { transports });
	if (refuse) io.use((_socket, next) => next(new Error(refuse)));
	await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
	const happened: string[] = [];
	const wakers = new Set<() => void>();
	const note = (what: string) => {
		happened.push(what);
		for (const wake of wakers) wake();
	};
	const until = (what: string) =>
		new Promise<void>((resolve) => {
			const look = () => {
				if (!happened.includes(what)) return;
				wakers.delete(look);
				resolve();
			};
			wakers.add(look);
			look();
		});
	const events: WireEvents = {
		connected: (transport) => note(`connected ${transport}`),
		upgraded: (transport) => note(`upgraded ${transport}`),
		disconnected: () => note("disconnected"),
		refused: (reason) => note(`refused ${reason}`),
		fact: (fact, envelope) => note(`fact ${fact.seq}${envelope === undefined ? "" : ` ${JSON.stringify(envelope)}`}`),
		signal: (signal) => note(`signal ${signal.kind}`),
	};
	const wire = socketAt(`http://127.0.0.1:${(http.address() as AddressInfo).port}`)(events);
	t.after(async () => {
		wire.disconnect();
		await io.close();
	});
	return { io, wire, happened, until };
}

test("a call is answered, facts and signals come in, and a silent call ends in null", { timeout: 60_000 }, async (t) => {
	const { io, wire, until } = await connected(t);
	io.on("connection", (socket) => {
		socket.emit("signal", { kind: "resync" });
		socket.emit("fact", { kind: "message-posted", seq: 7 });
		socket.on("message:post", (input, answer) => answer({ ok: true, data: { id: input.roomId, seq: 1 } }));
	});
	assert.equal(await wire.call("message:post", {}, 50), null, "not connected: no answer, at once");
	wire.connect();
	await until("connected websocket");
	await until("signal resync");
	await until("fact 7");
	assert.deepEqual(await wire.call("message:post", { roomId: "r" }, 30_000), { ok: true, data: { id: "r", seq: 1 } });
	assert.equal(await wire.call("typing", { roomId: "r" }, 50), null);
});

test("a call under way when the connection goes ends at once, and nothing is sent by itself after coming back", {
	timeout: 60_000,
}, async (t) => {
	const { io, wire, happened, until } = await connected(t);
	let calls = 0;
	io.on("connection", (socket) =>
		socket.on("message:post", () => {
			calls++;
			socket.conn.close();
		}),
	);
	wire.connect();
	await until("connected websocket");
	// Longer than this test may take.
	assert.equal(await wire.call("message:post", {}, 600_000), null);
	await until("disconnected");
	await new Promise((resolve) => setTimeout(resolve, 100));
	assert.deepEqual(happened, ["connected websocket", "disconnected"], "it does not come back by itself");
	happened.length = 0;
	wire.connect();
	await until("connected websocket");
	await new Promise((resolve) => setTimeout(resolve, 100));
	assert.equal(calls, 1);
});

test("the reason of a refused handshake comes through, and trying again works", { timeout: 60_000 }, async (t) => {
	const { wire, happened, until } = await connected(t, { refuse: "not-signed-in" });
	wire.connect();
	await until("refused not-signed-in");
	happened.length = 0;
	wire.connect();
	await until("refused not-signed-in");
});

test("where websockets are blocked it falls back to polling", { timeout: 60_000 }, async (t) => {
	const { io, wire, until } = await connected(t, { transports: ["polling"] });
	io.on("connection", (socket) => socket.on("typing", (_input, answer) => answer({ ok: true, data: null })));
	wire.connect();
	await until("connected polling");
	assert.deepEqual(await wire.call("typing", {}, 2000), { ok: true, data: null });
});

test("letting go on purpose is silent", { timeout: 60_000 }, async (t) => {
	const { wire, happened, until } = await connected(t);
	wire.connect();
	await until("connected websocket");
	wire.disconnect();
	await new Promise((resolve) => setTimeout(resolve, 100));
	assert.deepEqual(happened, ["connected websocket"]);
});

test("a handshake, and what travels beside a call or a fact, go over the wire; without any nothing is added", {
	timeout: 60_000,
}, async (t) => {
	const { io, wire, happened, until } = await connected(t);
	const shaken: unknown[] = [];
	const called: unknown[][] = [];
	io.on("connection", (socket) => {
		shaken.push(socket.handshake.auth);
		socket.emit("fact", { kind: "message-posted", seq: 1 }, { sx: 2 });
		socket.emit("fact", { kind: "message-posted", seq: 2 });
		socket.onAny((name: string, ...given: unknown[]) => {
			called.push([name, ...given.slice(0, -1)]);
			(given.at(-1) as (answer: unknown) => void)({ ok: true, data: null });
		});
	});
	const tp = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
	wire.connect({ tp, attempt: 1, recovered: false });
	await until('fact 1 {"sx":2}');
	await until("fact 2");
	assert.ok(await wire.call("message:post", { roomId: "r" }, 2000, { tp, attempt: 1 }));
	assert.ok(await wire.call("typing", { roomId: "r" }, 2000));
	assert.deepEqual(called, [
		["message:post", { roomId: "r" }, { tp, attempt: 1 }],
		["typing", { roomId: "r" }],
	]);
	for (const handshake of [{ tp, attempt: 2, recovered: true }, undefined]) {
		wire.disconnect();
		happened.length = 0;
		wire.connect(handshake);
		await until("fact 2");
	}
	assert.deepEqual(shaken, [{ tp, attempt: 1, recovered: false }, { tp, attempt: 2, recovered: true }, {}]);
});
