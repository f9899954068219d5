import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { newPerson } from "../support/browser.ts";
import { type TestCharla, testCharla } from "../support/charla.ts";
import { say as post } from "../support/chat.ts";
import { freshDatabase } from "../support/database.ts";
import { away, hurry, isAlive, line, reached, say, texts, tryNow, until } from "../support/flow-a-people.ts";
import { type OpenWeather, openWeather } from "../support/flow-a-proxy.ts";

// One address, behind which the server dies and comes back on the same database.
let database: Awaited<ReturnType<typeof freshDatabase>>;
let charla: TestCharla;
let weather: OpenWeather;
before(async () => {
	database = await freshDatabase();
	charla = await testCharla({ pages: true, database });
	weather = await openWeather(charla.url);
});
after(async () => {
	await weather[Symbol.asyncDispose]();
	await charla[Symbol.asyncDispose]();
	await database[Symbol.asyncDispose]();
});

test("[56] while the server is dead for six seconds the banner counts down; then what was missed comes once, in order, below a divider, without a reload", async () => {
	await using ana = await newPerson(weather.url, { name: "Ana", expected: away });
	hurry(ana);
	const { page } = ana;
	await isAlive(page);
	const bruno = (await charla.person("Bruno")).me;
	await say(page, "Before");
	await reached(page, "Before", /^Stored/);
	const roomId = page.url().split("/").at(-1) as string;
	await page.evaluate(() => {
		(window as unknown as { notReloaded: boolean }).notReloaded = true;
	});

	const killed = Date.now();
	weather.cut = true;
	weather.dropAll();
	await charla.stop();
	await page.getByRole("status").getByText("The server does not answer. Charla keeps trying.").waitFor();
	const countdown = page.getByText(/^Next try in \d+ s$/);
	await countdown.waitFor();
	const first = await countdown.innerText();
	await until(async () => (await countdown.count()) === 0 || (await countdown.innerText()) !== first, "the countdown moves");
	await say(page, "While it was dead");
	await reached(page, "While it was dead", "Waiting to be sent");

	charla = await testCharla({ pages: true, database });
	const missed = ["Missed one", "Missed two", "Missed three"];
	for (const text of missed) await post(charla.chat, bruno, roomId, text);
	await until(() => Date.now() - killed >= 6000, "six seconds are over");
	weather.target = charla.url;
	weather.cut = false;
	await tryNow(page);

	await reached(page, "While it was dead", /^Stored/);
	await page.getByRole("status").getByText("The server does not answer").waitFor({ state: "detached" });
	assert.deepEqual(await texts(page), ["Before", ...missed, "While it was dead"]);
	assert.ok(await page.evaluate(() => (window as unknown as { notReloaded?: boolean }).notReloaded), "the page was not loaded again");
	// The divider stands right above the first one missed.
	const divider = page.getByText("New", { exact: true });
	await divider.waitFor();
	const top = async (locator: typeof divider) => (await locator.boundingBox())?.y ?? Number.NaN;
	assert.ok((await top(line(page, "Before"))) < (await top(divider)));
	assert.ok((await top(divider)) < (await top(line(page, "Missed one"))));
	assert.deepEqual(ana.problems, []);
});

test("[56] a server that stops in an orderly way takes nobody's message with it, and people come back by themselves", async () => {
	await using ana = await newPerson(weather.url, { name: "Carla", expected: away });
	hurry(ana);
	const { page } = ana;
	await isAlive(page);
	await say(page, "One");
	await reached(page, "One", /^Stored/);
	const stopping = charla.stop();
	await say(page, "Two");
	await say(page, "Three");
	await stopping;
	charla = await testCharla({ pages: true, database });
	weather.target = charla.url;
	for (const text of ["One", "Two", "Three"]) await reached(page, text, /^Stored/);
	assert.deepEqual((await texts(page)).slice(-3), ["One", "Two", "Three"]);
	assert.deepEqual(ana.problems, []);
});

test("[doors] a session survives the restart of the server", async () => {
	await using ana = await newPerson(weather.url, { name: "Diego", expected: away });
	hurry(ana);
	weather.dropAll();
	await charla.stop();
	charla = await testCharla({ pages: true, database });
	weather.target = charla.url;
	await ana.page.goto("/");
	await ana.page.waitForURL(/\/rooms\//);
	await isAlive(ana.page);
	await say(ana.page, "Still me");
	await line(ana.page, "Still me").getByText("Diego").first().waitFor();
	await reached(ana.page, "Still me", /^Stored/);
	assert.deepEqual(ana.problems, []);
});
