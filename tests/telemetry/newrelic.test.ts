import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { traceOf } from "../../app/contract/envelope.ts";
import { tookAtMost } from "../support/long.ts";
import { type CollectorMode, startCollector } from "../support/newrelic-collector.ts";
import { receiving } from "../support/receiving.ts";

const start = fileURLToPath(new URL("../../observability/start.ts", import.meta.url));
const child = fileURLToPath(new URL("newrelic-child.ts", import.meta.url));
/** Forty characters, as a real one has. */
const licenseKey = "0123456789abcdef0123456789abcdef01234567";

/** Loaded before the agent: it measures memory every five seconds, and what waits for that here waits a moment. */
const measuresSoon = `data:text/javascript,${encodeURIComponent(`
	const { setInterval: every } = globalThis;
	globalThis.setInterval = (work, ms, ...rest) => every(work, ms === 5000 ? 100 : ms, ...rest);
`)}`;

/** What stopping may take, ms: the agent gives up after 3 s, the SDK's last export after 4.5, both at once; the rest is for a busy machine. */
const STOP_BUDGET = 9000;

/** Says yes to whatever OTLP sends, and remembers to which address. */
async function startOtlp() {
	const paths: string[] = [];
	const bodies: { path: string; body: Buffer }[] = [];
	const server = createServer(
		receiving((request, response, body) => {
			const path = request.url ?? "";
			paths.push(path);
			bodies.push({ path, body: request.headers["content-encoding"] === "gzip" ? gunzipSync(body) : body });
			response.writeHead(200).end();
		}),
	);
	await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
	return {
		url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
		paths,
		/** How often a text stands in what came to that address; protobuf writes texts as they are. */
		count(path: string, text: string): number {
			const parts = bodies.filter((one) => one.path === path).map((one) => one.body.toString("latin1").split(text).length - 1);
			return parts.reduce((sum, found) => sum + found, 0);
		},
		close() {
			server.closeAllConnections();
			server.close();
		},
	};
}

/** A process with the agent in it; everything it says is JSON of ours, or the test fails. */
function startChild(task: "talk" | "serve", mode: "split" | "bridge", env: Record<string, string>) {
	const run: ChildProcess = spawn(process.execPath, ["--import", measuresSoon, "--import", start, child, task], {
		env: {
			...process.env,
			TELEMETRY_ENV: "test",
			SERVICE_VERSION: "abc123",
			TELEMETRY_SAMPLE_RATIO: "1",
			NEW_RELIC_LICENSE_KEY: licenseKey,
			TELEMETRY: mode,
			...env,
		},
		stdio: ["pipe", "pipe", "pipe"],
	});
	const said: Record<string, unknown>[] = [];
	const odd: string[] = [];
	const waiting = new Set<() => void>();
	const hear = () => {
		for (const look of waiting) look();
	};
	createInterface({ input: run.stdout! }).on("line", (line) => {
		try {
			said.push(JSON.parse(line) as Record<string, unknown>);
		} catch {
			odd.push(line);
		}
		hear();
	});
	createInterface({ input: run.stderr! }).on("line", (line) => odd.push(line));
	const ended = new Promise<number | null>((resolve) => run.once("exit", resolve));
	ended.then(hear);
	return {
		said,
		odd,
		/** The first line with that key; throws after 60 s, or when the process ended without. */
		told(key: string): Promise<Record<string, unknown>> {
			return new Promise((resolve, reject) => {
				const late = setTimeout(() => reject(new Error(`never said ${key}: ${JSON.stringify(said)} ${odd.join("\n")}`)), 60_000);
				const look = () => {
					const found = said.find((one) => key in one);
					if (!found && run.exitCode === null) return;
					clearTimeout(late);
					waiting.delete(look);
					if (found) resolve(found);
					else reject(new Error(`ended without ${key}: ${odd.join("\n")}`));
				};
				waiting.add(look);
				look();
			});
		},
		async stop(): Promise<Record<string, unknown>> {
			run.stdin?.end();
			const stopped = await this.told("stopped");
			assert.equal(await ended, 0);
			return stopped;
		},
		kill: () => run.kill("SIGKILL"),
	};
}

type SpanEvent = [Record<string, unknown>, Record<string, unknown>, Record<string, unknown>];

async function talked(mode: "split" | "bridge", env: Record<string, string> = {}) {
	const collector = await startCollector();
	const otlp = await startOtlp();
	const process = startChild("talk", mode, { ...collector.env, ...env, OTEL_EXPORTER_OTLP_ENDPOINT: otlp.url });
	try {
		const { ids, failed, kept } = (await process.told("ready")) as { ids: string[]; failed: string; kept: number[] };
		for (const spans of kept) assert.ok(spans >= 4, `/ops has the trace in both modes: ${spans} spans`);
		await collector.called("agent_settings");
		await process.stop();
		assert.deepEqual(process.odd, []);
		assert.deepEqual(
			process.said.filter((line) => "trouble" in line),
			[],
		);
		return { collector, otlp, ids, failed };
	} finally {
		process.kill();
		otlp.close();
		await collector.close();
	}
}

async function hasErrorsAndEvents({ collector, otlp, ids, failed }: Awaited<ReturnType<typeof talked>>): Promise<void> {
	const [id] = ids as [string];
	const { traceId, rootSpanId } = traceOf(id);
	assert.ok(collector.received.every((one) => one.licenseKey === licenseKey));
	const [connect] = (await collector.called("connect")).body as {
		app_name: string[];
		labels: { label_type: string; label_value: string }[];
	}[];
	assert.deepEqual(connect?.app_name, ["chat-web"]);
	assert.deepEqual(connect?.labels.map((label) => `${label.label_type}:${label.label_value}`).sort(), [
		"env:test",
		"team:chat",
		"version:abc123",
	]);

	const errors = collector.events("error_event_data") as SpanEvent[];
	const noticed = errors.filter(([, user]) => user["trace.id"] === traceId);
	assert.equal(noticed.length, 1);
	const [[intrinsics, user]] = noticed as [SpanEvent];
	assert.equal(intrinsics["error.class"], "TypeError");
	assert.equal(intrinsics["error.message"], "no room for … at …");
	assert.equal(user["span.id"], rootSpanId);
	assert.equal(user.call, "message:post");
	assert.equal(collector.events("error_data").length + collector.of("error_data").length > 0, true);

	// In bridge from its span, in split by noticeError; in both cases once, though three places knew of it.
	const failures = errors.filter(([about, given]) => about.traceId === failed || given["trace.id"] === failed);
	assert.deepEqual(
		failures.map(([about]) => about["error.message"]),
		["the statement failed"],
	);

	// A message is one record of the log, by one way only.
	for (const one of ids) assert.equal(otlp.count("/v1/logs", one), 1, one);
	for (const method of ["custom_event_data", "log_event_data"]) assert.deepEqual(collector.of(method), [], method);

	const metricNames = collector
		.of("metric_data")
		.flatMap(({ body }) => (body as [string, number, number, [{ name: string }][]])[3].map(([{ name }]) => name));
	assert.ok(metricNames.includes("Memory/Physical"), "memory metrics");

	const sent = JSON.stringify(collector.received.map((one) => one.body));
	for (const secret of ["a secret told to nobody", "hunter2", "ana@example.org", "sid="]) assert.ok(!sent.includes(secret), secret);
}

test("split: the SDK exports traces and metrics; from the agent come errors and memory, and nothing else", async () => {
	const run = await talked("split");
	await hasErrorsAndEvents(run);
	const { collector, otlp } = run;
	for (const method of ["span_event_data", "analytic_event_data", "log_event_data", "transaction_sample_data", "sql_trace_data"])
		assert.deepEqual(collector.of(method), [], method);
	assert.ok(otlp.paths.includes("/v1/traces"));
	assert.ok(otlp.paths.includes("/v1/metrics"));
});

test("bridge: spans and transactions come from the agent, named as the contract means them, and none by OTLP", async () => {
	const run = await talked("bridge");
	await hasErrorsAndEvents(run);
	const { collector, otlp, ids } = run;
	assert.ok(!otlp.paths.includes("/v1/traces"), "no trace by OTLP");
	assert.ok(otlp.paths.includes("/v1/metrics"), "metrics stay with the SDK");
	assert.deepEqual(collector.of("log_event_data"), []);

	const transactions = (collector.events("analytic_event_data") as SpanEvent[]).map(([intrinsics]) => intrinsics.name);
	const named = (name: string) => transactions.filter((one) => one === name).length;
	assert.equal(named("WebTransaction/WebFrameworkUri/socketio/chat/message.send"), 2, "over a websocket and over polling");
	assert.equal(named("WebTransaction/WebFrameworkUri/socketio/chat/room.history"), 2);
	assert.equal(named("WebTransaction/WebFrameworkUri/socketio/chat/socket.connect"), 4);
	assert.equal(named("WebTransaction/WebFrameworkUri/socketio/chat/socket.disconnect"), 4);
	assert.equal(named("OtherTransaction/Message/socketio/process/Named/message.created"), 1);
	assert.deepEqual(
		transactions.filter((name) => /unknown|\*|socket\.io/.test(String(name))),
		[],
	);

	const spans = (collector.events("span_event_data") as SpanEvent[]).filter(([intrinsics]) => intrinsics?.type === "Span");
	assert.equal(new Set(spans.map(([{ guid }]) => guid)).size, spans.length, "each span once");
	for (const [index, id] of ids.entries()) {
		const { traceId, rootSpanId } = traceOf(id);
		const mine = spans.filter(([intrinsics]) => intrinsics.traceId === traceId);
		assert.deepEqual(mine.map(([intrinsics]) => intrinsics.name).sort(), [
			"Datastore/statement/postgresql/room_log/insert",
			"MessageBroker/socketio/publish/Produce/Named/message.created",
			...(index === 0 ? ["OtherTransaction/Message/socketio/process/Named/message.created"] : []),
			"WebTransaction/WebFrameworkUri/socketio/chat/message.send",
			"chat.message.validate",
		]);
		for (const [, , agentGiven] of mine) assert.equal(agentGiven["chat.message.id"], id);
		const [send] = mine.filter(([intrinsics]) => String(intrinsics.name).endsWith("chat/message.send"));
		assert.equal(send?.[0].parentId, rootSpanId, "the browser's span");
		const children = mine.filter(([{ name }]) => /validate|Datastore|Produce/.test(String(name)));
		assert.deepEqual(
			children.map(([intrinsics]) => intrinsics.parentId),
			children.map(() => send?.[0].guid),
		);
	}
});

test("bridge: our sampler decides, not the flag of the browser: of what it leaves out transactions are counted, spans not sent", async () => {
	const { collector, ids } = await talked("bridge", { TELEMETRY_SAMPLE_RATIO: "0" });
	const traces = new Set((collector.events("analytic_event_data") as SpanEvent[]).map(([about]) => about.traceId));
	for (const id of ids) assert.ok(traces.has(traceOf(id).traceId), "its transaction");
	assert.deepEqual(collector.events("span_event_data"), []);
});

const modes: { collector: CollectorMode | "away"; says: RegExp }[] = [
	{ collector: "invalid-key", says: /licence key/ },
	{ collector: "disconnect", says: /told this agent to stop/ },
	{ collector: "away", says: /cannot be reached/ },
];
for (const { collector: behaviour, says } of modes)
	for (const mode of ["split", "bridge"] as const)
		test(`${mode}, collector ${behaviour}: the process serves, one line tells, and it stops in time`, async () => {
			const collector = await startCollector(behaviour === "away" ? "well" : behaviour);
			if (behaviour === "away") await collector.close();
			const otlp = await startOtlp();
			const process = startChild("serve", mode, { ...collector.env, OTEL_EXPORTER_OTLP_ENDPOINT: otlp.url });
			try {
				const { port } = await process.told("ready");
				assert.equal(await (await fetch(`http://127.0.0.1:${port}/`)).text(), "hello");
				assert.match(String((await process.told("trouble")).trouble), says);
				const { stopped } = await process.stop();
				tookAtMost(STOP_BUDGET, Number(stopped), "stopping");
				assert.equal(process.said.filter((line) => "trouble" in line).length, 1);
			} finally {
				process.kill();
				otlp.close();
				await collector.close();
			}
		});

test("a collector that never answers: the process serves and stops in time, with errors still waiting to be sent", async () => {
	const collector = await startCollector("hang");
	const otlp = await startOtlp();
	const process = startChild("serve", "split", { ...collector.env, OTEL_EXPORTER_OTLP_ENDPOINT: otlp.url });
	try {
		const { port } = await process.told("ready");
		await collector.called("preconnect");
		assert.equal(await (await fetch(`http://127.0.0.1:${port}/`)).text(), "hello");
		const { stopped } = await process.stop();
		tookAtMost(STOP_BUDGET, Number(stopped), "stopping");
		assert.deepEqual(process.odd, []);
	} finally {
		process.kill();
		otlp.close();
		await collector.close();
	}
});

test("a collector that hangs only when the process stops does not keep it", async () => {
	const collector = await startCollector();
	const otlp = await startOtlp();
	const process = startChild("serve", "split", { ...collector.env, OTEL_EXPORTER_OTLP_ENDPOINT: otlp.url });
	try {
		await process.told("ready");
		await collector.called("metric_data");
		collector.behave("hang");
		const { stopped } = await process.stop();
		tookAtMost(STOP_BUDGET, Number(stopped), "stopping");
	} finally {
		process.kill();
		otlp.close();
		await collector.close();
	}
});

test("without a licence key the agent is not even loaded", async () => {
	const otlp = await startOtlp();
	const process = startChild("serve", "split", { NEW_RELIC_LICENSE_KEY: "", OTEL_EXPORTER_OTLP_ENDPOINT: otlp.url });
	try {
		await process.told("ready");
		const stopped = await process.stop();
		assert.equal(stopped.agentLoaded, false);
		assert.deepEqual(process.odd, []);
	} finally {
		process.kill();
		otlp.close();
	}
});
