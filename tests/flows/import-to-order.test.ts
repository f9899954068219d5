import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { type IncomingMessage, request } from "node:http";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { AxeBuilder } from "@axe-core/playwright";
import { traceOf } from "../../app/contract/envelope.ts";
import { opsRoomId } from "../../app/contract/fixed.ts";
import type { TraceSpan } from "../../app/contract/ops.ts";
import type { Person } from "../../app/contract/shapes.ts";
import { readTelemetry } from "../../observability/settings.ts";
import { startTelemetry, type Telemetry } from "../../observability/telemetry.ts";
import { openBrowser } from "../support/browser.ts";
import { type TestCharla, testCharla } from "../support/charla.ts";
import { isTooWide, send } from "../support/flow-b-page.ts";
import { eventually, freshName, noProblems, roomWith, visit } from "../support/flow-b-people.ts";
import { long } from "../support/long.ts";

let charla: TestCharla;
let telemetry: Telemetry | null;
let kept: { close(): Promise<void> };
const dataDir = mkdtempSync(join(tmpdir(), "charla-data-"));
before(async () => {
	telemetry = await startTelemetry(readTelemetry({ TELEMETRY_SAMPLE_RATIO: "1" }).settings);
	// As the first to ask for it after telemetry has begun, which is when its requests become spans; a server begins with telemetry.
	createRequire(import.meta.url)("node:http");
	charla = await testCharla({ pages: true, env: { IMPORTS: "on", DATA_DIR: dataDir, FLAGGED_WORDS: "forbidden" } });
	kept = await (await openBrowser()).newContext();
});
after(async () => {
	await kept.close();
	await charla[Symbol.asyncDispose]();
	await telemetry?.stop();
	rmSync(dataDir, { recursive: true, force: true });
});

async function administrator(options: Parameters<typeof visit>[1] = {}) {
	const me = await charla.chat.people.enter({ name: freshName("Admin") });
	await charla.storage.sql.query("", "update app_user set is_admin = true where id = $1", [me.id]);
	return visit(charla, { ...options, me });
}
const catalogue = (id: number, version: number) =>
	JSON.stringify(
		{
			kind: "catalogue",
			version,
			items: [{ id: String(id), name: "Lápiz 2B", price: 120, currency: "EUR" }, { id: String(id + 1), name: "Cuaderno" }, { id: "5" }],
		},
		null,
		1,
	);
const cardsOf = async (me: Person, roomId: string) =>
	(await charla.chat.messages.stretch(me, { roomId })).messages.filter((message) => message.card);
const traced = (): TraceSpan[] =>
	telemetry?.traces.list({ limit: 500 }).flatMap(({ traceId }) => telemetry?.traces.get(traceId) ?? []) ?? [];
const spanOf = (name: string, is: (attributes: TraceSpan["attributes"]) => boolean) =>
	traced().find((span) => span.name === name && is(span.attributes));

/** A span, and from there what caused it, each by a link or else by its parent, as far as that leads. */
function causesOf(from: TraceSpan | undefined): string[] {
	const all = new Map(traced().map((span) => [span.spanId, span]));
	const names: string[] = [];
	for (let at = from; at && names.length < 10; ) {
		const path = at.attributes["url.path"];
		names.push(path === undefined ? at.name : `${at.attributes["http.request.method"]} ${path}`);
		at = [...at.links.map((link) => link.spanId), at.parentSpanId].map((id) => all.get(id ?? "")).find((span) => span !== undefined);
	}
	return names;
}
/** As a person does it: a file is held over the page, which shows that it would take it, and let go. */
async function drop(page: import("playwright-core").Page, name: string, text: string): Promise<void> {
	const zone = page.locator(".drop-zone");
	const dataTransfer = await page.evaluateHandle(
		([name, text]) => {
			const held = new DataTransfer();
			held.items.add(new File([text], name, { type: "application/json" }));
			return held;
		},
		[name, text] as const,
	);
	await eventually(async () => {
		await zone.dispatchEvent("dragover", { dataTransfer });
		assert.match((await zone.getAttribute("class")) ?? "", /\bis-over\b/);
	});
	await zone.dispatchEvent("drop", { dataTransfer });
}
const choose = (page: import("playwright-core").Page, name: string, text: string | Buffer) =>
	page.locator("input[type=file]").setInputFiles({ name, mimeType: "application/json", buffer: Buffer.from(text) });

test("[F4] a file dropped in the browser, its report, the yes; then the API has the items, a room orders, the other sees the card, and the order is in the statistics, from where parents and links lead back to the file", async () => {
	await using ana = await administrator({ path: "/ops/imports" });
	await using ben = await visit(charla, { name: freshName("Ben") });
	const room = await roomWith(charla, ana.me, [ben.me]);
	await drop(ana.page, "catálogo.json", catalogue(880_001, 1));
	await ana.page.waitForURL(/\/ops\/imports\/[0-9a-f-]{36}$/);
	const id = ana.page.url().slice(-36);
	await ana.page.getByText("waits for a yes").waitFor();
	assert.deepEqual(await ana.page.locator(".import-counts .ops-big").allInnerTexts(), ["2", "0", "0", "1"]);
	await ana.page.getByText("880001 Lápiz 2B").waitFor();
	await ana.page.getByText(/line \d+: name is missing/).waitFor();
	const items = async () => ((await (await fetch(`${charla.url}/api/item`)).json()) as { items: { id: string; name: string }[] }).items;
	assert.deepEqual(await items(), [], "nothing is in yet");

	// The same report stands in the administrators' room, with the way to decide.
	await ana.page.goto(`/rooms/${opsRoomId}`);
	const report = ana.page.locator("[data-key]", { hasText: "catálogo.json" });
	await report.getByText(/2 new, 0 changed, 0 as before, 1 rejected/).waitFor();
	await report.getByRole("link", { name: "Look and decide" }).click();
	await ana.page.waitForURL(`**/ops/imports/${id}`);
	await ana.page.getByRole("button", { name: "Bring it in" }).click();
	await ana.page.getByRole("status").getByText("in", { exact: true }).waitFor();
	await ana.page.getByText(`Decided by ${ana.me.name}`).waitFor();
	assert.deepEqual(
		(await items()).map(({ id: code, name }) => [code, name]),
		[
			["880001", "Lápiz 2B"],
			["880002", "Cuaderno"],
		],
	);

	await ben.page.goto(`/rooms/${room.id}`);
	await ana.page.goto(`/rooms/${room.id}`);
	await send(ana.page, "/cart add 880001*3").catch(() => undefined);
	for (const { page } of [ana, ben]) await page.locator(".order").getByText("Lápiz 2B").waitFor();

	const orders = async () => (await charla.chat.activity.all()).rooms.find((each) => each.roomId === room.id)?.orders;
	await eventually(async () => assert.equal(await orders(), 1));
	await ana.page.goto("/ops/activity");
	const row = ana.page.locator("tr", { hasText: room.name });
	await row.waitFor();
	assert.equal(await row.locator("td").nth(3).innerText(), "1");

	// From the count back to the dropped file, by parents and links alone.
	const [card] = await cardsOf(ben.me, room.id);
	await eventually(() =>
		assert.deepEqual(
			causesOf(spanOf("process order", (about) => about["chat.message.seq"] === card?.seq && about["chat.room.id"] === room.id)),
			["process order", "chat/message.send", "import apply", "POST /ops/imports/file"],
		),
	);
	// What the second person saw comes of the same command, and the report of the same file.
	const announced = spanOf("publish message.created", (about) => about["chat.message.id"] === card?.clientId);
	assert.deepEqual(causesOf(announced).slice(0, 2), ["publish message.created", "chat/message.send"]);
	for (const stage of ["import check", "import apply"])
		assert.ok(
			spanOf(stage, (about) => about["chat.message.id"] === id)?.links.some((link) => link.traceId === traceOf(id).traceId),
			stage,
		);

	// An order of the API leads there as well: its card, and its count.
	await charla.chat.messages.post(ana.me, { roomId: room.id, clientId: crypto.randomUUID(), body: "/cart link", replyTo: null });
	const traceId = "4bf92f3577b34da6a3ce929d0e0e4736";
	const made = await fetch(`${charla.url}/api/cart`, {
		method: "POST",
		headers: { "content-type": "application/json", traceparent: `00-${traceId}-00f067aa0ba902b7-01` },
		body: JSON.stringify({ items: ["880002"], user: ana.me.name, room: room.id }),
	});
	assert.equal(made.status, 200);
	const { id: cartId } = (await made.json()) as { id: string };
	await ben.page.locator(".order").getByText("Cuaderno").waitFor();
	await eventually(async () => assert.equal(await orders(), 2));
	const ofApi = (await cardsOf(ben.me, room.id)).find((message) => message.card?.id === cartId);
	await eventually(() => {
		for (const [name, key] of [
			["process order", "chat.message.seq"],
			["publish message.created", "chat.message.seq"],
		] as const) {
			const found = spanOf(name, (about) => about[key] === ofApi?.seq && about["chat.room.id"] === room.id);
			assert.deepEqual(causesOf(found), [name, "POST /api/cart", "import apply", "POST /ops/imports/file"]);
		}
	});
	assert.ok(
		(await charla.ops?.trace(traceId))?.spans.some((span) => span.name === "process order"),
		"in the caller's own trace",
	);
	noProblems(ana, ben);
});

long(
	"[F2][F8] a bad file is told of where it was dropped; a file in the watched folder is looked at; one that is turned down stays out",
	async () => {
		await using ana = await administrator({ path: "/ops/imports" });
		await choose(ana.page, "zip.json", Buffer.from("PK\u0003\u0004"));
		await ana.page.getByText("in quarantine").waitFor();
		await ana.page.getByText(/compressed file\. Unpack it first/).waitFor();
		const file = join(dataDir, "inbox", "items-folder.json");
		writeFileSync(file, catalogue(990_001, 2));
		utimesSync(file, Date.now() / 1000 - 60, Date.now() / 1000 - 60);
		await eventually(async () => {
			await ana.page.goto("/ops/imports");
			assert.ok(await ana.page.getByRole("row", { name: /items-folder\.json.*waits for a yes/ }).isVisible());
		});
		await ana.page.getByRole("link", { name: "items-folder.json" }).click();
		await ana.page.getByRole("button", { name: "Turn it down" }).click();
		await ana.page.getByText("turned down").waitFor();
		assert.equal((await fetch(`${charla.url}/api/item/990001`)).status, 404);
		noProblems(ana);
	},
);

long(
	"[A6][A7] what floods, has a listed word or waits for an answer is shown; looked at, it is gone; nothing happened to the messages",
	async () => {
		await using ana = await administrator({ path: null });
		await using ben = await visit(charla, { name: freshName("Ben") });
		const room = await roomWith(charla, ana.me, [ben.me]);
		const say = (body: string) =>
			charla.chat.messages.post(ben.me, { roomId: room.id, clientId: crypto.randomUUID(), body, replyTo: null });
		await say("this is Forbidden, I think");
		for (let i = 0; i < 10; i++) await say(`again ${i}`);
		await say("does anybody hear me?");
		await charla.storage.sql.query("", "update room_log set created_at = now() - interval '20 minutes' where room_id = $1", [room.id]);
		await eventually(async () => {
			const { hints, questions } = await charla.chat.activity.all();
			assert.deepEqual(
				hints
					.filter((each) => each.roomId === room.id)
					.map((each) => each.reason)
					.sort(),
				["flood", "words"],
			);
			assert.equal(questions.filter((each) => each.roomId === room.id).length, 1);
		});
		await ana.page.goto("/ops/activity");
		const hint = ana.page.getByRole("row", { name: /a listed word/ });
		await hint.getByRole("button", { name: "Looked at" }).click();
		await hint.waitFor({ state: "detached" });
		await ana.page.getByRole("row", { name: /many messages at once/ }).waitFor();
		assert.equal((await charla.chat.messages.stretch(ben.me, { roomId: room.id })).messages.length, 12);
		assert.ok(!(await ana.page.content()).includes("anybody hear"), "what was said is nowhere");

		// The room's owner sees its own; a member does not.
		assert.equal((await ana.page.goto(`/rooms/${room.id}/activity`))?.status(), 200);
		await ana.page.getByRole("row", { name: /many messages at once/ }).waitFor();
		assert.equal((await ben.context.request.get(`/rooms/${room.id}/activity`)).status(), 403);
		noProblems(ana);
	},
);

long("[X1] files are taken from an administrator's own page alone", async () => {
	await using ana = await administrator({ path: null });
	await using ben = await visit(charla, { path: null, name: freshName("Ben") });
	const post = (who: typeof ana, headers: Record<string, string>) =>
		who.context.request.post("/ops/imports/file?name=x.json", {
			data: Buffer.from("[]"),
			headers: { "content-type": "application/json", ...headers },
		});
	assert.equal((await post(ben, { origin: charla.url })).status(), 404);
	assert.equal((await post(ana, { origin: "https://elsewhere.example" })).status(), 403);
	assert.equal((await post(ana, { origin: charla.url })).status(), 202);
	// Refused by what it says of itself, before a byte of it is read.
	const headers = { cookie: await charla.session(ana.me), origin: charla.url, "content-length": 201 * 1024 * 1024 };
	const large = request(`${charla.url}/ops/imports/file?name=x.json`, { method: "POST", headers });
	large.flushHeaders();
	const [answer] = (await once(large, "response")) as [IncomingMessage];
	assert.equal(answer.statusCode, 413);
	large.destroy();
	for (const path of ["/ops/activity", "/ops/imports", `/ops/imports/${crypto.randomUUID()}`])
		assert.equal((await ben.context.request.get(path)).status(), 404, path);
});

for (const [title, options] of [
	["English, light", {}],
	["Spanish, dark, on a phone", { language: "es", theme: "dark" as const, viewport: { width: 360, height: 740 } }],
] as const)
	long(`the pages are readable and accessible: ${title}`, async () => {
		await using ana = await administrator({ ...options, path: null });
		await eventually(async () => assert.ok((await charla.chat.rooms.mine(ana.me)).some((room) => room.id === opsRoomId)));
		const [one] = (await charla.chat.imports?.list()) ?? [];
		for (const path of ["/ops/activity", "/ops/imports", `/ops/imports/${one?.id}`, `/rooms/${opsRoomId}`]) {
			assert.equal((await ana.page.goto(path))?.status(), 200, path);
			for (const summary of await ana.page.locator("main details > summary").all()) await summary.click();
			assert.equal(await isTooWide(ana.page), false, path);
			const { violations } = await new AxeBuilder({ page: ana.page }).analyze();
			assert.deepEqual(
				violations.map((violation) => `${path}: ${violation.id} ${violation.nodes[0]?.html}`),
				[],
			);
			if (process.env.OPS_SHOTS)
				await ana.page.screenshot({
					path: `${process.env.OPS_SHOTS}/${title.slice(0, 7)}-${path.replaceAll("/", "_").slice(0, 14)}.png`,
					fullPage: true,
				});
		}
		noProblems(ana);
	});
