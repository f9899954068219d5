import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import { everything, refusalOf, testChat } from "../../../tests/support/chat.ts";
import { lobbyId } from "../../contract/fixed.ts";
import { limits } from "../../contract/limits.ts";

test("[M1] what is posted is stored as it was written, whatever it looks like", async () => {
	await using t = await testChat();
	const ana = await t.person("Ana");
	const bodies = [
		"'; drop table room_log; --",
		"$1 %s {0} \\u0000 \\",
		"../../etc/passwd",
		"  two  spaces\n\n\tand a tab",
		"<script>alert(1)</script>",
		"日本語 עברית 👨‍👩‍👧‍👦",
		"null",
	];
	for (const body of bodies) await t.say(ana, lobbyId, body);
	assert.deepEqual(
		(await everything(t.chat, ana, lobbyId)).map((m) => m.body),
		bodies,
	);
});

test("[M1] messages are numbered without a gap, and the log of the room too", async () => {
	await using t = await testChat();
	const ana = await t.person("Ana");
	await t.say(ana, lobbyId, "one");
	await t.person("Ben");
	await t.say(ana, lobbyId, "two");
	const all = await everything(t.chat, ana, lobbyId);
	assert.deepEqual(
		all.map((m) => [m.seq, m.msgNo]),
		[
			[2, 1],
			[4, 2],
		],
	);
	assert.deepEqual(
		t.facts(lobbyId).map((f) => f.seq),
		[1, 2, 3, 4],
	);
});

test("[M2] the author edits a message: everybody sees the new text, marked as edited", async () => {
	await using t = await testChat();
	const ana = await t.person("Ana");
	const ben = await t.person("Ben");
	const seq = await t.say(ana, lobbyId, "helo");
	const edit = { roomId: lobbyId, clientId: randomUUID(), seq, body: "**hello**" };
	const { seq: at } = await t.chat.messages.edit(ana, edit);
	const [message] = await everything(t.chat, ben, lobbyId);
	assert.deepEqual([message?.body, message?.html, message?.seq], ["**hello**", "<p><strong>hello</strong></p>", seq]);
	assert.ok((message?.editedAt as number) >= (message?.createdAt as number));
	assert.deepEqual(t.facts(lobbyId).at(-1), {
		kind: "message-edited",
		roomId: lobbyId,
		seq: at,
		target: seq,
		body: edit.body,
		html: message?.html,
		editedAt: message?.editedAt,
	});
});

test("[M2] the same edit sent again, and at once, is one edit", async () => {
	await using t = await testChat();
	const ana = await t.person("Ana");
	const seq = await t.say(ana, lobbyId, "one");
	const edit = { roomId: lobbyId, clientId: randomUUID(), seq, body: "two" };
	const answers = await Promise.all(Array.from({ length: 10 }, () => t.chat.messages.edit(ana, edit)));
	assert.equal(new Set(answers.map((a) => a.seq)).size, 1);
	await t.chat.messages.edit(ana, { ...edit, clientId: randomUUID(), body: "three" });
	await t.chat.messages.edit(ana, edit);
	assert.equal((await everything(t.chat, ana, lobbyId))[0]?.body, "three", "a late repeat does not bring the old text back");
	assert.equal(t.facts(lobbyId).filter((f) => f.kind === "message-edited").length, 2);
});

test("[M3] nobody edits or deletes another's message, one that is not there, or what is no message", async () => {
	await using t = await testChat();
	const ana = await t.person("Ana");
	const ben = await t.person("Ben");
	const seq = await t.say(ana, lobbyId, "mine");
	const attempt = (who: typeof ana, at: number) => [
		() => t.chat.messages.edit(who, { roomId: lobbyId, clientId: randomUUID(), seq: at, body: "taken" }),
		() => t.chat.messages.remove(who, { roomId: lobbyId, clientId: randomUUID(), seq: at }),
	];
	for (const work of attempt(ben, seq)) assert.equal(await refusalOf(work()), "not-yours");
	// 1 is a join; 0 and 999 are nothing.
	for (const at of [0, 1, 999, Number.MAX_SAFE_INTEGER])
		for (const work of attempt(ana, at)) assert.equal(await refusalOf(work()), "message-not-found");
	assert.equal((await everything(t.chat, ana, lobbyId))[0]?.body, "mine");
	assert.equal(t.facts(lobbyId).length, 3, "two joins and the message");
});

test("[M4] a deleted message keeps its place and number and loses its text, in every earlier edit too", async () => {
	await using t = await testChat();
	const ana = await t.person("Ana");
	const seq = await t.say(ana, lobbyId, "a secret");
	await t.say(ana, lobbyId, "after");
	await t.chat.messages.edit(ana, { roomId: lobbyId, clientId: randomUUID(), seq, body: "a secret, corrected" });
	const clientId = randomUUID();
	const gone = await t.chat.messages.remove(ana, { roomId: lobbyId, clientId, seq });
	assert.deepEqual(await t.chat.messages.remove(ana, { roomId: lobbyId, clientId, seq }), gone, "sent again");
	const [tombstone, after] = await everything(t.chat, ana, lobbyId);
	assert.deepEqual([tombstone?.seq, tombstone?.msgNo, tombstone?.body, tombstone?.html, tombstone?.editedAt], [seq, 1, "", null, null]);
	assert.ok(tombstone?.deletedAt);
	assert.equal(after?.msgNo, 2);
	const kept = await t.sql.query<{ n: number }>(
		"",
		"select count(*) n from room_log where body like '%secret%' or meta::text like '%secret%'",
	);
	assert.equal(kept[0]?.n, 0, "no copy of the text is left in the database");
	assert.doesNotMatch(JSON.stringify(await t.chat.rooms.since(ana, { cursors: [[lobbyId, 0]] })), /secret/);
});

test("[M4] a deleted message cannot be edited or deleted again", async () => {
	await using t = await testChat();
	const ana = await t.person("Ana");
	const seq = await t.say(ana, lobbyId, "one");
	await t.chat.messages.remove(ana, { roomId: lobbyId, clientId: randomUUID(), seq });
	assert.equal(await refusalOf(t.chat.messages.edit(ana, { roomId: lobbyId, clientId: randomUUID(), seq, body: "back" })), "deleted");
	assert.equal(await refusalOf(t.chat.messages.remove(ana, { roomId: lobbyId, clientId: randomUUID(), seq })), "deleted");
});

test("[M5] a reply quotes what it answers, and the quote follows edits and deletion", async () => {
	await using t = await testChat();
	const ana = await t.person("Ana");
	const ben = await t.person("Ben");
	const seq = await t.say(ana, lobbyId, `question\n${"long ".repeat(60)}`);
	await t.say(ben, lobbyId, "answer", seq);
	const quote = async () => (await everything(t.chat, ana, lobbyId))[1]?.replyTo;
	assert.deepEqual([(await quote())?.seq, (await quote())?.author], [seq, ana]);
	assert.match((await quote())?.excerpt as string, /^question long long .*…$/);
	await t.chat.messages.edit(ana, { roomId: lobbyId, clientId: randomUUID(), seq, body: "shorter" });
	assert.equal((await quote())?.excerpt, "shorter");
	await t.chat.messages.remove(ana, { roomId: lobbyId, clientId: randomUUID(), seq });
	assert.deepEqual(await quote(), { seq, author: ana, excerpt: null });
});

test("[M5] a reply to what is no message of this room is refused", async () => {
	await using t = await testChat();
	const ana = await t.person("Ana");
	const other = await t.chat.rooms.create(ana, { name: "Other", topic: "", kind: "public" });
	const there = [await t.say(ana, other.id, "one"), await t.say(ana, other.id, "two")].at(-1) as number;
	for (const replyTo of [0, 1, there, 999]) assert.equal(await refusalOf(t.say(ana, lobbyId, "re", replyTo)), "message-not-found");
	assert.deepEqual(await everything(t.chat, ana, lobbyId), []);
});

test("[M6] numbered pages show every message once, tombstones with their number, while others post", async () => {
	await using t = await testChat();
	const ana = await t.person("Ana");
	const ben = await t.person("Ben");
	for (let i = 1; i <= 23; i++) await t.say(i % 2 ? ana : ben, lobbyId, `message ${i}`);
	await t.chat.messages.remove(ana, {
		roomId: lobbyId,
		clientId: randomUUID(),
		seq: (await everything(t.chat, ana, lobbyId))[6]?.seq as number,
	});
	const numbers: number[] = [];
	let pages = 1;
	for (let page = 1; page <= pages; page++) {
		const [seen] = await Promise.all([
			t.chat.messages.page(ana, { roomId: lobbyId, page, size: 5 }),
			t.say(ben, lobbyId, `meanwhile ${page}`),
			t.chat.rooms.members(ana, { roomId: lobbyId }),
		]);
		assert.equal(seen.page, page);
		// What was full stays as it is; the last one of that moment is read again later.
		if (seen.messages.length === 5) numbers.push(...seen.messages.map((m) => m.msgNo));
		pages = Math.min(seen.pages, 6);
	}
	assert.deepEqual(
		numbers.slice(0, 20),
		Array.from({ length: 20 }, (_, i) => i + 1),
	);
	assert.deepEqual(
		numbers,
		numbers.map((_, i) => i + 1),
		"no hole, no repeat",
	);
	const second = await t.chat.messages.page(ana, { roomId: lobbyId, page: 2, size: 5 });
	assert.deepEqual(
		second.messages.map((m) => m.msgNo),
		[6, 7, 8, 9, 10],
	);
	assert.deepEqual(
		second.messages.map((m) => m.body),
		["message 6", "", "message 8", "message 9", "message 10"],
	);
});

test("[M6] every size of page holds the same messages; no page is before the first or after the last", async () => {
	await using t = await testChat();
	const ana = await t.person("Ana");
	const empty = await t.chat.messages.page(ana, { roomId: lobbyId, page: null, size: 5 });
	assert.deepEqual([empty.page, empty.pages, empty.messages], [1, 1, []]);
	for (let i = 1; i <= 25; i++) await t.say(ana, lobbyId, `${i}`);
	for (const size of limits.pageSizes) {
		const first = await t.chat.messages.page(ana, { roomId: lobbyId, page: 1, size });
		const seen: string[] = [];
		for (let page = 1; page <= first.pages; page++)
			seen.push(...(await t.chat.messages.page(ana, { roomId: lobbyId, page, size })).messages.map((m) => m.body));
		assert.deepEqual(
			seen,
			Array.from({ length: 25 }, (_, i) => `${i + 1}`),
			`pages of ${size}`,
		);
		assert.equal(first.pages, Math.ceil(25 / size));
	}
	const newest = await t.chat.messages.page(ana, { roomId: lobbyId, page: null, size: 10 });
	assert.deepEqual([newest.page, newest.messages.length], [3, 5]);
	assert.equal((await t.chat.messages.page(ana, { roomId: lobbyId, page: 999, size: 10 })).page, 3);
	assert.equal((await t.chat.messages.page(ana, { roomId: lobbyId, page: -4, size: 10 })).page, 1);
});

test("[M7] a stretch before, after or around a place is whole and says what lies beyond", async () => {
	await using t = await testChat();
	const ana = await t.person("Ana");
	const seqs: number[] = [];
	for (let i = 1; i <= 120; i++) {
		seqs.push(await t.say(ana, lobbyId, `${i}`));
		// Entries that are no messages lie in between and must not show.
		if (i % 10 === 0)
			await t.chat.messages.edit(ana, { roomId: lobbyId, clientId: randomUUID(), seq: seqs.at(-1) as number, body: `${i}` });
	}
	const stretch = async (where: object) => {
		const { messages, hasBefore, hasAfter } = await t.chat.messages.stretch(ana, { roomId: lobbyId, ...where });
		const [first, last] = [Number(messages[0]?.body), Number(messages.at(-1)?.body)];
		assert.deepEqual(
			messages.map((m) => Number(m.body)),
			Array.from({ length: messages.length }, (_, i) => first + i),
			"in order, nothing left out",
		);
		return [first, last, hasBefore, hasAfter];
	};
	const at = (n: number) => seqs[n - 1] as number;
	assert.deepEqual(await stretch({}), [71, 120, true, false]);
	assert.deepEqual(await stretch({ before: at(71) }), [21, 70, true, true]);
	assert.deepEqual(await stretch({ before: at(21) }), [1, 20, false, true]);
	assert.deepEqual(await stretch({ after: at(30) }), [31, 80, true, true]);
	assert.deepEqual(await stretch({ after: at(70) }), [71, 120, true, false]);
	assert.deepEqual(await stretch({ after: at(100) }), [101, 120, true, false]);
	assert.deepEqual(await stretch({ around: at(60) }), [36, 85, true, true]);
	assert.deepEqual(await stretch({ around: at(1) }), [1, 26, false, true]);
	assert.deepEqual(await stretch({ around: at(120) }), [96, 120, true, false]);
	assert.deepEqual(await stretch({ around: at(10) + 1 }), [1, 35, false, true], "around an entry that is no message");
	assert.deepEqual((await t.chat.messages.stretch(ana, { roomId: lobbyId, before: 0 })).messages, []);
	assert.deepEqual((await t.chat.messages.stretch(ana, { roomId: lobbyId, after: Number.MAX_SAFE_INTEGER })).messages, []);
});

test("[M7] a room opens at the first unread message, with some before it", async () => {
	await using t = await testChat();
	const ana = await t.person("Ana");
	const ben = await t.person("Ben");
	const seqs: number[] = [];
	for (let i = 1; i <= 260; i++) seqs.push(await t.say(ana, lobbyId, `${i}`));
	const opened = async () => {
		const { messages, hasBefore, hasAfter } = await t.chat.rooms.open(ben, { roomId: lobbyId });
		return [messages[0]?.body, messages.at(-1)?.body, hasBefore, hasAfter];
	};
	assert.deepEqual(await opened(), ["1", "25", false, true], "far behind: around the first unread");
	await t.chat.rooms.pointers(ben, { roomId: lobbyId, read: seqs[159] as number });
	assert.deepEqual(await opened(), ["146", "260", true, false], "100 unread: all of them and 15 before");
	await t.chat.rooms.pointers(ben, { roomId: lobbyId, read: seqs[259] as number });
	assert.deepEqual(await opened(), ["211", "260", true, false], "nothing unread: the newest");
	const linked = await t.chat.rooms.open(ben, { roomId: lobbyId, at: seqs[9] as number });
	assert.ok(linked.messages.some((m) => m.body === "10"));
	assert.equal(linked.hasAfter, true);
});

test("[M7] the first screen shows the lobby's last few messages and none that was deleted", async () => {
	await using t = await testChat();
	const ana = await t.person("Ana");
	for (let i = 1; i <= 8; i++) await t.say(ana, lobbyId, `${i}`);
	const seq = await t.say(ana, lobbyId, "regretted");
	await t.chat.messages.remove(ana, { roomId: lobbyId, clientId: randomUUID(), seq });
	assert.deepEqual(
		(await t.chat.log.glimpse()).map((m) => m.body),
		["4", "5", "6", "7", "8"],
	);
});
