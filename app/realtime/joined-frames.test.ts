import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { openSocket, type TestSocket, testCharla } from "../../tests/support/charla.ts";
import { say } from "../../tests/support/chat.ts";
import type { Fact } from "../contract/facts.ts";
import { lobbyId } from "../contract/fixed.ts";
import { fanOutCounts, JoinedFramesAdapter } from "./joined-frames.ts";

/** Bodies whose frames need each form of a WebSocket length, and characters of every width. */
const bodies = ["x", "é日😀", "a".repeat(200), "😀".repeat(4000), 'line\nline\u2028"quoted" \\ \u0001', '{"kind":"fact"}'];

async function counted(work: () => Promise<unknown>): Promise<{ joined: number; ordinary: number }> {
	const before = { ...fanOutCounts };
	await work();
	return { joined: fanOutCounts.joined - before.joined, ordinary: fanOutCounts.ordinary - before.ordinary };
}

/** What three kinds of clients hear of a small history; what differs from run to run by nature is taken out. */
async function story(env: Record<string, string>): Promise<{ heard: unknown[][]; counts: { joined: number; ordinary: number } }> {
	await using charla = await testCharla({ env });
	const [ana, ben] = [await charla.person("Ana"), await charla.person("Ben")];
	const clients = [
		await charla.connect(ben.cookie),
		await charla.connect(ben.cookie),
		await charla.connect(ben.cookie, { transports: ["polling"] }),
	];
	const counts = await counted(async () => {
		const first = await say(charla.chat, ana.me, lobbyId, "first");
		for (const body of bodies) await say(charla.chat, ana.me, lobbyId, body, first);
		await Promise.all(bodies.map((body) => say(charla.chat, ben.me, lobbyId, body)));
		await charla.chat.messages.edit(ana.me, { roomId: lobbyId, clientId: randomUUID(), seq: first, body: "**edited**" });
		await charla.chat.messages.remove(ana.me, { roomId: lobbyId, clientId: randomUUID(), seq: first });
		for (const client of clients) await client.until(() => client.facts.at(-1)?.kind === "message-deleted");
	});
	const plain = (fact: Fact) =>
		JSON.parse(JSON.stringify(fact, (name, value) => (/^(?:id|clientId|\w+At)$/.test(name) ? typeof value : value)));
	return { heard: clients.map((client) => client.facts.map(plain)), counts };
}

test("[L8] facts go to WebSocket clients as joined frames, to polling clients the ordinary way, and mean the same as without", async () => {
	const joined = await story({});
	const stock = await story({ FANOUT: "stock" });
	assert.equal(joined.heard[0]?.length, 15);
	assert.deepEqual(joined.heard[1], joined.heard[0]);
	assert.deepEqual(joined.heard[2], joined.heard[0]);
	assert.deepEqual(stock.heard, joined.heard);
	assert.deepEqual(stock.counts, { joined: 0, ordinary: 0 });
	assert.ok(
		joined.counts.joined >= 2 * 15 - 4,
		`of 30 deliveries over WebSocket ${joined.counts.joined} took the direct way: Socket.IO's insides changed`,
	);
	assert.ok(joined.counts.ordinary >= 15, "and those to the polling client did not");
});

test("[L8] what the adapter reaches into is still there in this version of Socket.IO", async () => {
	await using charla = await testCharla();
	const { cookie } = await charla.person("Ana");
	await charla.connect(cookie);
	await charla.connect(cookie, { transports: ["polling"] });
	const main = charla.realtime.io.of("/");
	assert.ok(main.adapter instanceof JoinedFramesAdapter);
	assert.equal(typeof (main as unknown as { server: { encoder: { encode: unknown } } }).server.encoder.encode, "function");
	type Inside = {
		conn: {
			readyState: string;
			upgrading: boolean;
			writeBuffer: unknown[];
			close: unknown;
			transport: { name: string; writable: boolean; socket?: { readyState: number; _socket?: { writableLength: number; write: unknown } } };
		};
		client: { writeToEngine: unknown };
	};
	const inside = [...main.sockets.values()] as unknown as Inside[];
	assert.deepEqual(inside.map((s) => s.conn.transport.name).sort(), ["polling", "websocket"]);
	for (const { conn, client } of inside) {
		assert.equal(conn.readyState, "open");
		assert.equal(conn.upgrading, false);
		assert.ok(Array.isArray(conn.writeBuffer));
		assert.equal(typeof conn.transport.writable, "boolean");
		assert.equal(typeof client.writeToEngine, "function");
		assert.equal(typeof conn.close, "function");
		if (conn.transport.name !== "websocket") continue;
		assert.equal(conn.transport.socket?.readyState, 1);
		assert.equal(typeof conn.transport.socket?._socket?.writableLength, "number");
		assert.equal(typeof conn.transport.socket?._socket?.write, "function");
	}
});

test("[L8] a client that changes from polling to WebSocket while others post hears everything once and in order", async () => {
	await using charla = await testCharla();
	const [ana, ben] = [await charla.person("Ana"), await charla.person("Ben")];
	let posting = true;
	const poster = (async () => {
		for (let i = 0; posting; i++) {
			await say(charla.chat, ana.me, lobbyId, `${i}`);
			await sleep(1);
		}
	})();
	const clients: TestSocket[] = [];
	for (let i = 0; i < 5; i++) {
		const client = openSocket(charla.url, ben.cookie, { transports: ["polling", "websocket"] });
		const upgraded = new Promise((done) => client.raw.io.engine.once("upgrade", done));
		await client.welcomed;
		await upgraded;
		clients.push(client);
	}
	for (const client of clients) await client.until(() => client.facts.length > 20, 20_000);
	posting = false;
	await poster;
	const head = (await charla.chat.rooms.mine(ana.me))[0]?.lastSeq as number;
	for (const client of clients) {
		await client.until(() => client.facts.at(-1)?.seq === head);
		const seqs = client.facts.map((f) => f.seq);
		assert.deepEqual(
			seqs,
			seqs.map((_, i) => (seqs[0] as number) + i),
		);
		client.raw.close();
	}
});

test("[L8] answers, signals and facts of one client keep their order under load", async () => {
	await using charla = await testCharla();
	const ana = await charla.person("Ana");
	const a = await charla.connect(ana.cookie);
	const wrong: string[] = [];
	await Promise.all(
		Array.from({ length: 300 }, async (_, i) => {
			const answer = await a.call("message:post", { roomId: lobbyId, clientId: randomUUID(), body: `${i}` });
			if (!answer.ok) wrong.push(JSON.stringify(answer));
			if (i % 10 === 0) await a.call("typing", { roomId: lobbyId });
		}),
	);
	await a.until(() => a.facts.length === 300);
	assert.deepEqual(wrong, []);
	assert.deepEqual(
		a.facts.map((f) => f.kind === "message-posted" && f.message.body),
		Array.from({ length: 300 }, (_, i) => `${i}`),
	);
});
