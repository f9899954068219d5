import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, beforeEach, test } from "node:test";
import { SpanKind, SpanStatusCode } from "@opentelemetry/api";
import type { Envelope } from "../../app/contract/envelope.ts";
import { traceOf } from "../../app/contract/envelope.ts";
import { lobbyId } from "../../app/contract/fixed.ts";
import type { Message } from "../../app/contract/shapes.ts";
import { openRecorder } from "../../observability/recorder.ts";
import { testCharla } from "../support/charla.ts";
import { long } from "../support/long.ts";
import { declaredSpan, metricProblems, recordInMemory } from "../support/recorded.ts";

let recorded: ReturnType<typeof recordInMemory>;
before(() => {
	recorded = recordInMemory();
});
beforeEach(() => recorded.reset());
after(() => recorded.end());

const sumOf = (metric: { dataPoints: { value: unknown }[] } | undefined) =>
	(metric?.dataPoints ?? []).reduce((sum, point) => sum + (point.value as number), 0);
const post = (body: string, clientId = randomUUID()) => ({ roomId: lobbyId, clientId, body, replyTo: null });

for (const transports of [["websocket"], ["polling"], ["polling", "websocket"]])
	test(`a message sent by ${transports.join(" then ")} is one trace of four spans, each under the one before`, async () => {
		await using charla = await testCharla();
		const [ana, ben] = [await charla.person("Ana"), await charla.person("Ben")];
		const a = await charla.connect(ana.cookie, { transports });
		const b = await charla.connect(ben.cookie, { transports });
		const envelopes: Envelope[] = [];
		b.raw.on("fact", (_fact, envelope) => envelopes.push(envelope));
		if (transports.length === 2) await recorded.until("chat/socket.connect", 2);
		const input = post("hello");
		const t0 = Date.now();
		const answer = await a.raw.timeout(5000).emitWithAck("message:post", input, { tp: traceOf(input.clientId).traceparent, ts: [t0] });
		assert.ok(answer.ok);
		await b.until(() => b.facts.some((fact) => fact.kind === "message-posted"));

		const { traceId, rootSpanId } = traceOf(input.clientId);
		const [send] = await recorded.until("chat/message.send");
		const mine = recorded.spans().filter((span) => span.spanContext().traceId === traceId);
		assert.deepEqual(mine.map((span) => [span.name, span.kind]).sort(), [
			["INSERT room_log", SpanKind.CLIENT],
			["chat.message.validate", SpanKind.INTERNAL],
			["chat/message.send", SpanKind.SERVER],
			["publish message.created", SpanKind.PRODUCER],
		]);
		assert.equal(send?.parentSpanContext?.spanId, rootSpanId);
		for (const span of mine) {
			assert.equal(span.attributes["chat.message.id"], input.clientId);
			if (span !== send) assert.equal(span.parentSpanContext?.spanId, send?.spanContext().spanId, span.name);
		}
		const publish = mine.find((span) => span.kind === SpanKind.PRODUCER);
		assert.equal(publish?.attributes["messaging.batch.message_count"], 2);
		const [envelope] = envelopes;
		assert.equal(envelope?.tp, `00-${traceId}-${publish?.spanContext().spanId}-01`);
		const [clicked, accepted, committed, published] = envelope?.ts ?? [];
		assert.equal(clicked, t0);
		assert.ok(t0 - 1 <= accepted! && accepted! <= committed! && committed! <= published!, JSON.stringify(envelope));
		assert.equal(envelope?.sx, 1);
	});

test("another server on the same database hears the message in the same trace", async () => {
	await using here = await testCharla();
	await using there = await testCharla({ database: here.database });
	const [ana, ben] = [await here.person("Ana"), await here.person("Ben")];
	const a = await here.connect(ana.cookie);
	const b = await there.connect(ben.cookie);
	const input = post("from the other side");
	await a.call("message:post", input);
	await b.until(() => b.facts.some((fact) => fact.kind === "message-posted"));
	const [heard] = await recorded.until("process message.created");
	assert.equal(heard?.kind, SpanKind.CONSUMER);
	assert.equal(heard?.spanContext().traceId, traceOf(input.clientId).traceId);
	assert.equal(heard?.parentSpanContext?.spanId, traceOf(input.clientId).rootSpanId);
	assert.equal(heard?.attributes["chat.message.id"], input.clientId);
	assert.ok(recorded.spans().filter((span) => span.spanContext().traceId === traceOf(input.clientId).traceId).length <= 5);
});

test("a message posted by form is the same trace, linked to its request", async () => {
	await using charla = await testCharla();
	const ana = await charla.person("Ana");
	await charla.connect((await charla.person("Ben")).cookie);
	const input = post("by form");
	await charla.chat.messages.post(ana.me, input);
	const [send] = await recorded.until("chat/message.send");
	assert.equal(send?.spanContext().traceId, traceOf(input.clientId).traceId);
	await recorded.until("publish message.created");
});

test("the same message sent twice at once is two attempts of one trace, counted as two and stored as one", async () => {
	await using charla = await testCharla();
	const { cookie } = await charla.person("Ana");
	const [a, b] = [await charla.connect(cookie), await charla.connect(cookie)];
	const before = sumOf((await recorded.metrics()).get("chat.message.sent"));
	const input = post("twice");
	await Promise.all([a.call("message:post", input), b.call("message:post", input)]);
	const sends = await recorded.until("chat/message.send", 2);
	assert.equal(new Set(sends.map((span) => span.spanContext().traceId)).size, 1);
	assert.equal(recorded.named("chat.message.validate").length, 2);
	assert.equal(sumOf((await recorded.metrics()).get("chat.message.sent")) - before, 2);
});

test("a refusal is an answer, no error: on the span, on the metric, and counted once", async () => {
	await using charla = await testCharla();
	const a = await charla.connect((await charla.person("Ana")).cookie);
	for (const body of ["", "x".repeat(5000), "/nonsense"]) assert.ok(!(await a.call("message:post", post(body))).ok);
	const sends = await recorded.until("chat/message.send", 3);
	assert.deepEqual(sends.map((span) => span.attributes["error.type"]).sort(), ["empty", "too-long", "unknown-command"]);
	for (const span of sends) {
		assert.equal(span.status.code, SpanStatusCode.UNSET);
		assert.equal(span.attributes.outcome, "refused");
	}
	const validations = recorded.named("chat.message.validate").map((span) => span.attributes["chat.validation.result"]);
	assert.deepEqual(validations.sort(), ["empty", "ok", "too-long"]);
	const counted = (await recorded.metrics()).get("chat.message.sent")?.dataPoints ?? [];
	assert.deepEqual(
		counted
			.filter((point) => point.attributes.outcome === "refused")
			.map((point) => [point.attributes["error.type"], point.value])
			.sort(),
		[
			["empty", 1],
			["too-long", 1],
			["unknown-command", 1],
		],
	);
});

test("a failure is an error with the same type on span and metric, one exception, and a reference that finds its trace", async () => {
	await using charla = await testCharla();
	const a = await charla.connect((await charla.person("Ana")).cookie);
	await charla.storage.sql.query("", "alter table room_log rename to room_log_away");
	const input = post("into the void");
	const answer = await a.call("message:post", input);
	await charla.storage.sql.query("", "alter table room_log_away rename to room_log");
	assert.ok(!answer.ok && answer.code === "failed");
	const { traceId } = traceOf(input.clientId);
	assert.equal(answer.details?.reference, traceId.slice(0, 12));
	const [send] = await recorded.until("chat/message.send");
	assert.equal(send?.status.code, SpanStatusCode.ERROR);
	assert.equal(send?.attributes["error.type"], "internal");
	assert.equal(send?.events.filter((event) => event.name === "exception").length, 1);
	const [insert] = recorded.named("INSERT room_log");
	assert.equal(insert?.status.code, SpanStatusCode.ERROR);
	assert.equal(insert?.attributes["db.response.status_code"], "42P01");
	const failed = (await recorded.metrics()).get("chat.message.sent")?.dataPoints.find((point) => point.attributes.outcome === "failed");
	assert.equal(failed?.attributes["error.type"], "internal");
});

test("calls that everybody makes all the time are numbers, not spans", async () => {
	await using charla = await testCharla();
	const a = await charla.connect((await charla.person("Ana")).cookie);
	const posted = await a.call("message:post", post("one"));
	assert.ok(posted.ok);
	recorded.reset();
	await a.call("pointer:move", { roomId: lobbyId, delivered: posted.data.seq ?? 0 });
	await a.call("typing", { roomId: lobbyId });
	await a.call("room:here", { roomId: lobbyId });
	await a.call("message:stretch", { roomId: lobbyId });
	assert.deepEqual(
		recorded
			.spans()
			.filter((span) => span.kind === SpanKind.SERVER)
			.map((span) => span.name),
		["chat/room.history"],
	);
	const points = (await recorded.metrics()).get("chat.rpc.duration")?.dataPoints ?? [];
	for (const method of ["read.mark", "room.typing", "room.presence", "room.history"])
		assert.ok(
			points.some((point) => point.attributes["rpc.method"] === method),
			method,
		);
});

test("a connection is two short spans, the second linked to the first, and what is open is counted", async () => {
	await using charla = await testCharla();
	const { cookie } = await charla.person("Ana");
	const a = await charla.connect(cookie, { transports: ["websocket"] });
	const [connect] = await recorded.until("chat/socket.connect");
	a.raw.disconnect();
	const [disconnect] = await recorded.until("chat/socket.disconnect");
	assert.equal(disconnect?.links[0]?.context.spanId, connect?.spanContext().spanId);
	assert.equal(disconnect?.attributes["chat.disconnect.reason"], "client namespace disconnect");
	assert.equal(disconnect?.attributes["chat.conn.id"], connect?.attributes["chat.conn.id"]);
	await assert.rejects(charla.connect("sid=nobody.nothing"));
	const connects = await recorded.until("chat/socket.connect", 2);
	assert.equal(connects[1]?.attributes["error.type"], "not-signed-in");
	const active = (await recorded.metrics()).get("chat.socket.active")?.dataPoints.reduce((sum, point) => sum + (point.value as number), 0);
	assert.equal(active, 0);
});

test("a connection that broke is an error, one that was closed is none; both as the contract has them", async () => {
	const { recorder } = withoutDatabase();
	for (const reason of ["transport error", "parse error", "transport close", "ping timeout", "something new"]) {
		const connId = randomUUID();
		recorder.connecting({ auth: {}, transport: "websocket", connId, addressPrefix: "192.0.2.0/24" })(null, { userId: randomUUID() });
		recorder.disconnected({ connId, reason, transport: "websocket" });
	}
	const ended = recorded.named("chat/socket.disconnect");
	assert.deepEqual(
		ended.map(({ attributes, status }) => [
			attributes["chat.disconnect.reason"],
			attributes["error.type"],
			status.code === SpanStatusCode.ERROR,
		]),
		[
			["transport error", "disconnected", true],
			["parse error", "disconnected", true],
			["transport close", undefined, false],
			["ping timeout", undefined, false],
			["other", undefined, false],
		],
	);
	assert.deepEqual(
		ended.flatMap((span) => declaredSpan(span, "server").problems),
		[],
	);
});

async function leaveNothing(connections: number): Promise<void> {
	await using charla = await testCharla();
	const { cookie } = await charla.person("Ana");
	for (let round = 0; round < connections / 8; round++) {
		const sockets = await Promise.all(Array.from({ length: 8 }, () => charla.connect(cookie, { transports: ["websocket"] })));
		for (const socket of sockets) socket.raw.disconnect();
		while (charla.realtime.count() > 0) await new Promise((done) => setTimeout(done, 5));
	}
	assert.equal(recorded.named("chat/socket.connect").length, connections);
	assert.equal((await recorded.until("chat/socket.disconnect", connections)).length, connections);
	const refs = recorded.spans().map((span) => new WeakRef(span));
	recorded.reset();
	const { setFlagsFromString } = await import("node:v8");
	const { runInNewContext } = await import("node:vm");
	setFlagsFromString("--expose-gc");
	const gc = runInNewContext("gc") as () => void;
	for (let i = 0; i < 5; i++) {
		await new Promise((done) => setTimeout(done, 50));
		gc();
	}
	const alive = refs.filter((ref) => ref.deref()).length;
	assert.ok(alive <= 8, `${alive} of ${refs.length} spans are still referenced`);
}

test("connections leave no span open and none retained", () => leaveNothing(80));

long("two thousand connections leave no span open and none retained", () => leaveNothing(2000));

test("all that is recorded is in the contract", async () => {
	await using charla = await testCharla();
	const [ana, ben] = [await charla.person("Ana"), await charla.person("Ben")];
	const a = await charla.connect(ana.cookie);
	const b = await charla.connect(ben.cookie, { transports: ["polling"] });
	const room = await charla.chat.rooms.create(ana.me, { name: "Plans", topic: "", kind: "private" });
	await charla.chat.rooms.invite(ana.me, { roomId: room.id, name: "Ben" });
	const posted = await a.call("message:post", { ...post("to be changed"), roomId: room.id });
	assert.ok(posted.ok && posted.data.seq !== null);
	await a.call("message:edit", { roomId: room.id, clientId: randomUUID(), seq: posted.data.seq, body: "changed" });
	await a.call("message:delete", { roomId: room.id, clientId: randomUUID(), seq: posted.data.seq });
	await a.call("room:since", { cursors: [[room.id, 0]] });
	await a.call("message:journey", { roomId: room.id, seq: posted.data.seq });
	await charla.chat.rooms.leave(ben.me, { roomId: room.id });
	b.raw.disconnect();
	await recorded.until("chat/socket.disconnect");
	const problems = [
		...recorded.spans().flatMap((span) => declaredSpan(span, "server").problems),
		...[...(await recorded.metrics()).values()].flatMap(metricProblems),
	];
	assert.deepEqual([...new Set(problems)], []);
});

test("what the sampler does not take costs no span when it goes well, and has all of them when it fails or is slow", async () => {
	const quiet: string[] = [];
	const log = { debug() {}, info() {}, warn() {}, error() {} };
	const recorder = openRecorder({
		log,
		isUnavailable: () => false,
		isSampled: () => false,
		onQuiet: (message) => quiet.push(message.messageId),
	});
	const sql = recorder.sql({
		query: async <Row>(_name: string, text: string, values?: readonly unknown[]) => {
			if (text.includes("broken")) throw Object.assign(new Error("no such table"), { code: "42P01" });
			await new Promise((done) => setTimeout(done, text.includes("slow") ? 350 : 1));
			return [{ client_key: (values as string[][])[2]?.[0], fresh: true }] as Row[];
		},
		transaction: () => assert.fail(),
	});
	const { post: use } = recorder.observe("messages", {
		async post(_me: unknown, input: { clientId: string; body: string }) {
			await sql.query("lane-store", `insert into room_log values ('${input.body}')`, [[], [], [input.clientId]]);
			const message = { clientId: input.clientId, createdAt: Date.now() } as Message;
			recorder.fanOut({ kind: "message-posted", roomId: lobbyId, seq: 1, message }, 3, { how: "here" }, () => undefined);
			return { id: input.clientId, seq: 1 };
		},
	});
	const send = (body: string) => {
		const input = post(body);
		const about = { name: "message:post" as const, input, envelope: {}, userId: "u", connId: "c", transport: "websocket" };
		return { input, done: recorder.call(about, () => use({ id: "u" }, input)) };
	};
	const fine = send("fine");
	await fine.done;
	assert.deepEqual([recorded.spans().length, quiet], [0, [fine.input.clientId]]);

	const broken = send("broken");
	await assert.rejects(broken.done);
	assert.deepEqual(
		recorded
			.spans()
			.map((span) => span.name)
			.sort(),
		["INSERT room_log", "chat.message.validate", "chat/message.send"],
	);
	assert.equal(recorded.named("INSERT room_log")[0]?.attributes["db.response.status_code"], "42P01");
	assert.equal(recorded.named("chat/message.send")[0]?.status.code, SpanStatusCode.ERROR);

	recorded.reset();
	const slow = send("slow");
	await slow.done;
	const [server] = recorded.named("chat/message.send");
	assert.deepEqual(
		recorded
			.spans()
			.map((span) => span.name)
			.sort(),
		["INSERT room_log", "chat.message.validate", "chat/message.send", "publish message.created"],
	);
	for (const span of recorded.spans()) if (span !== server) assert.equal(span.parentSpanContext?.spanId, server?.spanContext().spanId);
	assert.ok((server?.duration[1] ?? 0) > 300e6 && quiet.length === 1);
});

/** A recorder on a database that answers at once, and what it wrote. */
function withoutDatabase(given: { isSampled?: () => boolean; delay?: number; arn?: string } = {}) {
	const lines: { event: string; fields: Record<string, unknown> }[] = [];
	const tell = (event: string, fields: Record<string, unknown> = {}) => void lines.push({ event, fields });
	const log = { debug: tell, info: tell, warn: tell, error: tell };
	const recorder = openRecorder({ log, isUnavailable: () => false, isSampled: given.isSampled ?? (() => true), arn: given.arn });
	const sql = recorder.sql({
		query: async <Row>(_name: string, _text: string, values?: readonly unknown[]) => {
			if (given.delay) await new Promise((done) => setTimeout(done, given.delay));
			return [{ client_key: (values as string[][] | undefined)?.[2]?.[0], fresh: true }] as Row[];
		},
		transaction: () => assert.fail(),
	});
	return { recorder, sql, lines };
}

test("what is late or slow has a line, and every minute one says that the server lives", async (t) => {
	const { recorder, sql, lines } = withoutDatabase({ delay: 300, arn: "arn:aws:ec2:eu-west-1:1:instance/i-1" });
	const message = { clientId: randomUUID(), createdAt: Date.now() - 1500 } as Message;
	recorder.fanOut({ kind: "message-posted", roomId: lobbyId, seq: 7, message }, 3, { how: "healed" }, () => undefined);
	const late = lines.find((line) => line.event === "adapter.lag");
	assert.ok(Number(late?.fields.lag_ms) >= 1500, JSON.stringify(lines));

	await sql.query("slow-one", "select * from member where a secret = $1", ["a secret"]);
	const slow = lines.find((line) => line.event === "db.slow_query");
	assert.deepEqual([slow?.fields.summary, slow?.fields.statement], ["SELECT member", "slow-one"]);
	assert.ok(Number(slow?.fields.duration_ms) >= 290);
	assert.ok(!JSON.stringify(lines).includes("a secret"));

	t.mock.timers.enable({ apis: ["setInterval"] });
	const sockets = () => ({ people: 1, rooms: 2, backlogBytes: 0 });
	recorder.begin({ sockets, pool: () => ({ total: 1, idle: 1, waiting: 0 }), count: () => 3 });
	t.mock.timers.tick(120_000);
	const beats = lines.filter((line) => line.event === "service.heartbeat");
	assert.equal(beats.length, 2);
	assert.equal(beats[0]?.fields.sockets, 3);
	assert.equal(beats[0]?.fields.aws_arn, "arn:aws:ec2:eu-west-1:1:instance/i-1");
	assert.ok(Number(beats[0]?.fields.rss_mb) > 10);
	assert.ok(Number(beats[1]?.fields.elu) >= 0 && Number(beats[1]?.fields.elu) <= 1);
	recorder.end();
});

test("how long statements wait for a connection is measured, and those that get none are counted", async () => {
	const { recorder } = withoutDatabase({ delay: 0 });
	const of = async (name: string) => sumOf((await recorded.metrics()).get(name));
	const before = await of("db.client.connection.timeouts");
	recorder.waited(0.2, false);
	recorder.waited(5000, true);
	assert.equal((await of("db.client.connection.timeouts")) - before, 1);
	assert.ok((await recorded.metrics()).has("db.client.connection.wait_time"));
});

test("a thousand people in two hundred rooms: at most two hundred series of any number, and no id in one of them", async () => {
	const { recorder, sql } = withoutDatabase({ isSampled: () => false });
	const { post: use } = recorder.observe("messages", {
		async post(_me: { id: string }, input: { clientId: string; roomId: string; body: string }) {
			await sql.query("lane-store", "insert into room_log values ($1)", [[], [], [input.clientId]]);
			const message = { clientId: input.clientId, createdAt: Date.now() } as Message;
			recorder.fanOut({ kind: "message-posted", roomId: input.roomId, seq: 1, message }, 3, { how: "here" }, () => undefined);
			return { id: input.clientId, seq: 1 };
		},
	});
	const { mine } = recorder.observe("rooms", { mine: async (roomId: string) => [{ id: roomId, kind: "private" }] });
	const throttle = recorder.throttle((_rate: unknown, key: string) => {
		if (key.endsWith("7")) throw Object.assign(new Error(), { code: "slow-down" });
	});
	const rooms = Array.from({ length: 200 }, () => randomUUID());
	for (const roomId of rooms) await mine(roomId);
	for (let person = 0; person < 1000; person++) {
		const me = { id: randomUUID() };
		const connId = randomUUID();
		recorder.connecting({ auth: {}, transport: "websocket", connId, addressPrefix: "192.0.2.0/24" })(null, { userId: me.id });
		for (let i = 0; i < 20; i++) {
			const input = { ...post("hello"), roomId: rooms[(person * 7 + i) % rooms.length] as string };
			const about = { input, envelope: {}, userId: me.id, connId, transport: "websocket" };
			await recorder.call({ ...about, name: "message:post" }, () => use(me, input));
			await recorder.call({ ...about, name: "pointer:move" }, async () => undefined);
		}
		await recorder.call({ name: "unknown", input: {}, envelope: {}, userId: me.id, connId, transport: "polling" }, async () => undefined);
		try {
			throttle({}, `message ${me.id}-${person}`);
		} catch {}
		recorder.disconnected({ connId, reason: person % 2 ? "transport close" : `made up ${person}`, transport: "websocket" });
	}
	const metrics = await recorded.metrics();
	assert.ok(sumOf(metrics.get("chat.message.sent")) >= 20_000);
	for (const [name, { dataPoints }] of metrics) {
		assert.ok(dataPoints.length <= 200, `${name} has ${dataPoints.length} series`);
		const said = JSON.stringify(dataPoints.map((point) => point.attributes));
		assert.doesNotMatch(said, /[0-9a-f]{8}-[0-9a-f]{4}-|made up/, name);
	}
});
