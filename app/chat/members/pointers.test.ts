import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import { refusalOf, type TestChat, testChat } from "../../../tests/support/chat.ts";
import { lobbyId } from "../../contract/fixed.ts";
import { limits } from "../../contract/limits.ts";
import type { Person } from "../../contract/shapes.ts";
import { unreadOf } from "../../contract/unread.ts";

async function unread(t: TestChat, me: Person, roomId = lobbyId): Promise<number> {
	const room = (await t.chat.rooms.mine(me)).find((r) => r.id === roomId);
	assert.ok(room);
	return unreadOf(room);
}

test("[M8] unread counts messages that can still be read: not joins, edits, deletions, leaves or renames", async () => {
	await using t = await testChat();
	const [ana, ben] = [await t.person("Ana"), await t.person("Ben")];
	const { id } = await t.chat.rooms.create(ana, { name: "Books", topic: "", kind: "public" });
	await t.chat.rooms.join(ben, { roomId: id });
	const cleo = await t.person("Cleo");
	assert.equal(await unread(t, ben, id), 0);
	const one = await t.say(ana, id, "one");
	const two = await t.say(ana, id, "two");
	assert.equal(await unread(t, ben, id), 2);
	await t.chat.messages.edit(ana, { roomId: id, clientId: randomUUID(), seq: one, body: "one!" });
	await t.chat.rooms.join(cleo, { roomId: id });
	await t.chat.rooms.change(ana, { roomId: id, name: "Novels", topic: "" });
	await t.chat.rooms.leave(cleo, { roomId: id });
	assert.equal(await unread(t, ben, id), 2);
	assert.deepEqual(await t.chat.rooms.pointers(ben, { roomId: id, read: one }), { readSeq: one, readMsg: 1 });
	assert.equal(await unread(t, ben, id), 1);
	await t.chat.messages.remove(ana, { roomId: id, clientId: randomUUID(), seq: two });
	assert.equal(await unread(t, ben, id), 0, "nothing is left to read");
	assert.deepEqual((await t.chat.rooms.mine(ben)).find((r) => r.id === id)?.unreadDeleted, [two]);
	const head = (await t.chat.rooms.open(ben, { roomId: id })).room.lastSeq;
	await t.chat.rooms.pointers(ben, { roomId: id, read: head });
	assert.equal(await unread(t, ben, id), 0, "read up to an entry that is no message");
	await t.say(ana, id, "three");
	assert.equal(await unread(t, ben, id), 1);
});

test("[M8] what is deleted before or after it is read leaves the count, read up to it or past it, and for who comes back after long", async () => {
	await using t = await testChat();
	const [ana, ben] = [await t.person("Ana"), await t.person("Ben")];
	const seqs: number[] = [];
	for (let i = 0; i < 6; i++) seqs.push(await t.say(ana, lobbyId, `m${i}`));
	const removeAt = (i: number) => t.chat.messages.remove(ana, { roomId: lobbyId, clientId: randomUUID(), seq: seqs[i] as number });
	for (const i of [4, 1, 5]) await removeAt(i);
	assert.equal(await unread(t, ben), 3);
	const once = { roomId: lobbyId, clientId: randomUUID(), seq: seqs[0] as number };
	await Promise.all([t.chat.messages.remove(ana, once), t.chat.messages.remove(ana, once)]);
	assert.equal(await unread(t, ben), 2);
	// Read up to a deleted one: it is behind the pointer, and counted by neither.
	await t.chat.rooms.pointers(ben, { roomId: lobbyId, read: seqs[1] as number });
	assert.equal(await unread(t, ben), 2);
	await t.chat.rooms.pointers(ben, { roomId: lobbyId, read: seqs[2] as number });
	assert.equal(await unread(t, ben), 1);
	await removeAt(2);
	assert.equal(await unread(t, ben), 1, "what was read is not unread again");
	await t.chat.rooms.pointers(ben, { roomId: lobbyId, read: seqs[3] as number });
	assert.equal(await unread(t, ben), 0, "only deleted ones are left");
	const head = (await t.chat.rooms.open(ben, { roomId: lobbyId })).room.lastSeq;
	const [near] = await t.chat.rooms.since(ben, { cursors: [[lobbyId, head]] });
	assert.equal(near?.unreadDeleted, undefined, "the facts have said it");
	const [far] = await t.chat.rooms.since(ben, { cursors: [[lobbyId, head - limits.resetBehind - 1]] });
	assert.deepEqual([far?.reset, far?.unreadDeleted], [true, [seqs[4], seqs[5]]]);
});

test("[M9] pointers move forward only, never past the head, whatever is asked and in whatever order", async () => {
	await using t = await testChat();
	const [ana, ben] = [await t.person("Ana"), await t.person("Ben")];
	const seqs = [await t.say(ana, lobbyId, "one"), await t.say(ana, lobbyId, "two"), await t.say(ana, lobbyId, "three")] as const;
	const mine = async () => {
		const member = (await t.chat.rooms.members(ana, { roomId: lobbyId })).find((m) => m.person.id === ben.id);
		const room = (await t.chat.rooms.mine(ben))[0];
		return [member?.deliveredSeq, member?.displayedSeq, room?.readSeq, room?.readMsg];
	};
	await t.chat.rooms.pointers(ben, { roomId: lobbyId, delivered: seqs[1], displayed: seqs[0], read: seqs[0] });
	assert.deepEqual(await mine(), [seqs[1], seqs[0], seqs[0], 1]);
	await t.chat.rooms.pointers(ben, { roomId: lobbyId, delivered: 0, displayed: 0, read: 0 });
	await t.chat.rooms.pointers(ben, { roomId: lobbyId });
	assert.deepEqual(await mine(), [seqs[1], seqs[0], seqs[0], 1], "not back");
	await Promise.all(
		[seqs[2], seqs[0], seqs[1], 1, 0].map((read) => t.chat.rooms.pointers(ben, { roomId: lobbyId, read, displayed: read })),
	);
	assert.deepEqual(await mine(), [seqs[2], seqs[2], seqs[2], 3], "what was displayed was delivered");
	const far = Number.MAX_SAFE_INTEGER;
	assert.deepEqual(await t.chat.rooms.pointers(ben, { roomId: lobbyId, delivered: far, displayed: far, read: far }), {
		readSeq: seqs[2],
		readMsg: 3,
	});
	assert.deepEqual(await mine(), [seqs[2], seqs[2], seqs[2], 3], "not past the head");
	await t.say(ana, lobbyId, "four");
	assert.equal(await unread(t, ben), 1, "a pointer from the future would have read it");
});

test("[M9] many pointers of many people in one go each land where they belong", async () => {
	await using t = await testChat();
	const people = await Promise.all(Array.from("abcdefghijkm", (letter) => t.person(`Person ${letter}`)));
	const head = await t.say(people[0] as Person, lobbyId, "hello");
	const first = head - 5;
	const moved = await Promise.all(people.map((p, i) => t.chat.rooms.pointers(p, { roomId: lobbyId, read: first + (i % 6) })));
	for (const [i, p] of people.entries()) {
		const room = (await t.chat.rooms.mine(p))[0];
		assert.equal(moved[i]?.readSeq, room?.readSeq);
		assert.ok((room?.readSeq as number) >= first + (i % 6));
	}
	assert.ok(t.news.filter((n) => "signal" in n && n.signal.kind === "read").length >= 12);
});

test("[M9] a stranger has no pointers to move", async () => {
	await using t = await testChat();
	const [ana, eve] = [await t.person("Ana"), await t.person("Eve")];
	const { id } = await t.chat.rooms.create(ana, { name: "Plans", topic: "", kind: "private" });
	assert.equal(await refusalOf(t.chat.rooms.pointers(eve, { roomId: id, delivered: 1, displayed: 1, read: 1 })), "not-found");
	assert.deepEqual(
		t.news.filter((n) => "pointer" in n),
		[],
		"and nobody is told",
	);
});
