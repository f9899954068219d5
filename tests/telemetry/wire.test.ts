import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { type AddressInfo, connect as connectTo } from "node:net";
import { type TestContext, test } from "node:test";
import { traceOf } from "../../app/contract/envelope.ts";
import { lobbyId } from "../../app/contract/fixed.ts";
import { openSocket } from "../support/charla.ts";
import { type FreshDatabase, freshDatabase } from "../support/database.ts";
import { type ExportingServer, eventually, startExporting } from "../support/exporting-server.ts";
import { long } from "../support/long.ts";
import { type OtlpReceiver, type ReceiverMode, startOtlpReceiver } from "../support/otlp-receiver.ts";

/** Bytes of one request: what New Relic takes. */
const mostBytes = 1_000_000;

/** What an instance's environment says of it (deploy/about-instance.ts). */
const onInstance = {
	INSTANCE_ID: "i-0abc",
	INSTANCE_TYPE: "t3.small",
	IMAGE_ID: "ami-1",
	AWS_REGION: "eu-west-1",
	AWS_ACCOUNT_ID: "123456789012",
	AVAILABILITY_ZONE: "eu-west-1a",
	DEPLOYMENT_ID: "d-ABC",
};

/** A server that exports to a receiver, on a database of its own. */
async function scene(
	t: TestContext,
	env: Record<string, string> = {},
): Promise<{ receiver: OtlpReceiver; server: ExportingServer; database: FreshDatabase }> {
	const receiver = await startOtlpReceiver();
	const database = await freshDatabase();
	t.after(async () => {
		await database[Symbol.asyncDispose]();
		await receiver.close();
	});
	return { receiver, database, server: await startExporting(t, { receiver, databaseUrl: database.url, env }) };
}

async function connect(t: TestContext, server: ExportingServer, name: string, transports = ["websocket"]) {
	const socket = openSocket(server.url, await server.enter(name), { transports });
	t.after(() => socket.raw.close());
	await socket.welcomed;
	return socket;
}
type Connected = Awaited<ReturnType<typeof connect>>;

/** Posts as a browser does; gives the message's id. */
async function post(socket: Connected, body: string, envelope?: unknown): Promise<string> {
	const clientId = randomUUID();
	const input = { roomId: lobbyId, clientId, body, replyTo: null };
	const answer = await socket.raw.timeout(15_000).emitWithAck("message:post", input, envelope ?? { tp: traceOf(clientId).traceparent });
	assert.ok(answer.ok, JSON.stringify(answer));
	return clientId;
}

/** Memory of a server's process, kB. */
async function residentKb(server: ExportingServer): Promise<number> {
	return Number(/VmRSS:\s+(\d+)/.exec(await readFile(`/proc/${server.child.pid}/status`, "utf8"))?.[1]);
}

test("what leaves the server: gzip, the key, under a megabyte, delta, one resource, and the contract's names", async (t) => {
	const { receiver, server } = await scene(t, onInstance);
	const ana = await connect(t, server, "Ana");
	const ids: string[] = [];
	for (let i = 0; i < 300; i += 50) ids.push(...(await Promise.all(Array.from({ length: 50 }, (_, k) => post(ana, `message ${i + k}`)))));
	// Numbers, and among them what was exported of each kind: that of the last lines and spans is told to nobody any more.
	const awaited = ["slo.valid", ...["span", "log", "metric_data_point"].map((kind) => `otel.sdk.exporter.${kind}.exported`)];
	await eventually(
		() => awaited.every((name) => receiver.metrics.some((metric) => metric.name === name)),
		() => "metrics",
	);
	assert.equal(await server.stop(), 0);

	assert.deepEqual([...new Set(receiver.requests.map((one) => one.path))].sort(), ["/v1/logs", "/v1/metrics", "/v1/traces"]);
	for (const { headers, bytes, path } of receiver.requests) {
		assert.equal(headers["api-key"], "a-key-of-the-test", path);
		assert.equal(headers["content-encoding"], "gzip", path);
		assert.equal(headers["content-type"], "application/x-protobuf", path);
		assert.ok(bytes < mostBytes, `${bytes} bytes to ${path}`);
	}
	const everything = [...receiver.spans, ...receiver.metrics, ...receiver.logs];
	for (const { resource } of everything) {
		assert.equal(resource["service.name"], "chat-web");
		assert.equal(resource["service.version"], "abc123");
		assert.equal(resource["deployment.environment.name"], "test");
		assert.match(String(resource["service.instance.id"]), /^i-0abc\/\d+$/);
		assert.equal(resource["host.id"], "i-0abc");
		assert.equal(resource["host.type"], "t3.small");
		assert.equal(resource["host.image.id"], "ami-1");
		assert.equal(resource["cloud.provider"], "aws");
		assert.equal(resource["cloud.platform"], "aws_ec2");
		assert.equal(resource["cloud.region"], "eu-west-1");
		assert.equal(resource["cloud.availability_zone"], "eu-west-1a");
		assert.equal(resource["cloud.account.id"], "123456789012");
		assert.equal(resource["deployment.id"], "d-ABC");
	}
	assert.ok(!JSON.stringify(everything).includes("unknown_service"));
	for (const metric of receiver.metrics) {
		if (metric.type === "gauge" || (metric.type === "sum" && !metric.isMonotonic)) continue;
		assert.equal(metric.temporality, "delta", metric.name);
	}
	assert.ok(receiver.metrics.some((metric) => metric.type === "exponentialHistogram"));
	assert.match(String(server.lines().find((line) => line.event === "service.started")?.config_hash), /^[0-9a-f]{12}$/);
	// What is told of a message's announcement: how many instances there are, and the kind of room on the number.
	const published = receiver.spans.find((span) => span.name === "publish message.created");
	assert.equal(published?.attributes["chat.fanout.instances"], 1);
	const fanOut = receiver.metrics.filter((metric) => metric.name === "chat.message.fanout").flatMap((metric) => metric.points);
	assert.deepEqual([...new Set(fanOut.map((point) => point.attributes["chat.room.kind"]))], ["public"]);
	// Telemetry about telemetry: what was exported, what waits, and that each span that began has ended.
	const points = (name: string) => receiver.metrics.filter((metric) => metric.name === name).flatMap((metric) => metric.points);
	for (const name of ["span", "log", "metric_data_point"]) {
		const exported = points(`otel.sdk.exporter.${name}.exported`);
		assert.ok(
			exported.some((point) => point.value > 0),
			name,
		);
		assert.ok(
			exported.every((point) => point.attributes["error.type"] === undefined),
			name,
		);
	}
	for (const name of ["span", "log"]) assert.ok(points(`otel.sdk.processor.${name}.queue.size`).length > 0, name);
	assert.ok(points("otel.sdk.span.started").reduce((sum, point) => sum + point.value, 0) >= ids.length * 4);
	assert.equal(points("otel.sdk.span.live").at(-1)?.value, 0);
	// Delta: what was sent adds up over all exports.
	const valid = receiver.metrics.filter((metric) => metric.name === "slo.valid").flatMap((metric) => metric.points);
	const sends = valid.filter((point) => point.attributes.slo === "send").reduce((sum, point) => sum + point.value, 0);
	assert.equal(sends, ids.length);
	for (const id of ids) {
		const spans = receiver.trace(traceOf(id).traceId);
		assert.ok(spans.length >= 4 && spans.length <= 5, `${spans.length} spans of one message`);
		assert.ok(spans.every((span) => span.attributes["chat.message.id"] === id));
	}
});

test("over a websocket, over polling and from one to the other: the same spans", async (t) => {
	const { receiver, server } = await scene(t);
	const said: { over: string; id: string }[] = [];
	for (const transports of [["websocket"], ["polling"], ["polling", "websocket"]]) {
		const socket = await connect(t, server, `Ana ${transports.map((name) => name[0]).join("")}`, transports);
		said.push({ over: transports.join(), id: await post(socket, transports.join()) });
	}
	// Sends everything, also spans whose batch would wait for others.
	await server.stop();
	const shapes = said.map(({ over, id }) => {
		const spans = receiver.trace(traceOf(id).traceId);
		assert.ok(spans.length >= 4, `${spans.length} spans of a message over ${over}`);
		const nameOf = (spanId: string) => spans.find((span) => span.spanId === spanId)?.name ?? "the click";
		return spans
			.map((span) => `${span.kind} ${span.name} under ${nameOf(span.parentSpanId)}`)
			.sort()
			.join("; ");
	});
	assert.equal(new Set(shapes).size, 1, shapes.join("\n"));
});

test("nobody outside decides what is recorded: a forged flag brings no trace in, an error comes in whatever the share", async (t) => {
	const { receiver, server } = await scene(t, { TELEMETRY_SAMPLE_RATIO: "0", SERVICE_VERSION: "abc123" });
	const ana = await connect(t, server, "Ana");
	const forged = `00-${"a".repeat(32)}-${"b".repeat(16)}-01`;
	const ids: string[] = [];
	for (const envelope of [{ tp: forged }, undefined, { tp: `${forged}-more` }, { tp: 7 }, "not an envelope"])
		ids.push(await post(ana, "hello", envelope));
	const edited = await ana.raw.timeout(10_000).emitWithAck("message:stretch", { roomId: lobbyId }, { tp: forged });
	assert.ok(edited.ok);
	// Told apart by an error: a call nobody knows is refused, and that is no error; a job of the database that fails is.
	await fetch(`${server.url}/rooms`, { headers: { traceparent: forged } });
	await server.stop();
	for (const id of ids) assert.deepEqual(receiver.trace(traceOf(id).traceId), []);
	assert.deepEqual(receiver.trace("a".repeat(32)), []);
	assert.ok(receiver.metrics.length > 0, "numbers come all the same");
});

const failures = [
	["hang", /timed? ?out/i],
	["unavailable", /./],
	["unauthorized", /403|forbidden/i],
] as const;

/** The chat goes on, the operator hears of it, and the process ends, whatever the receiver does. */
async function chatWithout(t: TestContext, mode: ReceiverMode, says: RegExp, rounds: number) {
	const { receiver, server } = await scene(t);
	receiver.behave(mode);
	const ana = await connect(t, server, "Ana");
	await post(ana, "warm");
	const before = await residentKb(server);
	for (let round = 0; round < rounds; round++) await Promise.all(Array.from({ length: 25 }, (_, i) => post(ana, `${round} ${i}`)));
	const grown = (await residentKb(server)) - before;
	await eventually(
		() => server.lines().some((line) => line.event === "telemetry.export_failed"),
		() => "a line that says so",
	);
	const line = server.lines().find((each) => each.event === "telemetry.export_failed");
	assert.match(String(line?.detail), says);
	assert.ok(Number(line?.count) > 0);
	if (mode !== "hang") {
		// What was lost is told as a number too, once somebody takes numbers again. Those of metrics wait until one of theirs failed.
		await eventually(
			() => server.lines().some((each) => each.event === "telemetry.export_failed" && each.signal === "metric"),
			() => "a line about metrics",
		);
		receiver.behave("well");
		const lost = () => receiver.metrics.filter((metric) => metric.name === "telemetry.dropped").flatMap((metric) => metric.points);
		await eventually(
			() => lost().some((point) => point.value > 0 && point.attributes.reason === "export-failed"),
			() => "telemetry.dropped",
		);
		// The export that failed is told by the next that does not.
		const points = () =>
			receiver.metrics
				.filter((metric) => metric.name === "otel.sdk.exporter.metric_data_point.exported")
				.flatMap((metric) => metric.points);
		await eventually(
			() => points().some((point) => point.attributes["error.type"] === "export-failed" && point.value > 0),
			() => "points of metrics whose export failed",
		);
		receiver.behave(mode);
		receiver.spans.length = 0;
	}
	const stopping = Date.now();
	assert.equal(await server.stop(), 0);
	const stopped = Date.now() - stopping;
	assert.equal(server.lines().filter((each) => each.event === "message.sent").length, rounds * 25 + 1);
	assert.equal(receiver.spans.length, 0);
	return { grown, stopped };
}

// What is unavailable is tried again for seconds, and goes with the long ones; to the chat it is the same.
for (const [mode, says] of failures.filter(([name]) => name !== "unavailable"))
	test(`the chat does not notice a receiver that fails (${mode}); the operator does`, { timeout: 120_000 }, async (t) => {
		await chatWithout(t, mode, says, 2);
	});

for (const [mode, says] of failures)
	long(`a receiver that fails (${mode}) costs neither memory nor time at the stop`, async (t) => {
		const { grown, stopped } = await chatWithout(t, mode, says, 20);
		// What waits is bounded (sdk-batcher.test.ts); 500 messages with their spans and lines are a few MB.
		assert.ok(grown < 120_000, `${grown} kB more`);
		assert.ok(stopped < 15_000, `stopped in ${stopped} ms`);
	});

test("a stop sends the last spans and lines before the process ends", async (t) => {
	const { receiver, server } = await scene(t, { TELEMETRY_METRICS_EVERY: "3600" });
	const ana = await connect(t, server, "Ana");
	const ids = await Promise.all(Array.from({ length: 40 }, (_, i) => post(ana, `last ${i}`)));
	assert.equal(await server.stop(), 0);
	for (const id of ids) assert.ok(receiver.trace(traceOf(id).traceId).length >= 4, id);
	const sent = receiver.logs.filter((log) => log.eventName === "message.sent").map((log) => log.attributes.message_id);
	assert.deepEqual(sent.sort(), ids.sort());
	assert.ok(receiver.logs.some((log) => log.eventName === "service.stopped"));
	assert.ok(
		receiver.metrics.some((metric) => metric.name === "slo.valid"),
		"what was counted since the last export",
	);
});

/** Opens and closes that many connections wave by wave, and then somebody writes; gives memory after each wave, kB. */
async function connections(t: TestContext, atATime: number, waves: number): Promise<number[]> {
	const { receiver, server } = await scene(t, { TELEMETRY_SAMPLE_RATIO: "1" });
	const cookie = await server.enter("Ana");
	// One person may have ten, and the server hears of a leave a little later.
	const atOnce = 4;
	const visit = async () => {
		const socket = openSocket(server.url, cookie, { transports: ["websocket"] });
		await socket.welcomed;
		// Closed by the server's own account before the next comes.
		await new Promise<void>((done) => {
			socket.raw.once("disconnect", () => done());
			socket.raw.close();
		});
	};
	const memory: number[] = [];
	for (let wave = 0; wave < waves; wave++) {
		for (let done = 0; done < atATime; done += atOnce) await Promise.all(Array.from({ length: atOnce }, visit));
		memory.push(await residentKb(server));
	}

	const ana = await connect(t, server, "Bruno");
	const id = await post(ana, "after all of them");
	assert.equal(await server.stop(), 0);
	const spans = receiver.trace(traceOf(id).traceId);
	assert.ok(spans.length >= 4 && spans.length <= 5, `${spans.length} spans of the message`);
	const posted = Math.min(...spans.map((span) => span.start));
	const connects = receiver.spans.filter((span) => span.name === "chat/socket.connect").sort((a, b) => a.start - b.start);
	assert.ok(connects.length > 0);
	// The author's own too, whose connection goes on.
	for (const span of connects) assert.ok(span.end < posted, "a connection is no span that lasts as long as itself");
	// A long-lived socket does not hold the request that opened it: each message begins a trace of its own.
	assert.ok(!connects.some((span) => span.traceId === traceOf(id).traceId));
	return memory;
}

test("connections leave nothing behind: no span of theirs is open, nor is a later message a part of them", async (t) => {
	await connections(t, 40, 1);
});

long("four thousand connections leave no memory behind", async (t) => {
	const memory = await connections(t, 1000, 4);
	t.diagnostic(`MB after each thousand connections: ${memory.map((kb) => Math.round(kb / 1024)).join(", ")}`);
	// The first two thousand fill what is kept on purpose: the last traces and log lines.
	const [, warm = 0, , after = 0] = memory;
	// A connection whose spans or socket stayed would hold 40 kB and more.
	assert.ok(after - warm < 80_000, `${after - warm} kB more`);
});

test("each request has an access line in its trace: what was asked without its query, what was sent, how long it took", async (t) => {
	const { server } = await scene(t);
	const answer = await fetch(`${server.url}/?secret=in-the-query`);
	const body = await answer.text();
	await fetch(`${server.url}/nowhere`);
	// Somebody who does not wait for the answer.
	const lineWith = (status: number) => server.lines().find((line) => line.event === "http.request" && line.status === status);
	const { port, hostname } = new URL(server.url);
	await eventually(
		() => {
			if (lineWith(499)) return true;
			const socket = connectTo(Number(port), hostname, () =>
				socket.write(`GET / HTTP/1.1\r\nHost: ${hostname}\r\n\r\n`, () => socket.destroy()),
			);
			return false;
		},
		() => "a request that was given up",
	);
	const page = lineWith(200);
	assert.deepEqual([page?.method, page?.path], ["GET", "/"]);
	assert.ok(Number(page?.bytes) >= Buffer.byteLength(body), `${page?.bytes} bytes of ${Buffer.byteLength(body)}`);
	assert.ok(Number(page?.duration_ms) > 0);
	assert.match(String(page?.ip_prefix), /^127\.0\.0\.0\/24$/);
	assert.equal(
		/^traceparent;desc="00-([0-9a-f]{32})-/.exec(answer.headers.get("server-timing") ?? "")?.[1],
		page?.trace_id,
		"the answer says where",
	);
	for (const line of [page, lineWith(404)]) assert.match(String(line?.trace_id), /^[0-9a-f]{32}$/);
	assert.ok(!server.out().includes("in-the-query"));
});

test("an unexpected failure is one exception, one line, one span and one number, which agree; and what fails with nobody waiting has its line", async (t) => {
	let takeAway = async () => {};
	// While the bot's source is asked, the log of all rooms goes away.
	const facts = createServer((_request, response) => {
		takeAway().then(() => response.writeHead(200, { "content-type": "application/json" }).end('{"value":"A fact."}'));
	});
	await new Promise<void>((done) => facts.listen(0, "127.0.0.1", done));
	t.after(() => facts.close());
	const { receiver, server, database } = await scene(t, { FACT_URL: `http://127.0.0.1:${(facts.address() as AddressInfo).port}/` });
	takeAway = async () => void (await database.sql.query("", "alter table room_log rename to room_log_away"));
	const ana = await connect(t, server, "Ana");
	const has = (event: string) => server.lines().some((line) => line.event === event);
	await post(ana, "chucknorris");
	await eventually(
		() => has("bot.failed"),
		() => "the bot could not answer",
	);
	// Somebody else wrote something, and nobody can read what.
	await database.sql.query("", "update room set last_seq = last_seq + 1 where id = $1", [lobbyId]);
	await eventually(
		() => has("message.gap_open"),
		() => "a gap that stays",
	);
	const clientId = randomUUID();
	const answer = await ana.raw
		.timeout(15_000)
		.emitWithAck("message:post", { roomId: lobbyId, clientId, body: "a secret", replyTo: null }, {});
	const { traceId } = traceOf(clientId);
	assert.deepEqual([answer.ok, answer.code, answer.details?.reference], [false, "failed", traceId.slice(0, 12)]);
	await database.sql.query("", "alter table room_log_away rename to room_log");
	await database.sql.query("", "update room set last_seq = last_seq - 1 where id = $1", [lobbyId]);
	await server.stop();

	const lines = server
		.lines()
		.filter((line) => line.trace_id === traceId && line.event !== "slo.exemplar" && line.event !== "db.slow_query");
	assert.deepEqual(lines.map((line) => line.event).sort(), ["exception", "message.failed"]);
	assert.equal(lines.find((line) => line.event === "message.failed")?.error_type, "internal");
	assert.ok(lines.every((line) => line.reference === traceId.slice(0, 12)));
	const exported = receiver.logs.filter((log) => log.traceId === traceId && log.eventName === "exception");
	assert.equal(exported.length, 1);
	const [call] = receiver.trace(traceId).filter((span) => span.kind === "server");
	assert.deepEqual([call?.status, call?.attributes["error.type"]], ["error", "internal"]);
	const failed = receiver.metrics
		.filter((metric) => metric.name === "chat.message.sent")
		.flatMap((metric) => metric.points)
		.filter(
			(point) =>
				point.attributes.outcome === "failed" &&
				point.attributes["error.type"] === "internal" &&
				point.attributes["chat.room.kind"] !== "unknown",
		);
	assert.ok(failed.reduce((sum, point) => sum + point.value, 0) >= 1);
	assert.ok(!server.out().includes("a secret"));
});
