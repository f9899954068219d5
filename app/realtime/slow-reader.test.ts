import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { WebSocket } from "ws";
import { type TestSocket, testCharla } from "../../tests/support/charla.ts";
import { say } from "../../tests/support/chat.ts";
import { tookAtMost } from "../../tests/support/long.ts";
import type { Answer, CallAnswer, CallName } from "../contract/calls.ts";
import type { Fact, Signal } from "../contract/facts.ts";
import { lobbyId } from "../contract/fixed.ts";
import { backlogLimit, fanOutCounts } from "./joined-frames.ts";

/** A WebSocket that speaks Socket.IO by hand and can stop taking what the server sends. */
async function rawClient(url: string, cookie: string) {
	const socket = new WebSocket(`${url.replace("http", "ws")}/socket.io/?EIO=4&transport=websocket`, {
		headers: { cookie },
		perMessageDeflate: false,
	});
	const facts: Fact[] = [];
	const signals: Signal[] = [];
	const answers = new Map<number, (answer: unknown) => void>();
	let calls = 0;
	socket.on("message", (raw: Buffer) => {
		const text = raw.toString();
		if (text === "2") return socket.send("3");
		if (text.startsWith("0")) return socket.send("40");
		const [, type, id, json] = /^4([23])(\d*)(.*)$/s.exec(text) ?? [];
		if (type === "3") answers.get(Number(id))?.(JSON.parse(json as string)[0]);
		if (type !== "2") return;
		const [name, value] = JSON.parse(json as string);
		if (name === "fact") facts.push(value);
		if (name === "signal") signals.push(value);
	});
	const closed = new Promise<void>((done) => socket.once("close", () => done()));
	while (signals.length === 0) await sleep(5);
	return {
		socket,
		facts,
		signals,
		closed,
		call<N extends CallName>(name: N, input: object): Promise<Answer<CallAnswer[N]>> {
			const id = ++calls;
			socket.send(`42${id}${JSON.stringify([name, input])}`);
			return new Promise((resolve) => answers.set(id, resolve as (answer: unknown) => void));
		},
	};
}

const p95 = (list: number[]) => list.toSorted((a, b) => a - b)[Math.floor(list.length * 0.95)] as number;

test("[N6] who stops reading costs little memory, delays nobody, is told to catch up, and then misses nothing", async () => {
	await using charla = await testCharla();
	const [ana, ben, slow] = [await charla.person("Ana"), await charla.person("Ben"), await charla.person("Slow")];
	const witness = await charla.connect(ben.cookie);

	/** Posts `count` messages of 1 KB, 25 under way at a time; how long each took to reach the witness, ms. */
	async function flood(count: number, name: string): Promise<number[]> {
		const sentAt = new Map<string, number>();
		const took: number[] = [];
		const hear = (fact: Fact) => {
			const at = fact.kind === "message-posted" ? sentAt.get(fact.message.body) : undefined;
			if (at !== undefined) took.push(performance.now() - at);
		};
		witness.raw.on("fact", hear);
		let next = 0;
		await Promise.all(
			Array.from({ length: 25 }, async () => {
				while (next < count) {
					const body = `${name} ${++next} `.padEnd(1023, "x.");
					sentAt.set(`${body}.`, performance.now());
					await say(charla.chat, ana.me, lobbyId, `${body}.`);
				}
			}),
		);
		await (witness as TestSocket).until(() => took.length === count, 120_000);
		witness.raw.off("fact", hear);
		return took;
	}

	await flood(300, "warm-up");
	const usual = p95(await flood(1000, "before"));
	const client = await rawClient(charla.url, slow.cookie);
	type Inside = {
		data: { me: { id: string } };
		conn: { writeBuffer: unknown[]; transport: { socket: { _socket: { writableLength: number } } } };
	};
	const held = [...charla.realtime.io.of("/").sockets.values()].find((s) => s.data.me.id === slow.me.id) as unknown as Inside;
	const before = { ...fanOutCounts };
	let most = 0;
	const watch = setInterval(() => {
		most = Math.max(most, held.conn.transport.socket._socket.writableLength);
		assert.ok(held.conn.writeBuffer.length < 50);
	}, 2);
	client.socket.pause();
	const with5000 = p95(await flood(5000, "slow"));
	clearInterval(watch);

	const heard = client.facts.length;
	assert.ok(most > backlogLimit / 2, `the premise: it did not read, yet only ${most} bytes waited`);
	// What one turn writes at once comes on top of the limit, no more.
	assert.ok(most < backlogLimit + 512 * 1024, `${most} bytes were held for one slow reader`);
	tookAtMost(usual * 5 + 25, with5000, "the way to others (p95)");

	client.socket.resume();
	const resynced = () => client.signals.some((s) => s.kind === "resync");
	for (const end = Date.now() + 60_000; !resynced() && Date.now() < end; ) await sleep(20);
	assert.ok(resynced(), `it was not told; ${client.facts.length - heard} facts came`);
	assert.equal(fanOutCounts.resyncs, before.resyncs + 1);
	const seen = client.facts.map((f) => f.seq);
	assert.deepEqual(
		seen,
		seen.map((_, i) => (seen[0] as number) + i),
		"what it did get is in order",
	);

	const bodies = new Set(client.facts.flatMap((f) => (f.kind === "message-posted" ? [f.message.body] : [])));
	let cursor = seen.at(-1) as number;
	let missed = 0;
	for (;;) {
		const answer = await client.call("room:since", { cursors: [[lobbyId, cursor]] });
		assert.ok(answer.ok);
		const [room] = answer.data.rooms;
		if (room?.reset) {
			// Too far behind for facts: what happened is read as history.
			const stretch = await client.call("message:stretch", { roomId: lobbyId, after: cursor });
			assert.ok(stretch.ok);
			for (const m of stretch.data.messages) bodies.add(m.body);
			missed += stretch.data.messages.length;
			cursor = stretch.data.messages.at(-1)?.seq as number;
			continue;
		}
		for (const f of room?.facts ?? []) if (f.kind === "message-posted") bodies.add(f.message.body);
		missed += room?.facts.length ?? 0;
		cursor = room?.facts.at(-1)?.seq ?? cursor;
		if (cursor === room?.lastSeq) break;
	}
	assert.ok(missed > 0, "the premise: something was kept from it");
	assert.equal(bodies.size, 5000);
	await say(charla.chat, ana.me, lobbyId, "and goes on");
	for (const end = Date.now() + 60_000; client.facts.at(-1)?.seq !== cursor + 1 && Date.now() < end; ) await sleep(10);
	assert.equal(client.facts.at(-1)?.seq, cursor + 1, "after catching up it hears the next fact live");
	client.socket.terminate();
});

test("[N6] a polling client that does not come to fetch is told to catch up instead of filling memory", async () => {
	await using charla = await testCharla();
	const [ana, ben] = [await charla.person("Ana"), await charla.person("Ben")];
	const base = `${charla.url}/socket.io/?EIO=4&transport=polling`;
	const headers = { cookie: ben.cookie };
	const opened = await (await fetch(base, { headers })).text();
	const { sid } = JSON.parse(opened.slice(1)) as { sid: string };
	const poll = async () => (await (await fetch(`${base}&sid=${sid}`, { headers })).text()).split("\x1e");
	await fetch(`${base}&sid=${sid}`, { method: "POST", headers, body: "40" });
	const packets: string[] = [];
	while (!packets.some((p) => p.includes("welcome"))) packets.push(...(await poll()));
	const [held] = [...charla.realtime.io.of("/").sockets.values()] as unknown as { conn: { writeBuffer: unknown[] } }[];
	let most = 0;
	for (let i = 0; i < 600; i++) {
		await say(charla.chat, ana.me, lobbyId, `${i}`);
		most = Math.max(most, held?.conn.writeBuffer.length as number);
	}
	assert.ok(most > 200 && most < 300, `${most} packets were held`);
	const rest: string[] = [];
	for (const end = Date.now() + 60_000; !rest.some((p) => p.includes('"resync"')) && Date.now() < end; ) rest.push(...(await poll()));
	const told = rest.findIndex((p) => p.includes('"resync"'));
	assert.ok(told >= 0);
	// What comes after it finds the browser catching up: the last of the burst may still be on their way.
	const seqs = rest.slice(0, told).flatMap((p) => (p.startsWith('42["fact"') ? [(JSON.parse(p.slice(2)) as [string, Fact])[1].seq] : []));
	assert.deepEqual(
		seqs,
		seqs.map((_, i) => (seqs[0] as number) + i),
	);
	assert.ok(seqs.length < 600);
});
