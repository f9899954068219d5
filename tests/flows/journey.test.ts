import assert from "node:assert/strict";
import { test } from "node:test";
import type { Locator, Page } from "playwright-core";
import { away, composer, line, openFlow, reached, say, until } from "../support/flow-a-people.ts";
import { long } from "../support/long.ts";

const flow = openFlow();

const journeyOf = (page: Page): Locator => page.getByRole("complementary", { name: "The journey of your message" });
const connectionOf = (page: Page): Locator => page.getByRole("dialog", { name: "Your connection" });

/** Opens the journey of a message by its menu, by keyboard alone. */
async function openJourney(page: Page, text: string): Promise<Locator> {
	await line(page, text).focus();
	await page.keyboard.press("Enter");
	await page.getByRole("menuitem", { name: "Journey" }).focus();
	await page.keyboard.press("Enter");
	const panel = journeyOf(page);
	await panel.getByRole("heading", { name: "Stored" }).waitFor();
	return panel;
}

test("the journey of a message is followed live: stored, delivered, on screen, and by whom; Escape leads back to it", async (t) => {
	const { room, people } = await flow.talk(t, ["Ana"]);
	const ana = people[0] as (typeof people)[0];
	const ben = await flow.charla.person(flow.name("Ben"));
	await flow.charla.chat.rooms.invite(ana.me, { roomId: room.id, name: ben.me.name });
	const { page } = ana;
	await say(page, "is anybody there?");
	await reached(page, "is anybody there?", /^Stored/);

	const panel = await openJourney(page, "is anybody there?");
	await panel.getByRole("heading", { name: "Delivered 0/1" }).waitFor();
	await panel.getByText(ben.me.name).waitFor();
	await panel.getByText("not yet").waitFor();

	// Ben comes and reads it: nobody asks anew, the panel fills.
	const person = await flow.browser(t, ben);
	await flow.enter(person, person.page, room.id);
	await panel.getByRole("heading", { name: "Delivered 1/1" }).waitFor();
	await panel.getByRole("heading", { name: "On screen 1/1" }).waitFor();
	await panel.getByRole("listitem").filter({ hasText: ben.me.name }).getByText("on screen").waitFor();
	assert.match(await panel.getByRole("listitem").filter({ hasText: "On screen 1/1" }).innerText(), /\d+:\d\d:\d\d\.\d{3}/);
	// What stands there is what support looks a message up by.
	const [message] = (await flow.charla.chat.messages.stretch(ana.me, { roomId: room.id })).messages;
	assert.equal(await panel.locator("code").innerText(), message?.clientId);

	await page.keyboard.press("Escape");
	await panel.waitFor({ state: "detached" });
	await until(() => line(page, "is anybody there?").evaluate((row) => row === document.activeElement), "the message has the focus");
});

long("/journey shows the last message of mine, and says so when there is none; of others' messages there is no journey", async (t) => {
	const { people } = await flow.talk(t, ["Ana", "Ben"]);
	const [ana, ben] = people as [(typeof people)[0], (typeof people)[0]];
	await say(ana.page, "/journey");
	await ana.page.getByText("You have not written anything here yet.").waitFor();
	await say(ana.page, "first");
	await reached(ana.page, "first", /on screen 1\/1/);
	await say(ana.page, "/journey");
	await journeyOf(ana.page).getByRole("heading", { name: "On screen 1/1" }).waitFor();
	await ana.page.keyboard.press("Escape");
	await until(() => composer(ana.page).evaluate((field) => field === document.activeElement), "back to writing");

	await line(ben.page, "first").focus();
	await ben.page.keyboard.press("Enter");
	await ben.page.getByRole("menuitem", { name: "Copy link" }).waitFor();
	assert.equal(await ben.page.getByRole("menuitem", { name: "Journey" }).count(), 0);
	assert.deepEqual((await flow.stored(ana, ana.page.url().split("/").at(-1) as string)).length, 1, "nothing was posted by commands");
});

long("the journey of a message deleted meanwhile says so", async (t) => {
	const { room, people } = await flow.talk(t, ["Ana"]);
	const ana = people[0] as (typeof people)[0];
	await say(ana.page, "soon gone");
	await reached(ana.page, "soon gone", /^Stored/);
	const panel = await openJourney(ana.page, "soon gone");
	const [message] = (await flow.charla.chat.messages.stretch(ana.me, { roomId: room.id })).messages;
	await flow.charla.chat.messages.remove(ana.me, { roomId: room.id, clientId: crypto.randomUUID(), seq: message?.seq as number });
	// The next news of the room asks again.
	const ben = await flow.charla.person(flow.name("Ben"));
	await flow.charla.chat.rooms.invite(ana.me, { roomId: room.id, name: ben.me.name });
	await panel.getByText("That message was deleted.").waitFor();
	assert.equal(await panel.getByText("soon gone").count(), 0, "nor is it quoted any longer");
});

long(
	"[90][94] the journey takes the place of another panel, has an address, and on a phone stands alone until one goes back",
	async (t) => {
		const { people } = await flow.talk(t, ["Ana"]);
		const { page } = people[0] as (typeof people)[0];
		await say(page, "where is it now?");
		await reached(page, "where is it now?", /^Stored/);
		await page.getByRole("link", { name: "1 member" }).click();
		await page.getByRole("complementary", { name: "Members" }).waitFor();
		// By a pointer the thread leads there.
		await line(page, "where is it now?").locator(".hilo").click();
		await journeyOf(page).getByRole("heading", { name: "Stored" }).waitFor();
		assert.equal(await page.getByRole("complementary").count(), 1, "one panel at a time");
		const title = page.getByRole("heading", { name: "The journey of your message" });
		const hasFocus = (place: Locator) => () => place.evaluate((element) => element === document.activeElement);
		await until(hasFocus(title), "its title has the focus");
		await composer(page).fill("written beside it");
		await title.focus();
		await journeyOf(page).getByRole("link", { name: "Close" }).click();
		await journeyOf(page).waitFor({ state: "detached" });
		await until(hasFocus(line(page, "where is it now?")), "the message has the focus");
		assert.equal(await composer(page).inputValue(), "written beside it");

		// What lies under a sheet cannot be reached, and has what was there before back.
		await page.setViewportSize({ width: 360, height: 740 });
		const opened = page.url();
		await page.keyboard.press("Enter");
		await page.getByRole("menuitem", { name: "Journey" }).click();
		await journeyOf(page).getByRole("heading", { name: "Stored" }).waitFor();
		await until(hasFocus(title), "its title has the focus on a phone");
		assert.deepEqual(await journeyOf(page).evaluate((sheet: HTMLElement) => [sheet.offsetWidth, sheet.offsetHeight]), [360, 740]);
		assert.ok(await composer(page).evaluate((field) => field.closest("[inert]") !== null));
		await page.goBack();
		await journeyOf(page).waitFor({ state: "detached" });
		assert.equal(page.url(), opened, "back closes the panel and stays in the room");
		await until(hasFocus(line(page, "where is it now?")), "the message has the focus on a phone");
		await page.goForward();
		await page.reload();
		await journeyOf(page).getByRole("heading", { name: "Stored" }).waitFor();
	},
);

long("the head of a room shows the latency, and opens what there is to know of the connection, with a report to copy", async (t) => {
	const { room, people } = await flow.talk(t, ["Ana"], { expected: away });
	const ana = people[0] as (typeof people)[0];
	const { page, context } = ana;
	await context.grantPermissions(["clipboard-read", "clipboard-write"]);
	await say(page, "a secret between us");
	await reached(page, "a secret between us", /^Stored/);
	await page.getByRole("button", { name: /^Connection: (good|fair|slow), live, \d+ ms\. Show details$/ }).click();
	const dialog = connectionOf(page);
	await dialog.getByText("WebSocket", { exact: true }).waitFor();
	await dialog.getByText("The connection was never lost").waitFor();
	await dialog.getByText(/^.+\/\d+$/).waitFor();
	// It goes on measuring while it is open.
	const measured = async () => Number(/of the last (\d+)/.exec(await dialog.innerText())?.[1] ?? 0);
	const before = await measured();
	await until(async () => (await measured()) > before, "another round trip");

	await dialog.getByRole("button", { name: "Copy report" }).click();
	await dialog.getByRole("button", { name: "Copied" }).waitFor();
	const report = await page.evaluate(() => navigator.clipboard.readText());
	for (const part of [
		/^Charla connection report: 20/,
		/^state: online$/m,
		/^transport: websocket$/m,
		/^round trip: \d+ ms/m,
		/^waiting to be sent: 0$/m,
	])
		assert.match(report, part);
	for (const secret of [ana.me.name, ana.me.id, room.id, room.name, "a secret between us", ana.cookie.split("=")[1] as string])
		assert.ok(!report.includes(secret), `${secret} in ${report}`);

	await context.setOffline(true);
	await dialog.getByText("This device is offline").waitFor();
	await context.setOffline(false);
	await dialog.getByText(/^1, lost last at \d/).waitFor();
});

long("/status and /slo answer in the page and post nothing", async (t) => {
	const { room, people } = await flow.talk(t, ["Ana"]);
	const ana = people[0] as (typeof people)[0];
	await say(ana.page, "/status");
	await connectionOf(ana.page).getByText("Connected").waitFor();
	await ana.page.keyboard.press("Escape");
	await say(ana.page, "/slo");
	// No telemetry runs in this process, and the page says so rather than drawing a full bar.
	await ana.page.getByRole("dialog", { name: "What Charla promises" }).getByText("Nothing is measured on this server.").waitFor();
	await ana.page.keyboard.press("Escape");
	assert.deepEqual(await flow.stored(ana, room.id), []);
});
