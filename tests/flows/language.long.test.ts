import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Page } from "playwright-core";
import { commands } from "../../app/contract/commands.ts";
import { lobbyId } from "../../app/contract/fixed.ts";
import { en } from "../../app/words/en.ts";
import { es } from "../../app/words/es.ts";
import { type Seeded, seedContent } from "../../scripts/seed-content.ts";
import type { TestCharla } from "../support/charla.ts";
import { say } from "../support/chat.ts";
import { composer, isLive, line } from "../support/flow-b-page.ts";
import { eventually, freshName, hasReadAll, noProblems, openStage, roomWith, type Stage, visit } from "../support/flow-b-people.ts";

let charla: TestCharla;
let stage: Stage;
let seeded: Seeded;
before(async () => {
	stage = await openStage();
	charla = stage.charla;
	seeded = await seedContent(charla.chat);
});
after(() => stage.close());

/** Everything a page says by itself: texts, and what is only read out or shown on hover. Messages and names are left out. */
async function wordsOn(page: Page): Promise<string[]> {
	return page.evaluate(() => {
		const said = new Set<string>();
		const others =
			".body, blockquote, bdi, code, .avatar, kbd, .topic, .quote-text, time, script, style, noscript, option, [aria-hidden=true], .option-sign, .option-emoji, svg";
		const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT);
		for (let node = walker.nextNode(); node; node = walker.nextNode()) {
			if (node instanceof Text) {
				const text = node.data.replace(/\s+/g, " ").trim();
				if (text && !node.parentElement?.closest(others)) said.add(text);
				continue;
			}
			const element = node as Element;
			if (element.closest(".body, svg")) continue;
			for (const name of ["aria-label", "title", "placeholder", "alt"]) {
				const value = element.getAttribute(name)?.trim();
				if (value && !element.matches("time, .topic")) said.add(value);
			}
		}
		return [...said];
	});
}

/** Whether a text is one of the words, with anything in its places. */
function openDictionary(words: Record<string, string>): (text: string) => boolean {
	const literally = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
	const patterns = Object.values(words)
		.filter(Boolean)
		.map((value) => literally(value).replace(/\\\{\w+\\\}/g, "[\\s\\S]+"))
		.map((value) => new RegExp(`^${value}$`));
	return (text) => patterns.some((pattern) => pattern.test(text));
}

/** What is the same in every language: numbers, signs, names. */
function isNoWord(text: string, names: ReadonlySet<string>): boolean {
	return names.has(text) || !/\p{Letter}{2}/u.test(text) || /^[\d\s.,/:·–-]+$/.test(text);
}

type Stop = { name: string; path: string; act?: (page: Page) => Promise<void>; as?: "nobody" };

/** The shortcut again until its dialog is there: whether one press is enough is asked in the tests of the keyboard. */
async function opensDialog(page: Page, shortcut: string): Promise<void> {
	await eventually(async () => {
		await page.keyboard.press(shortcut);
		await page.getByRole("dialog").waitFor({ timeout: 2000 });
	});
}

function stops(): Stop[] {
	const design = `/rooms/${seeded.rooms.design.id}`;
	const lobby = `/rooms/${lobbyId}`;
	return [
		{ name: "first screen", path: "/", as: "nobody" },
		{ name: "room", path: lobby, act: isLive },
		{
			name: "menus",
			path: lobby,
			async act(page) {
				await isLive(page);
				await page.locator("details.me summary").click();
				await page.locator("[data-key].is-mine").last().focus();
				await page.keyboard.press("Enter");
				await page.getByRole("menu").waitFor();
			},
		},
		...["/journey", "/status", "/slo"].map((command) => ({
			name: command,
			path: design,
			async act(page: Page) {
				await isLive(page);
				await composer(page).fill(command);
				await composer(page).press("Enter");
				await page.locator(":is(dialog, aside) :is(dl, ol, p)").first().waitFor();
			},
		})),
		{ name: "members", path: `${design}?panel=members` },
		{ name: "about", path: `${design}?panel=about` },
		{ name: "help", path: `${lobby}?panel=help` },
		{ name: "direct", path: `/rooms/${seeded.rooms.direct.id}` },
		{ name: "rooms", path: "/rooms" },
		{ name: "new room", path: "/rooms/new" },
		{ name: "browse", path: "/rooms/browse" },
		{ name: "people", path: "/people" },
		{ name: "nobody found", path: "/people?q=nobody+like+this" },
		{ name: "pages", path: `${design}/pages/1` },
		{ name: "not found", path: "/rooms/nowhere" },
		{
			name: "switcher",
			path: lobby,
			async act(page) {
				await isLive(page);
				await opensDialog(page, "Control+k");
				await page.keyboard.type("zzz");
			},
		},
		{
			name: "shortcuts",
			path: lobby,
			async act(page) {
				await isLive(page);
				await page.locator("[data-key][tabindex='0']").focus();
				await opensDialog(page, "?");
			},
		},
		{
			name: "commands and an editor",
			path: lobby,
			async act(page) {
				await isLive(page);
				await page.locator("[data-key].is-mine").last().focus();
				await page.keyboard.press("e");
				await composer(page).focus();
				await page.keyboard.type("/");
				await page.getByRole("listbox").waitFor();
			},
		},
		{
			name: "a message that is too long",
			path: lobby,
			async act(page) {
				await isLive(page);
				await composer(page).fill("x".repeat(4003));
			},
		},
	];
}

test("[79] every word of every page comes from the dictionary of its language, and html says which", async () => {
	const names = new Set([
		"Charla",
		"Español",
		"English",
		"Markdown",
		...Object.keys(seeded.people),
		...Object.values(seeded.rooms).map((room) => (typeof room === "string" ? "Lobby" : room.name)),
	]);
	for (const room of Object.values(seeded.rooms)) if (typeof room !== "string" && room.topic) names.add(room.topic);
	// What is typed as it stands, in any language.
	for (const command of commands) names.add(`${command.usage}`);
	const leftovers: string[] = [];
	const unknown = new Map<string, "en" | "es">();
	for (const [language, words, other] of [
		["es", es, en],
		["en", en, es],
	] as const) {
		const inWords = openDictionary(words);
		const foreign = new Set(Object.values(other).filter((value) => !(Object.values(words) as string[]).includes(value)));
		const expected = [/status of 404/];
		await using ana = await visit(charla, { me: seeded.people.Ana, language, path: null, expected });
		await using nobody = await visit(charla, { language, path: null, expected });
		await nobody.context.clearCookies();
		for (const stop of stops()) {
			const { page } = stop.as === "nobody" ? nobody : ana;
			await page.goto(stop.path);
			await stop.act?.(page);
			const said = await wordsOn(page);
			assert.ok(said.length > 3, `${stop.name} says ${said}`);
			assert.equal(await page.locator("html").getAttribute("lang"), language, stop.name);
			for (const text of said) {
				if (foreign.has(text) && text !== "English" && text !== "Español")
					leftovers.push(`${language} ${stop.name}: ${text} (the other language)`);
				else if (!isNoWord(text, names) && !inWords(text)) {
					// Put together from several words, or from another dictionary: then it reads differently in each language.
					const place = `${stop.name}: ${text}`;
					if ((unknown.get(place) ?? language) !== language) leftovers.push(`in both languages ${place}`);
					unknown.set(place, language);
				}
			}
		}
		noProblems(ana, nobody);
	}
	assert.deepEqual(leftovers, []);
});

test("[79] the language can be changed on the page, and stays changed", async () => {
	await using ana = await visit(charla, { me: seeded.people.Ana, language: "en" });
	const { page } = ana;
	await isLive(page);
	await page.locator("details.me summary").click();
	await page.getByRole("button", { name: "Español" }).click();
	await page.waitForFunction(() => document.documentElement.lang === "es");
	assert.ok(page.url().endsWith(lobbyId), "on the same page");
	await isLive(page);
	await page.getByText(es["rooms.public"], { exact: true }).first().waitFor();
	await page.reload();
	assert.equal(await page.locator("html").getAttribute("lang"), "es");
	const withoutOther = await page.content();
	assert.ok(!withoutOther.includes(en["timeline.emptyNote"]), "only the words of one language are sent");
	noProblems(ana);
});

test("[78] es-CL writes 24 hours, en-US twelve; days, numbers and plurals follow the language", async () => {
	const ana = await charla.chat.people.enter({ name: freshName("Ana") });
	const bruno = await charla.chat.people.enter({ name: freshName("Bruno") });
	const room = await roomWith(charla, ana);
	await say(charla.chat, ana, room.id, "What time is it");
	await hasReadAll(charla, bruno, lobbyId);
	const shown = async (page: Page) => line(page, "What time is it").locator("time").first().innerText();
	for (const [language, pattern, members] of [
		["es-CL", /^\d{1,2}:\d{2}$/, ["1 persona", "2 personas"]],
		["en-US", /^\d{1,2}:\d{2}\s[AP]M$/, ["1 member", "2 members"]],
	] as const) {
		const own = language === "es-CL" ? room : await roomWith(charla, ana, [], {});
		if (own !== room) await say(charla.chat, ana, own.id, "What time is it");
		// Of the message itself: now may be in the next hour already.
		const at = (await charla.chat.rooms.open(ana, { roomId: own.id })).messages[0]?.createdAt as number;
		await using reader = await visit(charla, { me: ana, language, path: `/rooms/${own.id}`, timezone: "America/Santiago" });
		const { page } = reader;
		await isLive(page);
		await eventually(async () => assert.match(await shown(page), pattern));
		const [hour = 0, minute = 0] = new Intl.DateTimeFormat("en-GB", { timeStyle: "short", timeZone: "America/Santiago" })
			.format(at)
			.split(":")
			.map(Number);
		// The first time, the server does not know the zone yet; the page does as soon as its script runs.
		await eventually(async () => {
			const shownHour = Number((await shown(page)).match(/\d+/)?.[0]);
			assert.equal(shownHour, language === "es-CL" ? hour : hour % 12 || 12);
		});
		const shownMinute = (await shown(page)).match(/\d+/g)?.map(Number)[1];
		assert.ok(Math.abs((shownMinute ?? 0) - minute) <= 1 || own !== room, `${shownMinute} is not ${minute}`);
		await page.getByRole("link", { name: members[0], exact: true }).waitFor();
		await charla.chat.rooms.invite(ana, { roomId: own.id, name: bruno.name });
		await page.getByRole("link", { name: members[1], exact: true }).waitFor();
		noProblems(reader);
	}
	// Unread messages: one and several, in both.
	for (const [language, one, many] of [
		["es-CL", es["rooms.unread.one"], es["rooms.unread.other"]],
		["en-US", en["rooms.unread.one"], en["rooms.unread.other"]],
	] as const) {
		await hasReadAll(charla, bruno, room.id);
		await using reader = await visit(charla, { me: bruno, language });
		const count = (words: string, number: number) =>
			reader.page.getByRole("link", { name: `${room.name} ${words.replace("{count}", String(number))}`, exact: true });
		await isLive(reader.page);
		await say(charla.chat, ana, room.id, "One");
		await count(one, 1).waitFor();
		await say(charla.chat, ana, room.id, "Two");
		await count(many, 2).waitFor();
		noProblems(reader);
	}
});
