import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import { describe } from "node:test";
import type { Bus, OpenBus } from "../../app/realtime/bus.ts";
import { aloneBus } from "../../app/realtime/bus-alone.ts";
import { redisBus } from "../../app/realtime/bus-redis.ts";
import { type Line, openRelay, workersBus } from "../../app/realtime/bus-workers.ts";
import { until } from "../support/cluster.ts";
import { withPrograms } from "../support/programs.ts";
import { type TestRedis, testRedis } from "../support/redis.ts";

const { test, before, after } = await withPrograms("redis-server");

/** What every way between instances has to keep to. */

const silent = { info() {}, warn() {} };

/** Both ends of a line between a worker and its primary, each message as Node's IPC would pass it: a copy, a moment later. */
function linePair(): [Line, Line] {
	const ends = [new EventEmitter(), new EventEmitter()] as const;
	const end = (own: EventEmitter, other: EventEmitter): Line => ({
		send: (message) => void setImmediate(() => other.emit("message", structuredClone(message))),
		onMessage: (listener) => void own.on("message", listener),
	});
	return [end(ends[0], ends[1]), end(ends[1], ends[0])];
}

let redis: TestRedis;
before(async () => {
	redis = await testRedis();
});
after(() => redis[Symbol.asyncDispose]());

const relay = openRelay();
const ways: { name: Bus["adapter"]; open: () => OpenBus }[] = [
	{
		name: "workers",
		open() {
			const [worker, primary] = linePair();
			relay.join(primary);
			return workersBus(worker);
		},
	},
	{ name: "redis", open: () => redisBus({ url: redis.url, namespace: "test", log: silent }) },
];

function open(openBus: OpenBus) {
	const heard: [string, string][] = [];
	const followed: string[] = [];
	const bus = openBus({ heard: (...told) => void heard.push(told), following: (channels) => void followed.push(...channels) });
	return { bus, heard, followed };
}

for (const way of ways)
	describe(way.name, () => {
		test("[I15] who follows a channel hears what others send on it, in order, and nothing of other channels", async () => {
			const [a, b, c] = [open(way.open()), open(way.open()), open(way.open())];
			assert.equal(a.bus.adapter, way.name);
			for (const each of [a, b]) each.bus.follow("one");
			c.bus.follow("two");
			await until(() => [a, b].every((each) => each.followed.includes("one")) && c.followed.includes("two"));
			await until(() => [a, b, c].every((each) => each.bus.isOpen()));
			for (let i = 0; i < 200; i++) a.bus.send("one", `m${i}`);
			a.bus.send("two", "end");
			await until(() => b.heard.length === 200 && c.heard.length === 1);
			assert.deepEqual(
				b.heard,
				Array.from({ length: 200 }, (_, i) => ["one", `m${i}`]),
			);
			assert.deepEqual(c.heard, [["two", "end"]]);
			for (const each of [a, b, c]) await each.bus.close();
		});

		test("[I15] who stops following hears no more; who follows again does; a change of mind within a turn counts as its end", async () => {
			const [a, b] = [open(way.open()), open(way.open())];
			b.bus.follow("one");
			b.bus.follow("gone");
			b.bus.unfollow("gone");
			b.bus.follow("end");
			await until(() => a.bus.isOpen() && b.followed.includes("one") && b.followed.includes("end"));
			a.bus.send("gone", "nobody");
			a.bus.send("one", "1");
			await until(() => b.heard.length === 1);
			b.bus.unfollow("one");
			// What is followed after it, in a turn of its own, is followed when it has ended.
			await new Promise((done) => setImmediate(done));
			b.bus.follow("after");
			await until(() => b.followed.includes("after"));
			a.bus.send("one", "2");
			a.bus.send("end", "3");
			await until(() => b.heard.length === 2);
			b.bus.follow("one");
			await until(() => b.followed.filter((channel) => channel === "one").length === 2);
			a.bus.send("one", "4");
			await until(() => b.heard.length === 3);
			assert.deepEqual(
				b.heard.map(([, text]) => text),
				["1", "3", "4"],
			);
			for (const each of [a, b]) await each.bus.close();
		});

		test("[I15] closed, it neither sends nor hears, and to say so again does no harm", async () => {
			const [a, b, c] = [open(way.open()), open(way.open()), open(way.open())];
			for (const each of [a, b, c]) each.bus.follow("one");
			await until(() => [a, b, c].every((each) => each.followed.includes("one") && each.bus.isOpen()));
			a.bus.send("one", "last");
			await a.bus.close();
			await until(() => b.heard.length === 1);
			const before = a.heard.length;
			a.bus.send("one", "too late");
			b.bus.send("one", "to the other");
			await until(() => c.heard.some(([, text]) => text === "to the other"));
			assert.equal(a.bus.isOpen(), false);
			assert.ok(![...b.heard, ...c.heard].some(([, text]) => text === "too late"));
			assert.equal(a.heard.length, before);
			for (const each of [a, b, c]) await each.bus.close();
		});
	});

test("[I15] alone there is nobody to hear, and nothing breaks", async () => {
	const a = open(aloneBus);
	a.bus.follow("one");
	a.bus.send("one", "hello");
	a.bus.unfollow("one");
	assert.equal(a.bus.isOpen(), false);
	await a.bus.close();
	assert.deepEqual(a.heard, []);
});

test("[I15] Redis killed: what was sent meanwhile is not sent later, and after it is back everything followed is followed again", async () => {
	const log: string[] = [];
	const note = { info: (event: string) => void log.push(event), warn: (event: string) => void log.push(event) };
	const openBus = () => open(redisBus({ url: redis.url, namespace: "killed", log: note }));
	const [a, b] = [openBus(), openBus()];
	b.bus.follow("one");
	a.bus.follow("one");
	await until(() => a.bus.isOpen() && b.bus.isOpen());
	await redis.kill();
	await until(() => !a.bus.isOpen() && !b.bus.isOpen());
	a.bus.send("one", "lost");
	b.bus.follow("two");
	const before = b.followed.length;
	await redis.start();
	await until(() => a.bus.isOpen() && b.bus.isOpen() && b.followed.slice(before).includes("one") && b.followed.includes("two"), 30_000);
	a.bus.send("one", "heard");
	a.bus.send("two", "as well");
	await until(() => b.heard.length >= 2);
	assert.deepEqual(b.heard, [
		["one", "heard"],
		["two", "as well"],
	]);
	assert.deepEqual([...new Set(log)].sort(), ["adapter.away", "adapter.lost", "adapter.open"]);
	for (const each of [a, b]) await each.bus.close();
});

test("[I15] two Charlas on one Redis do not hear each other", async () => {
	const [ours, theirs] = ["ours", "theirs"].map((namespace) => open(redisBus({ url: redis.url, namespace, log: silent }))) as [
		ReturnType<typeof open>,
		ReturnType<typeof open>,
	];
	const [alsoOurs, alsoTheirs] = ["ours", "theirs"].map((namespace) => open(redisBus({ url: redis.url, namespace, log: silent }))) as [
		ReturnType<typeof open>,
		ReturnType<typeof open>,
	];
	for (const each of [ours, theirs, alsoOurs, alsoTheirs]) each.bus.follow("one");
	await until(() => [ours, theirs, alsoOurs, alsoTheirs].every((each) => each.bus.isOpen() && each.followed.includes("one")));
	ours.bus.send("one", "between us");
	await until(() => alsoOurs.heard.length === 1);
	// Redis tells everybody in order: what is heard first would have been the others' word.
	alsoTheirs.bus.send("one", "between them");
	await until(() => theirs.heard.length > 0);
	assert.deepEqual(theirs.heard, [["one", "between them"]]);
	for (const each of [ours, theirs, alsoOurs, alsoTheirs]) await each.bus.close();
});
