import assert from "node:assert/strict";
import { test } from "node:test";
import { kinds, type Measured, type OtlpSpan, otlpSpan } from "./body.ts";
import { openPainter } from "./painter.ts";
import { pageRoutes, routeOf } from "./route.ts";
import { openSender } from "./sender.ts";

type Body = { resourceSpans: { scopeSpans: { spans: OtlpSpan[] }[] }[]; metrics: Measured[] };

/** A sender with a clock that runs when told. */
function sender({ isUp = true, takes = true } = {}) {
	const timers: { at: number; run: () => void }[] = [];
	const network = { takes };
	const bodies: Body[] = [];
	const texts: string[] = [];
	let now = 0;
	const made = openSender({
		sessionId: "5".repeat(32),
		build: "b1",
		isUp,
		after(ms, run) {
			const timer = { at: now + ms, run };
			timers.push(timer);
			return () => timers.splice(timers.indexOf(timer), 1);
		},
		async post(body) {
			if (!network.takes) return false;
			texts.push(body);
			bodies.push(JSON.parse(body));
			return true;
		},
	});
	const run = async (ms: number) => {
		now += ms;
		for (const timer of timers.splice(0)) timer.at <= now ? timer.run() : timers.push(timer);
		await new Promise((done) => setImmediate(done));
	};
	const counts = () => bodies.splice(0).map((body) => [body.resourceSpans[0]?.scopeSpans[0]?.spans.length, body.metrics.length]);
	return { made, network, run, counts, bodies, texts, timers };
}

const span = (n = 1) =>
	otlpSpan({
		traceId: "a".repeat(32),
		spanId: n.toString(16).padStart(16, "0"),
		name: "chat.room.switch",
		kind: kinds.internal,
		start: 1,
		end: 2,
		attributes: { "chat.switch.cached": true },
	});
const number: Measured = { name: "unsent", trace: "a".repeat(32) };

test("what is measured waits ten seconds for company, and forty spans wait for nothing", async () => {
	const { made, run, counts, bodies, timers } = sender();
	made.span(span());
	made.measured(number);
	await run(9000);
	assert.deepEqual(counts(), []);
	await run(1000);
	assert.deepEqual(bodies[0]?.resourceSpans[0], {
		resource: {
			attributes: [
				{ key: "service.name", value: { stringValue: "chat-browser" } },
				{ key: "service.version", value: { stringValue: "b1" } },
				{ key: "session.id", value: { stringValue: "5".repeat(32) } },
			],
		},
		scopeSpans: [{ scope: { name: "chat.browser", version: "1" }, spans: [span()] }],
	});
	assert.deepEqual(counts(), [[1, 1]]);
	for (let n = 0; n < 40; n++) made.span(span(n));
	assert.deepEqual(counts(), [[40, 0]]);
	await run(60_000);
	assert.deepEqual(counts(), []);
	assert.equal(timers.length, 0, "nothing ticks while there is nothing to send");
});

test("while the server is away everything is kept, up to a bound, and what was dropped is counted", async () => {
	const { made, run, counts, bodies } = sender();
	made.setUp(false);
	for (let n = 0; n < 150; n++) made.span(span(n));
	for (let n = 0; n < 60; n++) made.measured(number);
	made.flush();
	await run(60_000);
	assert.deepEqual(counts(), []);
	made.setUp(true);
	for (let at = 0; at < 4; at++) await run(10_000);
	assert.deepEqual(bodies[0]?.metrics.at(-1), { name: "dropped", count: 10 });
	assert.deepEqual(counts(), [
		[40, 51],
		[40, 0],
		[40, 0],
		[30, 0],
	]);
});

test("what the network would not take goes the next time", async () => {
	const { made, network, run, counts, bodies } = sender({ takes: false });
	for (let n = 0; n < 60; n++) made.span(span(n));
	made.measured(number);
	await run(10_000);
	await run(10_000);
	assert.deepEqual(counts(), []);
	network.takes = true;
	await run(10_000);
	await run(10_000);
	assert.deepEqual(
		bodies
			.flatMap((body) => body.resourceSpans[0]?.scopeSpans[0]?.spans ?? [])
			.map((each) => each.spanId)
			.toSorted().length,
		60,
	);
	assert.deepEqual(counts(), [
		[40, 1],
		[20, 0],
	]);
});

test("a page that goes sends what waits even so, but nothing of somebody who never came in; and a body stays below 64 KiB", async () => {
	const { made, run, counts, texts } = sender();
	made.setUp(false);
	const long = {
		traceId: "a".repeat(32),
		spanId: "b".repeat(16),
		parent: "c".repeat(16),
		name: "render message.created",
		kind: kinds.consumer,
		start: 1.8e12,
		end: 1.8e12,
	};
	const id = "3f2504e0-4f89-41d3-9a0c-0305e82c3301";
	const attributes = {
		"messaging.system": "socketio",
		"messaging.operation.name": "render",
		"messaging.operation.type": "process",
		"messaging.destination.name": "message.created",
		"chat.message.id": id,
		"chat.room.id": id,
		"chat.message.seq": 1e9,
		"chat.delivery.ms": 1e6,
		"chat.render.ms": 1e6,
		"chat.clock.error_ms": 1e6,
		"document.visibility": "visible",
		"chat.fanout.sample_n": 1000,
		"session.id": "5".repeat(32),
	} as const;
	for (let n = 0; n < 50; n++) made.span(otlpSpan({ ...long, attributes }));
	for (let n = 0; n < 149; n++)
		made.measured({ name: "delivered", ms: 123_456, stage: 123_456, hop: "remote", weight: 1000, trace: "a".repeat(32) });
	made.leave();
	await run(0);
	assert.deepEqual(counts(), [
		[40, 100],
		[10, 49],
	]);
	assert.ok(
		texts.every((text) => text.length < 64 * 1024),
		String(texts.map((text) => text.length)),
	);
	const stranger = sender({ isUp: false });
	stranger.made.measured(number);
	stranger.made.leave();
	await stranger.run(60_000);
	assert.deepEqual(stranger.counts(), []);
	stranger.made.setUp(true);
	await stranger.run(10_000);
	assert.deepEqual(stranger.counts(), [[0, 1]], "and once they did, it counts");
});

test("a row is painted in the second frame after it is there; one that never comes, or a page without frames, ends by time", () => {
	let now = 0;
	const frames: (() => void)[] = [];
	const timers: (() => void)[] = [];
	const there = new Set<number>();
	const painted = openPainter({
		now: () => now,
		frame: (run) => void frames.push(run),
		after(_ms, run) {
			timers.push(run);
			return () => {};
		},
		isThere: (seq) => there.has(seq),
	});
	const told: [number, number | null][] = [];
	for (const seq of [1, 2]) painted(seq, (at) => told.push([seq, at]));
	const frame = () => {
		now += 16;
		for (const run of frames.splice(0)) run();
	};
	frame();
	there.add(1);
	frame();
	assert.equal(told.length, 0);
	frame();
	assert.deepEqual(told, [[1, 48]]);
	assert.equal(frames.length, 1, "one loop for all");
	now = 2001;
	for (const run of timers.splice(0)) run();
	assert.deepEqual(told, [
		[1, 48],
		[2, null],
	]);
	frame();
	assert.deepEqual([frames.length, timers.length], [0, 0], "which ends when nothing waits");
	for (let seq = 10; seq < 61; seq++) painted(seq, (at) => told.push([seq, at]));
	assert.deepEqual(told.slice(2), [[60, null]], "beyond a bound none waits");
});

test("an address becomes the pattern of its page, and names nobody", () => {
	const id = "3f2504e0-4f89-41d3-9a0c-0305e82c3301";
	const cases: Record<string, string> = {
		"/": "/",
		"/rooms": "/rooms",
		"/rooms/": "/rooms",
		"/rooms/new": "/rooms/new",
		"/rooms/browse": "/rooms/browse",
		[`/rooms/${id}`]: "/rooms/:roomId",
		[`/rooms/${id}/pages`]: "/rooms/:roomId/pages/:page?",
		[`/rooms/${id}/pages/12`]: "/rooms/:roomId/pages/:page?",
		"/people": "/people",
		"/people/ana": "/*",
		"/../x": "/*",
	};
	for (const [path, route] of Object.entries(cases)) assert.equal(routeOf(path), route, path);
});

test("every page of app/routes.ts is known by its pattern", async () => {
	type Entry = { path?: string; file: string; children?: Entry[] };
	const { default: routes } = (await import("../../app/routes.ts")) as unknown as { default: Entry[] };
	const patterns = (entries: Entry[], above: string): string[] =>
		entries.flatMap((entry) => {
			const path = entry.path ? `${above}/${entry.path}` : above;
			// A route without a component answers requests and is no page.
			const own = entry.file.endsWith(".tsx") && (entry.path || !entry.children) ? [path || "/"] : [];
			return [...own, ...patterns(entry.children ?? [], path)];
		});
	// A page with an index is one address.
	assert.deepEqual([...new Set(patterns(routes, ""))].toSorted(), [...pageRoutes].toSorted());
});
