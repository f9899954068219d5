import assert from "node:assert/strict";
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { type TestContext, test } from "node:test";
import { gunzipSync } from "node:zlib";
import type { TraceSpan } from "../app/contract/ops.ts";
import { holdTimers } from "../tests/support/held-timers.ts";
import { tookAtMost } from "../tests/support/long.ts";
import { recordInMemory } from "../tests/support/recorded.ts";
import { openBrowserExport } from "./browser-export.ts";

type Sent = { resourceSpans: { resource: { attributes: unknown[] }; scopeSpans: { spans: { spanId: string }[] }[] }[] };

const span = (n: number, instance = "browser/55555555"): TraceSpan => ({
	traceId: "a".repeat(32),
	spanId: n.toString(16).padStart(16, "0"),
	parentSpanId: n === 1 ? null : "b".repeat(16),
	name: "render message.created",
	kind: "consumer",
	service: "chat-browser",
	instance,
	start: 1_800_000_000_000.125,
	duration: 2.5,
	error: n === 1 ? "gave up" : null,
	attributes: { "session.id": "5".repeat(32), "chat.render.ms": 12, "chat.switch.cached": true, "chat.queue.ms": 0.5 },
	links: [],
});

/** A collector on the wire. `answers` are the statuses it gives, the last for ever; null: no answer at all. */
async function collector(t: TestContext, answers: (number | null)[] = [200]) {
	const recorded = recordInMemory();
	const requests: { path: string | undefined; headers: IncomingHttpHeaders; body: Sent }[] = [];
	const server = createServer((request, response) => {
		const chunks: Buffer[] = [];
		request.on("data", (chunk: Buffer) => chunks.push(chunk));
		request.on("end", () => {
			const status = answers.length > 1 ? answers.shift() : answers[0];
			if (!status) return;
			const { url: path, headers } = request;
			requests.push({ path, headers, body: JSON.parse(gunzipSync(Buffer.concat(chunks)).toString()) });
			response.writeHead(status).end("{}");
		});
	});
	await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
	t.after(async () => {
		server.closeAllConnections();
		await new Promise((done) => server.close(done));
		await recorded.end();
	});
	const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
	const made = openBrowserExport({
		endpoint,
		headers: { "api-key": "k" },
		resource: { "deployment.environment.name": "test" },
		pause: 1,
		clock: () => 42,
	});
	const dropped = async () =>
		((await recorded.metrics()).get("telemetry.dropped")?.dataPoints ?? []).map(({ attributes, value }) => [
			attributes.signal,
			attributes.reason,
			value,
		]);
	return { made, requests, dropped };
}

test("browsers' spans arrive gzipped, as a service of their own, a resource for each visit", async (t) => {
	const { made, requests } = await collector(t);
	made.add([span(1), span(2), span(3, "browser/66666666")]);
	assert.equal(made.stats().queued, 3);
	await made.stop();
	const [request, ...others] = requests;
	assert.deepEqual(others, []);
	assert.deepEqual(
		[request?.path, request?.headers["api-key"], request?.headers["content-type"], request?.headers["content-encoding"]],
		["/v1/traces", "k", "application/json", "gzip"],
	);
	const [first, second] = request?.body.resourceSpans ?? [];
	assert.deepEqual(first?.resource.attributes, [
		{ key: "deployment.environment.name", value: { stringValue: "test" } },
		{ key: "service.name", value: { stringValue: "chat-browser" } },
		{ key: "service.instance.id", value: { stringValue: "browser/55555555" } },
	]);
	assert.equal(second?.scopeSpans[0]?.spans.length, 1);
	assert.deepEqual(first?.scopeSpans[0]?.spans[0], {
		traceId: "a".repeat(32),
		spanId: `${"0".repeat(15)}1`,
		name: "render message.created",
		kind: 5,
		startTimeUnixNano: "1800000000000125000",
		endTimeUnixNano: "1800000000002625000",
		attributes: [
			{ key: "session.id", value: { stringValue: "5".repeat(32) } },
			{ key: "chat.render.ms", value: { intValue: "12" } },
			{ key: "chat.switch.cached", value: { boolValue: true } },
			{ key: "chat.queue.ms", value: { doubleValue: 0.5 } },
		],
		links: [],
		status: { code: 2, message: "gave up" },
	});
	const { to, ...figures } = made.stats();
	assert.ok(to?.startsWith("http://127.0.0.1:"));
	assert.deepEqual(figures, { signal: "browser", exported: 3, dropped: 0, queued: 0, lastError: null, lastErrorAt: null });
});

test("a collector that stumbles is asked again", async (t) => {
	const stumbling = await collector(t, [503, 429, 200]);
	stumbling.made.add([span(1)]);
	await stumbling.made.stop();
	assert.deepEqual([stumbling.requests.length, stumbling.made.stats().exported, stumbling.made.stats().lastError], [3, 1, "status 429"]);
});

test("a collector that says no is not asked again, and the loss is counted", async (t) => {
	const refusing = await collector(t, [403]);
	refusing.made.add([span(1), span(2)]);
	await refusing.made.stop();
	assert.equal(refusing.requests.length, 1);
	const { exported, dropped, lastError, lastErrorAt } = refusing.made.stats();
	assert.deepEqual([exported, dropped, lastError, lastErrorAt], [0, 2, "status 403", 42]);
	assert.deepEqual(await refusing.dropped(), [["span", "export-failed", 2]]);
});

test("a collector that hangs costs a bounded queue and a bounded stop, and everything lost is counted", { timeout: 60_000 }, async (t) => {
	const patience = holdTimers(t, 5000);
	const { made, dropped } = await collector(t, [null]);
	for (let at = 0; at < 70; at++) made.add(Array.from({ length: 100 }, (_, n) => span(at * 100 + n)));
	assert.ok(made.stats().queued <= 5000);
	const began = performance.now();
	// Far sooner than an answer would be waited for, in a time that the test lets pass.
	const stopped = made.stop();
	patience.pass();
	await stopped;
	tookAtMost(7000, performance.now() - began, "stopping");
	made.add([span(1)]);
	const { exported, dropped: lost, queued } = made.stats();
	assert.deepEqual([exported, lost, queued], [0, 7001, 0]);
	assert.equal(
		(await dropped()).reduce((sum, [, , value]) => sum + (value as number), 0),
		7001,
	);
});
