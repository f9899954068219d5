import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import type { Locator, Page } from "playwright-core";
import { traceOf } from "../../app/contract/envelope.ts";
import { lobbyId } from "../../app/contract/fixed.ts";
import { savedQueries } from "../../observability/queries.ts";
import { readTelemetry } from "../../observability/settings.ts";
import { startTelemetry, type Telemetry } from "../../observability/telemetry.ts";
import { send } from "../support/flow-b-page.ts";
import { eventually, freshName, noProblems, openStage, type Stage, type Visitor, visit } from "../support/flow-b-people.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** The table of docs/observability.md. */
const rows = partOf(readFileSync(`${root}docs/observability.md`, "utf8"), "## Questions of operators")
	.split("\n")
	.filter((line) => line.startsWith("| ") && !line.startsWith("| Question"))
	.map((line) => line.slice(2, -2).split(" | ") as [question: string, path: string]);
/** How many clicks the path at /ops is said to take; null where there is none. */
const clicksOf = (path: string): number | null => {
	const counted = /`\/ops[^(]*?\((\d)\)/.exec(path);
	return counted ? Number(counted[1]) : null;
};

let stage: Stage;
let telemetry: Telemetry;
let operator: Visitor;
/** Somebody who stays, and the message they wrote. */
let carla: Visitor;
let carlasMessage: { clientId: string; seq: number };
/** A message that failed; the reference they quote is the beginning of its trace. */
let failedTrace = "";

before(async () => {
	telemetry = (await startTelemetry(readTelemetry({ TELEMETRY_SAMPLE_RATIO: "1" }).settings)) as Telemetry;
	stage = await openStage();
	const { charla } = stage;
	charla.log.level = "info";
	const me = await charla.chat.people.enter({ name: freshName("Operator") });
	await charla.storage.sql.query("", "update app_user set is_admin = true where id = $1", [me.id]);
	operator = await visit(charla, { me, path: null });

	carla = await visit(charla, { name: freshName("Carla") });
	await send(carla.page, "where did this go?");
	await carla.page.reload();
	await send(carla.page, "and this?");
	const [message] = (await charla.chat.messages.stretch(carla.me, { roomId: lobbyId })).messages.slice(-1);
	assert.ok(message);
	carlasMessage = message;

	// Somebody comes, meets a failure, and goes.
	const bruno = await charla.person(freshName("Bruno"));
	const socket = await charla.connect(bruno.cookie);
	await charla.storage.sql.query("", "alter table room_log rename to room_log_away");
	const clientId = crypto.randomUUID();
	const answer = await socket.call("message:post", { roomId: lobbyId, clientId, body: "into the void", replyTo: null });
	await charla.storage.sql.query("", "alter table room_log_away rename to room_log");
	assert.ok(!answer.ok);
	failedTrace = traceOf(clientId).traceId;
	assert.equal(answer.details?.reference, failedTrace.slice(0, 12));
	socket.raw.disconnect();
	// What browsers measured comes in batches, and numbers are taken every five seconds.
	await eventually(() => assert.ok(telemetry.traces.list({ name: "documentLoad" }).length > 0, "a page load"), 30_000);
	await eventually(async () => {
		await telemetry.metrics.collect();
		assert.ok(telemetry.metrics.snapshots().some((snapshot) => Object.keys(snapshot.disconnects).length > 0));
	}, 30_000);
});
after(async () => {
	noProblems(operator);
	for (const person of [operator, carla]) await person?.close();
	await stage?.close();
	await telemetry?.stop();
});

type Walk = {
	page: Page;
	click(what: Locator): Promise<void>;
	/** Into the field every page has, and Find: one click. */
	paste(what: string): Promise<void>;
	lines: Locator;
	spans: Locator;
};

const link = (page: Page, name: string | RegExp) => page.locator("main, nav").getByRole("link", { name, exact: typeof name === "string" });
const card = (page: Page, name: string) => page.locator(".ops-slos > li").filter({ has: page.getByRole("heading", { name, exact: true }) });
const chart = (page: Page, name: string) => page.locator("figure").filter({ hasText: name });

/** Each question with a path at /ops, answered there. */
const walks: Record<string, (walk: Walk) => Promise<void>> = {
	async "Can people send right now, and how much budget is left?"({ page }) {
		const sending = card(page, "Messages are stored");
		await sending.getByText(/\d+ %/).first().waitFor();
		await sending.getByText(/\d+ of \d+, promise 99.9 %/).waitFor();
		await sending.getByRole("meter").waitFor();
	},
	async "Why did an alarm fire?"({ page }) {
		const shown = await page.locator("main :is(h2, h3, figcaption)").allInnerTexts();
		for (const name of namedByRunbooks())
			assert.ok(
				shown.some((title) => title.startsWith(name)),
				`a runbook leads to "${name}"; there is ${shown.join(", ")}`,
			);
	},
	async "Somebody quotes the reference `7f3a…`"({ page, paste, lines, spans }) {
		await paste(failedTrace.slice(0, 12));
		await page.waitForURL(new RegExp(`/ops/traces/${failedTrace}$`));
		await spans.getByText("chat/message.send").first().waitFor();
		await lines.getByText("message.failed", { exact: true }).waitFor();
		await lines.getByText("exception", { exact: true }).waitFor();
	},
	async "What happened to this message?"({ page, click, paste }) {
		const isShown = async () => {
			for (const hop of ["Accepted", "Checked", "Stored", "Announced"])
				await page.locator(".ops-hops").getByText(hop, { exact: true }).waitFor();
			await page.getByText(/^Delivered to \d+ of \d+, on screen of \d+$/).waitFor();
			await page.locator(".ops-lines").getByText("message.sent", { exact: true }).waitFor();
		};
		await paste(`${stage.charla.url}/rooms/${lobbyId}/messages/${carlasMessage.seq}`);
		await page.waitForURL(new RegExp(`/ops/messages/${carlasMessage.clientId}`));
		await isShown();
		// Or picked.
		await page.goto("/ops");
		await click(link(page, "Traces"));
		await click(link(page, "Messages"));
		await click(page.locator(`tbody a[href$="/ops/messages/${carlasMessage.clientId}"]`));
		await isShown();
	},
	async "Which hop is slow?"({ page, click, spans }) {
		const hops = chart(page, "Where the time goes");
		for (const hop of ["checked", "stored", "announced"]) await hops.getByText(new RegExp(`^${hop} [\\d.]+$`)).waitFor();
		await click(card(page, "Messages are stored").getByRole("link").first());
		await page.waitForURL(new RegExp(`/ops/traces/${failedTrace}$`));
		await spans.locator(".ops-span-name").filter({ hasText: "INSERT room_log" }).waitFor();
		await spans.locator(".ops-bar").first().waitFor({ state: "attached" });
	},
	async "Is it one instance, one version, one kind of room?"({ page }) {
		await isInstanceShown(page);
	},
	async "Did the deploy do it?"({ page }) {
		await isInstanceShown(page);
		assert.ok((await page.locator("figure.ops-chart svg").count()) >= 5);
	},
	async "What does this person see?"({ page, click, lines }) {
		await click(link(page, "Sockets"));
		await click(link(page, carla.me.name).first());
		await page.waitForURL(/\/ops\/logs\?/);
		await lines.getByText("message.sent", { exact: true }).first().waitFor();
		for (const line of await lines.locator("li").allInnerTexts()) assert.ok(line.includes(carla.me.id), line);
	},
	async "Which errors are most frequent, and whom do they hit?"({ page, click, lines, spans }) {
		await click(link(page, "Traces"));
		await click(link(page, "Errors"));
		await click(page.locator("tbody a").first());
		await spans.locator("[data-error]").first().waitFor();
		await lines
			.getByText(/user_id=[0-9a-f-]{36}/)
			.first()
			.waitFor();
	},
	async "Who is disconnecting, and why?"({ page, click, lines }) {
		const reasons = chart(page, "Disconnects by reason");
		await reasons.getByText("client namespace disconnect").waitFor();
		await click(reasons.getByRole("link", { name: "client namespace disconnect" }));
		await lines.getByText("socket.disconnected", { exact: true }).first().waitFor();
		await lines
			.getByText(/user_id=[0-9a-f-]{36}/)
			.first()
			.waitFor();
	},
	async "Is a lambda failing, and at which record?"({ page, paste }) {
		await paste(carlasMessage.clientId);
		await page.waitForURL(new RegExp(`/ops/messages/${carlasMessage.clientId}`));
		await page.locator(".ops-hops").getByText("Stored", { exact: true }).waitFor();
	},
	async "For whom is the browser slow?"({ page, click, spans }) {
		await click(link(page, "Traces"));
		await click(link(page, "Page loads"));
		const took = await page.locator("tbody tr td:nth-child(3)").allInnerTexts();
		const slowest = took.map((text) => Number.parseFloat(text));
		assert.deepEqual(
			slowest,
			slowest.toSorted((a, b) => b - a),
		);
		await click(page.locator("tbody a").first());
		await spans.locator("summary").filter({ hasText: "documentLoad" }).click();
		await spans.locator("details[open] dt").getByText("http.route", { exact: true }).waitFor();
	},
	async "Are we losing telemetry?"({ page }) {
		const trust = page.locator("section[aria-labelledby=trust]");
		for (const signal of ["traces", "metrics", "log lines"]) await trust.getByRole("cell", { name: signal, exact: true }).waitFor();
		await trust.getByText(/^Kept here: \d+ traces and \d+ log lines\.$/).waitFor();
		await trust.getByText(/^Reports of browsers that were turned away: \d+\.$/).waitFor();
	},
	async "What runs where?"({ page }) {
		await isInstanceShown(page);
	},
	async "More log for 15 minutes, on one instance"({ page, click }) {
		await click(page.getByRole("button", { name: "Everything for 15 minutes" }));
		await page.getByRole("button", { name: "Back to normal" }).waitFor();
		assert.equal(stage.charla.log.level, "debug");
		await page.getByRole("button", { name: "Back to normal" }).click();
		await page.getByRole("button", { name: "Everything for 15 minutes" }).waitFor();
		assert.equal(stage.charla.log.level, "info");
	},
	async "From a trace to its log lines, and back"({ page, click, lines }) {
		await page.goto(`/ops/traces/${failedTrace}`);
		await lines.getByText("message.failed", { exact: true }).waitFor();
		await page.goto("/ops/logs?event=message.failed");
		await click(lines.getByRole("link", { name: "message.failed" }).first());
		await page.waitForURL(new RegExp(`/ops/traces/${failedTrace}$`));
	},
};

async function isInstanceShown(page: Page): Promise<void> {
	const { instance, version } = telemetry.settings;
	await page
		.locator("section[aria-labelledby=instance]")
		.getByText(new RegExp(`${instance}.*${version}.*Sockets open: \\d+`))
		.waitFor();
}

test("there are sixteen questions, each within three clicks, and what the paths name is there", () => {
	assert.equal(rows.length, 16);
	for (const [question, path] of rows) {
		const clicks = [...path.matchAll(/\((\d)\)/g)].map(([, count]) => Number(count));
		assert.ok(clicks.length > 0 && clicks.every((count) => count <= 3), question);
		for (const [, name] of path.matchAll(/saved query "([^"]+)"/g))
			assert.ok(
				savedQueries.some((query) => query.name === name),
				name,
			);
	}
	assert.deepEqual(
		rows.filter(([, path]) => clicksOf(path) !== null).map(([question]) => question),
		Object.keys(walks),
		"every path at /ops is walked below",
	);
});

for (const [question, path] of rows) {
	const allowed = clicksOf(path);
	if (allowed === null) continue;
	test(`${question} ${allowed} clicks`, async () => {
		const { page } = operator;
		let clicks = 0;
		await page.goto("/ops");
		await walks[question]?.({
			page,
			async click(what) {
				clicks++;
				await what.click();
			},
			async paste(what) {
				clicks++;
				await page.getByRole("search").getByRole("textbox").fill(what);
				await page.keyboard.press("Enter");
			},
			lines: page.locator(".ops-lines"),
			spans: page.locator(".ops-waterfall"),
		});
		// Two ways to the same are counted together where there are two.
		const ways = question === "What happened to this message?" ? 4 : allowed;
		assert.ok(clicks <= ways, `${clicks} clicks`);
	});
}

/** Charts, cards and sections of /ops that runbooks send somebody to, by the words in quotes. */
function namedByRunbooks(): string[] {
	const folder = `${root}docs/runbooks/`;
	const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".md"));
	return files.flatMap((file) =>
		partOf(readFileSync(folder + file, "utf8"), "## Where to look")
			.split(/\n(?=- )/)
			.filter((item) => item.startsWith("- `/ops`"))
			.flatMap((item) => [...item.matchAll(/"([^"]+)"/g)].map(([, name]) => name as string)),
	);
}

function partOf(content: string, heading: string): string {
	return content.split(`${heading}\n`)[1]?.split("\n## ")[0] ?? "";
}
