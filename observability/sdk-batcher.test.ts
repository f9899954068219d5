import assert from "node:assert/strict";
import { test } from "node:test";
import { Batcher } from "./sdk-batcher.ts";

type Done = (result: { code: number; error?: Error }) => void;

/** An exporter that answers when it is told to. */
function scene() {
	const batches: { items: number[]; done: Done }[] = [];
	const lost: [count: number, reason: string][] = [];
	const exporter = { export: (items: number[], done: Done) => void batches.push({ items, done }), shutdown: async () => undefined };
	const batcher = new Batcher<number>(exporter, (count, reason) => lost.push([count, reason]));
	const add = (many: number) => {
		for (let i = 0; i < many; i++) batcher.add(i);
	};
	const sum = () => lost.reduce((total, [count]) => total + count, 0);
	return { batcher, batches, lost, add, sum };
}

test("an exporter that hangs costs ten batches and no more: the rest is counted, and nothing is unaccounted for", async () => {
	const { batcher, batches, lost, add, sum } = scene();
	add(50_000);
	assert.equal(batches.length, 1, "one at a time");
	assert.equal(batches[0]?.items.length, 512);
	assert.equal(batcher.figures.queued, 5120);
	assert.equal(sum(), 50_000 - 512 - 5120);
	assert.ok(lost.every(([, reason]) => reason === "queue-full"));
	// The first batch is never answered: a close that waited for it would not end.
	await batcher.close(50);
	assert.equal(batcher.figures.exported + batcher.figures.dropped + (batches[0]?.items.length ?? 0), 50_000);
	add(1);
	assert.deepEqual(lost.at(-1), [1, "closing"]);
});

test("a batch that fails is lost and told, the next one goes; what is exported is counted", async () => {
	const { batcher, batches, lost, add } = scene();
	add(600);
	batches[0]?.done({ code: 1, error: new Error("403") });
	const flushed = batcher.flush();
	await new Promise((done) => setImmediate(done));
	batches[1]?.done({ code: 0 });
	await flushed;
	assert.deepEqual(lost, [[512, "export-failed"]]);
	assert.equal(batches[1]?.items.length, 88);
	assert.deepEqual([batcher.figures.exported, batcher.figures.dropped, batcher.figures.queued], [88, 512, 0]);
	assert.equal(batcher.figures.lastError, "403");
	await batcher.close(1000);
});
