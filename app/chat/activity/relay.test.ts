import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { globSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { archiveFiles, takeIn } from "../../../lambdas/stream/index.ts";
import { say, seeded, testChat } from "../../../tests/support/chat.ts";
import { freshDatabase } from "../../../tests/support/database.ts";
import { long } from "../../../tests/support/long.ts";
import type { Activity } from "../../contract/activity.ts";
import { lobbyId } from "../../contract/fixed.ts";
import type { Sql } from "../../storage/sql.ts";
import { archiveInProcess, type Consumer, openReadText, openRelay, postgresActivity } from "./index.ts";

const core = { takeIn, archiveFiles };
const quick = { every: 3_600_000, settle: 0 };
const dayToday = () => new Date().toISOString().slice(0, 10);

function relayOn(sql: Sql, consumers: Consumer[], more: Partial<Parameters<typeof openRelay>[0]> = {}) {
	const warned: [string, Record<string, unknown> | undefined][] = [];
	const relay = openRelay({
		sql,
		consumers,
		readText: openReadText(["forbidden"]),
		log: { warn: (event, fields) => void warned.push([event, fields]) },
		...more,
	});
	return Object.assign(relay, { warned, [Symbol.asyncDispose]: () => relay.stop() });
}

/** Keeps what it is given. */
function listener(more: Partial<Consumer> = {}): Consumer & { heard: Activity[] } {
	const heard: Activity[] = [];
	return {
		name: "stream",
		...quick,
		mayPass: false,
		heard,
		async take(rooms) {
			for (const events of rooms.values()) heard.push(...events);
			return new Map([...rooms].map(([roomId, events]) => [roomId, events.at(-1)?.seq ?? 0]));
		},
		...more,
	};
}

test("[A1] whoever takes events may take their time, and nobody else's transaction gets it", async () => {
	await using t = await testChat();
	await t.say(await t.person("Ana"), lobbyId, "hi");
	const limit = async (sql: Sql) =>
		(await sql.query<{ limit: string }>("", "select current_setting('idle_in_transaction_session_timeout') as limit"))[0]?.limit;
	let given: string | undefined;
	const slow = listener();
	const { take } = slow;
	await using relay = relayOn(t.sql, [
		{
			...slow,
			async take(rooms, sql) {
				given = await limit(sql);
				return take(rooms, sql);
			},
		},
	]);
	await relay.run();
	assert.equal(slow.heard.length > 0, true);
	assert.equal(given, "1min");
	assert.equal(await limit(t.sql), "5s");
});

test("[A1] everything in every room's log leaves it once, in order, and nothing that was said leaves with it", async () => {
	await using t = await testChat();
	const [ana, ben] = [await t.person("Ana"), await t.person("Ben")];
	const room = await t.chat.rooms.create(ana, { name: "Plans", topic: "", kind: "private" });
	const secret = "do you like forbidden fruit?";
	const asked = await t.say(ana, room.id, secret);
	await t.say(ana, lobbyId, "https://a.example https://b.example https://c.example https://d.example");
	await t.chat.messages.edit(ana, { roomId: room.id, clientId: randomUUID(), seq: asked, body: `${secret}!` });
	await t.say(ben, lobbyId, "hi", 1 + 2);
	const consumer = listener();
	await using relay = relayOn(t.sql, [consumer]);
	await relay.run();
	await relay.run();

	const heads = await t.sql.query<{ id: string; last_seq: number }>("", "select id, last_seq from room where last_seq > 0");
	for (const { id, last_seq } of heads)
		assert.deepEqual(
			consumer.heard.filter((event) => event.roomId === id).map((event) => event.seq),
			Array.from({ length: last_seq }, (_, i) => i + 1),
		);
	const kinds = (roomId: string) => consumer.heard.filter((event) => event.roomId === roomId).map((event) => event.kind);
	assert.deepEqual(kinds(room.id), ["join", "message", "edit"]);
	const message = consumer.heard.find((event) => event.roomId === room.id && event.seq === asked);
	assert.deepEqual(message?.flags, ["question", "words"]);
	assert.equal(message?.bytes, Buffer.byteLength(secret) + 1, "as the log has it now");
	assert.deepEqual(consumer.heard.find((event) => event.flags.includes("links"))?.roomId, lobbyId);
	const told = JSON.stringify(consumer.heard);
	for (const word of ["fruit", "example", "Ana", "Plans"]) assert.ok(!told.includes(word), word);
	assert.deepEqual(relay.warned, []);
});

test("[A1] what is announced is taken at the next look; what is not is found by looking for it", async () => {
	await using t = await testChat();
	const ana = await t.person("Ana");
	const consumer = listener();
	await using relay = relayOn(t.sql, [consumer]);
	await relay.run();
	const before = consumer.heard.length;
	await t.say(ana, lobbyId, "not announced here");
	await relay.run();
	assert.equal(consumer.heard.length, before, "a search is not due yet");
	relay.hear({ to: { roomId: lobbyId }, fact: { kind: "message-deleted", roomId: lobbyId, seq: 1, target: 1, deletedAt: 0 } });
	await relay.run();
	assert.equal(consumer.heard.length, before + 1);
	await using other = relayOn(t.sql, [consumer]);
	await t.say(ana, lobbyId, "found by a start");
	await other.run();
	assert.equal(consumer.heard.length, before + 2);
});

test("[A1] of two instances one works on a room at a time, and the pointer they share takes nothing twice", async () => {
	await using t = await testChat();
	const ana = await t.person("Ana");
	for (let i = 0; i < 20; i++) await t.say(ana, lobbyId, `message ${i}`);
	const consumer = listener();
	await using one = relayOn(t.sql, [consumer]);
	await using two = relayOn(t.sql, [consumer]);
	await Promise.all([one.run(), two.run()]);
	const ids = consumer.heard.map((event) => event.id);
	assert.equal(new Set(ids).size, ids.length);
	assert.equal(ids.length, 21);
});

test("[A2] a consumer that fails takes it again later, alone; other rooms do not wait for it", async () => {
	await using t = await testChat();
	const ana = await t.person("Ana");
	const room = await t.chat.rooms.create(ana, { name: "Trouble", topic: "", kind: "public" });
	await t.say(ana, lobbyId, "fine");
	let isAway = true;
	const inner = listener();
	const consumer = listener({
		async take(rooms, sql) {
			if (isAway && rooms.has(room.id)) throw Object.assign(new Error("away"), { code: "ECONNREFUSED" });
			return inner.take(rooms, sql);
		},
	});
	await using relay = relayOn(t.sql, [consumer]);
	for (let i = 0; i < 12; i++) await relay.run();
	assert.ok(inner.heard.some((event) => event.roomId === lobbyId));
	assert.ok(!inner.heard.some((event) => event.roomId === room.id), "and however long it is away, nothing is passed over");
	assert.ok(relay.warned.some(([event, fields]) => event === "relay.failed" && fields?.room_id === room.id));
	isAway = false;
	for (let i = 0; i < 3; i++) await relay.run();
	assert.deepEqual(
		inner.heard.filter((event) => event.roomId === room.id).map((event) => event.seq),
		[1],
	);
});

test("[A2] an event nothing can be made of is set aside by itself, with a reason, and the room goes on", async () => {
	await using t = await testChat();
	const ana = await t.person("Ana");
	const bad = await t.say(ana, lobbyId, "the poison");
	await t.say(ana, lobbyId, "after it");
	const inner = listener();
	const consumer = listener({
		mayPass: true,
		async take(rooms, sql) {
			for (const events of rooms.values()) if (events.some((event) => event.seq === bad)) throw new TypeError("cannot read this");
			return inner.take(rooms, sql);
		},
	});
	await using relay = relayOn(t.sql, [consumer]);
	for (let i = 0; i < 15; i++) await relay.run();
	assert.deepEqual(
		inner.heard.map((event) => event.seq),
		[bad - 1, bad + 1],
	);
	const aside = await t.sql.query<{ seq: number; reason: string }>("", "select seq, reason from relay_aside");
	assert.deepEqual(aside, [{ seq: bad, reason: "cannot read this" }]);
	assert.ok(relay.warned.some(([event]) => event === "relay.set_aside"));
});

test("[A3] delivery is what those here had a moment later: known for fresh messages only", async () => {
	await using t = await testChat();
	const [ana, ben, cleo] = [await t.person("Ana"), await t.person("Ben"), await t.person("Cleo")];
	const seq = await t.say(ana, lobbyId, "who has this?");
	await t.chat.rooms.pointers(ben, { roomId: lobbyId, delivered: seq });
	const consumer = listener();
	await using relay = relayOn(t.sql, [consumer], { here: () => [ana.id, ben.id, cleo.id] });
	await relay.run();
	assert.deepEqual(consumer.heard.find((event) => event.seq === seq)?.reach, { here: 2, delivered: 1 });
	assert.equal(consumer.heard.find((event) => event.kind === "join")?.reach, null);
});

test("[A4] an event waits until it has settled, an archive until there is enough of it; then it is in one file of its date", async () => {
	await using t = await testChat();
	const ana = await t.person("Ana");
	for (let i = 0; i < 5; i++) await t.say(ana, lobbyId, `message ${i}`);
	const late = listener({ settle: 60_000 });
	const files = new Map<string, Uint8Array>();
	const archive = { put: async (key: string, bytes: Uint8Array) => void files.set(key, bytes) };
	const consumer = { ...archiveInProcess(core, archive, { events: 7, age: 3_600_000 }), ...quick };
	await using relay = relayOn(t.sql, [late, consumer]);
	await relay.run();
	assert.deepEqual([late.heard.length, files.size], [0, 0]);
	await t.say(ana, lobbyId, "the seventh");
	relay.hear({ to: { roomId: lobbyId }, fact: { kind: "message-deleted", roomId: lobbyId, seq: 1, target: 1, deletedAt: 0 } });
	await relay.run();
	const [[key, bytes] = []] = [...files];
	assert.equal(key, `activity/date=${dayToday()}/${lobbyId}.000000000001.jsonl.gz`);
	const lines = gunzipSync(bytes as Uint8Array)
		.toString()
		.trim()
		.split("\n");
	assert.deepEqual(
		lines.map((line) => JSON.parse(line).seq),
		[1, 2, 3, 4, 5, 6, 7],
	);
});

/** People talk while the relay is killed so many times, each at a moment that nobody chose. */
async function killed(t: TestContext, times: number): Promise<void> {
	await using database = await freshDatabase();
	await using c = await testChat({ sql: database.sql });
	const folder = mkdtempSync(join(tmpdir(), "charla-relay-"));
	t.after(() => rmSync(folder, { recursive: true, force: true }));
	const stream = join(folder, "stream");
	const people = [await c.person("Ana"), await c.person("Ben"), await c.person("Cleo")];
	const rooms = [lobbyId];
	for (const name of ["Books", "Plans", "Lab"])
		rooms.push((await c.chat.rooms.create(people[0] as (typeof people)[0], { name, topic: "", kind: "public" })).id);
	for (const person of people.slice(1)) for (const roomId of rooms.slice(1)) await c.chat.rooms.join(person, { roomId });

	const random = seeded(20);
	let isOver = false;
	let posted = 0;
	const talking = (async () => {
		while (!isOver) {
			const person = people[posted % 3] as (typeof people)[0];
			await say(c.chat, person, rooms[Math.floor(random() * rooms.length)] as string, `message ${posted++}`);
			await new Promise((done) => setTimeout(done, 3));
		}
	})();
	const errors: string[] = [];
	const start = async (): Promise<ChildProcess> => {
		const child = spawn(
			process.execPath,
			[fileURLToPath(new URL("../../../tests/support/relay-child.ts", import.meta.url)), database.url, join(folder, "archive"), stream],
			{ stdio: ["ignore", "pipe", "pipe"] },
		);
		child.stderr?.on("data", (text) => errors.push(String(text)));
		await once(child.stdout as NodeJS.ReadableStream, "data");
		return child;
	};
	for (let kill = 0; kill < times; kill++) {
		const child = await start();
		await new Promise((done) => setTimeout(done, 40 + random() * 400));
		const ended = once(child, "exit");
		child.kill("SIGKILL");
		await ended;
	}
	while (posted <= 100) await new Promise((done) => setTimeout(done, 10));
	isOver = true;
	await talking;
	const last = await start();
	const total = (await database.sql.query<{ n: number }>("", "select count(*) n from room_log"))[0]?.n as number;
	const archived = () =>
		globSync("archive/**/*.jsonl.gz", { cwd: folder }).flatMap((file) =>
			gunzipSync(readFileSync(join(folder, file)))
				.toString()
				.trim()
				.split("\n")
				.map((line) => (JSON.parse(line) as Activity).id),
		);
	const behind = async () =>
		(
			await database.sql.query<{ n: number }>(
				"",
				`select count(*) n from room r cross join unnest(array['activity', 'archive', 'stream']) k(name)
         left join relay_pointer p on p.room_id = r.id and p.consumer = k.name where r.last_seq > coalesce(p.seq, 0)`,
			)
		)[0]?.n;
	const until = Date.now() + 60_000;
	while ((await behind()) !== 0) {
		assert.ok(Date.now() < until, `the relay did not catch up: ${errors.join("").slice(-2000)}`);
		await new Promise((done) => setTimeout(done, 50));
	}
	const ended = once(last, "exit");
	last.kill("SIGKILL");
	await ended;

	const docs = await postgresActivity(database.sql).days([dayToday(), new Date(Date.now() - 86_400_000).toISOString().slice(0, 10)]);
	const counted = docs.flatMap((doc) => Object.values(doc.hours)).flatMap((kinds) => Object.entries(kinds));
	const sum = (kind?: string) => counted.filter(([name]) => !kind || name === kind).reduce((all, [, [count]]) => all + count, 0);
	assert.equal(sum("message"), posted, "each message counted once");
	assert.equal(sum(), total, "and everything else");
	const files = archived();
	assert.deepEqual([files.length, new Set(files).size], [total, total], "archived once each");
	const sent = readFileSync(stream, "utf8").trim().split("\n");
	assert.equal(new Set(sent).size, total, "sent at least once");
	for (const roomId of rooms) {
		const seqs = [...new Set(sent.filter((id) => id.startsWith(roomId)))].map((id) => Number(id.split(":")[1]));
		assert.deepEqual(
			seqs,
			seqs.toSorted((a, b) => a - b),
			"in the order of the room",
		);
	}
	t.diagnostic(`${total} events, ${times} kills, ${sent.length - total} of the stream's sent twice`);
}

test("[A5] killed at random while people talk, the relay loses nothing and counts nothing twice", (t) => killed(t, 3));

long("[A5] killed at random twenty times while people talk, the relay loses nothing and counts nothing twice", (t) => killed(t, 20));
