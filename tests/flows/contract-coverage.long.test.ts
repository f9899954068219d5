import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { createServer as createHttp } from "node:http";
import { type AddressInfo, connect as connectTo, createServer, type Socket } from "node:net";
import { after, type TestContext, test } from "node:test";
import type { APIRequestContext } from "playwright-core";
import { traceOf } from "../../app/contract/envelope.ts";
import { lobbyId } from "../../app/contract/fixed.ts";
import { openSqlStore } from "../../app/shop/index.server.ts";
import { smallCatalogue } from "../../lambdas/shop/catalogue.ts";
import { events, type Metric, metrics, type Span, spans } from "../../observability/contract.ts";
import { newPerson } from "../support/browser.ts";
import { openSocket } from "../support/charla.ts";
import { freshDatabase } from "../support/database.ts";
import { type ExportingServer, eventually, startExporting } from "../support/exporting-server.ts";
import { composer, isAlive, line, reached, say, tryNow } from "../support/flow-a-people.ts";
import { type OtlpReceiver, startOtlpReceiver } from "../support/otlp-receiver.ts";
import { declaredSpan, valueProblems } from "../support/recorded.ts";

/** Told to nobody: each stands where it might slip out. */
const canaries = {
	body: "canary-of-a-message",
	draftOfARefusal: "canary-of-a-refused-message",
	name: "Zacanario",
	room: "canary-of-a-room",
	topic: "canary-of-a-topic",
	query: "canary-of-a-query",
	header: "canary-of-a-header",
	database: "canary-of-a-password",
	key: "a-key-of-the-test",
	secret: "a secret of at least thirty-two characters",
	mail: "canary@example.org",
} as const;

/** What browsers reported, and what operators saw, as it was sent. */
const beacons: string[] = [];
const opsPages: [path: string, html: string][] = [];
let receiver: OtlpReceiver;
let servers: ExportingServer[] = [];
/** The message the database was not there for. */
let lostId = "";
const secrets: string[] = Object.values(canaries);

/** A way to the database that can be cut. */
async function openWay(url: string) {
	// The tests' own database listens in a folder: postgres://role@/name?host=<folder>&port=<port>
	const [, role, name, query] = /^postgres(?:ql)?:\/\/([^@/]*)@?[^/]*\/([^?]+)\??(.*)$/.exec(url) as unknown as [
		string,
		string,
		string,
		string,
	];
	const folder = new URLSearchParams(query).get("host");
	const reach = () => {
		if (folder) return connectTo(`${folder}/.s.PGSQL.${new URLSearchParams(query).get("port") ?? 5432}`);
		const { hostname, port } = new URL(url);
		return connectTo(Number(port || 5432), hostname);
	};
	const open = new Set<Socket>();
	const server = createServer((here) => {
		const there = reach();
		for (const [one, other] of [
			[here, there],
			[there, here],
		] as const) {
			open.add(one);
			one.on("error", () => other.destroy()).on("close", () => other.destroy() && open.delete(one));
			one.pipe(other);
		}
	});
	const listen = (port: number) => once(server.listen(port, "127.0.0.1"), "listening");
	await listen(0);
	const { port } = server.address() as AddressInfo;
	const [user, password = canaries.database] = role.split(":");
	return {
		url: `postgres://${user}:${password}@127.0.0.1:${port}/${name}`,
		async cut(): Promise<void> {
			const closed = once(server, "close");
			server.close();
			for (const socket of open) socket.destroy();
			await closed;
		},
		mend: () => listen(port),
	};
}

/** Everything people, operators and strangers do, on two servers, once. */
async function live(t: TestContext): Promise<void> {
	receiver = await startOtlpReceiver();
	const database = await freshDatabase();
	await openSqlStore(database.sql).put(smallCatalogue);
	const way = await openWay(database.url);
	let asked = 0;
	const facts = createHttp((_request, response) =>
		response.writeHead(asked++ === 0 ? 200 : 500, { "content-type": "application/json" }).end('{"value":"A fact."}'),
	);
	await once(facts.listen(0, "127.0.0.1"), "listening");
	after(async () => {
		facts.close();
		for (const server of servers) server.child.kill("SIGKILL");
		await way.cut().catch(() => undefined);
		await database[Symbol.asyncDispose]();
		await receiver.close();
	});
	const env = { FACT_URL: `http://127.0.0.1:${(facts.address() as AddressInfo).port}/fact`, LOG_LEVEL: "debug" };
	const here = await startExporting(t, { receiver, databaseUrl: way.url, env });
	const there = await startExporting(t, { receiver, databaseUrl: database.url, env: { ...env, RATE_LIMITS: "on" } });
	servers = [here, there];

	const ana = await newPerson(here.url, { name: canaries.name });
	const bruno = await newPerson(there.url, { name: "Bruno" });
	const carla = await newPerson(here.url, { name: "Carla" });
	after(() => Promise.all([ana, bruno, carla].map((person) => person.close().catch(() => undefined))));
	for (const { page } of [ana, bruno, carla])
		page.on("request", (request) => void (request.url().endsWith("/telemetry") && beacons.push(request.postData() ?? "")));
	for (const { page, context } of [ana, bruno]) {
		context.setDefaultTimeout(20_000);
		await isAlive(page);
	}

	// The owner's link, and what operators do.
	// The link of the server that started last: it is the one that counts.
	const link = new URL(/Owner link: (\S+)/.exec(there.said())?.[1] as string).pathname;
	secrets.push(link.split("/").at(-1) as string);
	await ana.page.goto(link);
	await ana.page.getByRole("button", { name: "I am the owner" }).click();
	await ana.page.waitForURL(/\/ops$/);
	await ana.page.getByRole("button", { name: "Everything for 15 minutes" }).click();
	await ana.page.getByRole("button", { name: "Back to normal" }).click();
	for (const path of ["/ops/traces", "/ops/logs", "/ops/sockets"]) await ana.page.goto(path);

	// A room and what is said in it.
	await ana.page.goto("/rooms/new");
	await ana.page.getByRole("textbox", { name: "Name" }).fill(canaries.room);
	await ana.page.getByRole("textbox", { name: /^Topic/ }).fill(canaries.topic);
	await ana.page.getByRole("button", { name: "Create room" }).click();
	await isAlive(ana.page);
	const roomId = new URL(ana.page.url()).pathname.split("/")[2] as string;
	await say(ana.page, canaries.body);
	await reached(ana.page, canaries.body, /^Stored/);
	await say(ana.page, "chucknorris");
	await ana.page.getByText("A fact.").first().waitFor();
	await say(ana.page, "/fact");
	await line(ana.page, "/fact").waitFor();
	await say(ana.page, "/journey");
	const journey = ana.page.getByRole("complementary", { name: "The journey of your message" });
	await journey.getByRole("heading", { name: "Stored" }).waitFor();
	await ana.page.keyboard.press("Escape");
	await journey.waitFor({ state: "detached" });
	await say(ana.page, "/slo");
	await ana.page.getByRole("dialog").getByText("Nothing is lost").waitFor();
	await ana.page.keyboard.press("Escape");
	await say(ana.page, "/cart add 123456");
	await ana.page.getByRole("button", { name: "Approve" }).click();
	await ana.page.locator(".order-state").getByText("Approved").waitFor();
	await say(ana.page, "/topic another one");
	await line(ana.page, canaries.body).focus();
	await ana.page.keyboard.press("e");
	await ana.page.getByRole("textbox", { name: "Edit your message" }).fill(`${canaries.body} edited`);
	await ana.page.keyboard.press("Enter");
	await ana.page.goto(`/rooms/${roomId}/pages/1`);
	await ana.page.goto("/rooms/browse");
	await ana.page.goto(`/people?q=${canaries.query}`);
	await bruno.page.goto(`/rooms/browse`);
	await bruno.page.getByRole("button", { name: `Join ${canaries.room}` }).click();
	await isAlive(bruno.page);
	await ana.page.goto(`/rooms/${roomId}`);
	await isAlive(ana.page);
	await say(bruno.page, "hello from the other side");
	await line(ana.page, "hello from the other side").waitFor();
	await ana.page.getByRole("link", { name: "Lobby" }).click();
	await ana.page.getByRole("heading", { level: 1, name: "Lobby" }).waitFor();
	await isAlive(carla.page);
	await say(ana.page, `${canaries.body} in the lobby`);
	await line(carla.page, `${canaries.body} in the lobby`).waitFor();
	await say(bruno.page, "/leave");
	await bruno.page.waitForURL(/\/rooms$/);
	// A connection that goes and comes back.
	await ana.context.setOffline(true);
	await ana.page.locator(".shell[data-connection=offline]").waitFor();
	await ana.context.setOffline(false);
	await ana.page.locator(".shell[data-connection=online]").waitFor();

	// What scripts and strangers try.
	const origin = { origin: here.url };
	const cookie = await here.enter("Fabia");
	secrets.push(cookie.split("=")[1] as string);
	const polling = openSocket(here.url, cookie, { transports: ["polling", "websocket"] });
	await polling.welcomed;
	const call = (name: string, input: unknown) => polling.raw.timeout(10_000).emitWithAck(name, input);
	const input = (body: string) => ({ roomId: lobbyId, clientId: randomUUID(), body, replyTo: null });
	const mine = input(`to be deleted ${canaries.body}`);
	const posted = await call("message:post", mine);
	await call("message:post", mine);
	await call("message:delete", { roomId: lobbyId, clientId: randomUUID(), seq: posted.data.seq });
	for (const name of ["message:delete", "message:edit"])
		await call(name, { roomId: lobbyId, clientId: randomUUID(), seq: 1, ...(name === "message:edit" ? { body: canaries.body } : {}) });
	await call("message:journey", { roomId: lobbyId, seq: 1 });
	await call("cart:decide", { roomId: lobbyId, cartId: randomUUID(), verdict: "approved" });
	await call("message:post", input(""));
	await call("message:post", { ...input(canaries.draftOfARefusal), more: canaries.draftOfARefusal });
	await call("message:stretch", { roomId: lobbyId, before: 3 });
	await call("typing", { roomId: lobbyId });
	// As many names and addresses as somebody cares to make up.
	for (let i = 0; i < 250; i++) {
		void call(`made-up:${i}`, {});
		if (i % 5 === 0) await fetch(`${here.url}/rooms/${randomUUID()}/made-up-${i}`, { method: i % 2 ? "POST" : "GET", headers: origin });
	}
	await call(canaries.header, { [canaries.header]: canaries.header });
	await call("room:here", { roomId: randomUUID() });
	const foreign = openSocket(here.url, "sid=forged", {});
	await foreign.welcomed.catch(() => undefined);
	foreign.raw.close();

	await fetch(`${here.url}/telemetry`, { method: "POST", body: `{"canary":"${canaries.body}"`, headers: origin });
	await fetch(`${here.url}/rooms?token=${canaries.query}&mail=${canaries.mail}`, {
		headers: { cookie, authorization: `Bearer ${canaries.header}`, referer: canaries.header },
	});
	await fetch(`${here.url}/nowhere?${canaries.query}`);
	await fetch(`${here.url}/?index`, { method: "POST", body: new URLSearchParams({ name: "" }), headers: origin });
	await fetch(`${here.url}/csp-report`, {
		method: "POST",
		headers: { ...origin, "content-type": "application/csp-report" },
		body: JSON.stringify({ "csp-report": { "blocked-uri": "https://evil.example/x", "effective-directive": "script-src" } }),
	});
	await fetch(`${here.url}/leave`, { method: "POST", headers: { ...origin, cookie: await here.enter("Diego") } });
	// Too fast, where limits are on.
	const fast = openSocket(there.url, await there.enter("Elena"), {});
	await fast.welcomed;
	await Promise.all(Array.from({ length: 30 }, () => fast.raw.timeout(10_000).emitWithAck("message:post", input("too fast"))));
	fast.raw.close();

	// The database goes away under somebody's hands, and comes back.
	await way.cut();
	const lost = input(canaries.body);
	lostId = lost.clientId;
	const refused = await polling.raw.timeout(15_000).emitWithAck("message:post", lost, { tp: traceOf(lost.clientId).traceparent });
	assert.equal(refused.ok, false);
	await call("message:stretch", { roomId: lobbyId });
	await call("pointer:move", { roomId: lobbyId, read: 1 });
	await call("room:here", { roomId: lobbyId });
	await call("room:since", { cursors: [[lobbyId, 1]] });
	await fetch(`${here.url}/?index`, { method: "POST", body: new URLSearchParams({ name: "Gabriel" }), headers: origin });
	await fetch(`${here.url}/rooms`, { headers: { cookie } });
	await eventually(
		() => here.lines().some((each) => each.event === "job.failed"),
		() => "the safety tick fails",
	);
	await way.mend();
	await eventually(
		() => here.lines().some((each) => each.event === "message.failed"),
		() => "a line that a message failed",
	);
	await eventually(
		() => here.lines().some((each) => each.event === "db.back"),
		() => "the server knows that the database is back",
	);
	await tryNow(ana.page).catch(() => undefined);
	await composer(ana.page).fill("");
	polling.raw.close();
	await lookAtOps(ana.context.request, here);
	// Nobody sees into what a page sends as it goes, so one of them says something before.
	await eventually(
		() => beacons.some((body) => body.includes("resourceSpans")),
		() => `spans among what browsers sent while they were there: ${beacons.length} reports`,
	);
	// Whoever leaves a page sends what it has.
	for (const { page } of [ana, bruno, carla]) await page.goto("about:blank");
	await eventually(
		() => ["chat.web_vital", "chat.message.render.duration"].every((name) => receiver.metrics.some((metric) => metric.name === name)),
		() => "what browsers measured",
	);
	assert.deepEqual(await Promise.all(servers.map((server) => server.stop())), [0, 0]);
}

/** Every page of the operators that shows what was recorded; the table of sockets shows people's names, as it should. */
async function lookAtOps(request: APIRequestContext, here: ExportingServer): Promise<void> {
	const look = async (path: string) => {
		const answer = await request.get(here.url + path);
		assert.equal(answer.status(), 200, path);
		const html = await answer.text();
		opsPages.push([path, html]);
		return html;
	};
	await look("/ops");
	for (const event of Object.keys(events)) await look(`/ops/logs?event=${event}`);
	const lists = [await look("/ops/traces"), await look("/ops/traces?errors=on"), await look("/ops/traces?slowest=on")];
	const found = new Set(
		lists.flatMap((html) => [...html.matchAll(/href="(\/ops\/(?:traces|messages)\/[0-9a-f-]+)"/g)].map(([, path]) => path as string)),
	);
	assert.ok(found.size > 10, `${found.size} traces`);
	for (const path of [...found].slice(0, 60)) await look(path);
}

test("everything that can happen happens", async (t) => {
	await live(t);
	t.diagnostic(
		`${receiver.spans.length} spans, ${receiver.metrics.length} metrics, ${servers.flatMap((server) => server.lines()).length} lines`,
	);
});

test("what is emitted is declared: spans, metrics, events, their attributes, types and values", () => {
	const problems = new Set<string>();
	for (const span of receiver.spans) {
		const by = span.resource["service.name"] === "chat-browser" ? ("browser" as const) : undefined;
		for (const problem of declaredSpan({ ...span, kind: span.kind as Span["kind"] }, by).problems) problems.add(problem);
	}
	for (const metric of receiver.metrics) {
		const declared = (metrics as Record<string, Metric>)[metric.name];
		if (!declared) problems.add(`metric ${metric.name} is not in the contract`);
		else {
			if (declared.unit !== metric.unit) problems.add(`${metric.name}: unit ${metric.unit}`);
			for (const [key, value] of metric.points.flatMap((point) => Object.entries(point.attributes)))
				if (!(declared.attributes as readonly string[]).includes(key)) problems.add(`${metric.name}: attribute ${key}`);
				else for (const problem of valueProblems(key, value)) problems.add(`${metric.name}: ${problem}`);
		}
	}
	for (const each of servers.flatMap((server) => server.lines())) {
		const { _aws, ...line } = each as { _aws?: unknown; event?: string };
		if (_aws) continue;
		const declared = (events as Record<string, { fields: readonly string[] }>)[String(line.event)];
		if (!declared) problems.add(`event ${line.event} is not in the contract`);
		for (const field of Object.keys(line))
			if (!always.has(field) && !declared?.fields.includes(field)) problems.add(`${line.event}: field ${field}`);
	}
	assert.deepEqual([...problems].sort(), []);
});

/** What stands in every line. */
const always = new Set([
	"ts",
	"level",
	"event",
	"msg",
	"service",
	"env",
	"version",
	"instance",
	"pid",
	"trace_id",
	"span_id",
	"trace_flags",
	"request_id",
]);

test("what is declared is emitted", () => {
	const missing: string[] = [];
	const emitted = {
		spans: new Map<string, Set<string>>(),
		metrics: new Map<string, Set<string>>(),
		events: new Map<string, Set<string>>(),
	};
	const note = (where: Map<string, Set<string>>, name: string, keys: string[]) => {
		const known = where.get(name) ?? new Set();
		for (const key of keys) known.add(key);
		where.set(name, known);
	};
	for (const span of receiver.spans) {
		const by = span.resource["service.name"] === "chat-browser" ? ("browser" as const) : undefined;
		note(emitted.spans, declaredSpan({ ...span, kind: span.kind as Span["kind"] }, by).entry, Object.keys(span.attributes));
	}
	for (const metric of receiver.metrics)
		note(
			emitted.metrics,
			metric.name,
			metric.points.flatMap((point) => Object.keys(point.attributes)),
		);
	for (const line of servers.flatMap((server) => server.lines())) note(emitted.events, String(line.event), Object.keys(line));
	for (const [what, declared, found] of [
		["span", spans as Record<string, Span>, emitted.spans],
		["metric", metrics as Record<string, Metric>, emitted.metrics],
	] as const)
		for (const [name, { attributes, by }] of Object.entries(declared)) {
			// Functions run apart from the server: lambdas/runtime/runtime.test.ts holds theirs to the contract.
			if (by === "lambda") continue;
			const keys = found.get(name);
			if (!keys) missing.push(`${what} ${name}`);
			else for (const key of attributes) if (!keys.has(key)) missing.push(`${what} ${name}: ${key}`);
		}
	for (const [name, { fields }] of Object.entries(events as Record<string, { fields: readonly string[] }>)) {
		const keys = emitted.events.get(name);
		if (!keys) missing.push(`event ${name}`);
		else for (const field of fields) if (!keys.has(field)) missing.push(`event ${name}: ${field}`);
	}
	assert.deepEqual(missing.filter((each) => !Object.hasOwn(elsewhere, each)).sort(), []);
});

/** What this run cannot bring about, and which test does. */
const elsewhere: Record<string, string> = {
	...Object.fromEntries(
		["created", "adopted", "migrated", "ahead", "server_lost", "server_back", "server_down", "server_killed"].map((what) => [
			`event db.${what}`,
			"the embedded database: app/storage/storage.test.ts and the crash tests",
		]),
	),
	"event log.dropped": "observability/cloudwatch/ship.test.ts",
	"event log.ship_failed": "tests/telemetry/cloudwatch.test.ts",
	"metric log.dropped": "observability/cloudwatch/ship.test.ts",
	"event log.field_rejected": "observability/log.test.ts",
	"event telemetry.export_failed": "tests/telemetry/wire.test.ts",
	"metric telemetry.dropped": "tests/telemetry/wire.test.ts",
	"event service.heartbeat": "once a minute: tests/telemetry/recorder.test.ts",
	"event service.heartbeat: aws_arn": "an instance in AWS: tests/telemetry/recorder.test.ts",
	...Object.fromEntries(
		["span", "log"].map((signal) => [`metric otel.sdk.exporter.${signal}.exported: error.type`, "observability/sdk-batcher.test.ts"]),
	),
	"metric otel.sdk.exporter.metric_data_point.exported: error.type": "an export that fails: tests/telemetry/wire.test.ts",
	"event metrics.emf": "once a minute: observability/kept-metrics.test.ts",
	"metric db.client.connection.timeouts": "no connection in time: tests/telemetry/recorder.test.ts",
	"event adapter.lag": "a lag of more than a second: tests/telemetry/recorder.test.ts",
	"event db.slow_query": "a slow statement: tests/telemetry/recorder.test.ts",
	"span {OPERATION} {table}: db.response.status_code": "PostgreSQL itself refuses: tests/telemetry/recorder.test.ts",
	"event service.moving": "a signal of a deployment's hook: tests/delivery/move.test.ts",
	"event deploy.finished": "said by a hook, not by the server: tests/delivery/deployed.test.ts",
	"event deploy.unmarked": "said by a hook, when New Relic says no: tests/delivery/deployed.test.ts",
	"event lambda.invoked": "lambdas/runtime/runtime.test.ts",
	"event activity.record_failed": "lambdas/stream/handler.test.ts",
	"event relay.failed": "app/chat/activity/relay.test.ts",
	"event relay.set_aside": "app/chat/activity/relay.test.ts",
	"event import.checked": "lambdas/upload/handler.test.ts",
	"event import.applied": "app/chat/imports/imports.test.ts",
	"event import.failed": "app/chat/imports/imports.test.ts",
	"span import {stage}": "tests/flows/import-to-order.test.ts",
	"span process order": "tests/flows/import-to-order.test.ts",
	"event exception": "an error nobody expects: tests/telemetry/wire.test.ts",
	"event bot.failed": "the bot cannot store its answer: tests/telemetry/wire.test.ts",
	"event message.gap_open": "the log cannot be read at that moment: tests/telemetry/wire.test.ts",
	...Object.fromEntries(
		["open", "lost", "away"].map((what) => [`event adapter.${what}`, "Redis comes and goes: tests/cluster/bus.test.ts"]),
	),
	"event adapter.none": "several instances without Redis: tests/cluster/without-redis.test.ts",
	"event admission.closed": "no room: app/realtime/admission.test.ts",
	"event admission.open": "room again: app/realtime/admission.test.ts",
	"event worker.lost": "a worker is killed: tests/cluster/workers.test.ts",
	"event worker.killed": "a worker that does not stop: app/workers/primary.test.ts",
	"span browser chat/message.send: error.type": "a failure for good: observability/browser/recorder.test.ts",
	"event client.error": "observability/beacon.test.ts",
	"span chat.reconnect": "tests/flows/telemetry-browser.test.ts",
	"metric chat.reconnect.duration": "observability/beacon.test.ts",
	"span render {fact}: chat.clock.error_ms": "a clock that was set: observability/browser/recorder.test.ts",
	"span chat/socket.disconnect: error.type": "a connection that broke: tests/telemetry/recorder.test.ts",
	"span publish {fact}: error.type": "the adapter throws: tests/telemetry/recorder.test.ts",
	"span process {fact}: error.type": "the adapter throws: tests/telemetry/recorder.test.ts",
};

test("a message the database was away for: one failed span, one number and one line, which agree on why", () => {
	const { traceId } = traceOf(lostId);
	const failed = receiver.trace(traceId).filter((span) => span.kind === "server");
	assert.deepEqual(
		failed.map((span) => [span.name, span.status, span.attributes["error.type"], span.attributes.outcome]),
		[["chat/message.send", "error", "unavailable", "failed"]],
	);
	const counted = receiver.metrics
		.filter((metric) => metric.name === "chat.message.sent")
		.flatMap((metric) => metric.points)
		.filter((point) => point.attributes.outcome === "failed" && point.value > 0);
	assert.deepEqual(
		counted.map((point) => [point.attributes["error.type"], point.value]),
		[["unavailable", 1]],
	);
	// It is an example of a broken promise too.
	const lines = servers.flatMap((server) => server.lines()).filter((line) => line.message_id === lostId && line.event !== "slo.exemplar");
	assert.deepEqual(
		lines.map((line) => [line.event, line.error_type, line.trace_id]),
		[["message.failed", "unavailable", traceId]],
	);
	assert.equal(
		servers.flatMap((server) => server.lines()).filter((line) => line.event === "exception").length,
		0,
		"expected, so no exception",
	);
});

test("however many names are made up, the numbers keep to a few series", () => {
	const series = new Map<string, Set<string>>();
	for (const metric of receiver.metrics)
		for (const point of metric.points) {
			const known = series.get(metric.name) ?? new Set();
			known.add(JSON.stringify(Object.entries(point.attributes).sort()));
			series.set(metric.name, known);
		}
	const [name = "", largest = 0] =
		[...series].map(([name, keys]): [string, number] => [name, keys.size]).sort((a, b) => b[1] - a[1])[0] ?? [];
	assert.ok(largest <= 100, `${name} has ${largest}`);
	assert.ok(!JSON.stringify([...series.values()].flatMap((keys) => [...keys])).includes("made-up"));
});

test("what is said to be seen elsewhere is declared, and the tests named are there", () => {
	for (const [entry, where] of Object.entries(elsewhere)) {
		const [what, name = ""] = entry.split(/ (.*)/s);
		const declared = { event: events, span: spans, metric: metrics }[what as "event" | "span" | "metric"];
		assert.ok(Object.keys(declared).includes(name.replace(/: [a-z_.]+$/, "")), entry);
		const files = where.match(/[a-z/-]+\.test\.ts/g) ?? [];
		for (const file of files) assert.ok(existsSync(file), file);
		// And speak of it: by its name, or by the attribute it is about.
		const spoken = (name.split(": ")[1] ?? name).replace(/ \{.*/, "");
		if (!entry.startsWith("event db."))
			assert.ok(
				files.some((file) => readFileSync(file, "utf8").includes(spoken)),
				`${where} never speaks of ${spoken}`,
			);
	}
});

test("no secret, no name and nothing anybody wrote is in anything that leaves or is shown to operators: spans, numbers, lines, output, reports, /ops", () => {
	const sinks: [string, string][] = [
		...receiver.requests.map((request): [string, string] => [request.path, request.text]),
		...servers.map((server, index): [string, string] => [`output of server ${index + 1}`, server.out()]),
		...beacons.map((body): [string, string] => ["a browser's report", body]),
		...opsPages,
	];
	assert.ok(beacons.some((body) => body.includes("resourceSpans")) && opsPages.length > 60, "there is something to look through");
	for (const [sink, text] of sinks) for (const secret of secrets) assert.ok(!text.includes(secret), `${secret} in ${sink}`);
});
