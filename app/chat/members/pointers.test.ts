import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import { refusalOf, type TestChat, testChat } from "../../../tests/support/chat.ts";
import { lobbyId } from "../../contract/fixed.ts";
import type { Person } from "../../contract/shapes.ts";

async function unread(t: TestChat, me: Person, roomId = lobbyId): Promise<number> {
	const room = (await t.chat.rooms.mine(me)).find((r) => r.id === roomId);
	return (room?.lastMsg as number) - (room?.readMsg as number);
}

test("[M8] unread counts messages: not joins, edits, deletions, leaves or renames", async () => {
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
	assert.equal(await unread(t, ben, id), 1, "a deleted message keeps its number");
	const head = (await t.chat.rooms.open(ben, { roomId: id })).room.lastSeq;
	await t.chat.rooms.pointers(ben, { roomId: id, read: head });
	assert.equal(await unread(t, ben, id), 0, "read up to an entry that is no message");
	await t.say(ana, id, "three");
	assert.equal(await unread(t, ben, id), 1);
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
