import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { runProgram } from "../../scripts/rehearse/program.ts";
import { startNerdGraph } from "../support/nerdgraph.ts";

async function deployed(t: TestContext, env: Record<string, string>) {
	const folder = mkdtempSync(join(tmpdir(), "charla-deployed-"));
	t.after(() => rmSync(folder, { recursive: true, force: true }));
	const release = join(folder, "release.json");
	writeFileSync(release, JSON.stringify({ version: "1.2.3+abc", release: "0123456789ab" }));
	const said: string[] = [];
	const { code } = await runProgram(process.execPath, [fileURLToPath(new URL("../../deploy/deployed.ts", import.meta.url)), release], {
		env: { PATH: process.env.PATH, DEPLOYMENT_ID: "d-ABC", TELEMETRY_ENV: "dev", INSTANCE_ID: "i-1", ...env },
		hear: (_stream, line) => said.push(line),
	});
	return { code, lines: said.filter((line) => line.startsWith("{")).map((line) => JSON.parse(line) as Record<string, unknown>) };
}

test("a release that serves is a line of the log, with which and by which deployment", async (t) => {
	const { code, lines } = await deployed(t, {});
	assert.equal(code, 0);
	assert.equal(lines.length, 1);
	const { event, deployment_id, release, marked, version, instance } = lines[0] ?? {};
	assert.deepEqual(
		[event, deployment_id, release, marked, version, instance],
		["deploy.finished", "d-ABC", "0123456789ab", false, "1.2.3+abc", "i-1"],
	);
});

test("and a marker in New Relic; one that says no changes nothing but a line", async (t) => {
	const nerdGraph = await startNerdGraph({ userKey: "NRAK-TEST", accountId: 1, services: [{ name: "chat-web", domain: "EXT" }] });
	t.after(() => nerdGraph.close());
	const env = { NEW_RELIC_USER_KEY: "NRAK-TEST", NEW_RELIC_NERDGRAPH_URL: nerdGraph.url };
	assert.equal((await deployed(t, env)).lines.at(-1)?.marked, true);
	const refused = await deployed(t, { ...env, NEW_RELIC_NERDGRAPH_URL: "http://127.0.0.1:9" });
	assert.deepEqual(
		refused.lines.map(({ event }) => event),
		["deploy.unmarked", "deploy.finished"],
	);
	assert.equal(refused.code, 0);
});
