import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import type { Fact } from "../../app/contract/facts.ts";
import { lobbyId } from "../../app/contract/fixed.ts";
import { rates } from "../../app/contract/limits.ts";
import type { TestCharla, TestSocket } from "../support/charla.ts";
import { signalsOf as of, posts, say, testInstances, until } from "../support/cluster.ts";
import { holdClock, holdTimers } from "../support/held-timers.ts";
import { tookAtMost } from "../support/long.ts";
import { withPrograms } from "../support/programs.ts";
import { type TestRedis, testRedis } from "../support/redis.ts";

const { test, before, after } = await withPrograms("redis-server");

/** Three instances on one database and one Redis. Somebody acts at one of them, others listen at the rest. */

let redis: TestRedis;
let cluster: Awaited<ReturnType<typeof testInstances>>;
let a: TestCharla;
let b: TestCharla;
let c: TestCharla;

before(async () => {
	redis = await testRedis();
	cluster = await testInstances(3, { REDIS_URL: redis.url, RATE_LIMITS: "on" });
	[a, b, c] = cluster.instances as [TestCharla, TestCharla, TestCharla];
});
after(async () => {
	await cluster[Symbol.asyncDispose]();
	await redis[Symbol.asyncDispose]();
});

const seqs = (facts: readonly Fact[]) => facts.map((fact) => fact.seq);

test("[I1] what is said, edited and deleted at one instance is heard at the others, in order and once", async () => {
	const [ana, ben, eva] = [await a.person("Ana 1"), await a.person("Ben 1"), await a.person("Eva 1")];
	const [atA, atB, atC] = [await a.connect(ana.cookie), await b.connect(ben.cookie), await c.connect(eva.cookie)];
	const from = await say(atA, "first");
	await say(atB, "second");
	await say(atC, "third");
	await atA.call("message:edit", { roomId: lobbyId, clientId: randomUUID(), seq: from, body: "first, again" });
	await atA.call("message:delete", { roomId: lobbyId, clientId: randomUUID(), seq: from });
	const isIt = (fact: Fact) => fact.seq >= from;
	for (const socket of [atA, atB, atC]) {
		await socket.until(() => socket.facts.filter(isIt).length >= 5);
		assert.deepEqual(posts(socket.facts.filter(isIt)), ["first", "second", "third"]);
		assert.deepEqual(
			seqs(socket.facts.filter(isIt)),
			[0, 1, 2, 3, 4].map((n) => from + n),
		);
	}
	for (const socket of [atA, atB, atC]) socket.raw.close();
});

test("[I1] three people at three instances talking at once are one conversation, the same for all", async () => {
	const people = await Promise.all(["Ana 2", "Ben 2", "Eva 2"].map((name) => a.person(name)));
	const sockets = await Promise.all(people.map(({ cookie }, i) => ([a, b, c][i] as TestCharla).connect(cookie)));
	const room = await a.chat.rooms.create((people[0] as (typeof people)[number]).me, { name: "Talk", topic: "", kind: "public" });
	for (const { me } of people.slice(1)) await a.chat.rooms.join(me, { roomId: room.id });
	for (const socket of sockets) await socket.until(() => of(socket, "room-added").some((signal) => signal.room.id === room.id));
	const each = rates["message:post"].burst;
	await Promise.all(
		sockets.map(async (socket, who) => {
			for (let i = 0; i < each; i++) await say(socket, `${who} ${i}`, room.id);
		}),
	);
	const heard = sockets.map((socket) => () => socket.facts.filter((fact) => fact.roomId === room.id && fact.kind === "message-posted"));
	for (const [i, list] of heard.entries()) await (sockets[i] as TestSocket).until(() => list().length === 3 * each, 30_000);
	for (const list of heard) assert.deepEqual(posts(list()), posts((heard[0] as () => Fact[])()));
	for (const socket of sockets) socket.raw.close();
});

test("[I2] coming, typing, pointers and one's own reading are told across instances", async () => {
	const [ana, ben] = [await a.person("Ana 3"), await a.person("Ben 3")];
	const atA = await a.connect(ana.cookie);
	const atB = await b.connect(ben.cookie);
	await atA.until(() => of(atA, "presence").some((signal) => signal.came.includes(ben.me.id)));
	const here = async (socket: TestSocket) => {
		const answer = await socket.call("room:here", { roomId: lobbyId });
		return answer.ok ? answer.data.here : [];
	};
	assert.ok((await here(atA)).includes(ben.me.id));
	assert.ok((await here(atB)).includes(ana.me.id), "who was there before is known too");

	await atB.call("typing", { roomId: lobbyId });
	await atA.until(() => of(atA, "typing").some((signal) => signal.person.id === ben.me.id));

	const seq = await say(atA, "read me");
	await atB.call("pointer:move", { roomId: lobbyId, delivered: seq, displayed: seq, read: seq });
	await atA.until(() =>
		of(atA, "pointers").some((signal) => signal.moved.some(([id, , displayed]) => id === ben.me.id && displayed >= seq)),
	);

	const elsewhere = await c.connect(ben.cookie);
	const next = await say(atA, "and me");
	await atB.call("pointer:move", { roomId: lobbyId, read: next });
	await elsewhere.until(() => of(elsewhere, "read").some((signal) => signal.readSeq === next));

	// Ben is at two instances: leaving one of them is no going.
	atB.raw.close();
	elsewhere.raw.close();
	await atA.until(() => of(atA, "presence").some((signal) => signal.went.includes(ben.me.id)), 60_000);
	assert.ok(!(await here(atA)).includes(ben.me.id));
	assert.equal(of(atA, "presence").filter((signal) => signal.went.includes(ben.me.id)).length, 1);
	atA.raw.close();
});

test("[I2] whoever loads the page anew and gets to another instance neither went nor came", async (t) => {
	const grace = holdTimers(t, 3000);
	// What is gathered for a second is told at once.
	const second = holdTimers(t, 1000);
	const telling = setInterval(second.pass, 20);
	t.after(() => clearInterval(telling));
	const [ana, eva, ben] = [await a.person("Ana anew"), await a.person("Eva anew"), await a.person("Ben anew")];
	const witnesses = [await a.connect(ana.cookie), await b.connect(eva.cookie)];
	const told = (socket: TestSocket, userId: string) =>
		of(socket, "presence")
			.flatMap((s) => [...s.came.map((id) => `+${id}`), ...s.went.map((id) => `-${id}`)])
			.filter((line) => line.endsWith(userId))
			.map((line) => line[0]);
	/** Somebody else comes to an instance: what it had to tell before was told by then. */
	const newcomers: TestSocket[] = [];
	const fence = async (instance: TestCharla, name: string) => {
		const { me, cookie } = await a.person(name);
		newcomers.push(await instance.connect(cookie));
		for (const witness of witnesses) await witness.until(() => told(witness, me.id).length > 0);
	};
	const closeAt = async (instance: TestCharla, socket: TestSocket) => {
		const open = instance.realtime.count();
		socket.raw.close();
		await until(() => instance.realtime.count() < open);
	};

	const first = await a.connect(ben.cookie);
	for (const witness of witnesses) await witness.until(() => told(witness, ben.me.id).length > 0);
	await closeAt(a, first);
	const anew = await b.connect(ben.cookie);
	await fence(b, "Zoe anew");
	grace.pass();
	await fence(a, "Max anew");
	for (const witness of witnesses) assert.deepEqual(told(witness, ben.me.id), ["+"]);
	await closeAt(b, anew);
	grace.pass();
	for (const witness of witnesses) await witness.until(() => told(witness, ben.me.id).length > 1);
	await fence(b, "Lea anew");
	for (const witness of witnesses) assert.deepEqual(told(witness, ben.me.id), ["+", "-"]);
	for (const socket of [...witnesses, ...newcomers]) socket.raw.close();
});

test("[I3] a session that ends at one instance ends at every other within a second", async () => {
	const ana = await a.person("Ana 4");
	const sockets = [await a.connect(ana.cookie), await b.connect(ana.cookie), await c.connect(ana.cookie)];
	const session = await a.auth.whoIs(ana.cookie);
	assert.ok(session);
	const closed = sockets.map((socket) => socket.closed(10_000));
	const began = performance.now();
	await a.auth.leave(session);
	a.realtime.endSession(session);
	await Promise.all(closed);
	tookAtMost(1000, performance.now() - began, "ending it everywhere");
	for (const socket of sockets) assert.equal(of(socket, "signed-out").length, 1);
	for (const instance of [a, b, c])
		for (const transports of [["websocket"], ["polling"]])
			await assert.rejects(instance.connect(ana.cookie, { transports }), /not-signed-in/);
});

test("[I4] who leaves a room, or comes into one, does so in every tab at every instance", async () => {
	const [ana, ben] = [await a.person("Ana 5"), await a.person("Ben 5")];
	const room = await a.chat.rooms.create(ana.me, { name: "Door", topic: "", kind: "private" });
	const atA = await a.connect(ana.cookie);
	const tabs = [await b.connect(ben.cookie), await c.connect(ben.cookie)];
	await a.chat.rooms.invite(ana.me, { roomId: room.id, name: "Ben 5" });
	for (const tab of tabs) await tab.until(() => of(tab, "room-added").some((signal) => signal.room.id === room.id));
	await say(atA, "welcome", room.id);
	for (const tab of tabs) await tab.until(() => posts(tab.facts).includes("welcome"));
	await b.chat.rooms.leave(ben.me, { roomId: room.id });
	for (const tab of tabs) await tab.until(() => of(tab, "room-removed").some((signal) => signal.roomId === room.id));
	await say(atA, "he is gone", room.id);
	await say(atA, "the end");
	for (const tab of tabs) {
		await tab.until(() => posts(tab.facts).includes("the end"));
		assert.ok(!posts(tab.facts).includes("he is gone"));
		tab.raw.close();
	}
	atA.raw.close();
});

test("[I6] the log level raised at one instance is raised at every other", async () => {
	a.level.raise("somebody");
	await until(() => [b, c].every((each) => each.level.level() === "debug"));
	c.level.lower("somebody else");
	await until(() => [a, b, c].every((each) => each.level.level() === "error"));
});

test("[I7] each instance knows the others", async () => {
	await until(() => [a, b, c].every((each) => each.instances.others().length === 2));
	const others = a.instances.others();
	assert.equal(new Set(others.map((other) => other.id)).size, 2);
	assert.deepEqual(
		others.map((other) => other.adapter),
		["redis", "redis"],
	);
});

test("[I5] a rate is one rate over all instances", async (t) => {
	// Where answers are slow, as much would come back as is taken.
	holdClock(t);
	const ana = await a.person("Ana 6");
	const sockets = [await a.connect(ana.cookie), await b.connect(ana.cookie), await c.connect(ana.cookie)];
	const { burst } = rates["message:post"];
	let taken = 0;
	let refused = 0;
	while (refused < sockets.length) {
		const socket = sockets[(taken + refused) % sockets.length] as TestSocket;
		const answer = await socket.call("message:post", { roomId: lobbyId, clientId: randomUUID(), body: `${taken}` });
		if (answer.ok) taken++;
		else {
			assert.equal(answer.code, "too-fast");
			refused++;
		}
		// What one instance took is known to the next by then, and where it is not, it is owed.
		await new Promise((done) => setTimeout(done, 60));
	}
	// Each on its own would have let through three times the burst.
	assert.ok(taken >= burst && taken <= burst + 3, `${taken} instead of ${burst}`);
	for (const socket of sockets) socket.raw.close();
});
