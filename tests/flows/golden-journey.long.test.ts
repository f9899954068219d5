import assert from "node:assert/strict";
import { test } from "node:test";
import { newPerson } from "../support/browser.ts";
import { freshDatabase } from "../support/database.ts";
import { eventually, startExporting } from "../support/exporting-server.ts";
import { isAlive, line, reached, say } from "../support/flow-a-people.ts";
import { type ReceivedSpan, startOtlpReceiver } from "../support/otlp-receiver.ts";

/** From the browser's span to that of the other instance: who is whose child. */
const journey = [
	["client", "chat/message.send", null],
	["server", "chat/message.send", "client chat/message.send"],
	["internal", "chat.message.validate", "server chat/message.send"],
	["client", "INSERT room_log", "server chat/message.send"],
	["producer", "publish message.created", "server chat/message.send"],
	["consumer", "process message.created", "client chat/message.send"],
	["consumer", "render message.created", "consumer process message.created"],
] as const;

test("one click, two servers, two browsers: exactly one trace, with every hop under the one before", async (t) => {
	const receiver = await startOtlpReceiver();
	const database = await freshDatabase();
	t.after(async () => {
		await database[Symbol.asyncDispose]();
		await receiver.close();
	});
	const here = await startExporting(t, { receiver, databaseUrl: database.url });
	const there = await startExporting(t, { receiver, databaseUrl: database.url });
	await using ana = await newPerson(here.url, { name: "Ana" });
	await using bruno = await newPerson(there.url, { name: "Bruno" });
	for (const { page } of [ana, bruno]) await isAlive(page);
	// Each has heard of the other: what follows is no gap to be healed.
	const members = await bruno.page.getByRole("link", { name: /^\d+ members?$/ }).getAttribute("aria-label");
	await ana.page.getByRole("link", { name: members as string, exact: true }).waitFor();
	const began = Date.now();
	await say(ana.page, "all the way to the other side");
	await line(bruno.page, "all the way to the other side").waitFor();
	await reached(ana.page, "all the way to the other side", /^Stored/);
	// Whoever leaves a page sends what it has.
	for (const { page } of [ana, bruno]) await page.goto("about:blank");

	const isSend = (span: ReceivedSpan) => span.name === "chat/message.send" && span.kind === "client";
	await eventually(
		() => receiver.spans.some((span) => span.name === "render message.created") && receiver.spans.some(isSend),
		() => [...new Set(receiver.spans.map((span) => `${span.kind} ${span.name}`))].join(", "),
	);
	assert.deepEqual(await Promise.all([here.stop(), there.stop()]), [0, 0]);

	const [sent] = receiver.spans.filter(isSend) as [ReceivedSpan];
	const messageId = sent.attributes["chat.message.id"] as string;
	assert.equal(sent.traceId, messageId.replaceAll("-", ""));
	const about = receiver.spans.filter((span) => span.attributes["chat.message.id"] === messageId);
	assert.deepEqual([...new Set(about.map((span) => span.traceId))], [sent.traceId], "one trace");
	const spans = receiver.trace(sent.traceId);
	assert.equal(spans.length, about.length, "the id on every span");

	const nameOf = (span: ReceivedSpan | undefined) => (span ? `${span.kind} ${span.name}` : null);
	const parentOf = (span: ReceivedSpan) => spans.find((other) => other.spanId === span.parentSpanId);
	const hops = spans.map((span) => [span.kind, span.name, nameOf(parentOf(span))]);
	assert.deepEqual(hops.map(String).sort(), journey.map(String).sort());
	assert.equal(sent.parentSpanId, "");

	// Who did what: each hop names its process.
	const resources = new Map(spans.map((span) => [nameOf(span), span.resource]));
	const instanceOf = (name: string) => resources.get(name)?.["service.instance.id"];
	assert.equal(instanceOf("server chat/message.send"), instanceOf("producer publish message.created"));
	assert.notEqual(instanceOf("consumer process message.created"), instanceOf("server chat/message.send"));
	assert.equal(resources.get("server chat/message.send")?.["service.name"], "chat-web");
	assert.equal(resources.get("consumer render message.created")?.["service.name"], "chat-browser");
	assert.ok(spans.every((span) => span.resource["deployment.environment.name"] === "test"));
	assert.ok(spans.filter((span) => span.resource["service.name"] === "chat-web").length <= 5, "five server spans at most");
	assert.ok(spans.every((span) => span.status !== "error"));

	// The stamps of both servers and both browsers, in order. Servers share a clock here; what a browser takes theirs for is
	// wrong by up to half of its round trip, which on a busy machine is not little.
	const wrong = { server: 5, browser: 250 };
	const at = (name: string) => spans.find((span) => nameOf(span) === name) as ReceivedSpan;
	const render = at("consumer render message.created");
	const moments = [
		sent.start,
		at("server chat/message.send").start,
		at("client INSERT room_log").end,
		at("producer publish message.created").start,
		render.end,
	];
	assert.ok(sent.start >= began - 1000);
	for (const [index, moment] of moments.entries())
		assert.ok(
			index === 0 ||
				moment >= (moments[index - 1] as number) - (index === 1 || index === moments.length - 1 ? wrong.browser : wrong.server),
			`stamps out of order: ${moments.map(Math.round).join(" ")}`,
		);
	t.diagnostic(`on the other side's screen after ${Math.round(render.end - sent.start)} ms`);

	// From the trace to the log and back.
	for (const server of [here, there])
		for (const written of server.lines().filter((written) => written.message_id === messageId))
			assert.equal(written.trace_id, sent.traceId);
	const [stored] = here.lines().filter((written) => written.event === "message.sent");
	assert.equal(stored?.span_id, at("server chat/message.send").spanId);
	assert.equal(receiver.logs.find((log) => log.eventName === "message.sent")?.traceId, sent.traceId);
	assert.deepEqual([ana.problems, bruno.problems], [[], []]);
});
