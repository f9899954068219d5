import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { lobbyId } from "../../app/contract/fixed.ts";
import { limits } from "../../app/contract/limits.ts";
import { seeded, shuffled } from "../../bench/seeded.ts";
import { readLobby, type StoredRow } from "../support/crash-audit.ts";
import { enter, until } from "../support/crash-charla.ts";
import { type LivePerson, openPerson } from "../support/crash-person.ts";
import { openPollingOnly } from "../support/crash-polling.ts";
import { supervise } from "../support/crash-supervisor.ts";
import { long } from "../support/long.ts";

const WITNESSES = 2;
/** Between one message of a sender and the next, ms: some fifty a second from all together. */
const PACE = { from: 250, to: 550 };
/** From the moment that messages are stored again until the next kill, ms. */
const CALM = { from: 300, to: 1200 };
/** How long a message takes to be stored and answered, more or less, ms: the kill comes somewhere within. */
const ANSWERING = { from: 1, to: 25 };
/** Messages stored after a kill that count as the load being back. */
const FLOWING = 30;

/** What is killed, and how often. */
type Kills = Record<"node" | "postgres" | "both", number>;

test("kill -9 of Node and of both, under load from 6 senders: nothing is lost, doubled or out of order", { timeout: 240_000 }, (t) =>
	killUnderLoad(t, 6, { node: 1, postgres: 0, both: 1 }),
);

long(
	"kill -9 of Node, of PostgreSQL and of both, 20 times under load from 20 senders: nothing is lost, doubled or out of order",
	{
		timeout: 480_000,
	},
	(t) => killUnderLoad(t, 20, { node: 10, postgres: 6, both: 4 }),
);

async function killUnderLoad(t: TestContext, count: number, kills: Kills): Promise<void> {
	const seed = Number(process.env.CHARLA_SEED ?? Date.now() % 1_000_000);
	const random = seeded(seed);
	const between = ({ from, to }: { from: number; to: number }) => from + random() * (to - from);
	t.diagnostic(`seed ${seed} (CHARLA_SEED=${seed} repeats it)`);

	const charla = await supervise();
	const proxy = await openPollingOnly(Number(new URL(charla.url).port));
	const people: LivePerson[] = [];
	let sending = true;
	t.after(async () => {
		sending = false;
		for (const person of people) person.close();
		proxy.close();
		await charla.stop();
		charla.remove();
	});

	for (let i = 1; i <= count; i++) people.push(await openPerson(`Sender ${i}`, charla.url, await enter(charla.url, `Sender ${i}`)));
	const senders = people.slice();
	for (let i = 1; i <= WITNESSES; i++) people.push(await openPerson(`Witness ${i}`, charla.url, await enter(charla.url, `Witness ${i}`)));
	const poller = await openPerson("Poller", proxy.url, await enter(charla.url, "Poller"));
	people.push(poller);
	const describe = () => `${people.map((person) => person.describe()).join("\n")}\n${charla.endings.join("\n")}\n${charla.said()}`;
	const acked = () => senders.reduce((sum, sender) => sum + sender.told.acked.size, 0);

	const loops = senders.map(async (sender) => {
		while (sending) {
			sender.say();
			await sleep(between(PACE));
		}
	});
	await until(() => acked() >= FLOWING, 20_000, describe);

	const began = Date.now();
	const blows = shuffled(
		(Object.keys(kills) as (keyof Kills)[]).flatMap((blow) => Array.from({ length: kills[blow] }, () => blow)),
		random,
	);
	for (const blow of blows) {
		await sleep(between(CALM));
		// The worst moment: everybody has just pressed Enter, and the answers are somewhere on the way.
		for (const sender of senders) sender.say();
		await sleep(between(ANSWERING));
		if (blow !== "postgres") charla.killNode();
		if (blow !== "node") await charla.killPostgres();
		for (const person of people) person.struck();
		// What the dead had already handed to the network arrives within this time.
		await sleep(50);
		const furthest = Math.max(...people.map((person) => person.cursor()));
		for (const person of people) person.backBeyond(furthest);
		const before = acked();
		await until(
			() => acked() >= before + FLOWING,
			40_000,
			() => `no load again after kill -9 of ${blow}\n${describe()}`,
		);
	}
	const seconds = (Date.now() - began) / 1000;

	await sleep(between(CALM));
	sending = false;
	await Promise.all(loops);
	await until(
		() => people.every((person) => person.isSettled()),
		// The longest wait between two attempts is 45 s: nobody presses "Retry now" here.
		75_000,
		() => `not everybody settled\n${describe()}`,
	);
	const stored = await readLobby(charla.dataDir);
	await until(
		() => people.every((person) => person.cursor() >= stored.lastSeq),
		30_000,
		() => `not all at ${stored.lastSeq}\n${describe()}`,
	);

	const messages = stored.rows.filter((row) => row.kind === 0);
	const stands = new Map<string, number>();
	for (const row of messages) stands.set(`${row.author} ${row.key}`, (stands.get(`${row.author} ${row.key}`) ?? 0) + 1);
	const bySeq = new Map(stored.rows.map((row) => [row.seq, row]));
	const everyAck = senders.flatMap((sender) => [...sender.told.acked].map(([key, ack]) => ({ author: sender.me.id, key, ...ack })));
	const lost = everyAck.filter((ack) => !stands.has(`${ack.author} ${ack.key}`));
	const doubled =
		[...stands.values()].filter((times) => times > 1).length + (messages.length - new Set(messages.map((row) => row.body)).size);
	const blackouts = people.flatMap((person) => person.blackouts);
	const single = blackouts.filter((each) => each.blows === 1).map((each) => each.ms);
	const longest = people.map((person) => Math.max(...person.blackouts.map((each) => each.ms)));
	t.diagnostic(
		`${blows.length} kills in ${seconds.toFixed(0)} s (${kills.node} Node, ${kills.postgres} PostgreSQL, ${kills.both} both), ` +
			`${everyAck.length} acknowledged of ${senders.reduce((sum, sender) => sum + sender.sent.length, 0)} sent, ${lost.length} lost, ${doubled} doubled; ` +
			`blackout until caught up after one kill: p50 ${percentile(single, 0.5)} ms, p95 ${percentile(single, 0.95)} ms (${single.length}); ` +
			`longest of each of ${people.length} clients, further kills included: p50 ${percentile(longest, 0.5)} ms, p95 ${percentile(longest, 0.95)} ms; ` +
			`${people.flatMap((person) => person.told.skipped).length} times too far behind to follow by facts`,
	);

	// The log itself: gapless, and its counters right.
	assert.deepEqual(lost, []);
	assert.equal(doubled, 0);
	assert.equal(stored.lastSeq, stored.rows.length);
	assert.ok(
		stored.rows.every((row, i) => row.seq === i + 1),
		"seq has a gap",
	);
	assert.equal(stored.lastMsg, messages.length);
	assert.ok(
		messages.every((row, i) => row.msgNo === i + 1),
		"msg_no has a gap",
	);

	// Every message, once, in the order it was written, where its acknowledgement said.
	for (const sender of senders) {
		const theirs = messages.filter((row) => row.author === sender.me.id);
		assert.ok(sender.sent.length > blows.length, `${sender.name} hardly sent anything`);
		assert.deepEqual(
			theirs.map((row) => row.body),
			sender.sent,
			sender.name,
		);
	}
	for (const ack of everyAck) {
		const row = bySeq.get(ack.seq);
		assert.deepEqual([row?.author, row?.key, row?.body], [ack.author, ack.key, ack.body], `acknowledged as ${ack.seq}`);
	}

	// Every client, never reloaded: the same list, complete, and no wrong picture on the way there.
	for (const person of people) {
		const { told, live, from } = person;
		assert.deepEqual(told.problems.slice(0, 5), [], `${person.name}: ${told.problems.length} problems`);
		const heard = stored.rows.filter((row) => row.seq > from).map((row) => [row, told.heard.get(row.seq)] as const);
		const isSkipped = (seq: number) => told.skipped.some(({ after, upTo }) => seq > after && seq <= upTo);
		assert.deepEqual(
			heard.filter(([row, fact]) => !fact && !isSkipped(row.seq)).map(([row]) => row.seq),
			[],
			`${person.name} never heard these`,
		);
		assert.ok(
			[...told.heard.keys()].every((seq) => bySeq.has(seq)),
			`${person.name} heard of what is not stored`,
		);
		assert.deepEqual(
			heard.flatMap(([, fact]) => (fact?.kind === "message-posted" ? [textOf(fact.message)] : [])),
			heard.flatMap(([row, fact]) => (row.kind === 0 && fact ? [textOfRow(row)] : [])),
			person.name,
		);
		const { open, cursors, rooms } = live.getState();
		const shown = open?.messages ?? [];
		// Who was too far behind began anew with the newest stretch; a short run may store less than a page holds.
		const atLeast = Math.min(messages.length, told.skipped.length > 0 ? limits.window : limits.mounted);
		assert.ok(shown.length >= atLeast, `${person.name} shows ${shown.length}`);
		assert.deepEqual(shown.map(textOf), messages.slice(-shown.length).map(textOfRow), person.name);
		assert.deepEqual(
			[cursors[lobbyId], rooms[lobbyId]?.lastSeq, rooms[lobbyId]?.lastMsg],
			[stored.lastSeq, stored.lastSeq, stored.lastMsg],
			person.name,
		);
		assert.ok(person.blackouts.length > 0, `${person.name} noticed no kill`);
	}
	assert.equal(poller.told.transport, "polling");

	// The servers: each Node that was killed was started once, none ended by itself, none met an error it did not expect.
	assert.deepEqual(charla.endings, []);
	assert.equal(charla.starts(), 1 + kills.node + kills.both);
	assert.deepEqual(charla.unexpected(), []);
	assert.equal(await charla.stop(), 0);
}

const textOf = (message: { seq: number; msgNo: number; author: { id: string }; clientId: string; body: string }) =>
	`${message.seq} ${message.msgNo} ${message.author.id} ${message.clientId} ${message.body}`;
const textOfRow = (row: StoredRow) => `${row.seq} ${row.msgNo} ${row.author} ${row.key} ${row.body}`;

function percentile(values: readonly number[], share: number): number {
	const sorted = [...values].sort((a, b) => a - b);
	return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}
