import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import type { TestCharla } from "../support/charla.ts";
import { assertWhole, signalsOf as of, posts, say, testInstances, until } from "../support/cluster.ts";
import { tookAtMost } from "../support/long.ts";
import { withPrograms } from "../support/programs.ts";
import { type TestRedis, testRedis } from "../support/redis.ts";

const { test, before, after } = await withPrograms("redis-server");

/** Redis goes away in every way it can, while people talk at two instances. */

let redis: TestRedis;
let cluster: Awaited<ReturnType<typeof testInstances>>;
let a: TestCharla;
let b: TestCharla;

before(async () => {
	redis = await testRedis();
	cluster = await testInstances(2, { REDIS_URL: redis.url });
	[a, b] = cluster.instances as [TestCharla, TestCharla];
});
after(async () => {
	await cluster[Symbol.asyncDispose]();
	await redis[Symbol.asyncDispose]();
});

const areOpen = () => a.peers.isOpen() && b.peers.isOpen();

test("[I8] killed and started again empty: nothing is lost, doubled or out of order, and one's own instance waits for nothing", async () => {
	const [ana, ben, eva] = [await a.person("Ana"), await b.person("Ben"), await a.person("Eva")];
	const [atA, atB, besideA] = [await a.connect(ana.cookie), await b.connect(ben.cookie), await a.connect(eva.cookie)];
	const first = await say(atA, "begin");
	let slowest = 0;
	let said = 0;
	let isOver = false;
	const talking = (async () => {
		while (!isOver) {
			const before = performance.now();
			await say(said % 2 ? atA : atB, `m${++said}`);
			const wanted = `m${said}`;
			// Whoever is on the author's own instance hears it whatever becomes of Redis.
			if (said % 2 === 0) await besideA.until(() => posts(besideA.facts).includes(wanted));
			slowest = Math.max(slowest, performance.now() - before);
			await sleep(10);
		}
	})();
	await until(() => said > 20);
	await redis.kill();
	const atKill = said;
	await until(() => said > atKill + 50, 60_000);
	await redis.start();
	await until(areOpen, 60_000);
	const atStart = said;
	await until(() => said > atStart + 20, 60_000);
	isOver = true;
	await talking;
	for (const socket of [atA, atB, besideA]) {
		await socket.until(() => posts(socket.facts).includes(`m${said}`), 60_000);
		await socket.until(() => posts(socket.facts).length >= said + 1, 60_000);
		assertWhole(socket, first);
	}
	tookAtMost(3000, slowest, "hearing it beside the author");
});

test("[I8] a session that ends, and a member who leaves, while Redis is away: every instance acts on it within seconds", async () => {
	const [ana, ben] = [await a.person("Ana 2"), await a.person("Ben 2")];
	const room = await a.chat.rooms.create(ana.me, { name: "Away", topic: "", kind: "private" });
	await a.chat.rooms.invite(ana.me, { roomId: room.id, name: "Ben 2" });
	const [atA, atB, benAtB] = [await a.connect(ana.cookie), await b.connect(ana.cookie), await b.connect(ben.cookie)];
	await say(atA, "before", room.id);
	await benAtB.until(() => posts(benAtB.facts).includes("before"));
	await until(() => a.instances.others().length === 1 && b.instances.others().length === 1);
	await redis.kill();
	await until(() => !a.peers.isOpen() && !b.peers.isOpen());

	await a.chat.rooms.leave(ben.me, { roomId: room.id });
	await benAtB.until(() => of(benAtB, "room-removed").some((signal) => signal.roomId === room.id), 60_000);
	await say(atA, "after", room.id);
	await say(atA, "to all");
	await benAtB.until(() => posts(benAtB.facts).includes("to all"), 60_000);
	assert.ok(!posts(benAtB.facts).includes("after"));

	await a.chat.rooms.invite(ana.me, { roomId: room.id, name: "Ben 2" });
	await benAtB.until(() => of(benAtB, "room-added").some((signal) => signal.room.id === room.id), 60_000);

	const session = await a.auth.whoIs(ana.cookie);
	assert.ok(session);
	const closed = atB.closed(20_000);
	await a.auth.leave(session);
	a.realtime.endSession(session);
	await closed;
	await redis.start();
	await until(areOpen, 60_000);
});

test("[I8] frozen, so that no connection breaks: given up within seconds, and back when it goes on", async () => {
	const [ana, ben] = [await a.person("Ana 3"), await b.person("Ben 3")];
	const [atA, atB] = [await a.connect(ana.cookie), await b.connect(ben.cookie)];
	redis.freeze();
	await say(atA, "frozen");
	await atB.until(() => posts(atB.facts).includes("frozen"), 10_000);
	await until(() => !a.peers.isOpen() && !b.peers.isOpen(), 60_000);
	redis.thaw();
	await until(areOpen, 60_000);
	await say(atA, "thawed");
	await atB.until(() => posts(atB.facts).includes("thawed"));
});
