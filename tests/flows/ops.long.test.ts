import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { AxeBuilder } from "@axe-core/playwright";
import { lobbyId } from "../../app/contract/fixed.ts";
import { readTelemetry } from "../../observability/settings.ts";
import { startTelemetry, type Telemetry } from "../../observability/telemetry.ts";
import { isLive, send } from "../support/flow-b-page.ts";
import { eventually, freshName, noProblems, openStage, type Stage, visit } from "../support/flow-b-people.ts";

let stage: Stage;
let telemetry: Telemetry | null;
before(async () => {
	telemetry = await startTelemetry(readTelemetry({ TELEMETRY_SAMPLE_RATIO: "1" }).settings);
	stage = await openStage();
});
after(async () => {
	await stage.close();
	await telemetry?.stop();
});

/** An administrator: by SQL, since the link works once and is a test of its own. */
async function administrator(options: Parameters<typeof visit>[1] = {}) {
	const me = await stage.charla.chat.people.enter({ name: freshName("Operator") });
	await stage.charla.storage.sql.query("", "update app_user set is_admin = true where id = $1", [me.id]);
	return visit(stage.charla, { ...options, me });
}

test("the owner link makes the first who presses its button administrator, once, and looking at it changes nothing", async () => {
	const token = await stage.charla.auth.ownerToken();
	assert.ok(token);
	await using ana = await visit(stage.charla, { name: freshName("Ana"), path: `/owner/${token}` });
	await using ben = await visit(stage.charla, { name: freshName("Ben"), path: `/owner/${token}`, expected: [/409|410/] });
	await ana.page.reload();
	await ana.page.getByRole("button", { name: "I am the owner" }).click();
	await ana.page.waitForURL(/\/ops$/);
	await ana.page.getByRole("heading", { name: "What is promised" }).waitFor();
	await ben.page.getByRole("button", { name: "I am the owner" }).click();
	await ben.page.getByRole("alert").waitFor();
	assert.equal((await ben.page.goto("/ops"))?.status(), 404);
	assert.equal(await stage.charla.auth.ownerToken(), null, "there is an owner: no more links");
	noProblems(ana);
});

test("for everybody else none of these pages exists", async () => {
	await using ben = await visit(stage.charla, { name: freshName("Ben"), expected: [/404/] });
	await using nobody = await visit(stage.charla, { path: null, expected: [/404/] });
	await nobody.context.clearCookies();
	for (const path of [
		"/ops",
		"/ops/traces",
		"/ops/traces/abcdef12",
		"/ops/traces/abcdef12/otlp.json",
		"/ops/logs",
		"/ops/sockets",
		"/ops/messages/x",
	])
		for (const { page } of [ben, nobody]) assert.equal((await page.goto(path))?.status(), 404, path);
	const raised = await ben.context.request.post("/ops?index", { form: { level: "raise" }, headers: { origin: stage.charla.url } });
	assert.equal(raised.status(), 404);
	assert.equal(stage.charla.log.level, "error");
});

test("a message's link, pasted, shows its journey from the click to the screen, its spans and its log lines; and so does a reference", async () => {
	await using ana = await administrator();
	await using ben = await visit(stage.charla, { name: freshName("Ben") });
	// Who connects only afterwards catches up, and is nobody the message was sent to.
	for (const { page } of [ana, ben]) await isLive(page);
	await send(ana.page, "where did this go?");
	await ben.page.getByText("where did this go?").waitFor();
	const [message] = (await stage.charla.chat.messages.stretch(ana.me, { roomId: lobbyId })).messages.slice(-1);
	assert.ok(message);
	await ana.page.goto("/ops");
	await ana.page.getByRole("textbox").fill(`${stage.charla.url}/rooms/${lobbyId}/messages/${message.seq}`);
	await ana.page.getByRole("button", { name: "Find" }).click();
	await ana.page.waitForURL(new RegExp(`/ops/messages/${message.clientId}`));
	// What browsers measured comes in batches.
	await eventually(async () => {
		await ana.page.reload();
		await ana.page.locator(".ops-hops").getByText("Painted", { exact: true }).waitFor({ timeout: 2000 });
		await ana.page.locator(".ops-waterfall").getByText("render message.created").first().waitFor({ timeout: 2000 });
	}, 60_000);
	for (const hop of ["Clicked", "Accepted", "Checked", "Stored", "Announced", "Reached a browser", "Painted"])
		await ana.page.locator(".ops-hops").getByText(hop, { exact: true }).waitFor();
	for (const span of ["chat/message.send", "INSERT room_log", "publish message.created", "render message.created"])
		await ana.page.locator(".ops-waterfall").getByText(span).first().waitFor();
	assert.ok(!(await ana.page.content()).includes("where did this go?"), "what was said is nowhere");

	await ana.page.goto("/ops");
	await ana.page.getByRole("textbox").fill(message.clientId.replaceAll("-", "").slice(0, 12));
	await ana.page.keyboard.press("Enter");
	await ana.page.waitForURL(/\/ops\/traces\/[0-9a-f]{32}$/);
	await ana.page.locator(".ops-waterfall summary").first().focus();
	await ana.page.keyboard.press("ArrowDown");
	await ana.page.keyboard.press("Enter");
	await ana.page.locator(".ops-waterfall details[open] dd").first().waitFor();
	const otlp = await ana.context.request.get(`${ana.page.url()}/otlp.json`);
	assert.equal((await otlp.json()).resourceSpans.length > 0, true);
	await ana.page.goto("/ops");
	await ana.page.getByRole("textbox").fill("deadbeefdead");
	await ana.page.keyboard.press("Enter");
	await ana.page.getByRole("alert").waitFor();
	noProblems(ana);
});

test("the log level goes up for fifteen minutes, says so, and comes back", async () => {
	await using ana = await administrator({ path: "/ops" });
	await ana.page.getByRole("button", { name: "Everything for 15 minutes" }).click();
	await ana.page.getByRole("button", { name: "Back to normal" }).waitFor();
	assert.equal(stage.charla.log.level, "debug");
	await ana.page.goto("/ops/logs");
	await ana.page.getByText("log.level_changed").first().waitFor();
	await ana.page.goto("/ops");
	await ana.page.getByRole("button", { name: "Back to normal" }).click();
	await ana.page.getByRole("button", { name: "Everything for 15 minutes" }).waitFor();
	assert.equal(stage.charla.log.level, "error");
});

for (const [title, options] of [
	["English, light", {}],
	["Spanish, dark, on a phone", { language: "es", theme: "dark" as const, viewport: { width: 360, height: 740 } }],
	["without JavaScript", { javaScript: false }],
] as const)
	test(`every page is readable and accessible: ${title}`, async () => {
		await using ana = await administrator({ ...options, path: null });
		await stage.charla.chat.messages.post(ana.me, { roomId: lobbyId, clientId: crypto.randomUUID(), body: "hello", replyTo: null });
		const [message] = (await stage.charla.chat.messages.stretch(ana.me, { roomId: lobbyId })).messages.slice(-1);
		for (const path of ["/ops", "/ops/traces", "/ops/logs", "/ops/sockets", `/ops/messages/${message?.clientId}`]) {
			const answer = await ana.page.goto(path);
			assert.equal(answer?.status(), 200, path);
			const isTooWide = "document.documentElement.scrollWidth > document.documentElement.clientWidth";
			if (!("javaScript" in options)) {
				assert.equal(await ana.page.evaluate(isTooWide), false, path);
				const { violations } = await new AxeBuilder({ page: ana.page }).analyze();
				assert.deepEqual(
					violations.map((violation) => `${path}: ${violation.id} ${violation.nodes[0]?.html}`),
					[],
				);
			} else assert.ok((await ana.page.locator("main").innerText()).length > 20, path);
			if (process.env.OPS_SHOTS)
				await ana.page.screenshot({
					path: `${process.env.OPS_SHOTS}/${title.slice(0, 8)}-${path.replaceAll("/", "_").slice(0, 20)}.png`,
					fullPage: true,
				});
		}
		noProblems(ana);
	});
