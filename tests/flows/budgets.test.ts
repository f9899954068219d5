import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { gzipSync } from "node:zlib";
import type { Page } from "playwright-core";
import { lobbyId } from "../../app/contract/fixed.ts";
import { limits } from "../../app/contract/limits.ts";
import type { TestCharla } from "../support/charla.ts";
import { isInSight, isLive, scroller } from "../support/flow-b-page.ts";
import { freshName, hasReadAll, noProblems, openStage, roomWith, type Stage, visit, writePast } from "../support/flow-b-people.ts";
import { long } from "../support/long.ts";

/** What people may be made to load, bytes: a second or two on a slow phone. Scripts and styles gzipped, pages as they are. */
const budget = { roomScript: 150 * 1024, firstScript: 110 * 1024, style: 20 * 1024, historyPage: 30 * 1024 };

let charla: TestCharla;
let stage: Stage;
before(async () => {
	stage = await openStage();
	charla = stage.charla;
});
after(() => stage.close());

/** Every script and style sheet a page asks for until nothing more comes, gzipped together by kind. */
async function loaded(
	page: Page,
	open: () => Promise<unknown>,
): Promise<{ script: number; style: number; fonts: string[]; names: string[] }> {
	const parts: Promise<{ type: string; url: string; size: number }>[] = [];
	page.on("response", (response) => {
		const type = response.request().resourceType();
		const path = new URL(response.url()).pathname;
		const kind = path.endsWith(".js") ? "script" : path.endsWith(".css") ? "stylesheet" : type;
		if (kind !== "script" && kind !== "stylesheet" && kind !== "font") return;
		parts.push(response.body().then((body) => ({ type: kind, url: path, size: gzipSync(body, { level: 9 }).length })));
	});
	await open();
	await page.waitForLoadState("networkidle");
	const all = new Map((await Promise.all(parts)).map((part) => [part.url, part]));
	const sum = (type: string) => [...all.values()].filter((part) => part.type === type).reduce((total, part) => total + part.size, 0);
	return {
		script: sum("script"),
		style: sum("stylesheet"),
		fonts: [...all.values()].filter((part) => part.type === "font").map((part) => part.url),
		names: [...all.values()].map((part) => `${part.url} ${part.size}`),
	};
}

test("a room loads at most 150 KB of scripts and 20 KB of styles, and no font", async () => {
	await using ana = await visit(charla, { path: null });
	const fresh = await ana.context.newPage();
	const { script, style, fonts, names } = await loaded(fresh, async () => {
		await fresh.goto(`/rooms/${lobbyId}`);
		await isLive(fresh);
	});
	assert.ok(script > 50 * 1024 && style > 1024, `measured too little: ${names.join(", ")}`);
	assert.ok(script <= budget.roomScript, `${(script / 1024).toFixed(1)} KB: ${names.join(", ")}`);
	assert.ok(style <= budget.style, `${(style / 1024).toFixed(1)} KB`);
	assert.deepEqual(fonts, []);
	noProblems(ana);
});

long("the first screen loads at most 110 KB of scripts and works without any", async () => {
	await using nobody = await visit(charla, { path: null });
	await nobody.context.clearCookies();
	const fresh = await nobody.context.newPage();
	const { script, names } = await loaded(fresh, () => fresh.goto("/"));
	assert.ok(script > 0);
	assert.ok(script <= budget.firstScript, `${(script / 1024).toFixed(1)} KB: ${names.join(", ")}`);
	await using plain = await visit(charla, { path: null, javaScript: false });
	await plain.context.clearCookies();
	await plain.page.goto("/");
	await plain.page.locator("input[name=name]").fill(freshName("Plain"));
	await plain.page.getByRole("button", { name: "Come in" }).click();
	await plain.page.waitForURL(`**/rooms/${lobbyId}`);
	noProblems(nobody, plain);
});

long("a numbered page of history is at most 30 KB of HTML", async () => {
	const ana = await charla.chat.people.enter({ name: freshName("Ana") });
	const room = await roomWith(charla, ana);
	const body = "Some words, as many as people write on an ordinary day when there is something to discuss. ".repeat(2).trim();
	await writePast(
		charla,
		room.id,
		Array.from({ length: 40 }, (_, at) => ({ author: ana, body: `${at} ${body}`, at: Date.now() - at })),
	);
	await using reader = await visit(charla, { me: ana, javaScript: false, path: null });
	const response = await reader.page.goto(`/rooms/${room.id}/pages/3`);
	const size = (await response?.body())?.length ?? 0;
	assert.equal(await reader.page.locator("article").count(), limits.page);
	assert.ok(size > 1024 && size <= budget.historyPage, `${(size / 1024).toFixed(1)} KB`);
	noProblems(reader);
});

/** Where each line and each fixed part stands, frame by frame: what moved is in `window.shifts`. Runs in the page, before its own scripts. */
function recordShifts(): void {
	// The browser's own measure counts a day as moved when history is added at its far end, out of sight, so it is not asked.
	const shifts: string[] = [];
	Object.assign(window, { shifts });
	let before = new Map<string, number>();
	const look = () => {
		const now = new Map<string, number>();
		for (const part of document.querySelectorAll<HTMLElement>("[data-seq], .conversation-head, .composer, .room-line, .column-head")) {
			const { top, bottom } = part.getBoundingClientRect();
			if (bottom > 0 && top < innerHeight && part.checkVisibility({ visibilityProperty: true }))
				now.set(part.dataset.seq ?? `${part.className} ${part.textContent?.slice(0, 20)}`, top);
		}
		for (const [name, top] of now) {
			const was = before.get(name);
			if (was !== undefined && Math.abs(top - was) > 1) shifts.push(`${name} from ${was} to ${top}`);
		}
		if (now.size > 0) before = now;
		requestAnimationFrame(look);
	};
	requestAnimationFrame(look);
}

test("nothing shifts while a room loads, wherever it opens: at the end, at what is unread, at a link, where the reader was", async () => {
	const ana = await charla.chat.people.enter({ name: freshName("Ana") });
	const bruno = await charla.chat.people.enter({ name: freshName("Bruno") });
	const room = await roomWith(charla, ana, [bruno], { topic: "A topic" });
	const past = (count: number) =>
		writePast(
			charla,
			room.id,
			Array.from({ length: count }, (_, at) => ({
				author: at % 3 ? ana : bruno,
				body: at % 5 ? `Line ${at}` : `A list:\n\n- one\n- two\n\n\`\`\`js\nlet at = ${at};\n\`\`\``,
				at: Date.now() - (count - at) * 60_000,
			})),
		);
	await past(80);
	await hasReadAll(charla, bruno, room.id);
	const shifted: string[] = [];
	const phone = { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true };
	// Where the lines of the end and those at the place it opens at are partly the same, each would be seen to jump.
	for (const [what, unread, options, and] of [
		["at the end", 0, {}, null],
		["at what is unread, near the end", 2, {}, null],
		["at what is unread, a screen above", 12, {}, "reload"],
		["at what is unread, far above", 30, {}, null],
		["at what is unread, on a phone", 8, phone, null],
		["at a link", 0, {}, "link"],
	] as const) {
		await hasReadAll(charla, bruno, room.id);
		if (unread > 0) await past(unread);
		await using reader = await visit(charla, { me: bruno, path: null, timezone: "America/Santiago", ...options });
		await reader.context.addInitScript(recordShifts);
		const opened = async (how: Promise<unknown>) => {
			await how;
			await isLive(reader.page);
			await scroller(reader.page).waitFor();
			await reader.page.waitForLoadState("networkidle");
			const shifts = await reader.page.evaluate(() => (window as unknown as { shifts: string[] }).shifts);
			shifted.push(...shifts.map((shift) => `${what}: ${shift}`));
		};
		const linked = room.lastSeq + 75;
		await opened(reader.page.goto(`/rooms/${room.id}${and === "link" ? `?at=${linked}` : ""}`));
		const opensAt = unread > 0 ? await reader.page.locator(".unread-mark + [data-seq]").getAttribute("data-seq") : linked;
		if (unread > 0 || and === "link") assert.ok(await isInSight(reader.page, Number(opensAt)), `${what}: it is in sight`);
		if (and === "reload") {
			const kept = await reader.page.waitForFunction(() => sessionStorage.getItem("charla:places")).then((place) => place.jsonValue());
			const before = await scroller(reader.page).evaluate((box) => (box.scrollTop -= 300));
			await reader.page.waitForFunction((was) => sessionStorage.getItem("charla:places") !== was, kept);
			await opened(reader.page.reload());
			const after = await scroller(reader.page).evaluate((box) => box.scrollTop);
			assert.ok(Math.abs(after - before) <= 1, `${what}: reloaded at ${after}, left at ${before}`);
		}
		noProblems(reader);
	}
	assert.deepEqual(shifted, []);
});
