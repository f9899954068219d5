import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import { refusalOf, testChat } from "../../../tests/support/chat.ts";
import { lobbyId } from "../../contract/fixed.ts";
import type { MyRoom } from "../../contract/shapes.ts";
import { uuidv7 } from "../ids.ts";

const open = { topic: "", kind: "public" } as const;
const closed = { topic: "", kind: "private" } as const;

test("[R1] whoever enters is in the lobby and finds nothing unread there", async () => {
	await using t = await testChat();
	const ana = await t.person("Ana");
	await t.say(ana, lobbyId, "early");
	const ben = await t.person("Ben");
	const [lobby, ...others] = await t.chat.rooms.mine(ben);
	assert.equal(lobby?.id, lobbyId);
	assert.deepEqual(others, []);
	assert.deepEqual([lobby?.role, lobby?.lastMsg, lobby?.readMsg], ["member", 1, 1]);
	assert.deepEqual(
		t.signals(ben.id).map((s) => s.kind),
		["room-added"],
	);
});

test("[R1] nobody leaves the lobby or changes its name", async () => {
	await using t = await testChat();
	const ana = await t.person("Ana");
	assert.equal(await refusalOf(t.chat.rooms.leave(ana, { roomId: lobbyId })), "lobby-stays");
	assert.equal(await refusalOf(t.chat.rooms.change(ana, { roomId: lobbyId, name: "Mine", topic: "" })), "not-owner");
	assert.equal((await t.chat.rooms.mine(ana)).length, 1);
});

test("[R2] who makes a room owns it and is its one member", async () => {
	await using t = await testChat();
	const ana = await t.person("Ana");
	const room = await t.chat.rooms.create(ana, { name: "Books", topic: "What we read", kind: "public" });
	assert.deepEqual(
		[room.role, room.name, room.topic, room.kind, room.lastSeq, room.lastMsg],
		["owner", "Books", "What we read", "public", 1, 0],
	);
	const members = await t.chat.rooms.members(ana, { roomId: room.id });
	assert.deepEqual(
		members.map((m) => [m.person.id, m.role]),
		[[ana.id, "owner"]],
	);
});

test("[R2] one form makes one room, sent twice at once or again after a rename; changed, or from somebody else, it makes another", async () => {
	await using t = await testChat();
	const [ana, ben] = [await t.person("Ana"), await t.person("Ben")];
	const form = { name: "Plans", ...closed, clientId: randomUUID() };
	const atOnce = await Promise.all(Array.from({ length: 6 }, () => t.chat.rooms.create(ana, form)));
	const [plans] = atOnce as [MyRoom];
	for (const room of atOnce) assert.deepEqual([room.id, room.role], [plans.id, "owner"]);
	await t.chat.rooms.change(ana, { roomId: plans.id, name: "Our plans", topic: "" });
	const again = await t.chat.rooms.create(ana, form);
	assert.deepEqual([again.id, again.name], [plans.id, "Our plans"], "the answer that got lost, not a second room");
	assert.deepEqual(
		t.facts(plans.id).map((f) => f.kind),
		["member-joined", "room-changed"],
	);
	assert.equal(t.signals(ana.id).filter((s) => s.kind === "room-added" && s.room.id === plans.id).length, 1);
	const changed = [
		{ ...form, name: "Plants" },
		{ ...form, topic: "Secret" },
		{ ...form, kind: "public" as const },
		{ ...form, clientId: randomUUID() },
	];
	const others = await Promise.all(changed.map((other) => t.chat.rooms.create(ana, other)));
	const theirs = await t.chat.rooms.create(ben, form);
	assert.equal(new Set([plans, theirs, ...others].map((room) => room.id)).size, 6);
	assert.deepEqual([others[0]?.name, others[1]?.topic, others[2]?.kind, theirs.role], ["Plants", "Secret", "public", "owner"]);
	assert.equal(await refusalOf(t.chat.rooms.open(ben, { roomId: plans.id })), "not-found", "a key opens nobody else's room");
});

test("[R8] the form that made a room does not lead its maker back into it", async () => {
	await using t = await testChat();
	const [ana, ben] = [await t.person("Ana"), await t.person("Ben")];
	const form = { name: "Plans", ...closed, clientId: randomUUID() };
	const { id } = await t.chat.rooms.create(ana, form);
	await t.chat.rooms.invite(ana, { roomId: id, name: "Ben" });
	await t.chat.rooms.leave(ana, { roomId: id });
	assert.equal(await refusalOf(t.chat.rooms.create(ana, form)), "key-reused");
	assert.deepEqual(
		(await t.chat.rooms.members(ben, { roomId: id })).map((m) => m.person.name),
		["Ben"],
	);
	assert.ok(!(await t.chat.rooms.mine(ana)).some((room) => room.id === id));
	const another = await t.chat.rooms.create(ana, { ...form, clientId: randomUUID() });
	assert.notEqual(another.id, id);
});

test("[R3] public rooms are listed for everybody, with who is in; private and direct ones for nobody", async () => {
	await using t = await testChat();
	const ana = await t.person("Ana");
	const ben = await t.person("Ben");
	const books = await t.chat.rooms.create(ana, { name: "Books", ...open });
	await t.chat.rooms.create(ana, { name: "Plans", ...closed });
	await t.chat.rooms.direct(ana, { userId: ben.id });
	for (const [who, joined] of [
		[ana, true],
		[ben, false],
	] as const) {
		const listed = await t.chat.rooms.browse(who);
		assert.deepEqual(
			listed.map((r) => [r.name, r.members, r.joined]),
			[
				["Books", 1, joined],
				["Lobby", 2, true],
			],
		);
		assert.equal(listed[0]?.id, books.id);
	}
});

test("[R3] joining a public room twice makes one member and one entry in its log", async () => {
	await using t = await testChat();
	const ana = await t.person("Ana");
	const ben = await t.person("Ben");
	const { id } = await t.chat.rooms.create(ana, { name: "Books", ...open });
	await t.say(ana, id, "before Ben");
	const rooms = await Promise.all(Array.from({ length: 8 }, () => t.chat.rooms.join(ben, { roomId: id })));
	for (const room of rooms) assert.deepEqual([room.id, room.role, room.lastMsg - room.readMsg], [id, "member", 0]);
	assert.equal(t.facts(id).filter((f) => f.kind === "member-joined" && f.person.id === ben.id).length, 1);
	assert.deepEqual(
		t.facts(id).map((f) => f.seq),
		[1, 2, 3],
	);
	assert.equal((await t.chat.rooms.members(ana, { roomId: id })).length, 2);
});

test("[R4] a stranger is refused in a private, direct and public room exactly as where there is none", async () => {
	await using t = await testChat();
	const ana = await t.person("Ana");
	const ben = await t.person("Ben");
	const eve = await t.person("Eve");
	const secret = await t.chat.rooms.create(ana, { name: "Plans", ...closed });
	const direct = await t.chat.rooms.direct(ana, { userId: ben.id });
	const books = await t.chat.rooms.create(ana, { name: "Books", ...open });
	const seq = await t.say(ana, secret.id, "secret");
	const clientId = uuidv7();
	const uses = (roomId: string) => ({
		open: () => t.chat.rooms.open(eve, { roomId }),
		openAt: () => t.chat.rooms.open(eve, { roomId, at: seq }),
		members: () => t.chat.rooms.members(eve, { roomId }),
		change: () => t.chat.rooms.change(eve, { roomId, name: "x", topic: "x" }),
		invite: () => t.chat.rooms.invite(eve, { roomId, name: "Eve" }),
		leave: () => t.chat.rooms.leave(eve, { roomId }),
		pointers: () => t.chat.rooms.pointers(eve, { roomId, read: 1 }),
		stand: () => t.chat.rooms.stand(eve, { roomId }),
		post: () => t.chat.messages.post(eve, { roomId, clientId, body: "hi", replyTo: null }),
		command: () => t.chat.messages.post(eve, { roomId, clientId, body: "/topic mine", replyTo: null }),
		edit: () => t.chat.messages.edit(eve, { roomId, clientId, seq, body: "hi" }),
		remove: () => t.chat.messages.remove(eve, { roomId, clientId, seq }),
		stretch: () => t.chat.messages.stretch(eve, { roomId }),
		page: () => t.chat.messages.page(eve, { roomId, page: 1, size: 5 }),
	});
	const missing = await Promise.all(Object.values(uses(uuidv7())).map((use) => use().catch((e: unknown) => e)));
	for (const { id, kind } of [secret, direct, books]) {
		const refused = await Promise.all(Object.values(uses(id)).map((use) => use().catch((e: unknown) => e)));
		for (const [i, name] of Object.keys(uses(id)).entries()) {
			assert.equal((refused[i] as { code: string }).code, "not-found", `${name} in a ${kind} room`);
			assert.deepEqual(refused[i], missing[i], `${name} in a ${kind} room tells that there is one`);
		}
	}
	for (const roomId of [secret.id, direct.id, uuidv7()])
		assert.deepEqual(await t.chat.rooms.join(eve, { roomId }).catch((e: unknown) => e), missing[0], "joining tells that there is one");
	assert.deepEqual(
		await t.chat.rooms.since(eve, {
			cursors: [
				[secret.id, 0],
				[direct.id, 0],
				[books.id, 0],
				[uuidv7(), 0],
			],
		}),
		[],
	);
	// The premise: members are let in where Eve was not.
	assert.equal((await t.chat.rooms.open(ana, { roomId: secret.id })).messages.length, 1);
});

test("[R5] a member brings somebody into a private room; they see it and what is said", async () => {
	await using t = await testChat();
	const ana = await t.person("Ana");
	const ben = await t.person("Ben");
	const { id } = await t.chat.rooms.create(ana, { name: "Plans", ...closed });
	assert.deepEqual(await t.chat.rooms.invite(ana, { roomId: id, name: " @BEN " }), ben);
	await t.say(ben, id, "here I am");
	assert.deepEqual(
		(await t.chat.rooms.mine(ben)).map((r) => r.id),
		[lobbyId, id],
	);
	assert.deepEqual(t.signals(ben.id).at(-1)?.kind, "room-added");
	assert.equal(await refusalOf(t.chat.rooms.invite(ana, { roomId: id, name: "Nobody" })), "nobody-by-name");
});

test("[R6] two people have one conversation, whoever opens it, however often and at once", async () => {
	await using t = await testChat();
	const ana = await t.person("Ana");
	const ben = await t.person("Ben");
	const rooms = await Promise.all(
		Array.from({ length: 6 }, (_, i) =>
			i % 2 ? t.chat.rooms.direct(ana, { userId: ben.id }) : t.chat.rooms.direct(ben, { userId: ana.id }),
		),
	);
	assert.equal(new Set(rooms.map((r) => r.id)).size, 1);
	const id = rooms[0]?.id as string;
	assert.deepEqual(
		t.facts(id).map((f) => [f.seq, f.kind]),
		[
			[1, "member-joined"],
			[2, "member-joined"],
		],
	);
	const seen = async (who: typeof ana) => (await t.chat.rooms.mine(who)).find((r) => r.id === id);
	assert.deepEqual([(await seen(ana))?.name, (await seen(ana))?.with], ["Ben", ben]);
	assert.deepEqual([(await seen(ben))?.name, (await seen(ben))?.with], ["Ana", ana]);
});

test("[R6] a conversation comes into both lists with the other person's name", async () => {
	await using t = await testChat();
	const ana = await t.person("Ana");
	const ben = await t.person("Ben");
	const room = await t.chat.rooms.direct(ana, { userId: ben.id });
	for (const [who, other] of [
		[ana, ben],
		[ben, ana],
	] as const) {
		const added = t.signals(who.id).filter((s) => s.kind === "room-added" && s.room.id === room.id);
		assert.equal(added.length, 1);
		assert.ok(added[0]?.kind === "room-added");
		assert.deepEqual([added[0].room.name, added[0].room.with], [other.name, other], `in ${who.name}'s list`);
	}
});

test("[R6] a conversation keeps its name when one of the two left, and takes no third", async () => {
	await using t = await testChat();
	const ana = await t.person("Ana");
	const ben = await t.person("Ben");
	await t.person("Eve");
	const { id } = await t.chat.rooms.direct(ana, { userId: ben.id });
	assert.equal(await refusalOf(t.chat.rooms.invite(ana, { roomId: id, name: "Eve" })), "not-owner");
	assert.equal(await refusalOf(t.chat.rooms.change(ana, { roomId: id, name: "x", topic: "" })), "not-owner");
	await t.chat.rooms.leave(ben, { roomId: id });
	assert.equal((await t.chat.rooms.mine(ana)).find((r) => r.id === id)?.name, "Ben");
	assert.ok(!(await t.chat.rooms.mine(ben)).some((r) => r.id === id));
	assert.equal((await t.chat.rooms.direct(ben, { userId: ana.id })).id, id, "and is found again");
	assert.ok((await t.chat.rooms.mine(ben)).some((r) => r.id === id));
});

test("[R6] nobody converses with themselves, the bot, or somebody who does not exist", async () => {
	await using t = await testChat();
	const ana = await t.person("Ana");
	for (const userId of [ana.id, "01900000-0000-7000-8000-0000000000b0", uuidv7()])
		assert.equal(await refusalOf(t.chat.rooms.direct(ana, { userId })), "not-found");
	assert.equal((await t.chat.rooms.mine(ana)).length, 1);
});

test("[R7] an owner renames a room and sets its topic; a member does not; nothing new is no entry", async () => {
	await using t = await testChat();
	const ana = await t.person("Ana");
	const ben = await t.person("Ben");
	const { id } = await t.chat.rooms.create(ana, { name: "Books", ...open });
	await t.chat.rooms.join(ben, { roomId: id });
	assert.equal(await refusalOf(t.chat.rooms.change(ben, { roomId: id, name: "Mine", topic: "" })), "not-owner");
	await t.chat.rooms.change(ana, { roomId: id, name: "Novels", topic: "Long ones" });
	await t.chat.rooms.change(ana, { roomId: id, name: "Novels", topic: "Long ones" });
	assert.deepEqual(
		t.facts(id).filter((f) => f.kind === "room-changed"),
		[{ kind: "room-changed", roomId: id, seq: 3, by: ana, name: "Novels", topic: "Long ones" }],
	);
	const seen = (await t.chat.rooms.mine(ben)).find((r) => r.id === id);
	assert.deepEqual([seen?.name, seen?.topic], ["Novels", "Long ones"]);
});

test("[R8] when the last owner leaves, the longest-standing member becomes one", async () => {
	await using t = await testChat();
	const [ana, ben, cleo] = [await t.person("Ana"), await t.person("Ben"), await t.person("Cleo")];
	const { id } = await t.chat.rooms.create(ana, { name: "Books", ...open });
	await t.chat.rooms.join(cleo, { roomId: id });
	await t.chat.rooms.join(ben, { roomId: id });
	await t.chat.rooms.leave(ana, { roomId: id });
	const roles = (await t.chat.rooms.members(ben, { roomId: id })).map((m) => [m.person.name, m.role]);
	assert.deepEqual(roles, [
		["Ben", "member"],
		["Cleo", "owner"],
	]);
	assert.deepEqual(
		t
			.facts(id)
			.slice(-2)
			.map((f) => [f.seq, f.kind]),
		[
			[4, "member-left"],
			[5, "member-joined"],
		],
	);
	assert.deepEqual(t.signals(ana.id).at(-1), { kind: "room-removed", roomId: id });
	await t.chat.rooms.change(cleo, { roomId: id, name: "Cleo's", topic: "" });
});

test("[R8] who left hears refusals only, and comes back to nothing unread", async () => {
	await using t = await testChat();
	const ana = await t.person("Ana");
	const ben = await t.person("Ben");
	const { id } = await t.chat.rooms.create(ana, { name: "Books", ...open });
	await t.chat.rooms.join(ben, { roomId: id });
	await t.chat.rooms.leave(ben, { roomId: id });
	assert.equal(await refusalOf(t.say(ben, id, "still here?")), "not-found");
	assert.equal(await refusalOf(t.chat.rooms.leave(ben, { roomId: id })), "not-found");
	await t.say(ana, id, "meanwhile");
	const room = await t.chat.rooms.join(ben, { roomId: id });
	assert.equal(room.lastMsg - room.readMsg, 0);
});

test("[R8] a room everybody left is empty, and who comes next is no owner of it but may talk", async () => {
	await using t = await testChat();
	const ana = await t.person("Ana");
	const { id } = await t.chat.rooms.create(ana, { name: "Books", ...open });
	await t.chat.rooms.leave(ana, { roomId: id });
	assert.equal((await t.chat.rooms.browse(ana)).find((r) => r.id === id)?.members, 0);
	const back = await t.chat.rooms.join(ana, { roomId: id });
	assert.equal(back.role, "member");
	await t.say(ana, id, "hello?");
});
