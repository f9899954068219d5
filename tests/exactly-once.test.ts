import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import type { Fact } from "../app/contract/facts.ts";
import { lobbyId } from "../app/contract/fixed.ts";
import { type TestSocket, testCharla } from "./support/charla.ts";
import { everything } from "./support/chat.ts";

const posts = (facts: readonly Fact[]) => facts.flatMap((f) => (f.kind === "message-posted" ? [f.message] : []));

/**
 * Waits for a number of messages of the lobby. What is pushed must come once and in order, whatever happens; on a machine
 * too busy to read in time the server says "resync" and leaves a gap, which the cursor fills, as it does in a browser.
 */
async function heardAll(witness: TestSocket, count: number) {
	const isSlow = () => witness.signals.some((signal) => signal.kind === "resync");
	await witness.until(() => isSlow() || posts(witness.facts).length >= count, 30_000);
	const seqs = witness.facts.map((fact) => fact.seq);
	assert.deepEqual(
		seqs,
		[...new Set(seqs)].sort((a, b) => a - b),
		"pushed once, in the order of the log",
	);
	if (!isSlow()) return posts(witness.facts);
	const bySeq = new Map(witness.facts.map((fact) => [fact.seq, fact]));
	for (let cursor = (seqs[0] ?? 1) - 1; ; ) {
		const answer = await witness.call("room:since", { cursors: [[lobbyId, cursor]] });
		const [caught] = answer.ok ? answer.data.rooms : assert.fail(JSON.stringify(answer));
		for (const fact of caught?.facts ?? []) bySeq.set(fact.seq, fact);
		const last = caught?.facts.at(-1)?.seq;
		if (last === undefined || last >= (caught?.lastSeq ?? 0)) break;
		cursor = last;
	}
	return posts([...bySeq.values()].sort((a, b) => a.seq - b.seq));
}

test("[S1] one message sent fifty times at once to two servers is stored once, answered alike and heard once", async () => {
	await using a = await testCharla();
	await using b = await testCharla({ database: a.database });
	const { me: ana, cookie } = await a.person("Ana");
	const { cookie: ben } = await a.person("Ben");
	const witnesses = [await a.connect(ben), await b.connect(ben)];
	const authors = [await a.connect(cookie), await b.connect(cookie), await a.connect(cookie), await b.connect(cookie)];
	for (let round = 1; round <= 5; round++) {
		const input = { roomId: lobbyId, clientId: randomUUID(), body: `round ${round}`, replyTo: null };
		const answers = await Promise.all(
			Array.from({ length: 50 }, (_, i) => (authors[i % authors.length] as TestSocket).call("message:post", input)),
		);
		const [first] = answers;
		assert.ok(first?.ok);
		for (const answer of answers) assert.deepEqual(answer, first);
		assert.equal(first.data.id, input.clientId);
		for (const witness of witnesses) await witness.until(() => posts(witness.facts).some((m) => m.body === input.body));
	}
	assert.deepEqual(
		(await everything(a.chat, ana, lobbyId)).map((m) => [m.msgNo, m.body]),
		[1, 2, 3, 4, 5].map((n) => [n, `round ${n}`]),
	);
	for (const { facts } of [...witnesses, ...authors]) {
		assert.deepEqual(
			posts(facts).map((m) => m.body),
			[1, 2, 3, 4, 5].map((n) => `round ${n}`),
		);
		assert.deepEqual(
			facts.map((f) => f.seq),
			facts.map((_, i) => (facts[0] as Fact).seq + i),
		);
	}
});

test("[S1] the same key from another person, or in another room, is another message", async () => {
	await using charla = await testCharla();
	const [ana, ben] = [await charla.person("Ana"), await charla.person("Ben")];
	const books = await charla.chat.rooms.create(ana.me, { name: "Books", topic: "", kind: "public" });
	const [a, b] = [await charla.connect(ana.cookie), await charla.connect(ben.cookie)];
	const clientId = randomUUID();
	const answers = [
		await a.call("message:post", { roomId: lobbyId, clientId, body: "Ana's" }),
		await b.call("message:post", { roomId: lobbyId, clientId, body: "Ben's" }),
		await a.call("message:post", { roomId: books.id, clientId, body: "Ana's elsewhere" }),
	];
	assert.ok(answers.every((x) => x.ok));
	assert.deepEqual(
		(await everything(charla.chat, ana.me, lobbyId)).map((m) => m.body),
		["Ana's", "Ben's"],
	);
	assert.deepEqual(
		(await everything(charla.chat, ana.me, books.id)).map((m) => m.body),
		["Ana's elsewhere"],
	);
});

test("[S1] a message sent again after it was edited or deleted stays as it is, and the answer is the same", async () => {
	await using charla = await testCharla();
	const ana = await charla.person("Ana");
	const a = await charla.connect(ana.cookie);
	const input = { roomId: lobbyId, clientId: randomUUID(), body: "one", replyTo: null };
	const first = await a.call("message:post", input);
	assert.ok(first.ok && first.data.seq !== null);
	await a.call("message:delete", { roomId: lobbyId, clientId: randomUUID(), seq: first.data.seq });
	assert.deepEqual(await a.call("message:post", input), first);
	assert.deepEqual(
		(await everything(charla.chat, ana.me, lobbyId)).map((m) => m.body),
		[""],
	);
});

test("[S2] of 500 messages by 20 senders every witness hears each once, in one order, which keeps each sender's own", async () => {
	await using charla = await testCharla();
	const people = await Promise.all(Array.from("abcdefghijkmnopqrstu", (letter) => charla.person(`Sender ${letter}`)));
	const { cookie, me } = await charla.person("Witness");
	const witnesses = [await charla.connect(cookie), await charla.connect(cookie), await charla.connect(cookie, { transports: ["polling"] })];
	const senders = await Promise.all(people.map((p) => charla.connect(p.cookie)));
	const answers = await Promise.all(
		senders.flatMap((sender, s) =>
			Array.from({ length: 25 }, (_, i) => sender.call("message:post", { roomId: lobbyId, clientId: randomUUID(), body: `${s} ${i}` })),
		),
	);
	const seqs = answers.map((answer) => (answer.ok ? answer.data.seq : assert.fail(JSON.stringify(answer))));
	assert.equal(new Set(seqs).size, 500);
	const stored = await everything(charla.chat, me, lobbyId);
	assert.equal(stored.length, 500);
	for (const witness of [...witnesses, ...senders]) {
		const heard = await heardAll(witness, 500);
		assert.deepEqual(
			heard.map((m) => m.seq),
			stored.map((m) => m.seq),
			"each once, gapless, in the order of the log",
		);
		assert.deepEqual(
			heard.map((m) => m.msgNo),
			heard.map((_, i) => i + 1),
		);
	}
	for (let s = 0; s < 20; s++) {
		const own = stored.filter((m) => m.author.id === people[s]?.me.id).map((m) => m.body);
		assert.deepEqual(
			own,
			Array.from({ length: 25 }, (_, i) => `${s} ${i}`),
		);
	}
});
