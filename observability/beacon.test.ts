import assert from "node:assert/strict";
import { createServer, request as httpRequest } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { traceOf } from "../app/contract/envelope.ts";
import type { TraceSpan } from "../app/contract/ops.ts";
import { recordInMemory } from "../tests/support/recorded.ts";
import { openBeacon } from "./beacon.ts";
import { kinds, type Measured, type OtlpSpan, otlpAttributes, otlpSpan } from "./browser/body.ts";
import { attributes, spans as declaredSpans } from "./contract.ts";
import { onExample } from "./instruments.ts";

const now = 1_800_000_000_000;
const sessionId = "5".repeat(32);
const messageId = "3f2504e0-4f89-41d3-9a0c-0305e82c3301";
const { traceId, rootSpanId } = traceOf(messageId);
const secret = "what they wrote to each other";

const root = otlpSpan({
	traceId,
	spanId: rootSpanId,
	name: "chat/message.send",
	kind: kinds.client,
	start: now - 40,
	end: now - 10,
	attributes: { "chat.message.id": messageId, "chat.ack.status": "ok", "chat.send.attempt": 1, "session.id": sessionId },
});

function bodyOf(spans: unknown[], metrics: unknown[] = [], session: string = sessionId): string {
	const resource = {
		attributes: otlpAttributes({ "service.name": "chat-browser", "service.version": "b1", "session.id": session as never }),
	};
	return JSON.stringify({ resourceSpans: [{ resource, scopeSpans: [{ scope: { name: "chat.browser", version: "1" }, spans }] }], metrics });
}

/** A beacon on a real server, with telemetry in memory. `send` gives the status and waits until the report was taken. */
async function open({
	whoIs = async (cookies?: string) => (cookies ? { me: { id: cookies } } : null) as { me: { id: string } } | null,
} = {}) {
	const recorded = recordInMemory();
	const spans: TraceSpan[] = [];
	const lines: [string, Record<string, unknown> | undefined][] = [];
	const clock = { now };
	const examples: unknown[] = [];
	const stopExamples = onExample((slo, isGood, example) => examples.push([slo, isGood, example]));
	const log = (event: string, fields?: Record<string, unknown>) => void lines.push([event, fields]);
	let asked = 0;
	const beacon = openBeacon({
		whoIs: (cookies) => {
			asked++;
			return whoIs(cookies);
		},
		isOwnOrigin: (request) => request.headers.origin !== "https://evil.example",
		onSpans: (found) => spans.push(...found),
		log: { debug: log, warn: log },
		clock: () => clock.now,
	});
	const server = createServer(beacon);
	await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
	const { port } = server.address() as AddressInfo;
	return {
		clock,
		lines,
		examples,
		asked: () => asked,
		take: () => spans.splice(0),
		async send(body: string | Buffer, headers: Record<string, string> = {}): Promise<number> {
			const answer = await fetch(`http://127.0.0.1:${port}/telemetry`, {
				method: "POST",
				body: body as BodyInit,
				headers: { cookie: "ana", ...headers },
			});
			assert.equal(await answer.text(), "");
			// The report is read after the answer.
			for (let turn = 0; turn < 5; turn++) await new Promise((done) => setImmediate(done));
			return answer.status;
		},
		port,
		/** Sum of a counter, or count of a histogram, by its attributes. */
		async total(name: string, values: Record<string, unknown> = {}): Promise<number> {
			const points = ((await recorded.metrics()).get(name)?.dataPoints ?? []) as {
				attributes: Record<string, unknown>;
				value: number | { count: number; sum: number };
			}[];
			return points
				.filter((point) => Object.entries(values).every(([key, value]) => point.attributes[key] === value))
				.reduce((sum, { value }) => sum + (typeof value === "number" ? value : value.count), 0);
		},
		async sum(name: string): Promise<number> {
			const points = ((await recorded.metrics()).get(name)?.dataPoints ?? []) as { value: { sum: number } }[];
			return points.reduce((sum, { value }) => sum + value.sum, 0);
		},
		async [Symbol.asyncDispose]() {
			stopExamples();
			server.closeAllConnections();
			await new Promise((done) => server.close(done));
			await recorded.end();
		},
	};
}

const drops = (beacon: Awaited<ReturnType<typeof open>>, reason: string) => beacon.total("telemetry.dropped", { signal: "beacon", reason });

test("spans a browser sends are kept as they are, as a browser's", async () => {
	await using beacon = await open();
	assert.equal(await beacon.send(bodyOf([root])), 204);
	assert.deepEqual(beacon.take(), [
		{
			traceId,
			spanId: rootSpanId,
			parentSpanId: null,
			name: "chat/message.send",
			kind: "client",
			service: "chat-browser",
			instance: "browser/55555555",
			start: now - 40,
			duration: 30,
			error: null,
			attributes: { "chat.message.id": messageId, "chat.ack.status": "ok", "chat.send.attempt": 1, "session.id": sessionId },
			links: [],
		},
	]);
	assert.equal(await beacon.total("telemetry.dropped"), 0);
});

test("numbers become metrics and events of service levels, weighed by how many each stands for", async () => {
	await using beacon = await open();
	const trace = traceId;
	const metrics: Measured[] = [
		{ name: "sent", ms: 120, trace },
		{ name: "sent", ms: 301, trace },
		{ name: "unsent", trace },
		{ name: "delivered", ms: 40, stage: 9, hop: "local", weight: 4, trace },
		{ name: "delivered", ms: 700, stage: 600, hop: "remote", weight: 1, trace },
		{ name: "painted", ms: 90, stage: 16, weight: 4, trace },
		{ name: "painted", ms: null, stage: 16, weight: 1, trace },
		{ name: "reconnect", ms: 2000, ok: true, trace },
		{ name: "reconnect", ms: 2000, ok: false, trace },
		{ name: "vital", vital: "lcp", value: 900, rating: "good", route: "/rooms/:roomId" },
		{ name: "vital", vital: "lcp", value: 4100, rating: "poor", route: "/" },
		{ name: "vital", vital: "cls", value: 0.04, rating: "good", route: "/" },
		{ name: "error", type: "TypeError", route: "/rooms/:roomId" },
		{ name: "dropped", count: 7 },
	];
	await beacon.send(bodyOf([], metrics));
	const slo = async (name: string) => [await beacon.total("slo.good", { slo: name }), await beacon.total("slo.valid", { slo: name })];
	assert.deepEqual(await slo("send-latency"), [1, 2]);
	assert.deepEqual(await slo("send"), [0, 1]);
	assert.deepEqual(await slo("delivery"), [4, 5]);
	assert.deepEqual(await slo("render"), [4, 4]);
	assert.deepEqual(await slo("reconnect"), [1, 2]);
	assert.deepEqual(await slo("page"), [1, 2]);
	assert.equal(await beacon.total("chat.message.delivery.duration", { hop: "remote" }), 1);
	assert.equal(await beacon.total("chat.message.stage.duration", { stage: "deliver" }), 2);
	assert.equal(await beacon.total("chat.message.stage.duration", { stage: "render" }), 2);
	assert.equal(await beacon.total("chat.message.render.duration", { "document.visibility": "visible" }), 1);
	assert.equal(await beacon.total("chat.reconnect.duration", { outcome: "failed" }), 1);
	assert.equal(
		await beacon.total("chat.web_vital", { "browser.web_vital.name": "lcp", "http.route": "/", "browser.web_vital.rating": "poor" }),
		1,
	);
	assert.equal(await drops(beacon, "queue-full"), 7);
	const events = beacon.lines.map(([event]) => event);
	assert.deepEqual(events.toSorted(), [
		"client.error",
		"client.web_vital",
		"client.web_vital",
		"client.web_vital",
		"message.delivered",
		"message.delivered",
	]);
	assert.deepEqual(beacon.lines.find(([event]) => event === "client.error")?.[1], {
		exception_type: "TypeError",
		route: "/rooms/:roomId",
		user_id: "ana",
		build: "b1",
	});
	assert.deepEqual(beacon.examples.slice(0, 2), [
		["send-latency", true, { value: 120, traceId: trace, messageId }],
		["send-latency", false, { value: 301, traceId: trace, messageId }],
	]);
});

test("who is not signed in, from elsewhere, or asks too often is not heard, and is not told so", async () => {
	await using beacon = await open();
	assert.equal(await beacon.send(bodyOf([root]), { cookie: "" }), 204);
	assert.equal(await beacon.send(bodyOf([root]), { origin: "https://evil.example" }), 204);
	assert.deepEqual(beacon.take(), []);
	assert.equal(await drops(beacon, "rejected"), 2);
	const count = async (times: number) => {
		for (let at = 0; at < times; at++) assert.equal(await beacon.send(bodyOf([root])), 204);
		return beacon.take().length;
	};
	assert.equal(await count(14), 10, "ten at once");
	beacon.clock.now += 2000;
	assert.equal(await count(4), 2, "and one a second");
	assert.equal(await drops(beacon, "rejected"), 8);
	assert.equal(beacon.asked(), 1, "whose cookies these are is not asked each time");
	assert.equal(await beacon.send(bodyOf([root]), { cookie: "bruno" }), 204);
	assert.equal(beacon.take().length, 1, "another person has their own");
});

test("while nobody can say who asks, and when somebody tries a thousand cookies, nothing breaks and the database is left alone", async () => {
	await using away = await open({
		whoIs: async () => {
			throw new Error("the database is away");
		},
	});
	assert.equal(await away.send(bodyOf([root])), 204);
	assert.deepEqual([away.take(), await drops(away, "rejected")], [[], 1]);
	await using tried = await open({ whoIs: async () => null });
	for (let at = 0; at < 150; at++) await tried.send("{}", { cookie: `try-${at}` });
	assert.equal(tried.asked(), 100);
});

test("a forger counts for no more than one busy person, and outliers are cut", async () => {
	await using beacon = await open();
	const lie: Measured = { name: "delivered", ms: 1e300, stage: 1e300, hop: "local", weight: 1e9, trace: traceId };
	for (let at = 0; at < 8; at++)
		await beacon.send(
			bodyOf(
				[],
				Array.from({ length: 150 }, () => lie),
			),
		);
	assert.equal(await beacon.total("slo.valid", { slo: "delivery" }), 20_000, "two of the heaviest");
	assert.ok((await beacon.sum("chat.message.delivery.duration")) <= 2 * 600);
	assert.equal(await drops(beacon, "rejected"), 8 * 150 - 2);
	beacon.clock.now += 60_000;
	for (let at = 0; at < 8; at++)
		await beacon.send(
			bodyOf(
				[],
				Array.from({ length: 150 }, () => ({ name: "sent", ms: 1, trace: traceId })),
			),
		);
	assert.equal(await beacon.total("slo.valid", { slo: "send-latency" }), 300);
	beacon.clock.now += 60_000;
	await beacon.send(
		bodyOf(
			[],
			Array.from({ length: 150 }, () => ({ name: "error", type: "TypeError", route: "/" })),
		),
	);
	assert.equal(beacon.lines.filter(([event]) => event === "client.error").length, 20, "a flood of errors is not a flood of lines");
});

test("times of a clock that is off are brought within a day, and never into the future", async () => {
	await using beacon = await open();
	const at = (start: number, end = start + 10) =>
		otlpSpan({
			traceId: "a".repeat(32),
			spanId: "b".repeat(16),
			name: "chat.room.switch",
			kind: kinds.internal,
			start,
			end,
			attributes: {},
		});
	const day = 24 * 3600_000;
	await beacon.send(bodyOf([at(now + 5 * day), at(now - 400 * day), at(8e13), at(now - day / 2, now + day / 4)]));
	const spans = beacon.take();
	assert.deepEqual(
		spans.map(({ start }) => start - now),
		[-10, -day, -10, -day * 0.75],
	);
	assert.ok(spans.every(({ start, duration }) => start + duration <= now));
});

const span = (part: Record<string, unknown>): unknown => ({ ...root, ...part });
const attribute = (key: string, value: unknown) => ({ key, value });

/** Spans that are none of ours: each alone in a body, and dropped alone. */
const wrongSpans: Record<string, unknown> = {
	null: null,
	"a number": 7,
	"a list": [root],
	"another name": span({ name: "SELECT secrets" }),
	"a span only the server makes": span({ name: "publish message.created", kind: 4 }),
	"a name of the prototype": span({ name: "__proto__" }),
	"another kind": span({ kind: 2 }),
	"the kind in words": span({ kind: "client" }),
	"no name": span({ name: undefined }),
	"a trace id of zeros": span({ traceId: "0".repeat(32) }),
	"a trace id in capitals": span({ traceId: traceId.toUpperCase() }),
	"a short span id": span({ spanId: "abc" }),
	"a span id that is a number": span({ spanId: 123 }),
	"a parent that is none": span({ parentSpanId: "parent" }),
	"somebody's message in another trace": span({ traceId: "a".repeat(32) }),
	"a child that passes for the root": span({ parentSpanId: "b".repeat(16) }),
	"a painting that passes for the root": { ...root, name: "render message.created", kind: 5 },
	"no message": span({ attributes: [] }),
	"text for a message id": span({ attributes: [attribute("chat.message.id", { stringValue: secret })] }),
	"attributes that are no list": span({ attributes: { "chat.message.id": messageId } }),
	"more attributes than any has": span({ attributes: Array.from({ length: 33 }, () => root.attributes[0]) }),
	"an end before the beginning": span({ endTimeUnixNano: `${now - 60_000}000000` }),
	"a time that is a number": span({ startTimeUnixNano: now * 1e6 }),
	"a time that is not a number": span({ startTimeUnixNano: "NaN" }),
	"an endless time": span({ endTimeUnixNano: "9".repeat(400) }),
	"a span of two days": span({ startTimeUnixNano: `${now - 48 * 3600_000}000000` }),
};

for (const [what, wrong] of Object.entries(wrongSpans))
	test(`a span with ${what} is dropped alone`, async () => {
		await using beacon = await open();
		assert.equal(await beacon.send(bodyOf([wrong, root])), 204);
		assert.equal(beacon.take().length, 1, "the other one is kept");
		assert.equal(await drops(beacon, "invalid"), 1);
	});

test("attributes that are not declared, or not of their type and shape, are left out: no text gets in", async () => {
	await using beacon = await open();
	const wrong = [
		attribute("body", { stringValue: secret }),
		attribute("user.id", { stringValue: "somebody else" }),
		attribute("__proto__", { stringValue: secret }),
		attribute("constructor", { stringValue: secret }),
		attribute("chat.room.id", { stringValue: secret }),
		attribute("error.type", { stringValue: secret }),
		attribute("chat.ack.status", { stringValue: secret }),
		attribute("chat.socket.transport", { stringValue: "<script>" }),
		attribute("chat.send.attempt", { stringValue: secret }),
		attribute("chat.queue.ms", { doubleValue: 1e300 }),
		attribute("chat.queue.ms", { intValue: "NaN" }),
		attribute("session.id", { stringValue: secret }),
		attribute("chat.room.id", { arrayValue: { values: [{ stringValue: secret }] } }),
		attribute("chat.room.id", null),
		{ value: { stringValue: secret } },
		null,
		secret,
	];
	const status = { code: 2, message: secret };
	await beacon.send(
		bodyOf([span({ attributes: [root.attributes[0], ...wrong], status, links: [secret], events: [secret], traceState: secret })]),
	);
	const [kept] = beacon.take();
	assert.deepEqual(kept?.attributes, { "chat.message.id": messageId, "session.id": sessionId });
	assert.equal(kept?.error, "an error in a browser");
	assert.ok(!JSON.stringify([kept, beacon.lines]).includes(secret));
	assert.equal(await drops(beacon, "invalid"), wrong.length);
	assert.equal(({} as { stringValue?: unknown }).stringValue, undefined);
});

const wrongNumbers: unknown[] = [
	null,
	7,
	[],
	{},
	{ name: "__proto__" },
	{ name: "sent" },
	{ name: "sent", ms: "12", trace: traceId },
	{ name: "sent", ms: null, trace: traceId },
	{ name: "sent", ms: 12, trace: secret },
	{ name: "unsent", trace: 7 },
	{ name: "delivered", ms: 1, stage: 1, hop: secret, weight: 1, trace: traceId },
	{ name: "delivered", ms: 1, stage: 1, hop: "local", weight: null, trace: traceId },
	{ name: "painted", ms: "1", stage: 1, weight: 1, trace: traceId },
	{ name: "reconnect", ms: 1, ok: "yes", trace: traceId },
	{ name: "vital", vital: "lcp", value: 1, rating: "good", route: `/rooms/${messageId}` },
	{ name: "vital", vital: secret, value: 1, rating: "good", route: "/" },
	{ name: "vital", vital: "lcp", value: 1, rating: secret, route: "/" },
	{ name: "error", type: secret, route: "/" },
	{ name: "error", type: "TypeError", route: secret },
	{ name: "dropped", count: "all" },
	{ name: "slo.good", value: 1e9 },
];

test("numbers that are none of ours are dropped, each alone", async () => {
	await using beacon = await open();
	await beacon.send(bodyOf([], [...wrongNumbers, { name: "sent", ms: 1, trace: traceId }]));
	assert.equal(await drops(beacon, "invalid"), wrongNumbers.length);
	assert.equal(await beacon.total("slo.valid"), 1);
	assert.deepEqual(beacon.lines, []);
});

const nested = (depth: number) => "[".repeat(depth) + "]".repeat(depth);
/** Bodies that are refused whole: [what, body, why]. */
const wrongBodies: [what: string, body: string | Buffer, reason: string][] = [
	["nothing", "", "invalid"],
	["half of JSON", bodyOf([root]).slice(0, -3), "invalid"],
	["no JSON", secret, "invalid"],
	["bytes", Buffer.from([0xff, 0xfe, 0, 1]), "invalid"],
	["null", "null", "invalid"],
	["a list", "[]", "invalid"],
	["a string", '"x"', "invalid"],
	["nothing in it", "{}", "invalid"],
	["the prototype", '{"__proto__":{"resourceSpans":[],"metrics":[]}}', "invalid"],
	["the wrong types", '{"resourceSpans":{},"metrics":{}}', "invalid"],
	["no numbers", JSON.stringify({ resourceSpans: [] }), "invalid"],
	["two resources", JSON.stringify({ ...JSON.parse(bodyOf([])), resourceSpans: [1, 2] }), "invalid"],
	["no session", bodyOf([root], [], ""), "invalid"],
	["text for a session", bodyOf([root], [], secret), "invalid"],
	["deep nesting", nested(30_000), "invalid"],
	["deep nesting inside", `{"resourceSpans":${nested(15_000)},"metrics":${nested(10_000)}}`, "invalid"],
	["a megabyte", JSON.stringify("x".repeat(1024 * 1024)), "too-large"],
	["one byte too many", " ".repeat(64 * 1024 + 1), "too-large"],
	["51 spans", bodyOf(Array.from({ length: 51 }, () => root)), "too-large"],
	["10,000 spans", bodyOf(Array.from({ length: 10_000 }, () => ({}))), "too-large"],
	[
		"151 numbers",
		bodyOf(
			[],
			Array.from({ length: 151 }, () => ({})),
		),
		"too-large",
	],
];

for (const [what, body, reason] of wrongBodies)
	test(`a body of ${what} is dropped and counted, and the next one is heard`, async () => {
		await using beacon = await open();
		assert.equal(await beacon.send(body), 204);
		assert.deepEqual([beacon.take(), await drops(beacon, reason), await beacon.total("telemetry.dropped")], [[], 1, 1]);
		await beacon.send(bodyOf([root]));
		assert.equal(beacon.take().length, 1);
	});

test("an endless body without a length is cut off, and one that breaks off half way is nothing", async () => {
	await using beacon = await open();
	const endless = await new Promise<number | undefined>((resolve, reject) => {
		const sent = httpRequest({ port: beacon.port, method: "POST", path: "/telemetry", headers: { cookie: "ana" } });
		const timer = setInterval(() => sent.write("x".repeat(10_000)), 1);
		let status: number | undefined;
		sent.on("response", (answer) => {
			status = answer.statusCode;
			answer.resume();
		});
		sent.on("error", () => {});
		sent.on("close", () => {
			clearInterval(timer);
			resolve(status);
		});
		setTimeout(() => reject(new Error("still taken")), 5000).unref();
	});
	assert.equal(endless, 204);
	assert.equal(await drops(beacon, "too-large"), 1);
	await new Promise<void>((resolve) => {
		const sent = httpRequest({
			port: beacon.port,
			method: "POST",
			path: "/telemetry",
			headers: { cookie: "ana", "content-length": "1000" },
		});
		sent.on("error", () => resolve());
		sent.write("{", () => sent.destroy(new Error("gone")));
	});
	await beacon.send(bodyOf([root]));
	assert.deepEqual([beacon.take().length, await beacon.total("telemetry.dropped")], [1, 1]);
});

test("every attribute the contract gives a browser's span is taken, so none is declared that cannot arrive", async () => {
	const samples: Partial<Record<string, string | number | boolean>> = {
		"chat.message.id": messageId,
		"chat.room.id": messageId,
		"session.id": sessionId,
		"error.type": "timeout",
		"http.route": "/rooms/:roomId",
	};
	const sampleOf = (name: keyof typeof attributes) => {
		const { type, values } = attributes[name] as { type: string; values?: readonly (string | number | boolean)[] };
		return values?.[0] ?? samples[name] ?? (type === "number" ? 7 : type === "boolean" ? true : undefined);
	};
	const names: Record<string, string> = { "browser chat/message.send": "chat/message.send", "render {fact}": "render message.created" };
	const made: OtlpSpan[] = Object.entries(declaredSpans)
		.filter(([, declared]) => declared.by === "browser")
		.map(([key, declared], at) =>
			otlpSpan({
				traceId,
				spanId: key.startsWith("browser ") ? rootSpanId : `${at + 1}`.padStart(16, "0"),
				name: names[key] ?? key,
				kind: kinds[declared.kind as keyof typeof kinds],
				start: now - 5,
				end: now,
				attributes: Object.fromEntries(declared.attributes.map((name) => [name, sampleOf(name)])),
			}),
		);
	assert.equal(made.length, 5);
	await using beacon = await open();
	await beacon.send(bodyOf(made));
	const taken = beacon.take();
	assert.deepEqual(
		taken.map(({ name, attributes }) => [name, Object.keys(attributes).length]),
		made.map(({ name, attributes }) => [name, attributes.length]),
	);
	assert.equal(await drops(beacon, "invalid"), 0);
});
