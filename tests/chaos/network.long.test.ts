import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { runApart, whyNotApart } from "../../scripts/rehearse/apart.ts";
import { late, type Measured, measure } from "./measure.ts";
import { openProxies } from "./network.ts";
import { bringNetwork } from "./start.ts";

type All = Awaited<ReturnType<typeof measure>>;

/** What faults rely on, whichever network it is. */
function holds(t: TestContext, { open, late: delayed, cut, after }: All): void {
	t.diagnostic(JSON.stringify({ open, delayed, cut, after }));
	const goesOn = (each: Measured) => each.inOrder && !each.closed;
	assert.ok(goesOn(open) && open.answers > 10 && open.fastest < late, "open");
	assert.equal(open.another, "made");
	assert.ok(goesOn(delayed) && delayed.answers > 10, "late");
	assert.ok(delayed.fastest >= late * 2, `there and back took ${delayed.fastest} ms`);
	assert.ok(cut.answers === 0 && !cut.closed, "cut, nothing gets through and nobody hangs up");
	assert.ok(goesOn(after) && after.slowest >= 900, "what was under way arrives when it is put back");
}

test("a line by proxy: open, late, cut and put back", { timeout: 60_000 }, async (t) => {
	holds(t, await measure(openProxies("it is measured")));
});

test("a line by cable between network namespaces: open, late, cut and put back, and cut nobody answers who connects anew", {
	timeout: 60_000,
	skip: whyNotApart() ?? (await bringNetwork()) ?? false,
}, async (t) => {
	const out: string[] = [];
	const script = fileURLToPath(new URL("./measure.ts", import.meta.url));
	const { code } = await runApart(script, [], {
		hear: (stream, line) => (stream === "stdout" ? out.push(line) : t.diagnostic(line)),
		signal: t.signal,
	});
	assert.equal(code, 0);
	const measured = JSON.parse(out.join("\n")) as All;
	holds(t, measured);
	// A proxy takes the connection whatever it does with the bytes.
	assert.equal(measured.cut.another, null);
	assert.equal(measured.after.another, "made");
});
