import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { openSocket, type TestCharla, type TestSocket, testCharla } from "../../tests/support/charla.ts";
import { say } from "../../tests/support/chat.ts";
import { holdTimers } from "../../tests/support/held-timers.ts";
import { tookAtMost } from "../../tests/support/long.ts";
import type { CallAnswer, CallName } from "../contract/calls.ts";
import type { Fact, Signal } from "../contract/facts.ts";
import { lobbyId } from "../contract/fixed.ts";
import { limits } from "../contract/limits.ts";
import type { MyRoom, Person } from "../contract/shapes.ts";

async function must<N extends CallName>(socket: TestSocket, name: N, input: Record<string, unknown>): Promise<CallAnswer[N]> {
	const answer = await socket.call(name, input);
	assert.ok(answer.ok, `${name}: ${JSON.stringify(answer)}`);
	return answer.data;
}
const post = (socket: TestSocket, roomId: string, body: string) => must(socket, "message:post", { roomId, clientId: randomUUID(), body });
const bodies = (facts: readonly Fact[]) => facts.flatMap((f) => (f.kind === "message-posted" ? [f.message.body] : []));
const signalsOf = <K extends Signal["kind"]>(socket: TestSocket, kind: K) =>
	socket.signals.filter((s): s is Extract<Signal, { kind: K }> => s.kind === kind);

/** A message both sides can wait for: what was not heard before it will not be heard any more. */
async function fence(author: TestSocket, ...witnesses: TestSocket[]): Promise<void> {
	const body = `fence ${randomUUID()}`;
	await post(author, lobbyId, body);
	for (const witness of witnesses) await witness.until(() => bodies(witness.facts).includes(body));
}

async function refusedToConnect(charla: TestCharla, cookie: string): Promise<string> {
	const socket = openSocket(charla.url, cookie);
	const outcome = await socket.welcomed.then(
		() => "let in",
		(error: Error) => error.message,
	);
	socket.raw.close();
	return outcome;
}

test("[L1] the author has the answer before the fact, and hears the fact like everybody", async () => {
	await using charla = await testCharla();
	const ana = await charla.connect((await charla.person("Ana")).cookie);
	const events: string[] = [];
	ana.raw.on("fact", () => void events.push("fact"));
	for (let i = 0; i < 20; i++) {
		await new Promise<void>((done) => {
			ana.raw.emit("message:post", { roomId: lobbyId, clientId: randomUUID(), body: `${i}` }, () => {
				events.push("answer");
				done();
			});
		});
		await ana.until(() => ana.facts.length === i + 1);
	}
	assert.deepEqual(events, Array.from({ length: 20 }, () => ["answer", "fact"]).flat());
});

test("[N3] whoever connects while others post has no hole between catching up and listening", async () => {
	await using charla = await testCharla();
	const { me: ana } = await charla.person("Ana");
	const ben = await charla.person("Ben");
	const [lobby] = await charla.chat.rooms.mine(ben.me);
	const cursor = lobby?.lastSeq as number;
	let posting = true;
	let posted = 0;
	const poster = (async () => {
		while (posting) {
			await say(charla.chat, ana, lobbyId, `${++posted}`);
			await sleep(1);
		}
	})();
	while (posted < 2) await sleep(1);
	const sockets: TestSocket[] = [];
	const known: Set<number>[] = [];
	for (let i = 0; i < 8; i++) {
		const socket = await charla.connect(ben.cookie);
		const { rooms } = await must(socket, "room:since", { cursors: [[lobbyId, cursor]] });
		known.push(new Set(rooms[0]?.facts.map((f) => f.seq)));
		sockets.push(socket);
		// However slow the disk is, something is said between one and the next.
		while (posted < (i + 1) * 3) await sleep(1);
	}
	posting = false;
	await poster;
	const head = (await charla.chat.rooms.mine(ben.me))[0]?.lastSeq as number;
	assert.ok(posted > 20, `the premise: ${posted} were posted meanwhile`);
	for (const [i, socket] of sockets.entries()) {
		await socket.until(() => socket.facts.at(-1)?.seq === head);
		for (const f of socket.facts) known[i]?.add(f.seq);
		const caught = known[i] as Set<number>;
		// A catch-up answer holds 200 facts: what lies between it and the first live one is asked for next.
		for (let from = cursor; from < head; ) {
			while (caught.has(from + 1)) from++;
			if (from >= head) break;
			const { rooms } = await must(socket, "room:since", { cursors: [[lobbyId, from]] });
			assert.ok(
				(rooms[0]?.facts.length as number) > 0 && caught.size < limits.catchUp + socket.facts.length + 1,
				"a hole in what one answer and the socket gave",
			);
			for (const f of rooms[0]?.facts ?? []) caught.add(f.seq);
		}
		assert.equal(caught.size, head - cursor);
		const live = socket.facts.map((f) => f.seq);
		assert.deepEqual(
			live,
			live.map((_, k) => (live[0] as number) + k),
			"live facts are in order without a gap",
		);
	}
});

test("[N3] who is brought into a room, or out of it, while connecting stands in the right rooms", async () => {
	await using charla = await testCharla();
	const { me: ana } = await charla.person("Ana");
	const ben = await charla.person("Ben");
	const added = await charla.chat.rooms.create(ana, { name: "Added", topic: "", kind: "private" });
	const removed = await charla.chat.rooms.create(ana, { name: "Removed", topic: "", kind: "private" });
	await charla.chat.rooms.invite(ana, { roomId: removed.id, name: "Ben" });
	const mine = charla.chat.rooms.mine;
	// Between reading the rooms and standing in them lies a moment; here it holds all that could happen.
	charla.chat.rooms.mine = async (me: Person) => {
		const rooms = await mine(me);
		await charla.chat.rooms.invite(ana, { roomId: added.id, name: "Ben" });
		await charla.chat.rooms.leave(ben.me, { roomId: removed.id });
		return rooms;
	};
	const socket = await charla.connect(ben.cookie);
	charla.chat.rooms.mine = mine;
	await say(charla.chat, ana, removed.id, "not for Ben");
	await say(charla.chat, ana, added.id, "for Ben");
	await socket.until(() => bodies(socket.facts).includes("for Ben"));
	assert.deepEqual(bodies(socket.facts), ["for Ben"]);
	const [welcome] = signalsOf(socket, "welcome");
	assert.deepEqual(welcome?.roomIds.toSorted(), [lobbyId, added.id].sort());
});

test("[L4] a session that ends while its socket is being let in lets nobody in", async () => {
	await using charla = await testCharla();
	const { cookie } = await charla.person("Ana");
	const mine = charla.chat.rooms.mine;
	charla.chat.rooms.mine = async (me: Person) => {
		const session = await charla.auth.whoIs(cookie);
		await charla.auth.leave(session as NonNullable<typeof session>);
		charla.realtime.endSession(session as NonNullable<typeof session>);
		return mine(me);
	};
	const socket = openSocket(charla.url, cookie);
	socket.welcomed.catch(() => undefined);
	await socket.closed().finally(() => socket.raw.close());
	assert.deepEqual(socket.signals, []);
	assert.equal(charla.realtime.count(), 0);
});

test("[N4] catching up tells of rooms that are gone, that are new, and where each stands", async () => {
	await using charla = await testCharla();
	const { me: ana } = await charla.person("Ana");
	const ben = await charla.person("Ben");
	const left = await charla.chat.rooms.create(ben.me, { name: "Left", topic: "", kind: "public" });
	const fresh = await charla.chat.rooms.create(ana, { name: "Fresh", topic: "", kind: "public" });
	await charla.chat.rooms.leave(ben.me, { roomId: left.id });
	await charla.chat.rooms.join(ben.me, { roomId: fresh.id });
	const seq = await say(charla.chat, ana, lobbyId, "one");
	const socket = await charla.connect(ben.cookie);
	const unknown = randomUUID();
	const answer = await must(socket, "room:since", {
		cursors: [
			[lobbyId, seq - 1],
			[left.id, 0],
			[unknown, 3],
		],
	});
	assert.deepEqual(answer.gone.toSorted(), [left.id, unknown].sort());
	assert.deepEqual(
		answer.added.map((r) => r.id),
		[fresh.id],
	);
	assert.deepEqual(
		answer.rooms.map((r) => [r.roomId, bodies(r.facts), r.lastSeq, r.lastMsg, r.readMsg, r.reset]),
		[[lobbyId, ["one"], seq, 1, 0, false]],
	);
	const twice = await must(socket, "room:since", {
		cursors: [
			[lobbyId, 0],
			[lobbyId, seq - 1],
			[lobbyId, seq - 1],
		],
	});
	assert.deepEqual(
		twice.rooms.map((r) => r.facts.length),
		[1],
		"a room asked for twice is answered once",
	);
	const ahead = await must(socket, "room:since", { cursors: [[lobbyId, seq + 50]] });
	assert.deepEqual([ahead.rooms[0]?.facts, ahead.rooms[0]?.reset], [[], false]);
});

test("[N4] whoever is more than a thousand behind is told to begin anew, others get it in parts of 200", async () => {
	await using charla = await testCharla();
	const { me: ana } = await charla.person("Ana");
	const ben = await charla.person("Ben");
	await Promise.all(Array.from({ length: limits.resetBehind + 5 }, (_, i) => say(charla.chat, ana, lobbyId, `${i}`)));
	const head = (await charla.chat.rooms.mine(ana))[0]?.lastSeq as number;
	const socket = await charla.connect(ben.cookie);
	const since = async (cursor: number) => (await must(socket, "room:since", { cursors: [[lobbyId, cursor]] })).rooms[0];
	const far = await since(head - limits.resetBehind - 1);
	assert.deepEqual([far?.reset, far?.facts.length, far?.lastSeq], [true, 0, head]);
	const seen: number[] = [];
	for (let cursor = head - limits.resetBehind, asked = 0; cursor < head; cursor = seen.at(-1) as number) {
		const part = await since(cursor);
		assert.equal(part?.reset, false);
		assert.equal(part?.facts.length, limits.catchUp);
		seen.push(...(part?.facts.map((f) => f.seq) ?? []));
		assert.ok(++asked <= 5);
	}
	assert.deepEqual(
		seen,
		Array.from({ length: limits.resetBehind }, (_, i) => head - limits.resetBehind + 1 + i),
	);
});

test("[N9] a message whose announcement was lost is heard within seconds all the same", async () => {
	await using charla = await testCharla();
	const ana = await charla.person("Ana");
	const socket = await charla.connect(ana.cookie);
	await fence(socket, socket);
	const heard = socket.facts.length;
	// Written by another instance, whose announcements do not reach this one.
	await using other = await testCharla({ database: charla.database });
	const seq = await say(other.chat, ana.me, lobbyId, "from elsewhere");
	await socket.until(() => socket.facts.length > heard);
	assert.deepEqual([socket.facts.at(-1)?.seq, bodies(socket.facts).at(-1)], [seq, "from elsewhere"]);
});

test("[L2] facts of a room go to its members alone, also while people join and leave", async () => {
	await using charla = await testCharla();
	const [ana, ben, eve] = [await charla.person("Ana"), await charla.person("Ben"), await charla.person("Eve")];
	const [a, b, e] = [await charla.connect(ana.cookie), await charla.connect(ben.cookie), await charla.connect(eve.cookie)];
	const room = await charla.chat.rooms.create(ana.me, { name: "Plans", topic: "", kind: "private" });
	await post(a, room.id, "before Ben");
	await charla.chat.rooms.invite(ana.me, { roomId: room.id, name: "Ben" });
	await b.until(() => signalsOf(b, "room-added").some((s) => s.room.id === room.id));
	await post(a, room.id, "with Ben");
	await b.until(() => bodies(b.facts).includes("with Ben"));
	await fence(a, b, e);
	assert.deepEqual(
		e.facts.filter((f) => f.roomId === room.id),
		[],
	);
	assert.ok(!bodies(b.facts).includes("before Ben"));
	assert.doesNotMatch(JSON.stringify([e.facts, e.signals]), /Plans|with Ben/);
});

test("[L3] whoever is out of a room hears nothing more of it, in no tab", async () => {
	await using charla = await testCharla();
	const [ana, ben] = [await charla.person("Ana"), await charla.person("Ben")];
	const room = await charla.chat.rooms.create(ana.me, { name: "Books", topic: "", kind: "public" });
	await charla.chat.rooms.join(ben.me, { roomId: room.id });
	const [a, b, b2] = [await charla.connect(ana.cookie), await charla.connect(ben.cookie), await charla.connect(ben.cookie)];
	await post(a, room.id, "premise");
	for (const tab of [b, b2]) await tab.until(() => bodies(tab.facts).includes("premise"));
	const left = charla.chat.rooms.leave(ben.me, { roomId: room.id });
	await left;
	await post(a, room.id, "behind the door");
	await must(a, "message:edit", { roomId: room.id, clientId: randomUUID(), seq: (await post(a, room.id, "two")).seq, body: "edited" });
	await fence(a, b, b2);
	for (const tab of [b, b2]) {
		assert.equal(signalsOf(tab, "room-removed")[0]?.roomId, room.id);
		assert.deepEqual(bodies(tab.facts.filter((f) => f.roomId === room.id)), ["premise"]);
	}
	for (const [name, input] of [
		["message:stretch", {}],
		["typing", {}],
		["room:here", {}],
		["message:post", { clientId: randomUUID(), body: "x" }],
	] as const)
		assert.deepEqual(await b.call(name, { roomId: room.id, ...input }), { ok: false, code: "not-found", details: {} });
});

test("[L4] when a session ends its sockets are told and closed within a second, and cannot come back", async () => {
	await using charla = await testCharla();
	const { me, cookie } = await charla.person("Ana");
	const other = await charla.session(me);
	const [one, two, phone] = [await charla.connect(cookie), await charla.connect(cookie), await charla.connect(other)];
	const session = await charla.auth.whoIs(cookie);
	const startedAt = performance.now();
	await charla.auth.leave(session as NonNullable<typeof session>);
	charla.realtime.endSession(session as NonNullable<typeof session>);
	for (const socket of [one, two]) await socket.until(() => socket.raw.disconnected);
	tookAtMost(1000, performance.now() - startedAt, "closing them");
	for (const socket of [one, two]) assert.equal(socket.signals.at(-1)?.kind, "signed-out");
	assert.equal(await refusedToConnect(charla, cookie), "not-signed-in");
	assert.equal(phone.raw.connected, true, "another session goes on");
	await fence(phone, phone);
	assert.deepEqual(signalsOf(phone, "signed-out"), []);
});

test("[S6] a person holds ten sockets, opened one by one or all at once; the next is refused, and after one closes let in", async () => {
	await using charla = await testCharla();
	const { cookie } = await charla.person("Ana");
	const sockets = Array.from({ length: 16 }, () => openSocket(charla.url, cookie));
	const outcomes = await Promise.allSettled(sockets.map((s) => s.welcomed));
	const refused = outcomes.filter((o) => o.status === "rejected").map((o) => (o.reason as Error).message);
	assert.deepEqual(refused, Array(16 - limits.socketsPerPerson).fill("too-many-sockets"));
	assert.equal(await refusedToConnect(charla, cookie), "too-many-sockets");
	const { cookie: another } = await charla.person("Ben");
	await charla.connect(another);
	sockets.find((_, i) => outcomes[i]?.status === "fulfilled")?.raw.close();
	while (charla.realtime.count() > limits.socketsPerPerson) await sleep(5);
	const again = await charla.connect(cookie);
	assert.equal(again.raw.connected, true);
	for (const s of sockets) s.raw.close();
});

test("[L5] typing is told to the others in the room, not to the one who types nor to strangers, and is not kept", async () => {
	await using charla = await testCharla();
	const [ana, ben, eve] = [await charla.person("Ana"), await charla.person("Ben"), await charla.person("Eve")];
	const room = await charla.chat.rooms.create(ana.me, { name: "Plans", topic: "", kind: "private" });
	await charla.chat.rooms.invite(ana.me, { roomId: room.id, name: "Ben" });
	const [a, b, e] = [await charla.connect(ana.cookie), await charla.connect(ben.cookie), await charla.connect(eve.cookie)];
	await must(a, "typing", { roomId: room.id });
	await b.until(() => signalsOf(b, "typing").length === 1);
	assert.deepEqual(signalsOf(b, "typing"), [{ kind: "typing", roomId: room.id, person: ana.me }]);
	assert.deepEqual(await e.call("typing", { roomId: room.id }), { ok: false, code: "not-found", details: {} });
	await fence(a, b, e);
	assert.deepEqual([signalsOf(a, "typing"), signalsOf(e, "typing"), signalsOf(b, "typing").length], [[], [], 1]);
});

test("[L6] with two tabs, of which one is loaded anew, a person comes once and goes once", async (t) => {
	// Each pass of it is a moment in which somebody could have come back.
	const grace = holdTimers(t, 3000);
	// What is gathered for a second is told at once.
	const second = holdTimers(t, 1000);
	const telling = setInterval(second.pass, 20);
	t.after(() => clearInterval(telling));
	await using charla = await testCharla();
	const [ana, ben, eve] = [await charla.person("Ana"), await charla.person("Ben"), await charla.person("Eve")];
	const a = await charla.connect(ana.cookie);
	const presence = (userId: string) =>
		signalsOf(a, "presence")
			.flatMap((s) => [...s.came.map((id) => `+${id}`), ...s.went.map((id) => `-${id}`)])
			.filter((x) => x.includes(userId));
	const close = async (socket: TestSocket | undefined) => {
		const open = charla.realtime.count();
		socket?.raw.close();
		while (charla.realtime.count() === open) await sleep(5);
	};
	/** Somebody else comes and goes: what was to be told of Ben before was told by then. */
	const othersGo = async () => {
		const before = presence(eve.me.id).length;
		await close(await charla.connect(eve.cookie));
		await a.until(() => presence(eve.me.id).length > before);
		grace.pass();
		await a.until(() => presence(eve.me.id).length === before + 2);
	};
	const tabs = [await charla.connect(ben.cookie), await charla.connect(ben.cookie)];
	await a.until(() => presence(ben.me.id).length > 0);
	assert.deepEqual((await must(a, "room:here", { roomId: lobbyId })).here.toSorted(), [ana.me.id, ben.me.id].sort());
	await close(tabs[0]);
	await othersGo();
	assert.deepEqual(presence(ben.me.id), [`+${ben.me.id}`], "one tab is still open");
	await close(tabs[1]);
	// Who asks meanwhile is told that Ben is here, as nobody will say that he came.
	assert.deepEqual((await must(a, "room:here", { roomId: lobbyId })).here.toSorted(), [ana.me.id, ben.me.id].sort());
	const loadedAnew = await charla.connect(ben.cookie);
	await othersGo();
	assert.deepEqual(presence(ben.me.id), [`+${ben.me.id}`], "a reload takes a moment: nobody went, and nobody came");
	await close(loadedAnew);
	await close(await charla.connect(ben.cookie));
	grace.pass();
	await a.until(() => presence(ben.me.id).length > 1);
	await othersGo();
	assert.deepEqual(presence(ben.me.id), [`+${ben.me.id}`, `-${ben.me.id}`], "gone once, however often loaded anew");
	assert.deepEqual((await must(a, "room:here", { roomId: lobbyId })).here, [ana.me.id]);
});

test("[L6] rooms that a person left or came into while loading the page anew are told of, and only those", async (t) => {
	const grace = holdTimers(t, 3000);
	const second = holdTimers(t, 1000);
	const telling = setInterval(second.pass, 20);
	t.after(() => clearInterval(telling));
	await using charla = await testCharla();
	const [ana, ben] = [await charla.person("Ana"), await charla.person("Ben")];
	const names = ["Left", "Kept", "Added"];
	const made = await Promise.all(names.map((name) => charla.chat.rooms.create(ana.me, { name, topic: "", kind: "public" })));
	const [left, kept, added] = made as [MyRoom, MyRoom, MyRoom];
	for (const { id } of [left, kept]) await charla.chat.rooms.join(ben.me, { roomId: id });
	const a = await charla.connect(ana.cookie);
	const told = (roomId: string) =>
		signalsOf(a, "presence")
			.filter((s) => s.roomId === roomId)
			.flatMap((s) => [...(s.came.includes(ben.me.id) ? ["came"] : []), ...(s.went.includes(ben.me.id) ? ["went"] : [])]);
	const first = await charla.connect(ben.cookie);
	for (const { id } of [left, kept]) await a.until(() => told(id).length === 1);
	first.raw.close();
	while (charla.realtime.count() > 1) await sleep(5);
	await charla.chat.rooms.leave(ben.me, { roomId: left.id });
	await charla.chat.rooms.join(ben.me, { roomId: added.id });
	await charla.connect(ben.cookie);
	await a.until(() => told(added.id).length === 1 && told(left.id).length === 2);
	grace.pass();
	// Eve comes: what was to be told of Ben before was told by then.
	const eve = await charla.person("Eve");
	await charla.connect(eve.cookie);
	await a.until(() => signalsOf(a, "presence").some((s) => s.came.includes(eve.me.id)));
	assert.deepEqual((await must(a, "room:here", { roomId: left.id })).here, [ana.me.id]);
	assert.deepEqual(
		[left, kept, added].map(({ id }) => told(id)),
		[["came", "went"], ["came"], ["came"]],
	);
});

test("[L7] pointers that moved are told to the room, gathered; the read pointer to my own tabs alone", async (t) => {
	const second = holdTimers(t, 1000);
	await using charla = await testCharla();
	const [ana, ben] = [await charla.person("Ana"), await charla.person("Ben")];
	const [a, b, b2] = [await charla.connect(ana.cookie), await charla.connect(ben.cookie), await charla.connect(ben.cookie)];
	const one = (await post(a, lobbyId, "one")).seq as number;
	const two = (await post(a, lobbyId, "two")).seq as number;
	await must(b, "pointer:move", { roomId: lobbyId, delivered: one });
	await must(b, "pointer:move", { roomId: lobbyId, delivered: two, displayed: one });
	assert.deepEqual(await must(b, "pointer:move", { roomId: lobbyId, read: two }), { readSeq: two, readMsg: 2 });
	second.pass();
	await a.until(() => signalsOf(a, "pointers").length > 0);
	assert.deepEqual(
		signalsOf(a, "pointers").flatMap((s) => s.moved),
		[[ben.me.id, two, one]],
		"only the last of a second is told",
	);
	await b2.until(() => signalsOf(b2, "read").length > 0);
	assert.deepEqual(signalsOf(b2, "read"), [{ kind: "read", roomId: lobbyId, readSeq: two, readMsg: 2 }]);
	assert.deepEqual(signalsOf(a, "read"), [], "what somebody has read is their own business");
});

test("[N7] on a stop nobody new is let in from the first moment where there are others to go to, and those who are here go on", async () => {
	await using charla = await testCharla();
	const { cookie } = await charla.person("Ana");
	const socket = await charla.connect(cookie);
	const drained = charla.realtime.drain(10_000, true);
	assert.equal(await refusedToConnect(charla, cookie), "going-away");
	await post(socket, lobbyId, "still here");
	await socket.until(() => bodies(socket.facts).includes("still here"));
	// The last one to go ends the wait.
	socket.raw.close();
	await drained;
});

test("[N7] on a stop of the only instance whoever comes back is let in as long as the others are waited for", async () => {
	await using charla = await testCharla();
	const { cookie } = await charla.person("Ana");
	const socket = await charla.connect(cookie);
	const drained = charla.realtime.drain(10_000);
	const again = await charla.connect(cookie);
	await post(again, lobbyId, "back");
	for (const each of [socket, again]) each.raw.close();
	await drained;
});

test("[N7] on a stop what was accepted is finished and answered, people are told to move, and nothing new is taken", async () => {
	await using charla = await testCharla({ env: { DRAIN_SECONDS: "1" } });
	const { me, cookie } = await charla.person("Ana");
	const socket = await charla.connect(cookie);
	const release = Promise.withResolvers<void>();
	const { post: postNow } = charla.chat.messages;
	let isUnderWay = false;
	// A call that is under way when the end begins.
	charla.chat.messages.post = async (...all) => {
		isUnderWay = true;
		await release.promise;
		return postNow(...all);
	};
	const clientId = randomUUID();
	const accepted = socket.call("message:post", { roomId: lobbyId, clientId, body: "accepted" });
	while (!isUnderWay) await sleep(5);
	const drained = charla.realtime.drain(300);
	await socket.until(() => signalsOf(socket, "move").length > 0);
	assert.equal(signalsOf(socket, "move")[0]?.within, 300);
	const ask = () => socket.call("room:since", { cursors: [] });
	let answer = await ask();
	while (answer.ok) answer = await ask();
	assert.deepEqual(answer, { ok: false, code: "going-away", details: {} });
	assert.equal(await refusedToConnect(charla, cookie), "going-away");
	release.resolve();
	const posted = await accepted;
	assert.ok(posted.ok && posted.data.seq !== null);
	await drained;
	assert.equal((await charla.chat.messages.stretch(me, { roomId: lobbyId })).messages.at(-1)?.clientId, clientId);
	await socket.until(() => socket.raw.disconnected);
});
