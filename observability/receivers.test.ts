import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { startOtlpReceiver } from "../tests/support/otlp-receiver.ts";

/** Forty characters, as a real one has. */
const licenseKey = "0123456789abcdef0123456789abcdef01234567";

type Line = Record<string, unknown>;

/** Runs a script in a process with telemetry as production starts it, exporting to `url`; gives its exit code and its lines. */
async function inProcess(url: string, script: string, more: Record<string, string> = {}) {
	const wiring = `
		import { trace } from "@opentelemetry/api";
		import { openOwnLog } from "./observability/own-log.ts";
		import { telemetry } from "./observability/telemetry.ts";
		const kept = telemetry();
		const log = openOwnLog({ logLevel: "info", accessLog: null }, "b1");
		const line = (n) => log.info("service.stopped", { sockets_left: n });
		const figures = (signal) => kept.exporting().find((one) => one.signal === signal);
		// After the lines of this turn.
		const end = (said) => setImmediate(() => process.stdout.write(JSON.stringify(said) + "\\n", () => process.exit(0)));
		const until = async (done) => { while (!done()) await new Promise((next) => setTimeout(next, 5)); };
	`;
	const child = spawn(
		process.execPath,
		["--import", "./observability/start.ts", "--input-type=module-typescript", "--eval", wiring + script],
		{
			cwd: new URL("../", import.meta.url),
			env: { ...process.env, OTEL_EXPORTER_OTLP_ENDPOINT: url, TELEMETRY_SAMPLE_RATIO: "1", TELEMETRY_METRICS_EVERY: "3600", ...more },
			stdio: ["ignore", "pipe", "pipe"],
		},
	);
	const [out, error, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "exit")]);
	const lines = out
		.split("\n")
		.filter((line) => line.startsWith("{"))
		.map((line) => JSON.parse(line) as Line);
	return { code, error, lines, failures: lines.filter((line) => line.event === "telemetry.export_failed") };
}

/** How often each loss was told, by signal and reason. */
function told(failures: Line[]): Record<string, number> {
	const times: Record<string, number> = {};
	for (const { signal, reason } of failures) times[`${signal} ${reason}`] = (times[`${signal} ${reason}`] ?? 0) + 1;
	return times;
}

test("a receiver that hangs costs telemetry and nothing else: no log call throws, and each kind of loss is told once", async (t) => {
	const receiver = await startOtlpReceiver();
	t.after(() => receiver.close());
	receiver.behave("hang");
	const { code, error, lines, failures } = await inProcess(
		receiver.url,
		`
		const tracer = trace.getTracer("charla");
		for (let n = 0; n < 7000; n++) {
			line(n);
			tracer.startSpan("chat/message.send").end();
		}
		end({ dropped: [figures("log").dropped, figures("span").dropped] });
		`,
	);
	assert.equal(code, 0, error);
	assert.equal(lines.filter((line) => line.event === "service.stopped").length, 7000, "every line is on standard output");
	assert.deepEqual(told(failures), { "log queue-full": 1, "span queue-full": 1 });
	// One batch is under way, ten wait.
	const { dropped } = lines.find((line) => "dropped" in line) as { dropped: number[] };
	assert.deepEqual(dropped, [7000 - 512 - 5120, 7000 - 512 - 5120]);
});

test("a receiver that refuses is told once, with all that was lost at the end, and never by a line that goes there itself", async (t) => {
	const receiver = await startOtlpReceiver();
	t.after(() => receiver.close());
	receiver.behave("unauthorized");
	const { code, error, lines, failures } = await inProcess(
		receiver.url,
		`
		for (let batch = 1; batch <= 5; batch++) {
			for (let n = 0; n < 512; n++) line(n);
			await until(() => figures("log").dropped >= batch * 512);
		}
		const { dropped, queued } = figures("log");
		await kept.stop();
		end({ dropped, queued });
		`,
	);
	assert.equal(code, 0, error);
	const said = lines.find((line) => "dropped" in line);
	assert.deepEqual([said?.dropped, said?.queued], [2560, 0], "what tells of a lost batch does not begin the next");
	const ofLogs = failures.filter((line) => line.signal === "log");
	assert.deepEqual(
		ofLogs.map((line) => [line.reason, line.count]),
		[
			["export-failed", 512],
			["export-failed", 2048],
		],
	);
	assert.ok(receiver.requests.every((request) => !request.text.includes("telemetry.export_failed")));
});

test("the licence key becomes the key of what is exported to New Relic, on the wire", async (t) => {
	const receiver = await startOtlpReceiver();
	t.after(() => receiver.close());
	const { code, error } = await inProcess(
		receiver.url.replace("127.0.0.1", "otlp.nr-data.net"),
		`
		// Nobody is asked where that is, and the agent beside it finds nobody.
		const { default: dns } = await import("node:dns");
		dns.lookup = (_host, options, done) => done(null, options.all ? [{ address: "127.0.0.1", family: 4 }] : "127.0.0.1", 4);
		line(1);
		trace.getTracer("charla").startSpan("chat/message.send").end();
		await kept.stop();
		end({});
		`,
		{ NEW_RELIC_LICENSE_KEY: licenseKey, NEW_RELIC_HOST: "127.0.0.1", NEW_RELIC_PORT: "9" },
	);
	assert.equal(code, 0, error);
	assert.deepEqual([...new Set(receiver.requests.map(({ path }) => path))].sort(), ["/v1/logs", "/v1/metrics", "/v1/traces"]);
	for (const { headers, path } of receiver.requests) assert.equal(headers["api-key"], licenseKey, path);
});
