import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { context, metrics as metricsApi, SpanKind, trace } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { MeterProvider } from "@opentelemetry/sdk-metrics";
import { TracerProvider } from "@opentelemetry/sdk-trace";
import { type Envelope, traceOf } from "../app/contract/envelope.ts";
import { lobbyId } from "../app/contract/fixed.ts";
import type { LogFilter, LogLine, TraceParts, TraceSpan } from "../app/contract/ops.ts";
import type { Message } from "../app/contract/shapes.ts";
import { declaredSpan } from "../tests/support/recorded.ts";
import { hopsOf } from "./journey.ts";
import { KeptMetrics } from "./kept-metrics.ts";
import { KeptTraces } from "./kept-traces.ts";
import { openLevel } from "./level.ts";
import { cloudWatchTemplate, newRelicTraceTemplate } from "./links.ts";
import { openOps } from "./ops.ts";
import { openRecorder } from "./recorder.ts";

const instance = "i-1/42";
const author = "0193a7b2-0000-7000-8000-0000000000aa";

/** The whole recorder, with everything it leaves kept as on a server; one at a time, since providers are global. */
function start(isSampled: () => boolean) {
	const traces = new KeptTraces({ instance });
	const metrics = new KeptMetrics({ env: "test" });
	const provider = new TracerProvider({
		resource: resourceFromAttributes({ "service.name": "chat-web", "service.instance.id": instance }),
		spanProcessors: [{ onStart() {}, onEnd: (span) => traces.add(span, false), forceFlush: async () => {}, shutdown: async () => {} }],
	});
	const meters = new MeterProvider({ readers: [metrics.reader] });
	trace.setGlobalTracerProvider(provider);
	metricsApi.setGlobalMeterProvider(meters);
	context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());

	const lines: LogLine[] = [];
	const write =
		(level: LogLine["level"]) =>
		(event: string, fields: Record<string, unknown> = {}) => {
			const traceId = trace.getSpanContext(context.active())?.traceId ?? null;
			const given = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as LogLine["fields"];
			lines.push({ no: lines.length + 1, ts: Date.now(), level, event, msg: event, traceId, fields: given });
		};
	const log = { debug: write("debug"), info: write("info"), warn: write("warn"), error: write("error"), level: "info" };
	const logs = {
		list: (filter: LogFilter) =>
			lines
				.filter((line) => filter.traceId === undefined || line.traceId?.startsWith(filter.traceId))
				.filter((line) => filter.messageId === undefined || line.fields.message_id === filter.messageId)
				.filter((line) => filter.event === undefined || line.event === filter.event)
				.slice(-(filter.limit ?? 100)),
	};
	let elsewhere = (_reference: string): TraceParts => ({ parts: [], silent: [] });
	const recorder = openRecorder({ log, isUnavailable: () => false, isSampled, onQuiet: (message) => traces.addQuiet(message) });
	const ops = openOps({
		telemetry: {
			settings: {
				instance,
				version: "abc123",
				otlp: null,
				newRelic: { mode: "split" },
				cloudWatch: { group: "/chat/test/app", region: "eu-west-1" },
				links: { newRelicTrace: newRelicTraceTemplate, newRelicLogs: null, cloudWatchLogs: cloudWatchTemplate },
			},
			traces,
			metrics,
			logs,
			exporting: () => [{ signal: "span", to: null, exported: 0, dropped: 0, queued: 0, lastError: null, lastErrorAt: null }],
		},
		sockets: () => [],
		askOthers: async (reference) => elsewhere(reference),
		level: openLevel({ logger: log }),
		log: log.info,
		counts: () => ({ keptLogs: lines.length, fieldsRejected: 3 }),
	});

	let seq = 0;
	const sql = recorder.sql({
		query: async <Row>(_name: string, _text: string, values?: readonly unknown[]) => {
			await new Promise((done) => setTimeout(done, 3));
			return [{ client_key: (values as string[][])[2]?.[0], fresh: true }] as Row[];
		},
		transaction: () => assert.fail(),
	});
	const envelopes: Envelope[] = [];
	const { post: use } = recorder.observe("messages", {
		async post(_me: unknown, input: { clientId: string; body: string }) {
			if (input.body === "broken") throw new Error("a bug");
			await sql.query("lane-store", "insert into room_log values ($1)", [[], [], [input.clientId]]);
			const message = { clientId: input.clientId, createdAt: Date.now() } as Message;
			seq++;
			recorder.fanOut({ kind: "message-posted", roomId: lobbyId, seq, message }, 3, { how: "here" }, (envelope) => {
				if (envelope) envelopes.push(envelope);
			});
			return { id: input.clientId, seq };
		},
	});
	return {
		ops,
		traces,
		lines,
		recorder,
		/** What the other instances answer. */
		answer(others: typeof elsewhere) {
			elsewhere = others;
		},
		/** Sends a message through all that records; its id and what went along with it. */
		async send(body = "hello"): Promise<{ id: string; envelope: Envelope }> {
			const id = randomUUID();
			const input = { roomId: lobbyId, clientId: id, body, replyTo: null };
			const about = { name: "message:post" as const, input, envelope: {}, userId: author, connId: "c", transport: "websocket" };
			await recorder.call(about, () => use({ id: author }, input));
			return { id, envelope: envelopes.at(-1) as Envelope };
		},
		async end() {
			ops.stop();
			await provider.shutdown();
			await meters.shutdown();
			trace.disable();
			metricsApi.disable();
			context.disable();
		},
	};
}

const byBrowser = (
	given: Pick<TraceSpan, "traceId" | "spanId" | "parentSpanId" | "name" | "start" | "duration"> & Partial<TraceSpan>,
): TraceSpan => ({
	kind: "client",
	service: "chat-browser",
	instance: "browser",
	error: null,
	attributes: {},
	links: [],
	...given,
});

/** What the two browsers of a message report. */
function reported(
	id: string,
	acceptedAt: number,
	given: { clicked?: number; delivery?: number; painted?: number; visibility?: string } = {},
) {
	const { traceId, rootSpanId } = traceOf(id);
	const { clicked = -20, delivery = 12, painted = 16, visibility = "visible" } = given;
	return [
		byBrowser({ traceId, spanId: rootSpanId, parentSpanId: null, name: "chat/message.send", start: acceptedAt + clicked, duration: 40 }),
		byBrowser({
			traceId,
			spanId: "00000000000000b1",
			parentSpanId: rootSpanId,
			name: "render message.created",
			kind: "consumer",
			start: acceptedAt + delivery,
			duration: painted,
			attributes: { "chat.delivery.ms": delivery, "chat.render.ms": delivery + painted - clicked, "document.visibility": visibility },
		}),
	];
}

describe("the journey of a message", () => {
	let here: ReturnType<typeof start>;
	before(() => {
		here = start(() => true);
	});
	after(() => here.end());

	test("hop by hop from the click to the paint, in order, each with how long it took, and its lines", async () => {
		const { id } = await here.send();
		const call = here.traces.get(id)?.find((span) => span.name === "chat/message.send") as TraceSpan;
		for (const span of reported(id, call.start, { delivery: 30_000 })) here.traces.addBrowser(span);
		const journey = await here.ops.journey(id.toUpperCase());
		assert.deepEqual(
			journey.hops.map((hop) => hop.stage),
			["clicked", "accepted", "validated", "committed", "published", "delivered", "painted"],
		);
		const [clicked, accepted, , committed, published, delivered, painted] = journey.hops;
		assert.equal(accepted?.at, call.start);
		assert.equal(Math.round(accepted?.took as number), 20);
		assert.ok((committed?.took as number) >= 2, "storing took 3 ms");
		assert.equal(delivered?.at, call.start + 30_000);
		assert.equal(painted?.took, 16);
		assert.equal(clicked?.took, 0);
		assert.equal(published?.spanId, journey.spans.find((span) => span.kind === "producer")?.spanId);
		assert.deepEqual([clicked?.instance, accepted?.instance, painted?.instance], ["browser", instance, "browser"]);
		for (const [place, hop] of journey.hops.slice(1).entries()) {
			assert.ok(hop.at >= (journey.hops[place]?.at as number), hop.stage);
			assert.equal(hop.took, hop.at - (journey.hops[place]?.at as number));
		}
		assert.deepEqual([journey.messageId, journey.traceId, journey.roomId, journey.seq], [id, traceOf(id).traceId, lobbyId, 1]);
		assert.deepEqual(
			journey.logs.map((line) => line.event),
			["message.sent"],
		);
		assert.ok(journey.links.newRelicTrace?.includes(journey.traceId));
		assert.ok(journey.links.cloudWatchLogs?.includes(`*22${journey.traceId}*22`));
		assert.equal(journey.links.newRelicLogs, null);
	});

	test("a browser whose clock is a little off comes when it can have been; one that is far off says nothing", async () => {
		const { id } = await here.send();
		const call = here.traces.get(id)?.find((span) => span.name === "chat/message.send") as TraceSpan;
		const stages = (given: Parameters<typeof reported>[2]) =>
			hopsOf(id, [...(here.traces.get(id) as TraceSpan[]), ...reported(id, call.start, given)], [], instance);
		const off = stages({ clicked: 500, delivery: 0, painted: 1 });
		assert.deepEqual(
			off.map((hop) => hop.stage),
			["clicked", "accepted", "validated", "committed", "published", "delivered", "painted"],
		);
		assert.equal(off[0]?.at, call.start);
		assert.equal(off[5]?.at, off[4]?.at);
		assert.equal(off[5]?.took, 0);
		assert.equal(stages({ clicked: 60_000 })[0]?.stage, "accepted");
		assert.ok(!stages({ delivery: -60_000 }).some((hop) => hop.stage === "delivered" || hop.stage === "painted"));
		assert.equal(stages({ visibility: "hidden" }).at(-1)?.stage, "delivered", "a hidden page paints when somebody looks");
		// A page with another room open ends its span when it heard.
		const [root, render] = reported(id, call.start) as [TraceSpan, TraceSpan];
		const unseen = { ...render, duration: 0, attributes: { "chat.delivery.ms": 12, "document.visibility": "visible" } };
		assert.equal(hopsOf(id, [...(here.traces.get(id) as TraceSpan[]), root, unseen], [], instance).at(-1)?.stage, "delivered");
	});

	test("of several recipients it is the first", async () => {
		const { id } = await here.send();
		const call = here.traces.get(id)?.find((span) => span.name === "chat/message.send") as TraceSpan;
		const [, late] = reported(id, call.start, { delivery: 90_000 }) as [TraceSpan, TraceSpan];
		const [, early] = reported(id, call.start, { delivery: 30_000 }) as [TraceSpan, TraceSpan];
		const spans = [...(here.traces.get(id) as TraceSpan[]), { ...late, spanId: "00000000000000c1" }, early];
		const hops = hopsOf(id, spans, [], instance);
		assert.deepEqual(
			hops.slice(-2).map((hop) => [hop.stage, hop.at - call.start, hop.spanId]),
			[
				["delivered", 30_000, early.spanId],
				["painted", 30_016, early.spanId],
			],
		);
	});

	test("where it was only heard, what is known is heard, delivered and painted", async () => {
		const id = randomUUID();
		here.recorder.fanOut(
			{ kind: "message-posted", roomId: lobbyId, seq: 9, message: { clientId: id, createdAt: Date.now() - 5 } as Message },
			2,
			{ how: "healed" },
			() => {},
		);
		const heard = here.traces.get(id)?.[0] as TraceSpan;
		assert.equal(heard.name, "process message.created");
		here.traces.addBrowser(reported(id, heard.start)[1] as TraceSpan);
		const journey = await here.ops.journey(id);
		assert.deepEqual(
			journey.hops.map((hop) => [hop.stage, Math.round(hop.took)]),
			[
				["heard", 0],
				["delivered", 12],
				["painted", 16],
			],
		);
		assert.equal(journey.seq, 9);
	});

	test("a message that failed went no further than it went", async () => {
		const id = await here.send("broken").then(
			() => assert.fail("it is broken"),
			() => here.lines.at(-1)?.fields.message_id as string,
		);
		const journey = await here.ops.journey(id);
		assert.deepEqual(
			journey.hops.map((hop) => hop.stage),
			["accepted", "validated"],
		);
		assert.deepEqual(
			journey.logs.map((line) => line.event),
			["slo.exemplar", "message.failed"],
		);
		assert.equal(here.ops.slos().find((state) => state.slo === "send")?.worst[0]?.traceId, traceOf(id).traceId);
	});

	test("when its spans are gone the lines still say when it was accepted, and nothing is made up", async () => {
		const { id } = await here.send();
		const lines = here.lines.filter((line) => line.fields.message_id === id);
		const hops = hopsOf(id, [], lines, instance);
		assert.deepEqual(
			hops.map((hop) => [hop.stage, hop.spanId]),
			[
				["accepted", null],
				["validated", null],
			],
		);
		const span = here.traces.get(id)?.find((known) => known.name === "chat/message.send") as TraceSpan;
		assert.ok(Math.abs((hops[0]?.at as number) - span.start) < 5);
		const unknown = await here.ops.journey(randomUUID());
		assert.deepEqual([unknown.hops, unknown.spans, unknown.logs, unknown.roomId, unknown.seq], [[], [], [], null, null]);
	});
});

describe("a message nobody made spans for", () => {
	let here: ReturnType<typeof start>;
	let sampled = false;
	before(() => {
		here = start(() => sampled);
	});
	after(() => here.end());

	test("has the same journey, drawn from its stamps as the contract has it", async () => {
		const quiet = (await here.send()).id;
		sampled = true;
		const loud = (await here.send()).id;
		const shape = (id: string) => {
			const spans = here.traces.get(id) as TraceSpan[];
			const nameOf = (spanId: string | null) =>
				spans.find((span) => span.spanId === spanId)?.name ?? (spanId === traceOf(id).rootSpanId ? "root" : "?");
			return spans.map((span) => `${span.kind} ${span.name} under ${nameOf(span.parentSpanId)} on ${span.instance}`).sort();
		};
		assert.deepEqual(shape(quiet), shape(loud));
		const said = (id: string) =>
			(here.traces.get(id) as TraceSpan[]).map(({ name, attributes }) => {
				const own = Object.entries(attributes).map(([key, value]) => [
					key,
					value === id ? "its id" : key === "chat.message.seq" ? "seq" : value,
				]);
				return [name, Object.fromEntries(own)];
			});
		assert.deepEqual(said(quiet), said(loud));
		for (const span of here.traces.get(quiet) as TraceSpan[]) assert.deepEqual(declaredSpan(span, "server").problems, []);
		assert.deepEqual(
			(await here.ops.journey(quiet)).hops.map((hop) => hop.stage),
			["accepted", "validated", "committed", "published"],
		);
		assert.deepEqual(
			here.ops.traces({}).map((row) => row.messageId),
			[loud, quiet],
		);
	});
});

/** What is wrong with OTLP/JSON, by the rules of its protobuf mapping. */
function otlpProblems(given: unknown): string[] {
	const problems: string[] = [];
	const hex = (value: unknown, digits: number) => typeof value === "string" && new RegExp(`^[0-9a-f]{${digits}}$`).test(value);
	const values = (list: unknown, where: string) => {
		for (const { key, value, ...other } of list as { key: unknown; value: Record<string, unknown> }[]) {
			const [kind, ...others] = Object.keys(value);
			const isRight =
				(kind === "stringValue" && typeof value.stringValue === "string") ||
				(kind === "boolValue" && typeof value.boolValue === "boolean") ||
				(kind === "intValue" && /^-?\d+$/.test(String(value.intValue)) && typeof value.intValue === "string") ||
				(kind === "doubleValue" && Number.isFinite(value.doubleValue));
			if (typeof key !== "string" || !isRight || others.length > 0 || Object.keys(other).length > 0)
				problems.push(`${where}: ${String(key)}`);
		}
	};
	for (const { resource, scopeSpans } of (
		given as {
			resourceSpans: { resource: { attributes: unknown }; scopeSpans: { scope: { name: unknown }; spans: Record<string, unknown>[] }[] }[];
		}
	).resourceSpans) {
		values(resource.attributes, "resource");
		for (const { scope, spans } of scopeSpans) {
			if (typeof scope.name !== "string") problems.push("scope");
			for (const span of spans) {
				const where = String(span.name);
				if (!hex(span.traceId, 32) || !hex(span.spanId, 16)) problems.push(`${where}: ids`);
				if ("parentSpanId" in span && !hex(span.parentSpanId, 16)) problems.push(`${where}: parent`);
				if (![1, 2, 3, 4, 5].includes(span.kind as number)) problems.push(`${where}: kind`);
				for (const time of [span.startTimeUnixNano, span.endTimeUnixNano])
					if (typeof time !== "string" || !/^\d{19}$/.test(time)) problems.push(`${where}: time ${String(time)}`);
				if (BigInt(span.endTimeUnixNano as string) < BigInt(span.startTimeUnixNano as string))
					problems.push(`${where}: ends before it starts`);
				values(span.attributes, where);
				for (const link of span.links as Record<string, unknown>[])
					if (!hex(link.traceId, 32) || !hex(link.spanId, 16)) problems.push(`${where}: link`);
				const { code = 0 } = span.status as { code?: number };
				if (![0, 1, 2].includes(code)) problems.push(`${where}: status`);
			}
		}
	}
	return problems;
}

describe("a trace", () => {
	let here: ReturnType<typeof start>;
	before(() => {
		here = start(() => true);
	});
	after(() => here.end());

	test("is found by the reference people quote, with its lines and where to see it elsewhere", async () => {
		const { id } = await here.send();
		const { traceId } = traceOf(id);
		for (const reference of [traceId, traceId.slice(0, 12), id]) {
			const found = await here.ops.trace(reference);
			assert.equal(found?.traceId, traceId);
			assert.equal(found?.spans.length, 4);
			assert.deepEqual(
				found?.logs.map((line) => line.event),
				["message.sent"],
			);
			assert.ok(found?.links.cloudWatchLogs?.startsWith("https://eu-west-1."));
		}
		assert.equal(await here.ops.trace("abc"), null);
		assert.equal(await here.ops.trace("000000000000"), null);
		assert.equal(await here.ops.trace("../../etc"), null);
	});

	test("of which only lines are left is still found by them", async () => {
		const traceId = "fedcba9876543210fedcba9876543210";
		here.lines.push({ no: 1000, ts: Date.now(), level: "error", event: "exception", msg: "unexpected error", traceId, fields: {} });
		const found = await here.ops.trace(traceId.slice(0, 12));
		assert.deepEqual([found?.traceId, found?.spans, found?.logs.length], [traceId, [], 1]);
		assert.equal(await here.ops.exportTrace(traceId), null);
	});

	test("is put together from what all instances kept: each span once, lines by time with whose they are, and who did not answer", async () => {
		const { id } = await here.send();
		const { traceId, rootSpanId } = traceOf(id);
		const [call] = here.traces.get(id) as [TraceSpan];
		const heard: TraceSpan = {
			...call,
			spanId: "00000000000000c1",
			parentSpanId: rootSpanId,
			name: "process message.created",
			kind: "consumer",
			instance: "i-2/7",
			start: call.start + 5,
		};
		const forged = byBrowser({ ...call, service: "chat-browser", name: "forged" });
		const line: LogLine = { no: 1, ts: 1, level: "warn", event: "adapter.lag", msg: "late", traceId, fields: {} };
		const asked: string[] = [];
		here.answer((reference) => {
			asked.push(reference);
			return { parts: [{ traceId, instance: "i-2/7", spans: [heard, forged], logs: [line] }], silent: ["i-3/9"] };
		});
		const found = await here.ops.trace(traceId.slice(0, 12));
		assert.deepEqual(asked, [traceId], "by the whole id, where it is known here");
		assert.equal(found?.spans.length, 5);
		assert.ok(found?.spans.some((span) => span.name === "process message.created" && span.instance === "i-2/7"));
		assert.ok(!found?.spans.some((span) => span.name === "forged"));
		assert.deepEqual(
			found?.logs.map(({ event, instance }) => [event, instance]),
			[
				["adapter.lag", "i-2/7"],
				["message.sent", undefined],
			],
		);
		assert.deepEqual(found?.sources, { from: [instance, "i-2/7"], silent: ["i-3/9"] });
		const journey = await here.ops.journey(id);
		assert.equal(journey.hops.find((hop) => hop.stage === "heard")?.instance, "i-2/7");
		assert.deepEqual(journey.sources, found?.sources);

		// Known elsewhere alone, by its beginning; and of another trace nothing is taken.
		const theirs = "0193a7b2000070008000aaaaaaaaaaaa";
		here.answer(() => ({
			parts: [
				{ traceId: theirs, instance: "i-2/7", spans: [{ ...heard, traceId: theirs }], logs: [] },
				{ traceId, instance: "i-4/1", spans: [heard], logs: [] },
			],
			silent: [],
		}));
		const other = await here.ops.trace("0193a7b20000700080");
		assert.deepEqual([other?.traceId, other?.spans.length, other?.sources.from], [theirs, 1, ["i-2/7"]]);
		here.answer(() => assert.fail("what cannot be an id is no question"));
		assert.equal(await here.ops.trace("../../etc"), null);
		here.answer(() => ({ parts: [], silent: [] }));
	});

	test("is exported as OTLP/JSON with everything that is known of it", async () => {
		const { id } = await here.send();
		const call = here.traces.get(id)?.[0] as TraceSpan;
		const [root, render] = reported(id, call.start) as [TraceSpan, TraceSpan];
		here.traces.addBrowser({ ...root, error: "no answer in time", attributes: { "chat.queue.ms": 0.5, "chat.dedup": true } });
		here.traces.addBrowser({ ...render, links: [{ traceId: call.traceId, spanId: call.spanId }] });
		const exported = JSON.parse(JSON.stringify(await here.ops.exportTrace(call.traceId)));
		assert.deepEqual(otlpProblems(exported), []);
		const spans = exported.resourceSpans.flatMap((resource: { scopeSpans: { spans: unknown[] }[] }) => resource.scopeSpans[0]?.spans);
		assert.equal(exported.resourceSpans.length, 2);
		assert.equal(spans.length, 6);
		const browser = spans.find((span: { spanId: string }) => span.spanId === root.spanId);
		assert.deepEqual(browser, {
			traceId: call.traceId,
			spanId: root.spanId,
			name: "chat/message.send",
			kind: 3,
			startTimeUnixNano: `${BigInt(Math.round(root.start * 1000)) * 1000n}`,
			endTimeUnixNano: `${BigInt(Math.round((root.start + 40) * 1000)) * 1000n}`,
			attributes: [
				{ key: "chat.queue.ms", value: { doubleValue: 0.5 } },
				{ key: "chat.dedup", value: { boolValue: true } },
			],
			links: [],
			status: { code: 2, message: "no answer in time" },
		});
		const server = spans.find((span: { spanId: string }) => span.spanId === call.spanId);
		assert.equal(server.kind, SpanKind.SERVER + 1);
		assert.equal(server.parentSpanId, root.spanId);
		assert.ok(
			server.attributes.some(
				({ key, value }: { key: string; value: { intValue: string } }) => key === "chat.message.bytes" && value.intValue === "5",
			),
		);
		assert.deepEqual(
			otlpProblems({
				resourceSpans: [{ resource: { attributes: [] }, scopeSpans: [{ scope: { name: "x" }, spans: [{ ...server, kind: 0 }] }] }],
			}),
			["chat/message.send: kind"],
		);
	});
});

test("the instance says what it is, its level can be raised, and it says what it lost", () => {
	const here = start(() => true);
	const { startedAt, ...row } = here.ops.instance();
	assert.ok(startedAt <= Date.now() && startedAt > Date.now() - 3_600_000);
	assert.deepEqual(row, { instance, version: "abc123", sockets: 0, level: "info", levelUntil: null, node: process.version, mode: "split" });
	here.ops.raiseLevel(author);
	assert.equal(here.ops.instance().level, "debug");
	assert.ok((here.ops.instance().levelUntil as number) > Date.now());
	here.ops.lowerLevel(author);
	assert.equal(here.ops.instance().level, "info");
	assert.deepEqual(here.ops.logs({ event: "log.level_changed" }).length, 2);
	const trust = here.ops.trust();
	assert.deepEqual([trust.keptLogs, trust.fieldsRejected, trust.beaconsRejected, trust.exporting.length], [2, 3, 0, 1]);
	return here.end();
});
