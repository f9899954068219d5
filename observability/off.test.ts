import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { text } from "node:stream/consumers";
import { type TestContext, test } from "node:test";
import { startCloudWatchLogs } from "../tests/support/cloudwatch-logs.ts";

/** Remembers each module that is loaded, however it is asked for. */
const watch = `data:text/javascript,${encodeURIComponent(`
	import { registerHooks } from "node:module";
	globalThis.loaded = new Set();
	registerHooks({ load(url, context, next) { globalThis.loaded.add(url); return next(url, context); } });
`)}`;

/** Runs a script in a process that began as the server does, and gives what it said as JSON on its last line. */
async function inProcess(t: TestContext, env: Record<string, string>, script: string) {
	const folder = mkdtempSync(path.join(tmpdir(), "charla-off-"));
	t.after(() => rmSync(folder, { recursive: true }));
	const args = ["--import", watch, "--import", "./observability/start.ts", "--input-type=module-typescript", "--eval", script];
	const child = spawn(process.execPath, args, {
		cwd: new URL("../", import.meta.url),
		env: { ...process.env, NODE_ENV: "production", DATA_DIR: folder, ...env },
		stdio: ["ignore", "pipe", "pipe"],
	});
	const [out, error, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "exit")]);
	assert.equal(code, 0, error);
	return JSON.parse(out.trim().split("\n").at(-1) as string) as unknown;
}

/** The packages of OpenTelemetry's SDK and of New Relic a whole server has loaded. */
const packages = `
	await import("./server.ts");
	const names = [...globalThis.loaded].flatMap((url) => /node_modules\\/((@opentelemetry\\/)?[^/]+)\\/(?!.*node_modules\\/)/.exec(url)?.[1] ?? []);
	const found = [...new Set(names)].filter((name) => /^(@opentelemetry|newrelic$)/.test(name) && name !== "@opentelemetry/api");
	process.stdout.write(JSON.stringify(found) + "\\n", () => process.exit(0));
`;

test("TELEMETRY=off loads nothing of OpenTelemetry but its API, which does nothing, and no agent", async (t) => {
	assert.deepEqual(await inProcess(t, { TELEMETRY: "off", NEW_RELIC_LICENSE_KEY: "0".repeat(40) }, packages), []);
});

test("without a key what /ops is drawn from is loaded, and nothing that would export it", async (t) => {
	const found = (await inProcess(t, {}, packages)) as string[];
	assert.ok(found.includes("@opentelemetry/sdk-metrics"), found.join());
	assert.ok(!found.includes("newrelic"));
});

test("TELEMETRY=off does not stop log lines on their way to CloudWatch", async (t) => {
	const cloud = await startCloudWatchLogs({ groups: ["/charla"] });
	t.after(() => cloud.close());
	const env = {
		TELEMETRY: "off",
		LOG_GROUP: "/charla",
		AWS_REGION: "eu-west-1",
		AWS_ACCESS_KEY_ID: "test",
		AWS_SECRET_ACCESS_KEY: "test",
		LOG_ENDPOINT: cloud.endpoint,
		INSTANCE_ID: "i-1",
		TELEMETRY_ENV: "test",
	};
	const script = `
		const { openOwnLog } = await import("./observability/own-log.ts");
		const { stopTelemetry } = await import("./observability/telemetry.ts");
		openOwnLog({ logLevel: "info", accessLog: null }, "b1").info("service.stopped", { sockets_left: 0 });
		await stopTelemetry();
		process.stdout.write("null\\n");
	`;
	await inProcess(t, env, script);
	const lines = cloud.lines("/charla").map((line) => JSON.parse(line) as Record<string, unknown>);
	assert.deepEqual(
		lines.map(({ event, env, instance }) => [event, env, String(instance).split("/")[0]]),
		[["service.stopped", "test", "i-1"]],
	);
});
