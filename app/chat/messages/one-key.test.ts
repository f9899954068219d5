import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import { everything, refusalOf, testChat } from "../../../tests/support/chat.ts";
import { lobbyId } from "../../contract/fixed.ts";
import { openStanding } from "../members/index.ts";
import { rememberNames } from "../people/index.ts";
import type { News } from "../ports.ts";
import { openLane } from "../room-log/index.ts";
import { post } from "./index.ts";

test("[S7] two texts under one key at once: the first is stored, told and answered, the other is refused", async () => {
	await using t = await testChat();
	const ana = await t.person("Ana");
	const clientId = randomUUID();
	const post = (body: string, replyTo: number | null = null) => t.chat.messages.post(ana, { roomId: lobbyId, clientId, body, replyTo });
	const answers = await Promise.allSettled([post("the first"), post("another"), post("the first")]);
	assert.deepEqual(
		answers.map((answer) => (answer.status === "fulfilled" ? "ok" : (answer.reason as { code: string }).code)),
		["ok", "key-reused", "ok"],
	);
	const [stored, ...more] = await everything(t.chat, ana, lobbyId);
	assert.deepEqual([stored?.body, more.length], ["the first", 0]);
	const told = t.facts(lobbyId).flatMap((fact) => (fact.kind === "message-posted" ? [fact.message.body] : []));
	assert.deepEqual(told, ["the first"]);
});

test("[S7] a key that stands for a text takes no other one, later and at another instance, also once the text was edited", async () => {
	await using t = await testChat();
	await using other = await testChat({ sql: t.sql });
	const ana = await t.person("Ana");
	const input = { roomId: lobbyId, clientId: randomUUID(), body: "one", replyTo: null };
	const { seq } = await t.chat.messages.post(ana, input);
	for (const chat of [t.chat, other.chat]) {
		assert.equal(await refusalOf(chat.messages.post(ana, { ...input, body: "two" })), "key-reused");
		assert.equal(await refusalOf(chat.messages.post(ana, { ...input, replyTo: seq })), "key-reused");
		assert.equal((await chat.messages.post(ana, input)).seq, seq);
	}
	await t.chat.messages.edit(ana, { roomId: lobbyId, clientId: randomUUID(), seq: seq as number, body: "two" });
	assert.equal((await other.chat.messages.post(ana, input)).seq, seq, "a late repeat of what was written first");
	assert.equal(
		await refusalOf(other.chat.messages.post(ana, { ...input, body: "two" })),
		"key-reused",
		"what stands there now was sent under another",
	);
});

test("[S7] a row of the version before knows its key's text by the body", async () => {
	await using t = await testChat();
	const ana = await t.person("Ana");
	const input = { roomId: lobbyId, clientId: randomUUID(), body: "one", replyTo: null };
	const { seq } = await t.chat.messages.post(ana, input);
	await t.sql.query("as-before", "update room_log set content = null where room_id = $1", [lobbyId]);
	assert.equal((await t.chat.messages.post(ana, input)).seq, seq);
	assert.equal(await refusalOf(t.chat.messages.post(ana, { ...input, body: "two" })), "key-reused");
});

test("[S7] posts, edits and deletions do not pass for each other, nor for one of another message", async () => {
	await using t = await testChat();
	const ana = await t.person("Ana");
	const { edit, remove, post } = t.chat.messages;
	const [one, two] = [await t.say(ana, lobbyId, "one"), await t.say(ana, lobbyId, "two")];
	const [posted, edited, removed] = [randomUUID(), randomUUID(), randomUUID()];
	const here = { roomId: lobbyId };
	await post(ana, { ...here, clientId: posted, body: "three", replyTo: null });
	await edit(ana, { ...here, clientId: edited, seq: one, body: "one, better" });
	const { seq } = await remove(ana, { ...here, clientId: removed, seq: two });
	const reused = [
		() => edit(ana, { ...here, clientId: posted, seq: one, body: "three" }),
		() => edit(ana, { ...here, clientId: removed, seq: one, body: "x" }),
		() => edit(ana, { ...here, clientId: edited, seq: one, body: "one, worse" }),
		() => edit(ana, { ...here, clientId: edited, seq: two, body: "one, better" }),
		() => remove(ana, { ...here, clientId: posted, seq: one }),
		() => remove(ana, { ...here, clientId: edited, seq: one }),
		() => remove(ana, { ...here, clientId: removed, seq: one }),
		() => post(ana, { ...here, clientId: edited, body: "one, better", replyTo: null }),
		() => post(ana, { ...here, clientId: removed, body: "four", replyTo: null }),
	];
	for (const [i, attempt] of reused.entries()) assert.equal(await refusalOf(attempt()), "key-reused", String(i));
	assert.equal((await remove(ana, { ...here, clientId: removed, seq: two })).seq, seq, "the same again is the same");
	assert.deepEqual(
		(await everything(t.chat, ana, lobbyId)).map((message) => message.body),
		["one, better", "", "three"],
	);
});

test("[M4] [S7] of a deleted message and its edits no more is left than tells another text under their keys", async () => {
	await using t = await testChat();
	const ana = await t.person("Ana");
	const here = { roomId: lobbyId };
	const input = { ...here, clientId: randomUUID(), body: "a secret", replyTo: null };
	const seq = (await t.chat.messages.post(ana, input)).seq as number;
	const edit = { ...here, clientId: randomUUID(), seq, body: "a secret, corrected" };
	await t.chat.messages.edit(ana, edit);
	await t.chat.messages.remove(ana, { ...here, clientId: randomUUID(), seq });
	const left = await t.sql.query("left", "select seq from room_log where body <> '' or content >= 65536 or content < 0");
	assert.deepEqual(left, []);
	assert.equal((await t.chat.messages.post(ana, input)).seq, seq, "the same again gets the same answer");
	assert.equal(await refusalOf(t.chat.messages.post(ana, { ...input, body: "other words" })), "key-reused");
	await t.chat.messages.edit(ana, edit);
	assert.equal(await refusalOf(t.chat.messages.edit(ana, { ...edit, body: "other words" })), "key-reused");
});

test("[M2] an edit that was overtaken by another is kept nowhere, and catching up ends with the last", async () => {
	await using t = await testChat();
	const ana = await t.person("Ana");
	const seq = await t.say(ana, lobbyId, "my number is 5550");
	const edits = ["my number is 5551", "my number is 5552", "call me"].map((body) => ({
		roomId: lobbyId,
		clientId: randomUUID(),
		seq,
		body,
	}));
	for (const edit of edits) await t.chat.messages.edit(ana, edit);
	const rows = await t.sql.query<{ body: string }>("bodies", "select body from room_log where body <> '' order by seq");
	assert.deepEqual(
		rows.map((row) => row.body),
		["call me", "call me"],
	);
	const [caught] = await t.chat.rooms.since(ana, { cursors: [[lobbyId, seq]] });
	assert.deepEqual(
		caught?.facts.map((fact) => (fact.kind === "message-edited" ? fact.body : fact.kind)),
		["unknown-change", "unknown-change", "call me"],
	);
	await t.chat.messages.edit(ana, edits[0] as (typeof edits)[0]);
	assert.equal((await everything(t.chat, ana, lobbyId))[0]?.body, "call me", "a late repeat of the first changes nothing");
});

test("[M5] words deleted while a reply to them is being stored do not come back with it", async () => {
	await using t = await testChat();
	const ana = await t.person("Ana");
	const seq = await t.say(ana, lobbyId, "a secret");
	const lane = openLane(t.sql);
	const told: News[] = [];
	const { message } = await post(
		{ sql: t.sql, ids: randomUUID, publish: (news) => void told.push(news) },
		async (entry) => {
			await t.chat.messages.remove(ana, { roomId: lobbyId, clientId: randomUUID(), seq });
			return lane(entry);
		},
		rememberNames(t.sql),
		await openStanding(t.sql)(ana, lobbyId),
		{ clientId: randomUUID(), body: "I see", replyTo: seq },
	);
	assert.equal(message?.replyTo?.excerpt, null);
	assert.doesNotMatch(JSON.stringify(told), /secret/);
});

test("[S1] [R8] /leave sent again after its answer got lost is answered as the first was", async () => {
	await using t = await testChat();
	const ana = await t.person("Ana");
	const { id: roomId } = await t.chat.rooms.create(ana, { name: "Plans", topic: "", kind: "public" });
	const input = { roomId, clientId: randomUUID(), body: "/leave", replyTo: null };
	const first = await t.chat.messages.post(ana, input);
	assert.deepEqual(await t.chat.messages.post(ana, input), first);
	assert.equal(await refusalOf(t.chat.messages.post(ana, { ...input, clientId: randomUUID() })), "not-found");
});
