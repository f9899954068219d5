import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { Page } from "playwright-core";
import { traceOf } from "../../app/contract/envelope.ts";
import type { TraceSpan } from "../../app/contract/ops.ts";
import { readBody } from "../../observability/beacon/read-body.ts";
import type { Claim } from "../../observability/beacon/read-measured.ts";
import { away, line, openFlow, reached, say, type Talker, type TalkerOptions, tryNow } from "../support/flow-a-people.ts";
import { openWeather } from "../support/flow-a-proxy.ts";
import { long } from "../support/long.ts";

const flow = openFlow();

/** What a page reported, as the server reads it. Everything it sends must be as the contract says, and hold no text. */
type Reported = { spans: TraceSpan[]; numbers: Claim[]; bodies: string[] };

/**
 * Makes a person's pages measure themselves, as those of a server with telemetry do, and gathers what they report. The meta
 * elements are what the page is told by; a page hydrates only what the server rendered, so they stand beside the document.
 */
async function measured(t: TestContext, person: Talker, more: { traceparent?: string } = {}): Promise<Reported> {
	const reported: Reported = { spans: [], numbers: [], bodies: [] };
	await person.context.addInitScript((traceparent) => {
		const metas: Record<string, string> = {
			'meta[name="telemetry"]': JSON.stringify({ ratio: 1, in: true, build: "b1" }),
			'meta[name="traceparent"]': traceparent,
		};
		const find = document.querySelector.bind(document);
		document.querySelector = (selector: string) => (metas[selector] ? ({ content: metas[selector] } as never) : find(selector));
	}, more.traceparent ?? "");
	await person.context.route("**/telemetry", async (route) => {
		const body = route.request().postData() ?? "";
		reported.bodies.push(body);
		const report = readBody(body, Date.now());
		assert.ok(typeof report !== "string", `the server takes ${body}`);
		assert.equal(report.invalid, 0, `all of it is right: ${body}`);
		reported.spans.push(...report.spans);
		reported.numbers.push(...report.measured);
		await route.fulfill({ status: 204 });
	});
	t.after(() => {
		for (const body of reported.bodies) assert.ok(!body.includes("secret") && !body.includes(person.name.split(" ")[0] as string), body);
	});
	return reported;
}

/** The person turns to another tab: the page sends what it has. */
async function lookAway(page: Page): Promise<void> {
	await page.evaluate(() => {
		Object.defineProperty(document, "visibilityState", { configurable: true, get: () => "hidden" });
		document.dispatchEvent(new Event("visibilitychange", { bubbles: true }));
		Reflect.deleteProperty(document, "visibilityState");
		document.dispatchEvent(new Event("visibilitychange", { bubbles: true }));
	});
}

/** Waits until a page reported a span of that name. */
async function spanOf(reported: Reported, page: Page, name: string): Promise<TraceSpan> {
	let found: TraceSpan | undefined;
	for (const end = Date.now() + 30_000; !found && Date.now() < end; ) {
		await lookAway(page);
		await page.waitForTimeout(50);
		found = reported.spans.find((span) => span.name === name);
	}
	assert.ok(found, `${name} among ${reported.spans.map((span) => span.name).join(", ")}`);
	return found;
}

async function talk(t: TestContext, options: TalkerOptions = {}) {
	const [one, two] = [await flow.charla.person(flow.name("Ana")), await flow.charla.person(flow.name("Bruno"))];
	const room = await flow.room(flow.name("Room"), one, two);
	const ana = await flow.browser(t, one, options);
	const bruno = await flow.browser(t, two, options);
	const reports = [await measured(t, ana), await measured(t, bruno)] as const;
	for (const person of [ana, bruno]) await flow.enter(person, person.page, room.id);
	return { room, ana, bruno, reports };
}

async function oneTrace(t: TestContext, { room, ana, bruno, reports }: Awaited<ReturnType<typeof talk>>): Promise<void> {
	await say(ana.page, "a secret for two");
	await line(bruno.page, "a secret for two").waitFor();
	await reached(ana.page, "a secret for two", /^Stored/);
	const sent = await spanOf(reports[0], ana.page, "chat/message.send");
	const painted = await spanOf(reports[1], bruno.page, "render message.created");
	t.diagnostic(`sent in ${sent.duration} ms, painted after ${painted.attributes["chat.render.ms"]} ms`);

	const messageId = String(sent.attributes["chat.message.id"]);
	assert.deepEqual([sent.traceId, sent.spanId, sent.parentSpanId], [traceOf(messageId).traceId, traceOf(messageId).rootSpanId, null]);
	assert.equal(painted.traceId, sent.traceId);
	assert.equal(painted.attributes["chat.message.id"], messageId);
	assert.ok(painted.parentSpanId);
	assert.equal(sent.attributes["chat.room.id"], room.id);
	assert.deepEqual([sent.attributes["chat.ack.status"], sent.attributes["chat.send.attempt"]], ["ok", 1]);
	const { "chat.delivery.ms": delivery, "chat.render.ms": render } = painted.attributes as Record<string, number>;
	assert.ok((delivery as number) >= 0 && (render as number) > 0 && (render as number) < 10_000, `${delivery} ${render}`);
	assert.ok((render as number) >= painted.duration, "painting is the last part of the way");
	const names = (at: 0 | 1) => new Set(reports[at].numbers.map((number) => number.name));
	assert.ok(names(0).has("sent") && !names(0).has("delivered"));
	assert.ok(names(1).has("delivered") && names(1).has("painted") && !names(1).has("sent"));
}

test("a message is one trace from the sender's click to the recipient's screen, over a websocket", async (t) => {
	const people = await talk(t);
	await oneTrace(t, people);
	assert.equal(people.reports[0].spans.find((span) => span.name === "chat/message.send")?.attributes["chat.socket.transport"], "websocket");
});

long("a message is one trace over polling too", async (t) => {
	await using weather = await openWeather(flow.charla.url);
	weather.refuses = (request) => /upgrade: websocket/i.test(request);
	const people = await talk(t, { through: weather.url, expected: away });
	await oneTrace(t, people);
	assert.equal(people.reports[0].spans.find((span) => span.name === "chat/message.send")?.attributes["chat.socket.transport"], "polling");
});

long("a page tells how it loaded, how rooms switched, that a script failed, and that the connection came back", async (t) => {
	await using weather = await openWeather(flow.charla.url);
	const who = await flow.charla.person(flow.name("Ana"));
	const [room, next] = [await flow.room(flow.name("Room"), who), await flow.room(flow.name("Next"), who)];
	const ana = await flow.browser(t, who, { through: weather.url, expected: [...away, /a secret went wrong/] });
	const parent = `00-${"a".repeat(32)}-${"b".repeat(16)}-01`;
	const reported = await measured(t, ana, { traceparent: parent });
	await flow.enter(ana, ana.page, room.id);

	const load = await spanOf(reported, ana.page, "documentLoad");
	assert.deepEqual([load.traceId, load.parentSpanId, load.attributes["http.route"]], ["a".repeat(32), "b".repeat(16), "/rooms/:roomId"]);
	assert.ok(load.duration > 0 && load.duration < 60_000);

	const link = (name: string) => ana.page.getByRole("link", { name });
	await link(next.name).click();
	await ana.page.getByRole("heading", { level: 1, name: next.name }).waitFor();
	await spanOf(reported, ana.page, "chat.room.switch");
	await link(room.name).click();
	await ana.page.getByRole("heading", { level: 1, name: room.name }).waitFor();
	const switches = () => reported.spans.filter((span) => span.name === "chat.room.switch");
	for (const end = Date.now() + 30_000; switches().length < 2 && Date.now() < end; )
		await lookAway(ana.page).then(() => ana.page.waitForTimeout(50));
	assert.deepEqual(
		switches().map((span) => [span.attributes["chat.room.id"], span.attributes["chat.switch.cached"]]),
		[
			[next.id, false],
			[room.id, true],
		],
	);

	await ana.page.evaluate(() =>
		setTimeout(() => {
			throw new RangeError("a secret went wrong");
		}),
	);
	weather.cut = true;
	weather.dropAll();
	await ana.page.getByRole("status").getByText("The server does not answer").waitFor();
	const before = reported.bodies.length;
	await lookAway(ana.page);
	assert.equal(reported.bodies.length, before, "while the server is away everything is kept");
	weather.cut = false;
	await tryNow(ana.page);
	const back = await spanOf(reported, ana.page, "chat.reconnect");
	assert.deepEqual([back.attributes.outcome, back.error], ["ok", null]);
	assert.ok(Number(back.attributes["chat.reconnect.attempts"]) >= 1);
	const failed = reported.numbers.find((number) => number.name === "error");
	assert.deepEqual(failed, { name: "error", type: "RangeError", route: "/rooms/:roomId" });
	const vitals = reported.numbers.flatMap((number) => (number.name === "vital" ? [number.vital] : []));
	for (const vital of ["fcp", "lcp", "ttfb", "cls"]) assert.ok(vitals.includes(vital as "fcp"), `${vital} among ${vitals}`);
});

long("who asks not to be tracked reports nothing, and chats the same", async (t) => {
	for (const wish of ["doNotTrack", "globalPrivacyControl"] as const) {
		const [one, two] = [await flow.charla.person(flow.name("Ana")), await flow.charla.person(flow.name("Bruno"))];
		const room = await flow.room(flow.name("Room"), one, two);
		const [ana, bruno] = [await flow.browser(t, one), await flow.browser(t, two)];
		const reported = await measured(t, ana);
		const others = await measured(t, bruno);
		await ana.context.addInitScript((name) => {
			Object.defineProperty(Navigator.prototype, name, { configurable: true, get: () => (name === "doNotTrack" ? "1" : true) });
		}, wish);
		for (const person of [ana, bruno]) await flow.enter(person, person.page, room.id);
		await say(ana.page, "a secret, untracked");
		await line(bruno.page, "a secret, untracked").waitFor();
		await say(bruno.page, "another secret");
		await line(ana.page, "another secret").waitFor();
		await spanOf(others, bruno.page, "chat/message.send");
		await lookAway(ana.page);
		await ana.page.goto("about:blank");
		assert.deepEqual(reported.bodies, [], wish);
	}
});
