import assert from "node:assert/strict";
import { test } from "node:test";
import { enterAs } from "../support/browser.ts";
import { composer, isAlive, line, openFlow, reached, say, texts, until } from "../support/flow-a-people.ts";
import { long } from "../support/long.ts";

const flow = openFlow();

test("[two people] two people enter by name, and each sees what the other writes, with the thread full at the end", async (t) => {
	const [ana, bruno] = [await flow.stranger(t), await flow.stranger(t)];
	await enterAs(ana.page, "Ana");
	await enterAs(bruno.page, "Bruno");
	await isAlive(ana.page);
	await isAlive(bruno.page);

	await say(ana.page, "Good morning, Bruno");
	await line(bruno.page, "Good morning, Bruno").waitFor();
	await say(bruno.page, "Good morning, Ana");
	await line(ana.page, "Good morning, Ana").waitFor();

	await reached(ana.page, "Good morning, Bruno", "Stored · delivered 1/1 · on screen 1/1");
	await reached(bruno.page, "Good morning, Ana", "Stored · delivered 1/1 · on screen 1/1");
	assert.deepEqual(await texts(ana.page), ["Good morning, Bruno", "Good morning, Ana"]);
	assert.deepEqual(await texts(bruno.page), await texts(ana.page));
});

long("[two people] the thread says what is true: stored while nobody is there, delivered, and on screen only once it was", async (t) => {
	const { charla } = flow;
	const [one, two] = [await charla.person(flow.name("Ana")), await charla.person(flow.name("Bruno"))];
	const room = await flow.room(flow.name("Thread"), one, two, await charla.person(flow.name("Carla")));
	const ana = await flow.browser(t, one);
	await flow.enter(ana, ana.page, room.id);

	await say(ana.page, "Anybody there?");
	await reached(ana.page, "Anybody there?", "Stored · delivered 0/2 · on screen 0/2");

	// Bruno's browser is here, but shows the lobby.
	const bruno = await flow.browser(t, two);
	await isAlive(bruno.page);
	await until(() => flow.connected(bruno) === 1, "Bruno is connected");
	await say(ana.page, "Can you see this?");
	await reached(ana.page, "Can you see this?", "Stored · delivered 1/2 · on screen 0/2");

	await bruno.page.getByRole("link", { name: room.name }).click();
	await line(bruno.page, "Can you see this?").waitFor();
	await reached(ana.page, "Can you see this?", "Stored · delivered 1/2 · on screen 1/2");
	await reached(ana.page, "Anybody there?", "Stored · delivered 1/2 · on screen 1/2");
});

test("[65] two tabs of one person are one person: here, writing and unread", async (t) => {
	const { room, people } = await flow.talk(t, ["Ana", "Bruno"]);
	const [ana, bruno] = people as [(typeof people)[0], (typeof people)[0]];
	const second = await bruno.context.newPage();
	await flow.enter(bruno, second, room.id);
	await until(() => flow.connected(bruno) === 2, "both tabs are connected");

	await ana.page.getByRole("link", { name: "2 members" }).click();
	const member = ana.page.getByRole("listitem").filter({ hasText: bruno.name }).filter({ hasText: "here now" });
	await member.filter({ hasNotText: "not here now" }).waitFor();
	assert.equal(await member.count(), 1);

	const writing = ana.page.getByText(/(is|are) typing$/);
	await composer(bruno.page).pressSequentially("hm");
	await composer(second).pressSequentially("well");
	await ana.page.getByText(`${bruno.name} is typing`, { exact: true }).waitFor();
	assert.deepEqual(await writing.allInnerTexts(), [`${bruno.name} is typing`]);

	// One tab less is no less here: Carla, who goes after it, is shown as gone first.
	const carla = await flow.charla.person(flow.name("Carla"));
	await flow.charla.chat.rooms.join(carla.me, { roomId: room.id });
	const socket = await flow.charla.connect(carla.cookie);
	const gone = ana.page.getByRole("listitem").filter({ hasText: carla.me.name });
	await gone.filter({ hasText: "here now" }).waitFor();
	await composer(second).fill("");
	await second.close();
	await until(() => flow.connected(bruno) === 1, "one tab is left");
	socket.raw.close();
	await gone.filter({ hasText: "not here now" }).waitFor();
	assert.equal(await member.filter({ hasNotText: "not here now" }).count(), 1);

	// Both tabs elsewhere: one unread message counts once, and reading it in one tab clears it in the other.
	const lobby = bruno.page.getByRole("link", { name: "Lobby" }).first();
	await composer(bruno.page).fill("");
	await lobby.click();
	const third = await bruno.context.newPage();
	await third.goto("/");
	await isAlive(third);
	await until(() => flow.connected(bruno) === 2, "both tabs are connected");
	await say(ana.page, "Only one");
	for (const page of [bruno.page, third]) await page.getByRole("link", { name: room.name }).getByText("1 unread message").waitFor();
	await bruno.page.getByRole("link", { name: room.name }).click();
	await line(bruno.page, "Only one").waitFor();
	await third.getByRole("link", { name: room.name }).getByText("1 unread message").waitFor({ state: "detached" });
});

long("[100] from the first screen to the first message in a minute, with one field to fill in", async (t) => {
	const began = Date.now();
	const ana = await flow.stranger(t);
	const fields = ana.page.locator("input:not([type=hidden]), textarea, select").filter({ visible: true });
	assert.equal(await fields.count(), 1);
	const name = flow.name("Nueva");
	await ana.page.getByRole("textbox", { name: "Your name" }).fill(name);
	await ana.page.getByRole("button", { name: "Come in" }).click();
	await ana.page.waitForURL(/\/rooms\//);
	await isAlive(ana.page);
	await say(ana.page, "My first message");
	await reached(ana.page, "My first message", /^Stored/);
	assert.ok(Date.now() - began < 60_000, `took ${Date.now() - began} ms`);
});
