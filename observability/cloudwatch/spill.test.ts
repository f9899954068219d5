import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import test, { type TestContext } from "node:test";
import { Spill, type SpilledLine } from "./spill.ts";

function folder(t: TestContext): string {
	const dir = mkdtempSync(path.join(tmpdir(), "charla-spill-"));
	t.after(() => rmSync(dir, { recursive: true, force: true }));
	return dir;
}

const line = (at: number): SpilledLine => ({ to: "app", at, line: `{"at":${at}}` });
/** A number no process has: Linux gives none above 4,194,304. */
const dead = 999_999_999;

test("lines come back oldest first, and a file stays until it is settled", async (t) => {
	const spill = new Spill({ dir: folder(t), maxBytes: 10_000 });
	assert.equal(spill.write([line(3), line(1)]), null);
	assert.equal(spill.write([line(4)]), null);
	assert.equal(spill.lines, 3);
	const first = await spill.oldest();
	assert.deepEqual(
		first?.lines.map(({ at }) => at),
		[1, 3],
	);
	assert.deepEqual((await spill.oldest())?.file, first?.file);
	spill.settle(first?.file as string, [line(3)]);
	assert.equal(spill.lines, 2);
	assert.deepEqual(
		(await spill.oldest())?.lines.map(({ at }) => at),
		[4],
	);
});

test("no more than its bytes is kept, and room is made again", async (t) => {
	const spill = new Spill({ dir: folder(t), maxBytes: 100 });
	assert.equal(spill.write([line(1)]), null);
	assert.equal(spill.write([line(2), line(3)]), "spill-full");
	assert.equal(spill.lines, 1);
	spill.settle((await spill.oldest())?.file as string, []);
	assert.equal(spill.write([line(2)]), null);
});

test("what a dead process left is taken over in its order, what a living one writes is not", async (t) => {
	const dir = folder(t);
	const living = process.ppid;
	writeFileSync(path.join(dir, `${dead}-1-1.ndjson`), `${JSON.stringify(line(1))}\n`);
	writeFileSync(path.join(dir, `${dead}-2-1.ndjson`), `${JSON.stringify(line(2))}\n`);
	writeFileSync(path.join(dir, `${living}-9-1.ndjson`), `${JSON.stringify(line(3))}\n`);
	writeFileSync(path.join(dir, "refused-1-1-1.ndjson"), "{}\n");
	const spill = new Spill({ dir, maxBytes: 10_000 });
	assert.equal(spill.lines, 2);
	assert.deepEqual((await spill.oldest())?.lines, [line(1)]);
	assert.equal(spill.write([line(4)]), null);
	assert.deepEqual(readdirSync(dir).filter((name) => name.startsWith(`${process.pid}-`)).length, 3);
	assert.ok(readdirSync(dir).includes(`${living}-9-1.ndjson`));
	// A second one finds nothing that nobody works on.
	assert.equal(new Spill({ dir, maxBytes: 10_000 }).lines, 3);
});

test("of a file cut short the whole lines come back, and the others are counted", async (t) => {
	const dir = folder(t);
	writeFileSync(path.join(dir, `${dead}-1-3.ndjson`), `${JSON.stringify(line(1))}\nnot json\n{"to":"nowhere","at":1,"line":"x"}\n`);
	const segment = await new Spill({ dir, maxBytes: 10_000 }).oldest();
	assert.deepEqual(segment?.lines, [line(1)]);
	assert.equal(segment?.lost, 2);
});
