import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { metrics as api } from "@opentelemetry/api";
import { InstrumentType, MeterProvider } from "@opentelemetry/sdk-metrics";
import { attributes, type Metric, metrics, slos } from "./contract.ts";
import { emfDimensions, emfDurations, emfLine, emfNumbers, metricsPerLine } from "./emf.ts";
import { change, count, countSlo, exportHistograms, observed, record, takeRecorded } from "./instruments.ts";
import { KeptMetrics } from "./kept-metrics.ts";
import { SloStates } from "./slo-state.ts";

const began = Date.UTC(2026, 10, 24, 9, 0, 0);

/** Metrics of a real provider, with a clock that stands still. Only one at a time: instruments go to the global provider. */
function keeping() {
	const state = { now: began };
	const kept = new KeptMetrics({ env: "test", clock: () => state.now });
	const provider = new MeterProvider({ readers: [kept.reader] });
	api.disable();
	api.setGlobalMeterProvider(provider);
	const lines: Record<string, unknown>[] = [];
	kept.onMinute((line) => lines.push(line));
	return {
		kept,
		lines,
		state,
		provider,
		/** So many ms later, with what was recorded until then. */
		async later(ms: number) {
			state.now += ms;
			await kept.collect();
			return kept.snapshots().at(-1) as ReturnType<typeof kept.snapshots>[number];
		},
		end: () => provider.shutdown(),
	};
}

describe("snapshots", () => {
	let here: ReturnType<typeof keeping>;
	before(() => {
		here = keeping();
	});
	after(async () => {
		await here.end();
		api.disable();
	});

	test("say exactly what was recorded since the one before", async () => {
		for (let no = 0; no < 8; no++) count("chat.message.sent", 1, { "chat.room.kind": no % 2 ? "public" : "direct", outcome: "ok" });
		count("chat.message.sent", 3, { "chat.room.kind": "public", outcome: "refused", "error.type": "too-fast" });
		count("chat.message.sent", 1, { "chat.room.kind": "public", outcome: "failed", "error.type": "unavailable" });
		change("chat.socket.active", 5, { "chat.socket.transport": "websocket" });
		change("chat.socket.active", 2, { "chat.socket.transport": "polling" });
		record("chat.socket.connect.duration", 0.02, { "chat.socket.transport": "websocket", outcome: "ok" });
		record("chat.socket.connect.duration", 0.02, { "chat.socket.transport": "polling", outcome: "ok" });
		record("chat.socket.connect.duration", 0.02, { "chat.socket.transport": "polling", outcome: "refused", "error.type": "signed-out" });
		count("chat.socket.disconnects", 2, { "chat.disconnect.reason": "transport close" });
		count("chat.socket.disconnects", 1, { "chat.disconnect.reason": "ping timeout" });
		count("telemetry.dropped", 4, { signal: "span", reason: "queue-full" });
		count("telemetry.dropped", 3, { signal: "beacon", reason: "invalid" });
		count("log.dropped", 6, { reason: "queue-full" });
		const http = api.getMeter("package").createHistogram("http.server.request.duration", {
			unit: "s",
			advice: { explicitBucketBoundaries: [...metrics["http.server.request.duration"].buckets] },
		});
		http.record(0.01, { "http.request.method": "GET", "http.response.status_code": 200 });
		http.record(0.01, { "http.request.method": "GET", "http.response.status_code": 404 });
		http.record(0.01, { "http.request.method": "POST", "http.response.status_code": 503, "error.type": "503" });
		const gc = api.getMeter("package").createHistogram("v8js.gc.duration", { unit: "s" });
		for (const type of ["minor", "major"]) gc.record(0.25, { "v8js.gc.type": type });
		const stop = [
			observed("process.memory.usage", () => [{ value: 123_456_789 }]),
			observed("process.cpu.utilization", () => [{ value: 0.25 }]),
			observed("nodejs.eventloop.utilization", () => [{ value: 0.5 }]),
			observed("nodejs.eventloop.delay.p99", () => [{ value: 0.012 }]),
			observed("db.client.connection.count", () => [
				{ value: 3, values: { "db.client.connection.state": "idle" } },
				{ value: 7, values: { "db.client.connection.state": "used" } },
			]),
			observed("db.client.connection.pending_requests", () => [{ value: 2 }]),
		];
		const snapshot = await here.later(5000);
		assert.deepEqual(snapshot, {
			at: began + 5000,
			messages: 8,
			refused: 3,
			failed: 1,
			sendP50: null,
			sendP99: null,
			deliveryP50: null,
			deliveryP99: null,
			renderP99: null,
			stages: { validate: null, persist: null, publish: null, adapter: null, deliver: null, render: null },
			sockets: 7,
			connects: 2,
			disconnects: { "transport close": 2, "ping timeout": 1 },
			httpRequests: 3,
			httpErrors: 1,
			httpP99: 10,
			eventLoop: 0.5,
			eventLoopDelay: 12,
			gc: 0.1,
			rssMb: 123.46,
			cpu: 0.25,
			dbInUse: 7,
			dbWaiting: 2,
			// Three beacons of strangers are none of ours.
			telemetryDropped: 4,
			logsDropped: 6,
		});
		assert.deepEqual(here.kept.dropped(), { span: 4, beacon: 3 });
		for (const end of stop) end();
	});

	test("start from nothing each time; what is a level stays what it is", async () => {
		count("chat.message.sent", 1, { "chat.room.kind": "public", outcome: "ok" });
		change("chat.socket.active", -1, { "chat.socket.transport": "polling" });
		const snapshot = await here.later(5000);
		assert.equal(snapshot.messages, 1);
		assert.equal(snapshot.refused, 0);
		assert.equal(snapshot.sockets, 6);
		assert.equal(snapshot.httpRequests, 0);
		assert.equal(snapshot.httpP99, null);
		assert.deepEqual(snapshot.disconnects, {});
		assert.equal(snapshot.telemetryDropped, 0);
		assert.equal(snapshot.gc, 0);
		assert.equal(snapshot.rssMb, 123.46, "nobody told it anew, so it is what it was");
	});

	test("percentiles lie within their bucket, between the least and the most that was recorded", async () => {
		// 50 in (0.0025, 0.005] and 50 in (0.1, 0.2]; the bounds of a hop.
		for (let no = 1; no <= 50; no++) {
			record("chat.rpc.duration", 0.004, { "rpc.method": "message.send", outcome: "ok" });
			record("chat.rpc.duration", 0.2, { "rpc.method": "message.send", outcome: "failed", "error.type": "unavailable" });
			record("chat.rpc.duration", 9, { "rpc.method": "room.history", outcome: "ok" });
			record("chat.rpc.duration", 9, { "rpc.method": "message.send", outcome: "refused", "error.type": "too-fast" });
		}
		record("chat.message.delivery.duration", 0.03, { hop: "local" });
		record("chat.message.delivery.duration", 0.03, { hop: "remote" });
		record("chat.message.render.duration", 0.4, { "document.visibility": "visible" });
		record("chat.message.render.duration", 9, { "document.visibility": "hidden" });
		for (const [stage, seconds] of [
			["validate", 0.0002],
			["persist", 0.003],
			["publish", 0.001],
			["adapter", 0.02],
			["deliver", 0.015],
			["render", 0.05],
		] as const)
			record("chat.message.stage.duration", seconds, { stage });
		const snapshot = await here.later(5000);
		// The lower half ends where its bucket does; 49 of the upper 50 are 98 % of the way from 0.1 to 0.2.
		assert.equal(snapshot.sendP50, 5);
		assert.equal(snapshot.sendP99, 198);
		assert.equal(snapshot.deliveryP50, 30);
		assert.equal(snapshot.deliveryP99, 30);
		assert.equal(snapshot.renderP99, 400);
		assert.deepEqual(snapshot.stages, { validate: 0.2, persist: 3, publish: 1, adapter: 20, deliver: 15, render: 50 });
	});

	test("an hour of them is kept", async () => {
		for (let no = 0; no < 730; no++) await here.later(5000);
		const kept = here.kept.snapshots();
		assert.equal(kept.length, 720);
		assert.equal((kept.at(-1)?.at ?? 0) - (kept[0]?.at ?? 0), 719 * 5000);
	});
});

describe("service levels", () => {
	test("count good and valid by weight, and how fast the budget goes", async () => {
		const here = keeping();
		const state = (slo: string) => here.kept.slos().find((known) => known.slo === slo);
		assert.deepEqual(
			here.kept.slos().map((known) => known.slo),
			Object.keys(slos),
		);
		assert.deepEqual(state("send"), {
			slo: "send",
			title: slos.send.title,
			objective: 0.999,
			good: 0,
			valid: 0,
			budgetLeft: null,
			burn: { short: null, long: null },
			worst: [],
		});
		for (let no = 0; no < 998; no++) countSlo("send", true);
		for (let no = 0; no < 2; no++) countSlo("send", false);
		countSlo("delivery", true, undefined, 99);
		countSlo("delivery", false, undefined, 1);
		countSlo("loss", true, undefined, 1_000_000);
		await here.later(5000);
		// Two of a thousand failed where one may: twice as fast as allowed, and as much again overdrawn.
		assert.deepEqual(
			[state("send")?.good, state("send")?.valid, state("send")?.budgetLeft, state("send")?.burn],
			[998, 1000, -1, { short: 2, long: 2 }],
		);
		assert.deepEqual([state("delivery")?.budgetLeft, state("delivery")?.burn.short], [0, 1]);
		assert.deepEqual([state("loss")?.budgetLeft, state("loss")?.burn.long], [1, 0]);

		for (let no = 0; no < 3000; no++) countSlo("send", true);
		await here.later(300_000);
		assert.deepEqual(state("send")?.burn, { short: 0, long: 0.5 });
		assert.equal(state("send")?.budgetLeft, 0.5);
		await here.later(3_600_000);
		assert.deepEqual(state("send")?.burn, { short: null, long: null });
		assert.equal(state("send")?.valid, 4000);
		countSlo("loss", false);
		await here.later(5000);
		assert.ok((state("loss")?.budgetLeft ?? 0) < 0.5, "one lost fact is seen among a million");
		await here.end();
		api.disable();
	});

	test("look back 28 days and forget what was before, in at most as many entries as there are hours", () => {
		const states = new SloStates();
		const hour = 3_600_000;
		for (let no = 0; no < 30 * 24 * 4; no++) states.add(began + (no * hour) / 4, new Map([["send", { good: 1, valid: 1 }]]));
		const last = began + 30 * 24 * hour - hour / 4;
		assert.equal(states.state("send", last).valid, 28 * 24 * 4);
		assert.equal(states.state("send", last + 10 * 24 * hour).valid, 18 * 24 * 4);
		assert.equal(states.state("send", last + 40 * 24 * hour).budgetLeft, null);
	});
});

/**
 * The rules of CloudWatch's embedded metric format, from its specification: what is wrong with a line. A line that breaks one
 * is taken as a log line and makes no metrics, without a word.
 */
function emfProblems(line: Record<string, unknown>): string[] {
	const problems: string[] = [];
	const units = new Set(
		"Seconds Microseconds Milliseconds Bytes Kilobytes Megabytes Gigabytes Terabytes Bits Kilobits Megabits Gigabits Terabits Percent Count Bytes/Second Kilobytes/Second Megabytes/Second Gigabytes/Second Terabytes/Second Bits/Second Kilobits/Second Megabits/Second Gigabits/Second Terabits/Second Count/Second None".split(
			" ",
		),
	);
	const { Timestamp, CloudWatchMetrics, ...other } = line._aws as Record<string, unknown>;
	if (!Number.isInteger(Timestamp)) problems.push("Timestamp is no whole number of ms");
	if (Object.keys(other).length > 0) problems.push(`_aws has ${Object.keys(other)}`);
	if (!Array.isArray(CloudWatchMetrics)) return [...problems, "CloudWatchMetrics is no list"];
	for (const directive of CloudWatchMetrics as { Namespace: unknown; Dimensions: unknown; Metrics: unknown }[]) {
		if (Object.keys(directive).sort().join() !== "Dimensions,Metrics,Namespace") problems.push("a directive has other members");
		if (typeof directive.Namespace !== "string" || !/^[\w.\-/#:]{1,255}$/.test(directive.Namespace)) problems.push("Namespace");
		if (!Array.isArray(directive.Dimensions)) problems.push("Dimensions is no list");
		for (const set of directive.Dimensions as unknown[]) {
			if (!Array.isArray(set) || set.length > 30) problems.push("a set of dimensions");
			else
				for (const name of set)
					if (typeof line[name] !== "string" || line[name] === "" || line[name].length > 1024) problems.push(`dimension ${name}`);
		}
		if (!Array.isArray(directive.Metrics) || directive.Metrics.length > 100) problems.push("more than 100 metrics");
		const names = new Set<string>();
		for (const { Name, Unit, ...rest } of directive.Metrics as Record<string, string>[]) {
			if (typeof Name !== "string" || Name.length === 0 || Name.length > 1024 || names.has(Name)) problems.push(`name ${Name}`);
			names.add(Name as string);
			if (!units.has(Unit as string)) problems.push(`unit ${Unit} of ${Name}`);
			if (Object.keys(rest).length > 0) problems.push(`${Name} has ${Object.keys(rest)}`);
			const values = [line[Name as string]].flat();
			if (values.length === 0 || values.length > 100) problems.push(`${Name} has ${values.length} values`);
			if (!values.every((value) => typeof value === "number" && Number.isFinite(value) && Math.abs(value) < 2 ** 360))
				problems.push(`values of ${Name}`);
		}
	}
	if (Buffer.byteLength(JSON.stringify(line)) > 1_000_000) problems.push("too long");
	return problems;
}

describe("a line a minute for CloudWatch", () => {
	test("is a whole line by its specification, with exact numbers and nobody's id", async () => {
		const here = keeping();
		for (let second = 5; second <= 60; second += 5) {
			for (let no = 0; no < 20; no++) {
				countSlo("send", no > 0);
				count("chat.message.sent", 1, { "chat.room.kind": "public", outcome: "ok" });
				record("chat.rpc.duration", 0.004, { "rpc.method": "message.send", outcome: "ok" });
				record("chat.message.stage.duration", 0.004, { stage: "persist" });
			}
			if (second <= 10) record("chat.message.delivery.duration", 0.04, { hop: "local" });
			change("chat.socket.active", 1, { "chat.socket.transport": "websocket" });
			count("chat.socket.disconnects", 1, { "chat.disconnect.reason": "ping timeout" });
			await here.later(5000);
		}
		// The last five seconds of the minute ended with the minute: they belong to the next.
		assert.equal(here.lines.length, 1);
		const line = here.lines[0] as Record<string, unknown> & {
			_aws: { Timestamp: number; CloudWatchMetrics: { Metrics: { Name: string }[] }[] };
		};
		assert.deepEqual(emfProblems(line), []);
		assert.equal(line._aws.Timestamp, began);
		assert.equal(line.service, "chat-web");
		assert.equal(line.env, "test");
		assert.equal(line.event, "metrics.emf");
		assert.deepEqual([line.SendValid, line.SendGood], [220, 209]);
		assert.deepEqual([line.DeliveryValid, line.DeliveryGood], [0, 0]);
		assert.equal(line.Messages, 220);
		assert.equal(line.Sockets, 11);
		assert.equal(line.Disconnects, 11);
		assert.equal((line.SendMs as number[]).length, 100);
		assert.ok((line.SendMs as number[]).every((value) => value === 4));
		assert.deepEqual(line.DeliveryMs, [40, 40]);
		assert.equal(line.RenderMs, undefined, "nobody reported, so there is no such number");
		const declared = line._aws.CloudWatchMetrics[0]?.Metrics.map((metric) => metric.Name) ?? [];
		for (const { emf } of Object.values(slos)) assert.ok(declared.includes(`${emf}Good`) && declared.includes(`${emf}Valid`));
		assert.deepEqual(Object.keys(line).sort(), ["_aws", "service", "env", "event", ...declared].sort());
		await here.end();
		assert.equal(here.lines.length, 2, "the minute under way is told at the end");
		assert.equal(here.lines[1]?.SendValid, 20);
		assert.equal((here.lines[1] as typeof line)._aws.Timestamp, began + 60_000);
		api.disable();
	});

	test("has room for everything it could ever hold, in one set of dimensions", () => {
		const most = Object.keys(slos).length * 2 + Object.keys(emfNumbers).length + emfDurations.length;
		assert.ok(most <= metricsPerLine, `${most}`);
		const numbers = Object.fromEntries(Object.keys(emfNumbers).map((name) => [name, 1])) as Record<keyof typeof emfNumbers, number>;
		const buckets = { boundaries: [1, 2], counts: [1000, 500, 3], count: 1503, min: 0.5, max: 9 };
		const durations = Object.fromEntries(emfDurations.map((name) => [name, buckets]));
		const line = emfLine({ at: began, slos: new Map(), numbers, durations }, { service: "chat-web", env: "prod" });
		assert.deepEqual(emfProblems(line), []);
		assert.deepEqual((line._aws as { CloudWatchMetrics: { Dimensions: unknown }[] }).CloudWatchMetrics[0]?.Dimensions, [
			[...emfDimensions],
		]);
		const values = line.SendMs as number[];
		assert.deepEqual(
			values,
			[...values].sort((one, other) => one - other),
		);
		assert.ok(values.every((value) => value >= 500 && value <= 9000));
		const upToOne = values.filter((value) => value <= 1000).length;
		assert.ok(Math.abs(upToOne - 66.5) <= 1, `two of three lie in the first bucket, not ${upToOne}`);
	});

	test("a line that breaks the specification would be found", () => {
		const line = emfLine(
			{ at: began, slos: new Map(), numbers: Object.fromEntries(Object.keys(emfNumbers).map((name) => [name, 1])) as never, durations: {} },
			{ service: "chat-web", env: "prod" },
		);
		assert.deepEqual(emfProblems(line), []);
		assert.notDeepEqual(emfProblems({ ...line, env: "" }), []);
		assert.notDeepEqual(emfProblems({ ...line, Sockets: "7" }), []);
		assert.notDeepEqual(emfProblems({ ...line, SendGood: Array.from({ length: 101 }, () => 1) }), []);
		assert.notDeepEqual(emfProblems({ ...line, _aws: { ...(line._aws as object), Timestamp: "now" } }), []);
	});

	test("whoever listens badly stops neither the others nor the numbers", async () => {
		const here = keeping();
		here.kept.onMinute(() => {
			throw new Error("full");
		});
		const heard: unknown[] = [];
		const stop = here.kept.onMinute((line) => heard.push(line));
		await here.later(5000);
		await here.later(60_000);
		assert.equal(heard.length, 1);
		stop();
		await here.later(60_000);
		assert.equal(heard.length, 1);
		assert.equal(here.lines.length, 2);
		await here.end();
		api.disable();
	});
});

describe("how many series there are", () => {
	const open = (name: string) => (attributes as Record<string, { values?: readonly unknown[] }>)[name]?.values === undefined;

	test("no attribute of a metric is an id or anything else without an end", () => {
		/** Without a list, but of few values: codes of refusals, patterns of routes, tables, limits, statuses. */
		const few = ["error.type", "http.route", "http.response.status_code", "db.collection.name", "rule", "network.protocol.version"];
		for (const [name, metric] of Object.entries(metrics as Record<string, Metric>))
			for (const attribute of metric.attributes)
				if (open(attribute)) assert.ok(few.includes(attribute), `${name} has ${attribute}, of which there is no end`);
	});

	test("1,000 people in 200 rooms leave at most 200 of each", async () => {
		const here = keeping();
		// What a person and a room would be, were they let in: every list the contract has is gone through, every other
		// attribute takes what it really takes.
		const real: Record<string, readonly unknown[]> = {
			"error.type": [undefined, "too-fast", "unavailable", "internal", "not-a-member"],
			"http.route": ["/", "/rooms/:roomId", "/rooms", "/people", "/leave", "/preferences", "/rooms/new", "/rooms/browse", "/*"],
			"http.response.status_code": [200, 302, 404, 500],
			"db.collection.name": ["room_log", "app_user", "room", "member", "session"],
			"db.operation.name": ["SELECT", "INSERT", "UPDATE"],
			"http.request.method": ["GET", "POST"],
			"url.scheme": ["http"],
			"network.protocol.version": ["1.1"],
			rule: ["message", "call", "enter", "room", "typing"],
		};
		const valuesOf = (attribute: string, turn: number, place: number) => {
			const values = real[attribute] ?? (attributes as Record<string, { values?: readonly unknown[] }>)[attribute]?.values ?? [];
			return values[Math.floor(turn / 7 ** place) % values.length];
		};
		let active = 0;
		const stops: (() => void)[] = [];
		for (let user = 0; user < 1000; user++)
			for (const [name, metric] of Object.entries(metrics as Record<string, Metric>)) {
				const turn = user * 200 + (user % 200);
				const values = Object.fromEntries(metric.attributes.map((attribute, place) => [attribute, valuesOf(attribute, turn, place)]));
				// What went well has no kind of error, and a page's is its status.
				if (values.outcome === "ok") values["error.type"] = undefined;
				if (name === "http.server.request.duration") values["error.type"] = values["http.response.status_code"] === 500 ? "500" : undefined;
				if (metric.type === "counter") count(name as "slo.valid", 1, values as never);
				else if (metric.type === "histogram") record(name as "chat.rpc.duration", (user % 100) / 100, values as never);
				else if (metric.type === "up-down") change(name as "chat.socket.active", 1, values as never);
				else if (user === 0) stops.push(observed(name as "chat.user.online", () => [{ value: 1, values: values as never }]));
			}
		const { resourceMetrics } = await here.kept.reader.collect();
		const found = resourceMetrics.scopeMetrics.flatMap((scope) => scope.metrics);
		for (const { descriptor, dataPoints } of found) {
			active += dataPoints.length;
			assert.ok(dataPoints.length <= 200, `${descriptor.name}: ${dataPoints.length}`);
		}
		const names = found.map((metric) => metric.descriptor.name);
		assert.deepEqual(
			Object.keys(metrics).filter((name) => !names.includes(name)),
			[],
			"every metric was recorded",
		);
		assert.ok(active <= 3000, `${active} of all together`);
		for (const stop of stops) stop();
		await here.end();
		api.disable();
	});
});

test("numbers are taken every five seconds by themselves, until the end, and no timer holds the process", async (t) => {
	const before = process.getActiveResourcesInfo().filter((resource) => resource === "Timeout").length;
	const idle = keeping();
	assert.equal(process.getActiveResourcesInfo().filter((resource) => resource === "Timeout").length, before);
	await idle.end();
	t.mock.timers.enable({ apis: ["setInterval"] });
	const here = keeping();
	for (let no = 0; no < 3; no++) {
		t.mock.timers.tick(5000);
		// Joins what the timer began, and takes once more itself.
		await here.later(0);
	}
	assert.equal(here.kept.snapshots().length, 6);
	await here.end();
	assert.equal(here.kept.snapshots().length, 7, "once more at the end");
	t.mock.timers.tick(60_000);
	assert.equal(here.kept.snapshots().length, 7);
	api.disable();
});

test("the reader asks for what was added, but for how many there are now", async () => {
	const here = keeping();
	const temporality = Object.fromEntries(
		Object.values(InstrumentType).map((type) => [type, here.kept.reader.selectAggregationTemporality(type)]),
	);
	assert.deepEqual(temporality, {
		COUNTER: 0,
		GAUGE: 0,
		HISTOGRAM: 0,
		UP_DOWN_COUNTER: 1,
		OBSERVABLE_COUNTER: 0,
		OBSERVABLE_GAUGE: 0,
		OBSERVABLE_UP_DOWN_COUNTER: 1,
	});
	await here.end();
	api.disable();
});

test("a histogram counted here has the buckets, the sum and the bounds OpenTelemetry gives it", async () => {
	const here = keeping();
	const take = takeRecorded();
	const { buckets } = metrics["chat.rpc.duration"];
	for (const bound of buckets)
		for (const value of [bound, bound * 0.999, bound * 1.001]) record("chat.rpc.duration", value, { outcome: "ok" });
	const { resourceMetrics } = await here.kept.reader.collect();
	const [metric] = resourceMetrics.scopeMetrics.flatMap((scope) => scope.metrics);
	const [theirs] = metric?.dataPoints ?? [];
	const [ours] = take().get("chat.rpc.duration") ?? [];
	assert.deepEqual(ours?.attributes, theirs?.attributes);
	assert.deepEqual(ours?.value, theirs?.value);
	assert.equal(take().size, 0, "what was taken is not taken again");
	await here.end();
	api.disable();
});

test("where nothing is exported OpenTelemetry is spared, and the numbers are the same", async (t) => {
	const here = keeping();
	exportHistograms(false);
	t.after(() => exportHistograms(true));
	record("chat.rpc.duration", 0.004, { "rpc.method": "message.send", outcome: "ok" });
	const { resourceMetrics } = await here.kept.reader.collect();
	assert.deepEqual(resourceMetrics.scopeMetrics, []);
	await here.later(5000);
	assert.equal(here.kept.snapshots().at(-1)?.sendP99, 4);
	await here.end();
	api.disable();
});
