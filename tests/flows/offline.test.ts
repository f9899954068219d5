import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import type { Page } from "playwright-core";
import { away, composer, isAlive, line, openFlow, reached, say, until } from "../support/flow-a-people.ts";
import { openWeather } from "../support/flow-a-proxy.ts";
import { long } from "../support/long.ts";

const flow = openFlow();
type One = Awaited<ReturnType<typeof flow.talk>>["people"][0];

/** Leaves a mark in the page that is gone with it. */
const mark = (page: Page) => page.evaluate(() => Object.assign(window, { isStillThere: true }));
const isSame = (page: Page) => page.evaluate(() => "isStillThere" in window);

test("[6] without a network panels and places open, another room says what is missing and comes by itself, and what waits goes out", async (t) => {
	await using weather = await openWeather(flow.charla.url);
	const { room, people } = await flow.talk(t, ["Ana"], { through: weather.url, expected: [...away, /Failed to fetch/] });
	const ana = people[0] as One;
	const { page } = ana;
	const other = await flow.room(flow.name("Other"), ana);
	await page.getByRole("link", { name: other.name }).waitFor();
	await say(page, "Before");
	await reached(page, "Before", /^Stored/);
	await mark(page);

	weather.cut = true;
	weather.dropAll();
	await page.getByText("The server does not answer").waitFor();
	await page.getByRole("link", { name: "1 member" }).click();
	await page.getByRole("complementary", { name: "Members" }).waitFor();
	await page.getByRole("complementary").getByRole("link", { name: "Close" }).click();
	await page.getByRole("complementary").waitFor({ state: "detached" });
	await line(page, "Before")
		.getByRole("link", { name: /^Link to this message/ })
		.click();
	await page.waitForURL(/\?at=\d+$/);
	await say(page, "Meanwhile");
	await reached(page, "Meanwhile", "Waiting to be sent");
	// A page whose script is not here is not gone to.
	await page.getByRole("link", { name: "Numbered pages" }).click();
	await page.getByText("That cannot be fetched without a network.").waitFor();
	await page.getByRole("link", { name: other.name }).click();
	await page.getByRole("heading", { name: "No network right now" }).waitFor();
	await page.getByRole("navigation", { name: "Rooms" }).getByRole("link", { name: room.name }).waitFor();
	assert.ok(await isSame(page), "the page was not loaded again");

	weather.cut = false;
	await composer(page).waitFor();
	await page.getByRole("status").getByText("Connected", { exact: true }).waitFor({ state: "attached" });
	assert.equal(await page.getByRole("heading", { level: 1 }).innerText(), other.name);
	await page.getByRole("link", { name: room.name }).click();
	await reached(page, "Meanwhile", /^Stored/);
	assert.deepEqual(await flow.stored(ana, room.id), ["Before", "Meanwhile"]);
	assert.ok(await isSame(page), "it was one page all the time");
});

/** A room in which much was said, and Ana among its old messages. */
async function amongOld(t: import("node:test").TestContext, weather: { url: string }, at: number) {
	const { room, people } = await flow.talk(t, ["Ana"], { through: weather.url, expected: [...away, /Failed to fetch/] });
	const ana = people[0] as One;
	const bruno = await flow.charla.person(flow.name("Bruno"));
	await flow.charla.chat.rooms.invite(ana.me, { roomId: room.id, name: bruno.me.name });
	for (let i = 1; i <= 260; i++)
		await flow.charla.chat.messages.post(bruno.me, { roomId: room.id, clientId: randomUUID(), body: `Old ${i}`, replyTo: null }, "en");
	await ana.page.goto(`/rooms/${room.id}?at=${at}`);
	await isAlive(ana.page);
	await ana.page.locator("[data-connection=online]").waitFor();
	await ana.page.locator(`[data-seq="${at}"]`).waitFor();
	return { room, ana };
}

long("[28] what is sent among old messages without a connection is in sight below the gap, and leads to the end with it", async (t) => {
	await using weather = await openWeather(flow.charla.url);
	const { room, ana } = await amongOld(t, weather, 40);
	const { page } = ana;
	weather.cut = true;
	weather.dropAll();
	await page.getByText("The server does not answer").waitFor();
	await say(page, "From the past");
	await reached(page, "From the past", "Waiting to be sent");
	const isInSight = () =>
		line(page, "From the past").evaluate((row) => {
			const [at, box] = [row.getBoundingClientRect(), (row.closest("section") as Element).getBoundingClientRect()];
			return at.top >= box.top && at.bottom <= box.bottom + 1;
		});
	await until(isInSight, "it is in sight");
	assert.equal(await line(page, "Old 260").count(), 0, "the gap before it is still one");

	weather.cut = false;
	await reached(page, "From the past", /^Stored/);
	await line(page, "Old 260").waitFor();
	await until(isInSight, "it is in sight at the end");
	assert.equal((await flow.stored(ana, room.id)).at(-1), "From the past");
});

long("[34] older messages that did not load say so, are loaded again when asked and by themselves with the connection", async (t) => {
	await using weather = await openWeather(flow.charla.url);
	const { ana } = await amongOld(t, weather, 150);
	const { page } = ana;
	weather.cut = true;
	weather.dropAll();
	await page.getByText("The server does not answer").waitFor();
	await page.locator(".scroller").hover();
	const note = page.getByText("Older messages didn't load");
	await until(async () => {
		await page.mouse.wheel(0, -2000);
		return note.isVisible();
	}, "it says so");
	await page.getByRole("button", { name: "Load again" }).click();
	await note.waitFor();
	// Neither is a message somewhere else called missing, nor an older one taken for the last.
	await page.getByRole("button", { name: /Jump to the latest|new message/ }).click();
	await page.getByText("It could not be fetched now.").waitFor();
	weather.cut = false;
	await note.waitFor({ state: "detached" });
	await page.locator("[data-connection=online]").waitFor();
	await until(async () => (await page.locator("[data-seq]").first().getAttribute("data-seq")) !== null, "they are here");
});

long("[5] a refused text goes back into the field, and what looks like a command goes out as text", async (t) => {
	const { room, people } = await flow.talk(t, ["Ana"]);
	const ana = people[0] as One;
	const { page } = ana;
	await say(page, "/etc is a folder");
	await page.getByText("There is no command").first().waitFor();
	await composer(page).fill("and more");
	await line(page, "/etc is a folder").getByRole("button", { name: "Edit" }).click();
	assert.equal(await composer(page).inputValue(), "/etc is a folder\n\nand more");
	await line(page, "/etc is a folder").waitFor({ state: "detached" });
	await composer(page).fill("");
	await say(page, "/etc is a folder");
	await line(page, "/etc is a folder").getByRole("button", { name: "Send as text" }).click();
	await reached(page, "/etc is a folder", /^Stored/);
	assert.deepEqual(await flow.stored(ana, room.id), ["/etc is a folder"]);
});

long(
	"[84] a message that fails in a room not on screen is told, marked in its line, and reachable once one is out of the room",
	async (t) => {
		const { room, people } = await flow.talk(t, ["Ana"]);
		const ana = people[0] as One;
		const { page } = ana;
		const other = await flow.room(flow.name("Other"), ana);
		let fail = () => {};
		const failing = new Promise<never>((_, reject) => {
			fail = () => reject(new Error("provoked by the test"));
		});
		t.mock.method(flow.charla.log, "error", () => undefined);
		const held = t.mock.method(flow.charla.chat.messages, "post", () => failing);
		await say(page, "Will fail");
		await reached(page, "Will fail", "Sending");
		await page.getByRole("link", { name: other.name }).click();
		await page.getByRole("heading", { level: 1, name: other.name }).waitFor();
		fail();
		await page.getByRole("alert").getByText(`Your message in ${room.name} was not sent.`).waitFor();
		await page.getByRole("navigation", { name: "Rooms" }).getByRole("link", { name: room.name }).getByText("Not sent").waitFor();
		held.mock.restore();

		await flow.charla.chat.rooms.leave(ana.me, { roomId: room.id });
		await page.getByRole("button", { name: "1 unsent message of a room you left" }).click();
		const dialog = page.getByRole("dialog", { name: "Not sent" });
		await dialog.getByText("Will fail").waitFor();
		await dialog.getByRole("button", { name: "Discard" }).click();
		await dialog.getByText("Will fail").waitFor({ state: "detached" });
		await page.keyboard.press("Escape");
		await page.getByRole("button", { name: /unsent message/ }).waitFor({ state: "detached" });
	},
);

long("[16] what is typed before the page's script runs is kept as a draft, and Enter sends it", async (t) => {
	const { room, people } = await flow.talk(t, ["Ana"]);
	const ana = people[0] as One;
	const { page } = ana;
	let go = () => {};
	const held = new Promise<void>((done) => {
		go = done;
	});
	await page.route(/entry\.client/, async (route) => {
		await held;
		await route.continue();
	});
	await page.goto(`/rooms/${room.id}`, { waitUntil: "commit" });
	await composer(page).pressSequentially("Early bird");
	await page.evaluate(() => (document.activeElement as HTMLElement).blur());
	go();
	await isAlive(page);
	await page.locator("[data-connection=online]").waitFor();
	assert.equal(await composer(page).inputValue(), "Early bird");
	await until(() => page.evaluate(() => Object.values(localStorage).includes("Early bird")), "the draft is kept");
	await composer(page).press("Enter");
	await reached(page, "Early bird", /^Stored/);
});

long("[96] who leaves with something unsent is asked first, and nothing is dropped before the server agreed", async (t) => {
	await using weather = await openWeather(flow.charla.url);
	const { people } = await flow.talk(t, ["Ana"], { through: weather.url, expected: [...away, /Failed to fetch/] });
	const ana = people[0] as One;
	const { page } = ana;
	await composer(page).fill("Half a thought");
	const kept = () => page.evaluate(() => Object.values(localStorage).includes("Half a thought"));
	await until(kept, "the draft is kept");
	const leave = async () => {
		if (!(await page.getByRole("button", { name: "Leave Charla" }).isVisible())) await page.locator(".me summary").click();
		await page.getByRole("button", { name: "Leave Charla" }).click();
	};
	await leave();
	const dialog = page.getByRole("dialog", { name: "Leave without sending?" });
	await dialog.getByText("1 text was not sent yet.").waitFor();
	await dialog.getByRole("button", { name: "Stay" }).click();
	assert.equal(await composer(page).inputValue(), "Half a thought");

	weather.cut = true;
	weather.dropAll();
	await page.getByText("The server does not answer").waitFor();
	await leave();
	await dialog.getByRole("button", { name: "Leave all the same" }).click();
	await page.getByText("That cannot be fetched without a network.").waitFor();
	assert.ok(await kept(), "nothing was dropped");

	weather.cut = false;
	await page.locator("[data-connection=online]").waitFor();
	await leave();
	await dialog.getByRole("button", { name: "Leave all the same" }).click();
	await page.getByRole("heading", { name: "Good to see you again" }).waitFor();
	await until(async () => !(await kept()), "what was unsent is dropped");
});

long("a refused change of a room keeps its panel and what was typed; sheets and menus close by Escape", async (t) => {
	const { room, people } = await flow.talk(t, ["Ana"], { expected: [/status of 4\d\d/] });
	const { page } = people[0] as One;
	await page.goto(`/rooms/${room.id}?panel=about`);
	await isAlive(page);
	const name = page.getByRole("textbox", { name: "Name", exact: true });
	await name.fill("x".repeat(61));
	await page.getByRole("textbox", { name: "Topic" }).fill("Kept");
	await page.getByRole("button", { name: "Save" }).click();
	await page.getByRole("complementary").getByRole("alert").waitFor();
	assert.deepEqual([(await name.inputValue()).length, await page.getByRole("textbox", { name: "Topic" }).inputValue()], [61, "Kept"]);

	await page.locator(".me summary").click();
	await page.keyboard.press("Escape");
	await page.getByRole("button", { name: "Leave Charla" }).waitFor({ state: "hidden" });
	await page.setViewportSize({ width: 700, height: 800 });
	// What the panel covers is out of reach.
	await page.locator(".conversation-main[inert]").waitFor({ state: "attached" });
	await page.goto(`/rooms/${room.id}`);
	await isAlive(page);
	await page.locator("[data-connection=online]").waitFor();
	const sheet = page.getByRole("navigation", { name: "Rooms" });
	const back = page.getByRole("link", { name: "All rooms" });
	await back.click();
	await page.locator(".room-line:focus").waitFor();
	await page.keyboard.press("Escape");
	await sheet.waitFor({ state: "hidden" });
	await back.click();
	await sheet.getByRole("link", { name: room.name }).click();
	await sheet.waitFor({ state: "hidden" });
});
