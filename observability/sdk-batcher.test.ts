import assert from "node:assert/strict";
import { test } from "node:test";
import { recordInMemory } from "../tests/support/recorded.ts";
import { Batcher, counted } from "./sdk-batcher.ts";

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
	return { batcher, batches, exporter, lost, add, sum };
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

test("what was handed to an exporter is counted by how it ended, when it ended", async () => {
	const recorded = recordInMemory();
	const { batches, exporter } = scene();
	const counting = { span: counted(exporter, "span"), log: counted(exporter, "log") };
	const ended: number[] = [];
	const ends = (result: { code: number }) => void ended.push(result.code);
	counting.span.export([1, 2, 3], ends);
	counting.span.export([4, 5], ends);
	counting.log.export([6], ends);
	const told = async (signal: string) =>
		((await recorded.metrics()).get(`otel.sdk.exporter.${signal}.exported`)?.dataPoints ?? []).map(({ attributes, value }) => [
			attributes["error.type"],
			value,
		]);
	assert.deepEqual(await told("span"), []);
	batches[0]?.done({ code: 0 });
	batches[1]?.done({ code: 1, error: new Error("403") });
	batches[2]?.done({ code: 1 });
	assert.deepEqual(ended, [0, 1, 1], "and whoever exports hears of it");
	assert.deepEqual(await told("span"), [
		[undefined, 3],
		["export-failed", 2],
	]);
	assert.deepEqual(await told("log"), [["export-failed", 1]]);
	await recorded.end();
});
