import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type TestContext, test } from "node:test";
import { Worker } from "node:worker_threads";
import { socketAt } from "../../app/live/socket.ts";
import { openBalancer } from "../chaos/balancer.ts";
import { fixedPort, until } from "../support/crash-charla.ts";
import { openPollingOnly } from "../support/crash-polling.ts";

/** A server that answers at once whatever happens to this thread. */
const server = `
	const http = require("node:http").createServer();
	new (require("socket.io").Server)(http).on("connection", (socket) => socket.emit("signal", { kind: "welcome" }));
	http.listen(0, "127.0.0.1", () => require("node:worker_threads").parentPort.postMessage(http.address().port));
`;

/**
 * This thread has so much else to do in each turn of its loop, ms, as with hundreds of people in it on a busy machine. One attempt
 * of the product's client is given up after 8 s; were the proxy in this thread too, the first answer would take nine turns or more.
 */
const busyFor = 1000;

/** Counts the turns of this thread from an attempt to connect to its outcome, each as long as given. */
async function attempt(t: TestContext, url: string, ms: number): Promise<{ outcome: string; turns: number }> {
	let turns = 0;
	let isOver = false;
	function turn(): void {
		turns++;
		for (const end = performance.now() + ms; performance.now() < end; );
		if (!isOver) setImmediate(turn);
	}
	const outcome = await new Promise<string>((resolve) => {
		const wire = socketAt(url, { cookie: "sid=somebody" })({
			connected() {},
			upgraded() {},
			disconnected: resolve,
			refused: resolve,
			fact() {},
			signal: (signal) => resolve(signal.kind),
		});
		t.after(() => wire.disconnect());
		setImmediate(turn);
		wire.connect(undefined);
	});
	isOver = true;
	return { outcome, turns };
}

test("whoever polls through the test's proxy comes in although the thread of the people is busy, as whoever has a websocket does", {
	timeout: 120_000,
}, async (t) => {
	const worker = new Worker(server, { eval: true });
	t.after(() => worker.terminate());
	const [port] = (await once(worker, "message")) as [number];
	const proxy = await openPollingOnly(port);
	t.after(() => proxy.close());
	const direct = await attempt(t, `http://127.0.0.1:${port}`, busyFor);
	const polling = await attempt(t, proxy.url, busyFor);
	t.diagnostic(`turns of ${busyFor} ms: ${direct.turns} by websocket, ${polling.turns} by polling`);
	assert.deepEqual([direct.outcome, polling.outcome], ["welcome", "welcome"]);
});

test("the test's proxy keeps the cookies of each of its people by name, as their browsers would", async (t) => {
	const echo = createServer((request, answer) => {
		const set = { "/at": "at=one; Path=/", "/polls": "polls=1; HttpOnly", "/moved": "at=two", "/gone": "polls=; Max-Age=0" }[
			request.url ?? ""
		];
		if (set) answer.setHeader("set-cookie", set);
		answer.end(request.headers.cookie);
	});
	await once(echo.listen(0, "127.0.0.1"), "listening");
	t.after(() => echo.close().closeAllConnections());
	const proxy = await openPollingOnly((echo.address() as AddressInfo).port);
	t.after(() => proxy.close());
	const ask = async (path: string, cookie: string) => (await fetch(proxy.url + path, { headers: { cookie } })).text();
	for (const path of ["/at", "/polls"]) await ask(path, "sid=ana");
	assert.equal(await ask("/moved", "sid=ana"), "sid=ana; at=one; polls=1");
	assert.equal(await ask("/gone", "sid=ana"), "sid=ana; at=two; polls=1");
	assert.equal(await ask("/", "sid=ana"), "sid=ana; at=two");
	assert.equal(await ask("/", "sid=ben"), "sid=ben");
});

/** A process that is ready, says who it is, and asks often whether somebody is still there. */
const named = `
	const [name, port] = process.argv.slice(1);
	const http = require("node:http").createServer((_, answer) => answer.end());
	const given = { pingInterval: 500, pingTimeout: 1500 };
	new (require("socket.io").Server)(http, given).on("connection", (socket) => socket.emit("signal", { kind: name }));
	http.listen(Number(port), "127.0.0.1");
`;

test("whoever polls comes back through HAProxy although the instance their cookie names is frozen, or killed", {
	timeout: 240_000,
}, async (t) => {
	const instances = [
		{ name: "one", port: await fixedPort() },
		{ name: "two", port: await fixedPort() },
	];
	const processes = new Map<string, ChildProcess>();
	t.after(() => {
		for (const each of processes.values()) each.kill("SIGKILL");
	});
	for (const { name, port } of instances)
		processes.set(name, spawn(process.execPath, ["-e", named, name, String(port)], { stdio: "ignore" }));
	const balancer = await openBalancer(instances);
	t.after(() => balancer.stop());
	const proxy = await openPollingOnly(balancer.port);
	t.after(() => proxy.close());

	const told: string[] = [];
	let again: NodeJS.Timeout | undefined;
	const later = (why: string) => {
		told.push(why);
		again = setTimeout(() => wire.connect(undefined), 500);
	};
	const wire = socketAt(proxy.url, { cookie: "sid=somebody" })({
		connected() {},
		upgraded() {},
		disconnected: later,
		refused: later,
		fact() {},
		signal: ({ kind }) => told.push(kind),
	});
	t.after(() => {
		clearTimeout(again);
		wire.disconnect();
	});
	/** Where they are, as soon as that is another than `not`. */
	async function at(not: string | null): Promise<string> {
		const where = () => told.at(-1) ?? "";
		await until(
			() => processes.has(where()) && where() !== not,
			60_000,
			() => `nobody came back: ${told.join(", ")}\n${balancer.said()}`,
		);
		return where();
	}
	wire.connect(undefined);
	const first = await at(null);
	processes.get(first)?.kill("SIGSTOP");
	const second = await at(first);
	processes.get(first)?.kill("SIGCONT");
	processes.get(second)?.kill("SIGKILL");
	assert.equal(await at(second), first);
	t.diagnostic(told.join(", "));
});
