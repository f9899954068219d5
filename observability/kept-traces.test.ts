import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { type Context, ROOT_CONTEXT, type Span, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { TracerProvider } from "@opentelemetry/sdk-trace";
import { traceOf } from "../app/contract/envelope.ts";
import type { TraceSpan } from "../app/contract/ops.ts";
import { KeptTraces } from "./kept-traces.ts";
import type { QuietMessage } from "./record/shared.ts";
import { messageParent } from "./record/spans.ts";

const at = 1_795_446_245_000;
const room = "0193a7b2-0000-7000-8000-00000000aaaa";
const messageId = (no: number) => `0193a7b2-1111-7000-8abc-${no.toString(16).padStart(12, "0")}`;

/** A provider whose ended spans are kept; `exported` is what the next ones are said to be. */
function keeping(limits: ConstructorParameters<typeof KeptTraces>[0] = {}) {
	const kept = new KeptTraces({ instance: "here/1", ...limits });
	const state = { exported: false };
	const provider = new TracerProvider({
		resource: resourceFromAttributes({ "service.name": "chat-web", "service.instance.id": "i-1/42" }),
		spanProcessors: [
			{
				onStart() {},
				onEnd: (span) => kept.add(span, state.exported),
				forceFlush: async () => {},
				shutdown: async () => {},
			},
		],
	});
	const tracer = provider.getTracer("test");
	const within = (span: Span): Context => trace.setSpan(ROOT_CONTEXT, span);
	/** One span that took so long; its trace id. */
	const one = (name: string, took: number, given: { parent?: Context; fails?: boolean; start?: number } = {}): string => {
		const span = tracer.startSpan(name, { kind: SpanKind.SERVER, startTime: given.start ?? at }, given.parent ?? ROOT_CONTEXT);
		if (given.fails) span.setStatus({ code: SpanStatusCode.ERROR, message: "the database is away" });
		span.end((given.start ?? at) + took);
		return span.spanContext().traceId;
	};
	return { kept, tracer, within, one, state };
}

/** A message as the server records it: five spans. */
function send({ tracer, within }: ReturnType<typeof keeping>, id: string, start = at): void {
	const ids = { "chat.message.id": id };
	const call = tracer.startSpan(
		"chat/message.send",
		{
			kind: SpanKind.SERVER,
			startTime: start,
			attributes: { ...ids, "chat.room.id": room, "rpc.method": "message.send", "user.id": room },
		},
		messageParent(id),
	);
	for (const [name, kind] of [
		["chat.message.validate", SpanKind.INTERNAL],
		["INSERT room_log", SpanKind.CLIENT],
		["publish message.created", SpanKind.PRODUCER],
	] as const)
		tracer.startSpan(name, { kind, startTime: start + 1, attributes: ids }, within(call)).end(start + 2);
	call.end(start + 6);
}

const fromBrowser = (given: Partial<TraceSpan> & { traceId: string; spanId: string }): TraceSpan => ({
	parentSpanId: null,
	name: "chat/message.send",
	kind: "client",
	service: "chat-browser",
	instance: "",
	start: at - 10,
	duration: 30,
	error: null,
	attributes: {},
	links: [],
	...given,
});

/** A message that went well and whose spans nobody made. */
const quietMessage = (given: Partial<QuietMessage>): QuietMessage => ({
	messageId: messageId(7),
	roomId: room,
	userId: room,
	transport: "websocket",
	connId: "c",
	roomKind: "public",
	bytes: 5,
	seq: 12,
	startedAt: at,
	clickedAt: at - 5,
	validatedAt: at + 1,
	storingAt: at + 2,
	committedAt: at + 5,
	batch: 3,
	sqlState: undefined,
	publishingAt: at + 5,
	publishedAt: at + 6,
	recipients: 4,
	instances: 2,
	isFresh: true,
	endedAt: at + 7,
	...given,
});

describe("what is kept of a message", () => {
	test("its server spans make one trace that is known as the message's, and say what the SDK said", () => {
		const here = keeping();
		send(here, messageId(1));
		const { traceId, rootSpanId } = traceOf(messageId(1));
		const [row] = here.kept.list();
		assert.deepEqual(row, {
			traceId,
			name: "chat/message.send",
			start: at,
			duration: 6,
			spans: 4,
			errors: 0,
			messageId: messageId(1),
			exported: false,
		});
		const spans = here.kept.get(traceId) as TraceSpan[];
		assert.deepEqual(
			spans.map((span) => [span.name, span.kind, span.duration]),
			[
				["chat/message.send", "server", 6],
				["chat.message.validate", "internal", 1],
				["INSERT room_log", "client", 1],
				["publish message.created", "producer", 1],
			],
		);
		const [call, validate] = spans as [TraceSpan, TraceSpan];
		assert.equal(call.parentSpanId, rootSpanId);
		assert.equal(validate.parentSpanId, call.spanId);
		assert.equal(call.service, "chat-web");
		assert.equal(call.instance, "i-1/42");
		assert.equal(call.attributes["chat.room.id"], room);
	});

	test("what a browser reports joins it, later spans of ours too, and the trace then begins with the click", () => {
		const here = keeping();
		send(here, messageId(1));
		const { traceId, rootSpanId } = traceOf(messageId(1));
		here.kept.addBrowser(fromBrowser({ traceId, spanId: rootSpanId }));
		here.kept.addBrowser(
			fromBrowser({ traceId, spanId: "00000000000000aa", parentSpanId: rootSpanId, name: "render message.created", kind: "consumer" }),
		);
		here.state.exported = true;
		here.one("process message.created", 2, { parent: messageParent(messageId(1)), start: at + 180_000 });
		const [row, ...others] = here.kept.list();
		assert.equal(others.length, 0);
		assert.equal(row?.spans, 7);
		assert.equal(row?.start, at - 10);
		assert.equal(row?.duration, 30);
		assert.equal(row?.exported, true);
	});

	test("a browser that reports the same span again adds nothing, and cannot replace one of ours", () => {
		const here = keeping();
		send(here, messageId(1));
		const { traceId, rootSpanId } = traceOf(messageId(1));
		const ours = here.kept.get(traceId) as TraceSpan[];
		here.kept.addBrowser(fromBrowser({ traceId, spanId: rootSpanId, duration: 900 }));
		here.kept.addBrowser(fromBrowser({ traceId, spanId: rootSpanId, duration: 1, error: "no answer in time" }));
		here.kept.addBrowser(fromBrowser({ traceId, spanId: ours[0]?.spanId as string, name: "something else" }));
		here.kept.addBrowser(fromBrowser({ traceId, spanId: "00000000000000cc", name: "a false root", start: at - 5000 }));
		const spans = here.kept.get(traceId) as TraceSpan[];
		for (const span of ours)
			assert.deepEqual(
				spans.find((known) => known.spanId === span.spanId),
				span,
			);
		assert.deepEqual(
			spans.filter((span) => span.spanId === rootSpanId).map((span) => [span.duration, span.error]),
			[[900, null]],
		);
		assert.deepEqual([here.kept.list()[0]?.name, here.kept.list()[0]?.duration], ["chat/message.send", 900]);
	});

	test("a message nobody made spans for has them all the same, the same ones each time", () => {
		const { kept } = keeping();
		const id = messageId(7);
		const { traceId, rootSpanId } = traceOf(id);
		const quiet = quietMessage({ messageId: id });
		kept.addQuiet(quiet);
		const spans = kept.get(traceId) as TraceSpan[];
		assert.deepEqual(
			spans.map((span) => [span.name, span.start - at, span.duration, span.parentSpanId === rootSpanId]),
			[
				["chat/message.send", 0, 7, true],
				["chat.message.validate", 0, 1, false],
				["INSERT room_log", 2, 3, false],
				["publish message.created", 5, 1, false],
			],
		);
		assert.equal(new Set(spans.map((span) => span.spanId)).size, 4);
		assert.ok(spans.slice(1).every((span) => span.parentSpanId === spans[0]?.spanId));
		assert.equal(spans[0]?.instance, "here/1");
		assert.deepEqual(kept.get(traceId), spans);
		kept.addQuiet({ ...quiet, isFresh: false, startedAt: at + 100, endedAt: at + 101 });
		assert.equal(kept.get(traceId)?.length, 8);
		assert.equal(kept.list()[0]?.messageId, id);
	});

	test("of a burst so many a second are kept, and those that took longest; what another part of a trace is kept for joins it", () => {
		const { kept } = keeping({ limits: { quietPerSecond: 10, worstPerName: 5 } });
		const quiet = (no: number, second: number, took: number) =>
			kept.addQuiet(quietMessage({ messageId: messageId(no), startedAt: at + 1000 * second, endedAt: at + 1000 * second + took }));
		const isKept = (no: number) => kept.get(messageId(no)) !== null;
		// What comes first fills the list of the slowest, and is what later ones are measured by.
		for (let no = 0; no < 100; no++) quiet(no, 0, 5);
		assert.equal(kept.stats.traces, 10);
		quiet(100, 0, 6);
		quiet(101, 0, 5);
		assert.deepEqual([isKept(9), isKept(10), isKept(100), isKept(101)], [true, false, true, false]);
		kept.addBrowser(fromBrowser({ traceId: traceOf(messageId(102)).traceId, spanId: "00000000000000aa" }));
		quiet(102, 0, 4);
		assert.equal(kept.get(messageId(102))?.length, 5);
		quiet(103, 1, 1);
		assert.ok(isKept(103), "the next second has its own");
	});

	test("a page's trace is nobody's message", () => {
		const { kept, one } = keeping();
		one("GET /rooms/:roomId", 20);
		assert.equal(kept.list()[0]?.messageId, null);
	});
});

describe("finding", () => {
	test("by its id, a message's id and any beginning of at least six digits", () => {
		const { kept, one } = keeping();
		const traceId = one("GET /rooms", 5);
		one("GET /people", 5);
		for (const reference of [traceId, traceId.slice(0, 12), traceId.slice(0, 6), ` ${traceId.slice(0, 12).toUpperCase()} `])
			assert.equal(kept.get(reference)?.[0]?.traceId, traceId, reference);
		for (const reference of [traceId.slice(0, 5), "", "zzzzzz", `${traceId}00`, "%", "ffffffffffff"])
			assert.equal(kept.get(reference), null, reference);
		const here = keeping();
		send(here, messageId(3));
		assert.equal(here.kept.get(messageId(3))?.length, 4);
	});

	test("of two that begin alike it is the newer", () => {
		const { kept, one } = keeping();
		const parent = (no: number) => messageParent(messageId(no));
		one("older", 1, { parent: parent(1) });
		one("newer", 1, { parent: parent(2) });
		assert.equal(kept.get(messageId(1).slice(0, 23))?.[0]?.name, "newer");
	});

	test("by name, how long it took and whether it failed, newest first and so many", () => {
		const { kept, one } = keeping();
		one("GET /rooms", 5, { start: at });
		one("GET /people", 50, { start: at + 1 });
		one("GET /people", 60, { start: at + 2, fails: true });
		const names = (filter: Parameters<typeof kept.list>[0]) => kept.list(filter).map((row) => `${row.name} ${row.duration}`);
		assert.deepEqual(names({}), ["GET /people 60", "GET /people 50", "GET /rooms 5"]);
		assert.deepEqual(names({ name: "PEOPLE" }), ["GET /people 60", "GET /people 50"]);
		assert.deepEqual(names({ minDuration: 50.5 }), ["GET /people 60"]);
		assert.deepEqual(names({ errorsOnly: true }), ["GET /people 60"]);
		assert.deepEqual(names({ limit: 1 }), ["GET /people 60"]);
		assert.equal(kept.list({ errorsOnly: true })[0]?.errors, 1);
		assert.deepEqual(
			kept.list({ slowestFirst: true }).map((row) => row.duration),
			kept
				.list()
				.map((row) => row.duration)
				.sort((one, other) => other - one),
		);
		assert.equal(kept.get(kept.list({ errorsOnly: true })[0]?.traceId as string)?.[0]?.error, "the database is away");
	});
});

describe("bounds", () => {
	test("the latest, the slowest of each name and those that failed stay, and nothing else", () => {
		const { kept, one } = keeping({ limits: { recent: 10, failed: 2, worstPerName: 3 } });
		const slow = [900, 800, 700].map((took) => one("GET /rooms", took));
		const failed = [1, 2, 3].map((no) => one(`job ${no}`, 0, { fails: true }));
		const lost = one("GET /rooms", 4);
		const latest = Array.from({ length: 10 }, () => one("GET /rooms", 1));
		for (const traceId of [...slow, ...latest]) assert.ok(kept.get(traceId), "kept");
		// Each job is the slowest of its name, so all three stay for that; only two for having failed.
		for (const traceId of failed) assert.ok(kept.get(traceId));
		assert.equal(kept.stats.failed, 2);
		assert.equal(kept.get(lost), null);
		assert.deepEqual({ ...kept.stats, bytes: 0 }, { traces: 16, recent: 10, failed: 2, worst: 6, bytes: 0, evicted: 1, dropped: 0 });
		const slower = one("GET /rooms", 750);
		for (let no = 0; no < 10; no++) one("GET /rooms", 1);
		assert.ok(kept.get(slower), "it took the place of the least slow");
		assert.equal(kept.get(slow[2] as string), null);
	});

	test("a failed one stays though it was quick, until more have failed", () => {
		const { kept, one } = keeping({ limits: { recent: 1, failed: 2, worstPerName: 1 } });
		one("GET /rooms", 100);
		const failed = [one("GET /rooms", 1, { fails: true }), one("GET /rooms", 1, { fails: true }), one("GET /rooms", 1, { fails: true })];
		one("GET /rooms", 1);
		assert.deepEqual(
			failed.map((traceId) => kept.get(traceId) !== null),
			[false, true, true],
		);
	});

	test("names somebody makes up have no worst ones", () => {
		const { kept, one } = keeping({ limits: { recent: 1, names: 2 } });
		for (let no = 0; no < 50; no++) one(`made up ${no}`, 1000);
		assert.equal(kept.stats.worst, 2);
		assert.equal(kept.stats.traces, 3);
	});

	test("one trace takes so many spans of ours and so many of browsers, and what was left out is counted", () => {
		const { kept, one } = keeping({ limits: { spansPerTrace: 5, browserSpansPerTrace: 3 } });
		const { traceId } = traceOf(messageId(1));
		for (let no = 0; no < 8; no++) one("chat/room.history", 1, { parent: messageParent(messageId(1)) });
		for (let no = 0; no < 8; no++)
			kept.addBrowser(fromBrowser({ traceId, spanId: `${no}`.padStart(16, "0"), parentSpanId: "1".repeat(16) }));
		assert.equal(kept.get(traceId)?.length, 8);
		assert.equal(kept.stats.dropped, 8);
	});

	test("all together stays below its bytes, whatever it is made of, and what is new is there", () => {
		const bytes = 200_000;
		const here = keeping({ limits: { bytes } });
		const long = "x".repeat(1000);
		let last = "";
		for (let no = 0; no < 2000; no++) {
			const span = here.tracer.startSpan(no % 3 ? "GET /rooms" : `job ${no % 90}`, { startTime: at, attributes: { long } }, ROOT_CONTEXT);
			if (no % 5 === 0) span.setStatus({ code: SpanStatusCode.ERROR });
			span.end(at + no);
			last = span.spanContext().traceId;
			assert.ok(here.kept.stats.bytes <= bytes, `${here.kept.stats.bytes} bytes after ${no}`);
		}
		assert.ok(here.kept.get(last));
		const { traces, recent, evicted } = here.kept.stats;
		assert.ok(traces >= 40, `${traces} of about 3 kB each fit`);
		assert.ok(recent >= 15, `failed and slow ones leave room for ${recent} new ones`);
		assert.equal(traces + evicted, 2000);
	});

	test("its estimate of what 2,000 messages take is not less than what the heap says", () => {
		setFlagsFromString("--expose-gc");
		const collect: () => void = runInNewContext("gc");
		const here = keeping();
		send(here, messageId(0));
		collect();
		const before = process.memoryUsage().heapUsed;
		for (let no = 0; no < 2000; no++) send(here, messageId(no));
		collect();
		const used = process.memoryUsage().heapUsed - before;
		const { traces, bytes } = here.kept.stats;
		assert.equal(traces, 2000);
		assert.ok(used < bytes, `${used} bytes used, ${bytes} estimated`);
		assert.ok(bytes < 2 * used, `${used} bytes used, ${bytes} estimated`);
	});
});

test("a page load is found by its own name, though it hangs under its request; then the row is about it", () => {
	const { kept, one, tracer, within } = keeping();
	const request = tracer.startSpan("GET /rooms/:roomId", { kind: SpanKind.SERVER, startTime: at });
	const { traceId, spanId } = request.spanContext();
	tracer.startSpan("loader /rooms/:roomId", { startTime: at }, within(request)).end(at + 5);
	request.end(at + 8);
	one("GET /people", 900);
	kept.addBrowser(
		fromBrowser({
			traceId,
			spanId: "a".repeat(16),
			parentSpanId: spanId,
			name: "documentLoad",
			start: at - 3,
			duration: 640,
			attributes: { "http.route": "/rooms/:roomId" },
		}),
	);
	const rows = (name: string) => kept.list({ name }).map((row) => [row.traceId, row.name, row.duration]);
	assert.deepEqual(rows("documentload"), [[traceId, "documentLoad /rooms/:roomId", 640]]);
	assert.deepEqual(rows("GET /rooms"), [[traceId, "GET /rooms/:roomId", 8]]);
	assert.deepEqual(rows("nothing like it"), []);
	assert.deepEqual(kept.list({ name: "documentLoad", minDuration: 700 }), [], "and the shortest duration asked for is its own");
});
