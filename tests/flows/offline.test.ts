import assert from "node:assert/strict";
import { test } from "node:test";
import type { Page } from "playwright-core";
import { away, composer, line, openFlow, reached, say } from "../support/flow-a-people.ts";
import { openWeather } from "../support/flow-a-proxy.ts";

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
	await page.locator(".is-target").waitFor();
	await say(page, "Meanwhile");
	await reached(page, "Meanwhile", "Waiting to be sent");
	// A page whose script is not here is not gone to.
	await page.getByRole("link", { name: "Numbered pages" }).click();
	await page.getByText("That page cannot be fetched without a network.").waitFor();
	await page.getByRole("link", { name: other.name }).click();
	await page.getByRole("heading", { name: "No network right now" }).waitFor();
	await page.getByRole("navigation", { name: "Rooms" }).getByRole("link", { name: room.name }).waitFor();
	assert.ok(await isSame(page), "the page was not loaded again");

	weather.cut = false;
	await composer(page).waitFor();
	assert.equal(await page.getByRole("heading", { level: 1 }).innerText(), other.name);
	await page.getByRole("link", { name: room.name }).click();
	await reached(page, "Meanwhile", /^Stored/);
	assert.deepEqual(await flow.stored(ana, room.id), ["Before", "Meanwhile"]);
	assert.ok(await isSame(page), "it was one page all the time");
});
