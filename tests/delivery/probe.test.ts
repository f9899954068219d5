import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { probe } from "../../deploy/probe/talk.ts";
import { testCharla } from "../support/charla.ts";

function keptFile(t: TestContext): string {
	const folder = mkdtempSync(join(tmpdir(), "charla-probe-"));
	t.after(() => rmSync(folder, { recursive: true, force: true }));
	return join(folder, "probe.json");
}

test("two people talk, and come back as the same two the next time", async (t) => {
	await using charla = await testCharla({ pages: true });
	const kept = keptFile(t);
	const first = await probe({ url: charla.url, kept, within: 30_000 });
	assert.ok(first.stored > 0 && first.delivered > 0 && first.seen >= first.delivered, JSON.stringify(first));
	assert.match(first.build, /^[0-9a-f]{12}$/);
	assert.equal(statSync(kept).mode & 0o777, 0o600);
	const pair = readFileSync(kept, "utf8");
	await probe({ url: charla.url, kept, within: 30_000 });
	assert.equal(readFileSync(kept, "utf8"), pair);
});

test("sessions that ended are replaced; nobody else hears anything", async (t) => {
	await using charla = await testCharla({ pages: true });
	const kept = keptFile(t);
	const { cookie } = await charla.person("Witness");
	const witness = await charla.connect(cookie);
	await probe({ url: charla.url, kept, within: 30_000 });
	const { writer, reader } = JSON.parse(readFileSync(kept, "utf8")) as Record<string, string>;
	for (const each of [writer, reader]) await charla.auth.leave((await charla.auth.whoIs(each as string)) as never);
	await probe({ url: charla.url, kept, within: 30_000 });
	assert.deepEqual(
		witness.facts.filter(({ kind }) => kind === "message-posted"),
		[],
	);
});

test("[D2] a server that cannot store, or is not there, is found out, with the step that failed", async () => {
	await using charla = await testCharla({ pages: true });
	charla.chat.messages.post = () => Promise.reject(new Error("a fault of the test"));
	await assert.rejects(probe({ url: charla.url, within: 30_000 }), /message:post was refused: failed/);
	await assert.rejects(probe({ url: "http://127.0.0.1:9", within: 2000 }), Error);
});
