import assert from "node:assert/strict";
import { test } from "node:test";
import { type NewPerson, newPerson } from "../support/browser.ts";
import { fixedPort, freshDataDir, startServer, untilReady } from "../support/crash-charla.ts";
import { freshDatabase } from "../support/database.ts";
import { away, hurry, isAlive, line, reached, say, texts, until } from "../support/flow-a-people.ts";

test("[S1] the server is killed with -9 while two people are connected, and started again: what both wrote meanwhile is there once, in one order, without a reload", async (t) => {
	const folder = freshDataDir();
	await using database = await freshDatabase();
	const port = await fixedPort();
	const url = `http://127.0.0.1:${port}`;
	const start = () =>
		startServer({
			DATABASE_URL: database.url,
			DATA_DIR: folder.dataDir,
			PORT: String(port),
			SESSION_SECRET: "a secret of at least thirty-two characters",
			DRAIN_SECONDS: "0",
			RATE_LIMITS: "off",
		});
	let server = start();
	t.after(async () => {
		server.child.kill("SIGKILL");
		await server.ended;
		folder.remove();
	});
	await untilReady(url, server);
	const enter = async (name: string): Promise<NewPerson> => {
		const person = await newPerson(url, { name, expected: away });
		t.after(() => person.close());
		hurry(person);
		await isAlive(person.page);
		await person.page.evaluate(() => void Object.assign(window, { notReloaded: true }));
		return person;
	};
	const people = [await enter("Ana"), await enter("Bruno")] as const;
	const [ana, bruno] = people;
	await say(ana.page, "Before it died");
	await line(bruno.page, "Before it died").waitFor();

	server.child.kill("SIGKILL");
	assert.equal(await server.ended, "SIGKILL");
	for (const { page } of people) await page.locator("[data-connection=online]").waitFor({ state: "detached" });
	await say(ana.page, "Ana, into the dark");
	await say(bruno.page, "Bruno, into the dark");
	server = start();
	await untilReady(url, server);

	await reached(ana.page, "Ana, into the dark", /./);
	for (const { page } of people) {
		await line(page, "Ana, into the dark").waitFor();
		await line(page, "Bruno, into the dark").waitFor();
	}
	const rows = await database.sql.query<{ body: string }>("", "select body from room_log where kind = 0 order by seq");
	const stored = rows.map(({ body }) => body);
	assert.deepEqual([...stored].sort(), ["Ana, into the dark", "Before it died", "Bruno, into the dark"]);
	for (const { page } of people) {
		await until(async () => (await texts(page)).join() === stored.join(), "both see what is stored, once and in its order");
		assert.ok(await page.evaluate(() => "notReloaded" in window), "nobody was loaded anew");
	}
	assert.deepEqual(
		people.map(({ problems }) => problems),
		[[], []],
	);
});
