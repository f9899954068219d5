import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { events, type Metric, metrics } from "../../observability/contract.ts";
import { type OtlpReceiver, startOtlpReceiver } from "../../tests/support/otlp-receiver.ts";
import { declaredSpan, valueProblems } from "../../tests/support/recorded.ts";
import { type About, type Context, lambda, type Process, readTraceparent, type Tools } from "./index.ts";

let receiver: OtlpReceiver;
before(async () => {
	receiver = await startOtlpReceiver();
});
after(() => receiver.close());

const context: Context = {
	awsRequestId: "c6af9ac6-7b61-11e6-9a41-93e8deadbeef",
	invokedFunctionArn: "arn:aws:lambda:eu-west-1:123456789012:function:shop",
	functionVersion: "7",
	getRemainingTimeInMillis: () => 30_000,
};
const incoming = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const about: About<{ tp?: string }> = { name: "shop", trigger: "http", parent: (event) => event.tp };

function own(env: Record<string, string> = {}) {
	const lines: Record<string, unknown>[] = [];
	const process: Process = {
		env: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, OTEL_EXPORTER_OTLP_HEADERS: "api-key=a%20key", TELEMETRY_ENV: "test", ...env },
		write: (line) => {
			assert.ok(!line.includes("\n"), "one line");
			lines.push(JSON.parse(line));
		},
		send: fetch,
		random: () => 0.5,
	};
	return { process, lines, named: (event: string) => lines.filter((line) => line.event === event && !line._aws) };
}
const run = (work: (event: { tp?: string }, tools: Tools) => Promise<unknown>, process: Process) => lambda(about, work, process);

test("a call is one line, one span and its numbers, all of them as the contract says", async () => {
	const { process, lines, named } = own();
	const called = run(async (_event, tools) => {
		tools.set({ "http.request.method": "POST", "http.route": "/cart", "http.response.status_code": 200 });
		tools.records(2, 0);
		return "answer";
	}, process);
	const from = receiver.metrics.length;
	assert.equal(await called({ tp: incoming }, context), "answer");
	assert.equal(await called({}, context), "answer");

	const [first, second] = named("lambda.invoked");
	assert.deepEqual(
		{ ...first, ts: 0, pid: 0, span_id: 0, duration_ms: 0, memory_mb: 0 },
		{
			ts: 0,
			level: "info",
			event: "lambda.invoked",
			msg: events["lambda.invoked"].msg,
			service: "chat-lambda-shop",
			env: "test",
			version: "unknown",
			instance: first?.instance,
			pid: 0,
			trace_id: "0af7651916cd43dd8448eb211c80319c",
			span_id: 0,
			trace_flags: "01",
			request_id: context.awsRequestId,
			function: "shop",
			trigger: "http",
			cold_start: 1,
			duration_ms: 0,
			outcome: "ok",
			method: "POST",
			route: "/cart",
			status: 200,
			records: 2,
			records_failed: 0,
			memory_mb: 0,
		},
	);
	assert.equal(second?.cold_start, 0, "warm the second time");
	assert.notEqual(second?.trace_id, first?.trace_id);

	const [span] = receiver.trace("0af7651916cd43dd8448eb211c80319c");
	assert.ok(span);
	assert.deepEqual(declaredSpan({ name: span.name, kind: "server", attributes: span.attributes }, "lambda"), {
		entry: "lambda {function}",
		problems: [],
	});
	assert.equal(span.parentSpanId, "b7ad6b7169203331", "the caller's trace goes on");
	assert.equal(span.spanId, first?.span_id, "and the line is in it");
	assert.ok(span.end >= span.start && Math.abs(span.end - Date.now()) < 60_000);
	assert.equal(span.resource["faas.name"], "shop");
	assert.equal(span.resource["faas.id"], context.invokedFunctionArn);

	const received = receiver.metrics.slice(from);
	assert.deepEqual(
		[...new Set(received.map((metric) => metric.name))].sort(),
		Object.entries(metrics as Record<string, Metric>)
			.filter(([, metric]) => metric.by === "lambda")
			.map(([name]) => name)
			.sort(),
	);
	for (const metric of received) {
		const declared = (metrics as Record<string, Metric>)[metric.name] as Metric;
		assert.equal(metric.unit, declared.unit);
		if (metric.type === "sum") assert.equal(metric.temporality, "delta");
		for (const [key, value] of metric.points.flatMap((point) => Object.entries(point.attributes))) {
			assert.ok((declared.attributes as readonly string[]).includes(key), `${metric.name}: ${key}`);
			assert.deepEqual(valueProblems(key, value), []);
		}
	}
	const sum = (name: string) =>
		received
			.filter((metric) => metric.name === name)
			.flatMap((metric) => metric.points)
			.reduce((all, point) => all + point.value, 0);
	assert.deepEqual(
		["chat.lambda.invocations", "chat.lambda.duration", "chat.lambda.coldstarts", "chat.lambda.records"].map(sum),
		[2, 2, 1, 4],
	);
	assert.equal(receiver.requests.at(-1)?.headers["api-key"], "a key");

	const emf = lines.filter((line) => line._aws);
	assert.deepEqual(
		emf.map((line) => [line.service, line.env, line.LambdaInvocations, line.LambdaColdStarts, line.LambdaRecords]),
		[
			["chat-lambda-shop", "test", 1, 1, 2],
			["chat-lambda-shop", "test", 1, 0, 2],
		],
	);
	for (const line of emf)
		for (const { Name } of (line._aws as { CloudWatchMetrics: { Metrics: { Name: string }[] }[] }).CloudWatchMetrics[0]?.Metrics ?? [])
			assert.equal(typeof line[Name], "number");
});

test("what throws is logged once, marked and thrown on; its trace is exported though the dice said no", async () => {
	const { process, named, lines } = own({ TELEMETRY_SAMPLE_RATIO: "0" });
	const tp = "00-1af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
	const failing = run(async () => {
		throw new Error('no table "carts" at postgres://ana:secret@db/x');
	}, process);
	await assert.rejects(failing({ tp }, context), /no table/);
	assert.equal(named("exception").length, 1);
	assert.equal(named("lambda.invoked")[0]?.outcome, "failed");
	assert.equal(named("lambda.invoked")[0]?.level, "error");
	const [span] = receiver.trace("1af7651916cd43dd8448eb211c80319c");
	assert.equal(span?.status, "error");
	assert.equal(span?.attributes["error.type"], "internal");
	assert.ok(!JSON.stringify(lines).includes("secret"), "addresses are cut out of messages");
	assert.equal(lines.find((line) => line._aws)?.LambdaFailed, 1);
});

test("what went well is exported by the ratio alone, whatever the caller asks for; numbers are always", async () => {
	const { process } = own({ TELEMETRY_SAMPLE_RATIO: "0" });
	const from = receiver.metrics.length;
	await run(async () => 1, process)({ tp: "00-2af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01" }, context);
	assert.deepEqual(receiver.trace("2af7651916cd43dd8448eb211c80319c"), []);
	assert.ok(receiver.metrics.length > from);
});

test("a span within the call: its place, its links, and what throws in it", async () => {
	const { process } = own();
	const tp = "00-3af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
	let handedOn = "";
	const failing = run(async (_event, tools) => {
		await tools.span("process record", "consumer", {}, async (span) => span.set({ "chat.record.outcome": "ok" }), [
			readTraceparent(incoming),
			readTraceparent("nonsense"),
		]);
		await tools.span("GET", "client", {}, async (span) => {
			handedOn = span.traceparent;
			throw new TypeError("x");
		});
	}, process);
	await assert.rejects(failing({ tp }, context), TypeError);
	const spans = receiver.trace("3af7651916cd43dd8448eb211c80319c");
	const root = spans.find((span) => span.kind === "server");
	const record = spans.find((span) => span.kind === "consumer");
	const client = spans.find((span) => span.kind === "client");
	assert.equal(record?.parentSpanId, root?.spanId);
	assert.deepEqual(record?.links, [{ traceId: "0af7651916cd43dd8448eb211c80319c", spanId: "b7ad6b7169203331" }]);
	assert.equal(record?.attributes["chat.record.outcome"], "ok");
	assert.equal(client?.status, "error");
	assert.equal(handedOn, `00-3af7651916cd43dd8448eb211c80319c-${client?.spanId}-01`);
});

test("no receiver, a receiver that fails, a call with no time left: the answer comes, and what was lost is said", async () => {
	const { process, named } = own();
	receiver.behave("unavailable");
	try {
		assert.equal(await run(async () => "answer", process)({}, context), "answer");
	} finally {
		receiver.behave("well");
	}
	assert.deepEqual(
		named("telemetry.export_failed").map((line) => [line.signal, line.detail]),
		[
			["span", "answered 503"],
			["metric", "answered 503"],
		],
	);
	const requests = receiver.requests.length;
	assert.equal(await run(async () => "answer", process)({}, { ...context, getRemainingTimeInMillis: () => 100 }), "answer");
	assert.equal(receiver.requests.length, requests, "nothing is begun that could not end");
	const alone = own({ OTEL_EXPORTER_OTLP_ENDPOINT: "" });
	assert.equal(await run(async () => "answer", alone.process)({}, context), "answer");
});

test("an event of any shape does not break telemetry, and a field outside the contract stays outside", async () => {
	const { process, named } = own();
	const careless: About<never> = { name: "shop", trigger: "http", parent: (event) => (event as { a: { b: string } }).a.b };
	const called = lambda(
		careless,
		async (_event, tools) => {
			tools.log.warn("job.failed", { job: "x", exception_message: "y", ...({ password: "z" } as object) });
			tools.outcome("refused", "not-found");
			return 1;
		},
		process,
	);
	for (const event of [null, undefined, "text", 1, [], { a: null }]) assert.equal(await called(event as never, context), 1);
	assert.equal(named("job.failed").length, 6);
	assert.ok(named("job.failed").every((line) => !("password" in line)));
	assert.deepEqual(
		[...new Set(named("lambda.invoked").map((line) => `${line.outcome} ${line.error_type} ${line.level}`))],
		["refused not-found info"],
	);
});

test("a traceparent is read strictly", () => {
	assert.deepEqual(readTraceparent(incoming), { traceId: "0af7651916cd43dd8448eb211c80319c", spanId: "b7ad6b7169203331" });
	for (const bad of ["", null, 1, {}, incoming.toUpperCase(), `${incoming}x`, `00-${"0".repeat(32)}-b7ad6b7169203331-01`, "00-zz-yy-01"])
		assert.equal(readTraceparent(bad), null);
});
