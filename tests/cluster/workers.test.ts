import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { lobbyId } from "../../app/contract/fixed.ts";
import { openSocket, type TestSocket } from "../support/charla.ts";
import { assertWhole, signalsOf as of, posts, say } from "../support/cluster.ts";
import {
	databaseRuns,
	enter,
	fixedPort,
	freshDataDir,
	type ServerProcess,
	startServer,
	until,
	untilReady,
} from "../support/crash-charla.ts";

/** Three workers on one port, with our own PostgreSQL and without Redis, started exactly as `npm start` does. */

const place = freshDataDir();
let server: ServerProcess;
let url = "";
const open: TestSocket[] = [];
let output = "";
const count = (event: string) => output.split(`"event":"${event}"`).length - 1;

before(async () => {
	const port = await fixedPort();
	url = `http://127.0.0.1:${port}`;
	server = startServer({
		PORT: String(port),
		DATA_DIR: place.dataDir,
		WEB_WORKERS: "3",
		RATE_LIMITS: "off",
		DRAIN_SECONDS: "0",
		LOG_LEVEL: "info",
	});
	for (const stream of [server.child.stdout, server.child.stderr]) stream?.on("data", (text: Buffer) => (output += text));
	await untilReady(url, server);
	await until(
		() => count("service.ready") === 3,
		60_000,
		() => server.said(),
	);
});
after(async () => {
	for (const socket of open) socket.raw.close();
	server.child.kill("SIGTERM");
	await server.ended;
	place.remove();
});

/** The worker a websocket came to, by the end of its session's id. */
const workerOf = (socket: TestSocket): string => (socket.raw.io.engine as unknown as { id: string }).id.split(".")[1] ?? "";

async function connect(cookie: string, transports = ["websocket"]): Promise<TestSocket> {
	const socket = openSocket(url, cookie, { transports });
	open.push(socket);
	await socket.welcomed.catch((error: Error) => assert.fail(`${error.message}\n${server.said()}`));
	return socket;
}

test("[I10] people at different workers are in one room, by websocket, by polling and by polling that becomes a websocket", async () => {
	const cookies = [await enter(url, "Ana"), await enter(url, "Ben"), await enter(url, "Eva")];
	const sockets: TestSocket[] = [];
	for (const [i, transports] of [
		["websocket"],
		["websocket"],
		["websocket"],
		["polling"],
		["polling"],
		["polling", "websocket"],
		["polling", "websocket"],
	].entries())
		sockets.push(await connect(cookies[i % 3] as string, transports));
	assert.ok(new Set(sockets.map(workerOf)).size >= 2, "the connections are spread");
	const [first] = sockets as [TestSocket];
	const from = await say(first, "m0");
	for (let i = 1; i < 40; i++) await say(sockets[i % sockets.length] as TestSocket, `m${i}`);
	for (const socket of sockets) {
		await socket.until(() => posts(socket.facts).length >= 40, 30_000);
		assertWhole(socket, from);
	}
	const answer = await first.call("room:here", { roomId: lobbyId });
	assert.ok(answer.ok && answer.data.here.length === 3, "whoever is at another worker is here too");
	assert.equal((sockets[5] as TestSocket).raw.io.engine?.transport.name, "websocket", "the upgrade found its worker");
	for (const socket of sockets) socket.raw.close();
});

test("[I10] leaving ends one's sockets at every worker", async () => {
	const cookie = await enter(url, "Leo");
	const sockets = await Promise.all([1, 2, 3, 4].map(() => connect(cookie)));
	const closed = sockets.map((socket) => socket.closed(10_000));
	const answer = await fetch(`${url}/leave`, { method: "POST", headers: { cookie }, redirect: "manual" });
	assert.equal(answer.status, 302);
	await Promise.all(closed);
	for (const socket of sockets) assert.equal(of(socket, "signed-out").length, 1);
});

test("[I10] a worker that is killed is replaced, the others go on, and the database is nobody's but the primary's", async () => {
	const cookie = await enter(url, "Zoe");
	const sockets = await Promise.all([1, 2, 3, 4, 5, 6].map(() => connect(cookie)));
	// A socket that was closed knows it no more.
	const homes = sockets.map(workerOf);
	const ready = output.split("\n").filter((line) => line.includes('"service.ready"'));
	const { pid: victim } = JSON.parse(ready[0] as string) as { pid: number };
	process.kill(victim, "SIGKILL");
	await until(
		() => count("worker.lost") === 1,
		30_000,
		() => server.said(),
	);
	const lost = JSON.parse(output.split("\n").find((line) => line.includes('"worker.lost"')) as string) as { worker: number };
	const survivors = sockets.filter((_socket, i) => homes[i] !== String(lost.worker));
	assert.ok(survivors.length > 0);
	const [witness] = survivors as [TestSocket];
	await say(witness, "still here");
	await witness.until(() => posts(witness.facts).includes("still here"));
	await until(
		() => count("service.ready") === 4,
		60_000,
		() => server.said(),
	);
	// Whoever comes now may come to the new one.
	const back = await connect(cookie);
	await say(witness, "and you");
	await back.until(() => posts(back.facts).includes("and you"));
	assert.ok(databaseRuns(place.dataDir));
});

test("[I10] a stop ends all of them and the database, gracefully", async () => {
	const cookie = await enter(url, "Max");
	const socket = await connect(cookie);
	const moved = socket.until(() => of(socket, "move").length === 1, 20_000);
	server.child.kill("SIGTERM");
	await moved;
	assert.equal(await server.ended, 0, server.said());
	assert.ok(!databaseRuns(place.dataDir));
	assert.equal(count("service.stopped"), 3);
	assert.equal(output.split("Owner link").length - 1, 1, "one link, whoever printed it");
});
