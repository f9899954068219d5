/**
 * `npm run shots`: pictures of every page and state at three widths, in both themes and languages, in `shots/`, and one
 * page (`shots/index.html`) that shows them side by side. `npm run shots -- first-screen room` makes only those, `… room desktop light en`
 * only that one.
 */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import type { BrowserContext, Page } from "playwright-core";
import type { Person } from "../app/contract/shapes.ts";
import { smallCatalogue } from "../lambdas/shop/catalogue.ts";
import { readTelemetry } from "../observability/settings.ts";
import { startTelemetry } from "../observability/telemetry.ts";
import { openBrowser } from "../tests/support/browser.ts";
import { type TestCharla, type TestSocket, testCharla } from "../tests/support/charla.ts";
import { stopTestDatabase } from "../tests/support/database.ts";
import { buildIfNeeded } from "./build-if-needed.ts";
import { type Seeded, seedContent } from "./seed-content.ts";

const widths = { phone: 360, tablet: 768, desktop: 1440 } as const;
const themes = ["light", "dark"] as const;
const languages = ["en", "es"] as const;

type Scene = {
	name: string;
	/** null: nobody is signed in. */
	as: ((seeded: Seeded, more: More) => Person) | null;
	path: (seeded: Seeded, more: More) => string;
	/** What to do on the page before the picture. */
	act?: (page: Page, context: BrowserContext, charla: TestCharla, seeded: Seeded) => Promise<void>;
	/** The highest contrast, whatever theme the pictures are made in. */
	contrast?: true;
	/** Nothing of ours runs in the page. */
	scriptless?: true;
	/** The page to its end, not only what fits. */
	whole?: true;
	/** Where the picture of a desktop, light and in English, goes as well. */
	also?: string;
};
type More = { newcomer: Person; operator: Person; emptyRoom: string; longRoom: string; orderRoom: string; message: string; failed: string };

const ana = (seeded: Seeded) => seeded.people.Ana;
const lobby = (seeded: Seeded) => `/rooms/${seeded.rooms.lobby}`;
const design = (seeded: Seeded) => `/rooms/${seeded.rooms.design.id}`;
const operator = (_: Seeded, more: More) => more.operator;
const composer = "textarea[name=body]";
/** The newest message of whoever looks, with its menu open. */
async function openMenu(page: Page): Promise<void> {
	await page.waitForSelector("[data-connection=online]");
	await page.fill(composer, "See you at four.");
	await page.press(composer, "Control+Enter");
	const mine = page.locator("[data-seq]").filter({ hasText: "See you at four." }).last();
	await mine.hover();
	await mine.getByRole("button", { name: /^(More|Más)/ }).click();
	await page.waitForSelector("[role=menu]");
}

const scenes: Scene[] = [
	{ name: "first-screen", as: null, path: () => "/" },
	{
		name: "first-screen-refused",
		as: null,
		path: () => "/",
		act: async (page) => {
			await page.fill("input[name=name]", "Аna");
			await page.press("input[name=name]", "Enter");
			await page.waitForSelector("[role=alert]");
		},
	},
	{ name: "rooms", as: ana, path: () => "/rooms" },
	{ name: "room", as: ana, path: lobby },
	{
		name: "readme",
		as: (seeded) => seeded.people.Bruno,
		path: lobby,
		also: "docs/images/charla.png",
		act: async (page) => {
			await page.waitForSelector("[data-connection=online]");
			for (const text of ["It makes tea as well now. Nobody asked, but it is **good**.", "Cups are in the second drawer."]) {
				await page.fill(composer, text);
				await page.press(composer, "Control+Enter");
				await page.waitForTimeout(900);
			}
			await page.fill(composer, "For Thursday:\n- the new drawings\n- two chairs more, the bench is gone");
			await page.waitForTimeout(4000);
		},
	},
	{ name: "room-code-and-quotes", as: ana, path: design },
	{ name: "room-unread", as: (seeded) => seeded.people.Elena, path: lobby },
	{ name: "room-empty", as: (_, more) => more.newcomer, path: (_, more) => `/rooms/${more.emptyRoom}` },
	{ name: "room-long-words", as: ana, path: (_, more) => `/rooms/${more.longRoom}` },
	// Its first entry is who came in.
	...["reply", "edit", "delete"].map((deed) => ({
		name: `message-${deed}`,
		as: ana,
		path: (_: Seeded, more: More) => `/rooms/${more.longRoom}/messages/2/${deed}`,
	})),
	// Its owner decides, Bruno ordered.
	{ name: "orders-owner", as: ana, path: (_, more) => `/rooms/${more.orderRoom}` },
	{ name: "orders-member", as: (seeded) => seeded.people.Bruno, path: (_, more) => `/rooms/${more.orderRoom}` },
	{
		name: "orders-list",
		as: ana,
		path: (_, more) => `/rooms/${more.orderRoom}/orders`,
		act: (page) => page.locator(".order summary").first().click(),
	},
	{ name: "direct", as: ana, path: (seeded) => `/rooms/${seeded.rooms.direct.id}` },
	{ name: "members", as: ana, path: (seeded) => `${design(seeded)}?panel=members` },
	{ name: "about", as: (seeded) => seeded.people.Carla, path: (seeded) => `${design(seeded)}?panel=about` },
	{ name: "help", as: ana, path: (seeded) => `${lobby(seeded)}?panel=help` },
	{
		name: "composer-grown",
		as: ana,
		path: lobby,
		act: (page) => page.fill(composer, "First line\nsecond line\n\n- and a list\n- that goes on"),
	},
	{
		name: "composer-too-long",
		as: ana,
		path: lobby,
		act: async (page) => {
			await page.fill(composer, "A log that somebody asked for, line by line.\n".repeat(200));
			await page.getByRole("button", { name: /\d (messages|mensajes)$/ }).waitFor();
		},
	},
	{
		name: "composer-commands",
		as: ana,
		path: lobby,
		act: async (page) => {
			await page.focus(composer);
			await page.keyboard.type("/");
			await page.waitForTimeout(200);
		},
	},
	{
		name: "change-kept",
		as: ana,
		path: design,
		act: async (page) => {
			await page.waitForTimeout(500);
			await page.focus(composer);
			await page.keyboard.press("ArrowUp");
			await page.fill(".editor-field", "A change that was begun and never saved");
			await page.waitForTimeout(500);
			await page.reload();
			await page.waitForSelector(".pending-note");
			await page.locator(".pending-note").scrollIntoViewIfNeeded();
		},
	},
	{
		name: "journey",
		as: ana,
		path: design,
		act: async (page) => {
			await page.waitForTimeout(500);
			await page.fill(composer, "Does everybody have the new drawings?");
			await page.press(composer, "Control+Enter");
			await page.waitForTimeout(500);
			await page.fill(composer, "/journey");
			await page.press(composer, "Control+Enter");
			await page.waitForSelector(".journey");
		},
	},
	{
		name: "connection",
		as: ana,
		path: lobby,
		act: async (page) => {
			await page.waitForTimeout(500);
			await page.locator(".latency:visible").click();
			await page.waitForTimeout(6500);
		},
	},
	{
		name: "slo",
		as: ana,
		path: lobby,
		act: async (page) => {
			await page.waitForTimeout(500);
			await page.fill(composer, "/slo");
			await page.press(composer, "Control+Enter");
			await page.waitForTimeout(500);
		},
	},
	{
		name: "offline",
		as: ana,
		path: lobby,
		act: async (page, context) => {
			await page.waitForTimeout(800);
			await context.setOffline(true);
			await page.fill(composer, "Written in a tunnel");
			await page.press(composer, "Control+Enter");
			await page.press(composer, "Enter");
			await page.waitForTimeout(1200);
		},
	},
	{
		name: "switcher",
		as: ana,
		path: lobby,
		act: async (page) => {
			await page.waitForTimeout(500);
			await page.keyboard.press("Control+k");
			await page.waitForTimeout(300);
		},
	},
	{
		name: "failed",
		as: ana,
		path: lobby,
		act: async (page) => {
			await page.waitForSelector("[data-connection=online]");
			await page.fill(composer, "/nosuchthing at four?");
			await page.press(composer, "Control+Enter");
			await page.waitForTimeout(800);
		},
	},
	{ name: "message-menu", as: ana, path: design, act: openMenu },
	{
		name: "reply",
		as: ana,
		path: design,
		act: async (page) => {
			await openMenu(page);
			await page.getByRole("menuitem").first().click();
			await page.waitForTimeout(300);
		},
	},
	{
		name: "delete",
		as: ana,
		path: design,
		act: async (page) => {
			await openMenu(page);
			await page.getByRole("menuitem").last().click();
			await page.waitForSelector("dialog[open]");
		},
	},
	{
		name: "emoji",
		as: ana,
		path: lobby,
		act: async (page) => {
			await page.waitForSelector("[data-connection=online]");
			await page.focus(composer);
			await page.keyboard.type("Coffee :cof");
			await page.waitForTimeout(500);
		},
	},
	{
		name: "shortcuts",
		as: ana,
		path: lobby,
		act: async (page) => {
			await page.waitForSelector("[data-connection=online]");
			await page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur());
			await page.keyboard.press("?");
			await page.waitForSelector("dialog[open]");
		},
	},
	{
		name: "my-menu",
		as: ana,
		path: () => "/rooms",
		act: async (page) => {
			await page.locator("details.me > summary").click();
			await page.waitForTimeout(300);
		},
	},
	{
		name: "signed-out",
		as: (seeded) => seeded.people.Carla,
		path: lobby,
		act: async (page, _, charla) => {
			await page.waitForSelector("[data-connection=online]");
			await page.fill(composer, "Half a sent");
			await page.request.post(`${charla.url}/leave`, { headers: { origin: charla.url } });
			await page.waitForSelector("dialog[open]");
		},
	},
	{
		name: "room-gone",
		as: (seeded) => seeded.people.Bruno,
		path: (_, more) => `/rooms/${more.orderRoom}`,
		// Once for each picture, so he comes in first.
		act: async (page, _, charla, { people: { Bruno } }) => {
			const roomId = new URL(page.url()).pathname.split("/")[2] as string;
			await charla.chat.rooms.join(Bruno, { roomId });
			await page.reload();
			await page.waitForSelector("[data-connection=online]");
			await charla.chat.rooms.leave(Bruno, { roomId });
			await page.waitForTimeout(1000);
		},
	},
	{
		name: "server-error",
		as: ana,
		path: () => "/rooms",
		act: async (page, _, charla) => {
			const { browse } = charla.chat.rooms;
			charla.chat.rooms.browse = () => Promise.reject(new Error("provoked for the picture"));
			await page.goto(`${charla.url}/rooms/browse`);
			charla.chat.rooms.browse = browse;
		},
	},
	{ name: "contrast-room", as: ana, path: design, contrast: true },
	{ name: "contrast-first-screen", as: null, path: () => "/", contrast: true },
	{ name: "scriptless-first-screen", as: null, path: () => "/", scriptless: true },
	{ name: "scriptless-room", as: ana, path: design, scriptless: true },
	{ name: "new-room", as: ana, path: () => "/rooms/new" },
	{ name: "browse", as: ana, path: () => "/rooms/browse" },
	{ name: "people", as: ana, path: () => "/people" },
	{ name: "people-none", as: ana, path: () => "/people?q=nobody+like+this" },
	{ name: "pages", as: ana, path: (seeded) => `${lobby(seeded)}/pages/1` },
	{ name: "error", as: ana, path: () => "/rooms/not-a-room" },
	{ name: "returning", as: ana, path: () => "/", act: async () => {} },
	{ name: "ops", as: operator, path: () => "/ops", whole: true },
	{ name: "ops-traces", as: operator, path: () => "/ops/traces" },
	{
		name: "ops-trace",
		as: operator,
		path: (_, more) => `/ops/traces/${more.failed}`,
		act: (page) => page.click(".ops-waterfall summary"),
		whole: true,
	},
	{ name: "ops-message", as: operator, path: (_, more) => `/ops/messages/${more.message}`, whole: true },
	{ name: "ops-logs", as: operator, path: () => "/ops/logs" },
	{ name: "ops-sockets", as: operator, path: () => "/ops/sockets" },
];

const root = fileURLToPath(new URL("../", import.meta.url));
const folder = path.join(root, "shots");

async function prepare(charla: TestCharla): Promise<{ seeded: Seeded; more: More }> {
	const seeded = await seedContent(charla.chat);
	const newcomer = await charla.chat.people.enter({ name: "Nina" });
	const empty = await charla.chat.rooms.create(newcomer, { name: "Ideas", topic: "", kind: "private" });
	const long = await charla.chat.rooms.create(seeded.people.Ana, {
		name: "A room with a name as long as it may be, sixty characters.",
		topic:
			"And a topic that goes on and on, until it has used up nearly all of the two hundred characters that a topic may have, which is rather a lot for one line on a phone",
		kind: "public",
	});
	const say = (body: string) =>
		charla.chat.messages.post(seeded.people.Ana, { roomId: long.id, clientId: crypto.randomUUID(), body, replyTo: null });
	await charla.shop.put(smallCatalogue);
	const { Ana, Bruno, Carla } = seeded.people;
	const orders = await charla.chat.rooms.create(Ana, { name: "Supplies", topic: "What the office needs", kind: "public" });
	for (const person of [Bruno, Carla]) await charla.chat.rooms.invite(Ana, { roomId: orders.id, name: person.name });
	const order = (person: Person, body: string) =>
		charla.chat.messages.post(person, { roomId: orders.id, clientId: crypto.randomUUID(), body, replyTo: null });
	for (const [person, body, verdict] of [
		[Carla, "/cart add 234567", "rejected"],
		[Carla, "/cart add 345678*2 456789", "approved"],
		[Bruno, "/cart add 123456*12 789012*24", null],
	] as const) {
		await order(person, body);
		const [cart] = (await charla.chat.orders.ofRoom(Ana, { roomId: orders.id, before: null })).carts;
		if (verdict && cart) await charla.chat.orders.decide(Ana, { roomId: orders.id, cartId: cart.id, verdict });
	}
	await order(Carla, "Enough for the workshop?");
	await say("w".repeat(900));
	await say(`\`\`\`\n${"a line of code that does not end ".repeat(12)}\n\`\`\``);
	await say("שלום, this is עברית in the middle of a line, and مرحبا بكم too");
	await say("👩‍👩‍👧‍👦");
	const operator = await charla.chat.people.enter({ name: "Olga" });
	await charla.storage.sql.query("", "update app_user set is_admin = true where id = $1", [operator.id]);
	const { message, failed } = await makeTraffic(charla, seeded);
	return { seeded, more: { newcomer, operator, emptyRoom: empty.id, longRoom: long.id, orderRoom: orders.id, message, failed } };
}

/** Something for operators to look at: messages, refusals, one that failed, connections that went. */
async function makeTraffic(charla: TestCharla, seeded: Seeded): Promise<{ message: string; failed: string }> {
	const post = async (socket: TestSocket, body: string) => {
		const clientId = crypto.randomUUID();
		await socket.call("message:post", { roomId: seeded.rooms.deploys.id, clientId, body, replyTo: null });
		return clientId;
	};
	const people = [seeded.people.Ana, seeded.people.Bruno, seeded.people.Elena];
	const sockets = await Promise.all(people.map(async (person) => charla.connect(await charla.session(person))));
	const [first, second] = sockets as [TestSocket, TestSocket];
	for (let i = 0; i < 12; i++) await post(i % 2 ? first : second, i === 5 ? "" : "Anything new?");
	const message = await post(first, "See you tomorrow.");
	await charla.storage.sql.query("", "alter table room_log rename to room_log_away");
	const failed = await post(second, "Nobody will read this.");
	await charla.storage.sql.query("", "alter table room_log_away rename to room_log");
	second.raw.disconnect();
	return { message, failed: failed.replaceAll("-", "") };
}

async function main(wanted: string[]): Promise<void> {
	await buildIfNeeded();
	const telemetry = await startTelemetry(readTelemetry({ TELEMETRY_ENV: "shots", TELEMETRY_SAMPLE_RATIO: "1" }).settings);
	await using charla = await testCharla({ pages: true, env: { LOG_LEVEL: "info" } });
	const { seeded, more } = await prepare(charla);
	await telemetry?.metrics.collect();
	rmSync(folder, { recursive: true, force: true });
	mkdirSync(folder, { recursive: true });
	const browser = await openBrowser();
	const among = <T extends string>(all: readonly T[]) => {
		const named = all.filter((one) => wanted.includes(one));
		return named.length > 0 ? named : all;
	};
	const looked = among(scenes.map(({ name }) => name));
	const devices = among(Object.keys(widths) as (keyof typeof widths)[]);
	const made: string[] = [];
	for (const scene of scenes.filter(({ name }) => looked.includes(name)))
		for (const language of among(languages))
			for (const theme of among(themes))
				for (const device of devices) {
					const width = widths[device];
					const height = width === widths.phone ? 740 : 900;
					const context = await browser.newContext({
						viewport: { width, height },
						locale: language === "es" ? "es-CL" : "en-GB",
						timezoneId: "America/Santiago",
						colorScheme: theme,
						contrast: scene.contrast ? "more" : "no-preference",
						javaScriptEnabled: !scene.scriptless,
					});
					const person = scene.as?.(seeded, more);
					if (person) {
						const [name, value] = (await charla.session(person)).split("=") as [string, string];
						await context.addCookies([{ name, value, url: charla.url }]);
					}
					const page = await context.newPage();
					if (scene.name === "returning") {
						await page.request.post(`${charla.url}/leave`, { headers: { origin: charla.url } });
					}
					await page.goto(charla.url + scene.path(seeded, more));
					await page.waitForTimeout(250);
					await scene.act?.(page, context, charla, seeded);
					const file = `${scene.name}.${device}.${theme}.${language}.png`;
					// The page scrolls within itself, so it is the window that has to grow.
					if (scene.whole)
						await page.setViewportSize({ width, height: await page.evaluate("document.querySelector('.ops').scrollHeight") });
					const picture = await page.screenshot({ path: path.join(folder, file) });
					if (scene.also && device === "desktop" && theme === "light" && language === "en")
						writeFileSync(path.join(root, scene.also), picture);
					made.push(file);
					await context.close();
					process.stdout.write(`\r${made.length} pictures  ${file}`.padEnd(80));
				}
	const figures = made
		.map((file) => `<figure><img src="${file}" loading="lazy" width="300"><figcaption>${file}</figcaption></figure>`)
		.join("\n");
	writeFileSync(
		path.join(folder, "index.html"),
		`<!doctype html><meta charset="utf-8"><title>Charla, every state</title><style>body{display:flex;flex-wrap:wrap;gap:1rem;font:12px system-ui}figure{margin:0}</style>\n${figures}\n`,
	);
	await telemetry?.stop();
	console.log(`\n${made.length} pictures in shots/, open shots/index.html`);
}

try {
	await main(process.argv.slice(2));
} finally {
	await stopTestDatabase();
}
