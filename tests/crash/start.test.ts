import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { after, type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { io, type Socket } from "socket.io-client";
import type { Answer, Posted } from "../../app/contract/calls.ts";
import type { Signal } from "../../app/contract/facts.ts";
import { lobbyId } from "../../app/contract/fixed.ts";
import { readLobby } from "../support/crash-audit.ts";
import {
	databaseFolderOf,
	databaseRuns,
	enter,
	fixedPort,
	freshDataDir,
	postmasterOf,
	type ServerProcess,
	startServer,
	until,
	untilReady,
} from "../support/crash-charla.ts";

const data = freshDataDir();
const { dataDir } = data;
after(() => data.remove());

/** A server on a data folder that is ready for people; ended with the test if it still runs then. */
async function started(t: TestContext, env: Record<string, string> = {}) {
	const port = await fixedPort();
	const server = startServer({ PORT: String(port), DATA_DIR: dataDir, DRAIN_SECONDS: "0", ...env });
	t.after(() => stop(server));
	const url = `http://127.0.0.1:${port}`;
	await untilReady(url, server);
	return { ...server, url, port };
}

/** Asks a server to end and gives how it did; one that does not within 20 s is killed. */
async function stop({ child, ended }: Pick<ServerProcess, "child" | "ended">, signal: NodeJS.Signals = "SIGTERM") {
	child.kill(signal);
	const impatient = setTimeout(() => child.kill("SIGKILL"), 20_000);
	const how = await ended;
	clearTimeout(impatient);
	return how;
}

/** A start that is expected to fail: its exit code and what it said. */
async function failedStart(t: TestContext, env: Record<string, string>) {
	const server = startServer(env);
	t.after(() => stop(server));
	return { code: await server.ended, said: server.said().trim() };
}

async function connect(t: TestContext, url: string, cookie: string): Promise<{ socket: Socket; id: string }> {
	const socket = io(url, { transports: ["websocket"], extraHeaders: { cookie }, reconnection: false, forceNew: true });
	t.after(() => socket.disconnect());
	const welcome = await new Promise<Signal>((resolve, reject) => {
		socket.once("signal", resolve);
		socket.once("connect_error", reject);
	});
	assert.ok(welcome.kind === "welcome");
	return { socket, id: welcome.me.id };
}

/** Posts and gives the answer, or null when the connection ended before one came. */
async function post(socket: Socket, body: string): Promise<Answer<Posted> | null> {
	const input = { roomId: lobbyId, clientId: crypto.randomUUID(), body };
	return socket
		.timeout(10_000)
		.emitWithAck("message:post", input)
		.catch(() => null);
}

const bodiesOf = async (folder: string) => (await readLobby(folder)).rows.flatMap((row) => (row.kind === 0 ? [row.body] : []));

test("a second start on the same data says so and ends, and the first goes on", { timeout: 120_000 }, async (t) => {
	const first = await started(t);
	const second = await failedStart(t, { PORT: String(await fixedPort()), DATA_DIR: dataDir });
	assert.equal(second.code, 1);
	assert.equal(
		second.said,
		`Another Charla (process ${first.child.pid}) is running on ${dataDir}. Stop it first, or give this one a data folder or a DATABASE_URL of its own.`,
	);
	const { socket } = await connect(t, first.url, await enter(first.url, "Undisturbed"));
	assert.equal((await post(socket, "still here"))?.ok, true);
	assert.equal(await stop(first), 0);
});

test("SIGTERM: what was under way is answered, readiness says why, PostgreSQL ends too, and sessions outlive it", {
	timeout: 120_000,
}, async (t) => {
	const first = await started(t, { DRAIN_SECONDS: "1", RATE_LIMITS: "off" });
	const cookie = await enter(first.url, "Deployer");
	const { socket, id } = await connect(t, first.url, cookie);
	const burst = Array.from({ length: 200 }, (_, i) => post(socket, `burst ${i}`));
	const late: { body: string; answer: Promise<Answer<Posted> | null> }[] = [];
	const began = Date.now();
	const ended = stop(first);
	const draining = sleep(300).then(() => fetch(`${first.url}/readyz`));
	while (socket.connected && Date.now() < began + 15_000) {
		const body = `late ${late.length}`;
		late.push({ body, answer: post(socket, body) });
		await sleep(20);
	}
	const readiness = await draining;
	assert.equal(readiness.status, 503);
	assert.equal(((await readiness.json()) as { why: string }).why, "draining");
	assert.equal(await ended, 0);
	const took = Date.now() - began;
	assert.ok(took < 7000, `took ${took} ms`);
	assert.equal(databaseRuns(dataDir), false);
	assert.equal(existsSync(join(dataDir, "charla.lock")), false);
	for (const answer of await Promise.all(burst)) assert.equal(answer?.ok, true);
	const kept: string[] = [];
	const unanswered = new Set<string>();
	for (const { body, answer } of late) {
		const outcome = await answer;
		if (outcome?.ok) kept.push(body);
		else if (outcome) assert.equal(outcome.code, "going-away");
		else unanswered.add(body);
	}
	assert.ok(kept.length > 10, `${kept.length} of ${late.length} accepted while draining`);

	const second = await started(t);
	const stored = (await bodiesOf(dataDir)).filter((body) => body?.startsWith("burst") || body?.startsWith("late"));
	assert.deepEqual(
		stored.filter((body) => !unanswered.has(body ?? "")),
		[...burst.map((_, i) => `burst ${i}`), ...kept],
	);
	assert.equal((await connect(t, second.url, cookie)).id, id);
	const home = await fetch(second.url, { headers: { cookie }, redirect: "manual" });
	await home.body?.cancel();
	assert.deepEqual([home.status, home.headers.get("location")], [302, `/rooms/${lobbyId}`]);
	assert.equal(await stop(second), 0);
});

test("after kill -9 of Node the next start takes over the PostgreSQL that was left, and ends it in the end", {
	timeout: 120_000,
}, async (t) => {
	const first = await started(t);
	const cookie = await enter(first.url, "Orphan");
	assert.equal((await post((await connect(t, first.url, cookie)).socket, "before the kill"))?.ok, true);
	const left = postmasterOf(dataDir);
	assert.ok(left);
	assert.equal(await stop(first, "SIGKILL"), "SIGKILL");
	assert.deepEqual(postmasterOf(dataDir), left);

	const second = await started(t);
	assert.deepEqual(postmasterOf(dataDir), left);
	assert.equal((await post((await connect(t, second.url, cookie)).socket, "after the kill"))?.ok, true);
	assert.deepEqual((await bodiesOf(dataDir)).slice(-2), ["before the kill", "after the kill"]);
	assert.equal(await stop(second), 0);
	assert.equal(databaseRuns(dataDir), false);
});

test("Ctrl-C that arrives twice, as npm passes it on, is one orderly stop", { timeout: 120_000 }, async (t) => {
	const server = await started(t, { DRAIN_SECONDS: "1" });
	// Somebody is connected, so that the stop has something to wait for.
	await connect(t, server.url, await enter(server.url, "Interrupted"));
	server.child.kill("SIGINT");
	await sleep(200);
	assert.equal(await stop(server, "SIGINT"), 0);
	assert.equal(databaseRuns(dataDir), false);
	assert.equal(existsSync(join(dataDir, "charla.lock")), false);
});

test("SIGTERM in the middle of a start leaves nothing behind", { timeout: 120_000 }, async (t) => {
	assert.equal(databaseRuns(dataDir), false);
	const server = startServer({ PORT: String(await fixedPort()), DATA_DIR: dataDir });
	t.after(() => stop(server));
	await until(
		() => postmasterOf(dataDir) !== null,
		30_000,
		() => `PostgreSQL does not start:\n${server.said()}`,
	);
	assert.equal(await stop(server), 0);
	assert.equal(databaseRuns(dataDir), false);
	assert.equal(existsSync(join(dataDir, "charla.lock")), false);
});

test("a port in use: a sentence with a way out, and PostgreSQL is not left running", { timeout: 120_000 }, async (t) => {
	const port = await fixedPort();
	const other = createServer();
	await new Promise<void>((resolve) => other.listen(port, "127.0.0.1", resolve));
	t.after(() => other.close());
	const failed = await failedStart(t, { PORT: String(port), DATA_DIR: dataDir });
	assert.equal(failed.code, 1);
	assert.equal(failed.said, `Port ${port} is in use. Choose another, for example: PORT=${port + 1} npm start`);
	assert.equal(databaseRuns(dataDir), false);
});

test("a configuration with several mistakes: all of them at once, and nothing was touched", { timeout: 60_000 }, async (t) => {
	const untouched = freshDataDir();
	t.after(() => untouched.remove());
	const failed = await failedStart(t, {
		PORT: "eighty",
		DATABASE_URL: "mysql://root:hunter2@localhost/charla",
		SESSION_SECRET: "short",
		RATE_LIMITS: "maybe",
		DRAIN_SECONDS: "-1",
		DATA_DIR: untouched.dataDir,
	});
	assert.equal(failed.code, 1);
	assert.match(failed.said, /^Charla cannot start with this configuration:\n(?: {2}- .+\n?){5}$/);
	for (const name of ["PORT=eighty", "DATABASE_URL", "SESSION_SECRET", "RATE_LIMITS=maybe", "DRAIN_SECONDS=-1"])
		assert.ok(failed.said.includes(`- ${name}`), name);
	assert.ok(!failed.said.includes("hunter2"), "a password was repeated");
	assert.equal(existsSync(untouched.dataDir), false);
});

test("data in a folder that nobody else may enter: started as root or not, it works and is found again", {
	timeout: 120_000,
}, async (t) => {
	const closed = freshDataDir({ closed: true });
	t.after(() => closed.remove());
	const first = await started(t, { DATA_DIR: closed.dataDir });
	const cookie = await enter(first.url, "Recluse");
	const { socket, id } = await connect(t, first.url, cookie);
	assert.equal((await post(socket, "behind a closed door"))?.ok, true);
	// PostgreSQL refuses to be root, and whom it steps down to may not come in here: then its files are elsewhere.
	const isRoot = process.getuid?.() === 0;
	assert.equal(existsSync(join(closed.dataDir, "database")), !isRoot);
	assert.equal(databaseFolderOf(closed.dataDir).startsWith(closed.dataDir), !isRoot);
	assert.equal(await stop(first), 0);
	assert.equal(databaseRuns(closed.dataDir), false);

	const second = await started(t, { DATA_DIR: closed.dataDir });
	assert.equal((await connect(t, second.url, cookie)).id, id);
	assert.deepEqual(await bodiesOf(closed.dataDir), ["behind a closed door"]);
	assert.equal(await stop(second), 0);
});
