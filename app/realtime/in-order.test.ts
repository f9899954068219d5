import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { Fact } from "../contract/facts.ts";
import { inOrder } from "./in-order.ts";

const ana = { id: "ana", name: "Ana" };
const fact = (seq: number, roomId = "r"): Fact => ({ kind: "member-left", roomId, seq, person: ana });

/** What has been begun goes as far as it can without time passing. */
const settled = () => new Promise((done) => setImmediate(done));

/** From now on time passes by `patienceEnds` alone. */
function holdTime(t: TestContext): { patienceEnds: () => Promise<unknown> } {
	t.mock.timers.enable({ apis: ["setTimeout"] });
	return {
		patienceEnds() {
			t.mock.timers.tick(60);
			return settled();
		},
	};
}

/** A gate over a log of `head` facts; reading it takes until `read` says so. */
function gate(options: { head?: number; read?: Promise<void>; fail?: () => boolean } = {}) {
	const heard: number[] = [];
	const errors: unknown[] = [];
	let loads = 0;
	const log = { head: options.head ?? 0 };
	const order = inOrder({
		emit: (f) => void heard.push(f.seq),
		load: async (roomId, after) => {
			loads++;
			const { head } = log;
			await options.read;
			if (options.fail?.()) throw new Error("the database is away");
			return Array.from({ length: Math.min(500, Math.max(0, head - after)) }, (_, i) => fact(after + 1 + i, roomId));
		},
		onError: (error) => void errors.push(error),
	});
	return {
		order,
		heard,
		errors,
		log,
		loads: () => loads,
		accept: (...seqs: number[]) => seqs.forEach((seq) => void order.accept(fact(seq))),
	};
}
const upTo = (n: number) => Array.from({ length: n }, (_, i) => i + 1);

test("[N5] the next fact passes at once, a repeat and an earlier one never", () => {
	const g = gate();
	g.order.watch("r", 0);
	g.accept(1, 1, 2, 1, 2, 3);
	assert.deepEqual(g.heard, [1, 2, 3]);
	assert.equal(g.order.at("r"), 3);
});

test("[N5] facts that come early wait for those before them, without asking the log", async (t) => {
	const { patienceEnds } = holdTime(t);
	const g = gate();
	g.order.watch("r", 0);
	g.accept(3, 2, 5);
	assert.deepEqual(g.heard, []);
	g.accept(1);
	assert.deepEqual(g.heard, [1, 2, 3]);
	g.accept(5, 4);
	assert.deepEqual(g.heard, [1, 2, 3, 4, 5]);
	await patienceEnds();
	assert.equal(g.loads(), 0, "nothing was missing any more when patience ended");
});

test("[N5] a gap that stays is filled from the log, each fact once", async (t) => {
	const { patienceEnds } = holdTime(t);
	const { promise: read, resolve: isRead } = Promise.withResolvers<void>();
	const g = gate({ head: 7, read });
	g.order.watch("r", 0);
	g.accept(1, 4, 6);
	await patienceEnds();
	// While the log is being read, some of the missing arrive late, and newer ones too.
	assert.equal(g.loads(), 1, "the premise: the log is being read");
	g.accept(2, 8, 3);
	isRead();
	await settled();
	assert.deepEqual(g.heard, upTo(8));
	assert.equal(g.order.at("r"), 8);
});

test("[N5] a gap wider than one reading of the log is filled whole", async (t) => {
	const { patienceEnds } = holdTime(t);
	const g = gate({ head: 1730 });
	g.order.watch("r", 0);
	g.accept(1731);
	await patienceEnds();
	assert.deepEqual(g.heard, upTo(1731));
});

test("[N9] an announcement that got lost altogether is made up for by the tick", async () => {
	const g = gate({ head: 3 });
	g.order.watch("r", 0);
	g.accept(1);
	const heads = async (rooms: string[]) => new Map(rooms.map((room) => [room, 3]));
	await g.order.compare(heads);
	assert.deepEqual(g.heard, [1, 2, 3]);
	await g.order.compare(heads);
	assert.equal(g.loads(), 1, "a room that is complete is not read");
	await gate().order.compare(() => assert.fail("nobody follows anything, so nothing is asked"));
});

test("[N9] when the log cannot be read the gap stays, and the next tick fills it", async (t) => {
	const { patienceEnds } = holdTime(t);
	let away = true;
	const g = gate({ head: 3, fail: () => away });
	g.order.watch("r", 0);
	g.accept(3);
	await patienceEnds();
	assert.deepEqual([g.heard, g.errors.length], [[], 1]);
	away = false;
	await g.order.compare(async () => new Map([["r", 3]]));
	assert.deepEqual(g.heard, [1, 2, 3]);
});

test("[N5] rooms nobody follows pass nothing, and one room's gap does not hold up another", async (t) => {
	const { patienceEnds } = holdTime(t);
	const g = gate({ head: 9 });
	g.order.accept(fact(1, "elsewhere"));
	g.order.watch("a", 0);
	g.order.watch("b", 5);
	g.order.watch("b", 0);
	g.order.accept(fact(4, "a"));
	g.order.accept(fact(6, "b"));
	assert.deepEqual(g.heard, [6], "b is followed from 5 on, said once");
	g.order.unwatch("a");
	g.order.accept(fact(1, "a"));
	await patienceEnds();
	assert.deepEqual(g.heard, [6], "a is not followed any more, not by what it had begun either");
	assert.equal(g.order.at("a"), undefined);
});

test("[N5] a room let go of and followed anew while its gap is being filled passes nothing twice", async (t) => {
	const { patienceEnds } = holdTime(t);
	const { promise: read, resolve: isRead } = Promise.withResolvers<void>();
	const g = gate({ head: 5, read });
	g.order.watch("r", 0);
	g.accept(3);
	await patienceEnds();
	assert.equal(g.loads(), 1, "the premise: the log is being read");
	g.order.unwatch("r");
	g.order.watch("r", 5);
	g.accept(6);
	isRead();
	await patienceEnds();
	assert.deepEqual(g.heard, [6]);
});

test("what was announced here and waits behind a gap counts as ours, not as healed", async (t) => {
	const { patienceEnds } = holdTime(t);
	const passed: [number, boolean][] = [];
	const healed: [number, number][] = [];
	const order = inOrder({
		emit: (f, source) => void passed.push([f.seq, source.how === "healed"]),
		load: async (roomId, after) => upTo(4 - after).map((step) => fact(after + step, roomId)),
		onHealed: (_room, from, to) => void healed.push([from, to]),
		onError: assert.fail,
	});
	order.watch("r", 0);
	order.accept(fact(3));
	await patienceEnds();
	assert.deepEqual(passed, [
		[1, true],
		[2, true],
		[3, false],
		[4, true],
	]);
	assert.deepEqual(healed, [[1, 4]]);
});
