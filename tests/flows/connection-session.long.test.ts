import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Session } from "../../app/auth/index.server.ts";
import { backlogLimit, fanOutCounts } from "../../app/realtime/joined-frames.ts";
import { say as post } from "../support/chat.ts";
import { away, composer, isAlive, line, openFlow, reached, say, type Talker, texts, until } from "../support/flow-a-people.ts";
import { openWeather } from "../support/flow-a-proxy.ts";

const flow = openFlow();
const signedOut = "You are not signed in any more. What you wrote is kept.";

test("[62] who is signed out while writing comes back in place: the text is kept, and goes out", async (t) => {
	const { room, people } = await flow.talk(t, ["Ana", "Bruno"]);
	const [ana, bruno] = people as [Talker, Talker];
	const { page } = ana;
	await composer(page).pressSequentially("Half a sent");
	const second = await ana.context.newPage();
	await second.goto(`/rooms/${room.id}`);
	await isAlive(second);
	await second.getByTitle("You and settings").click();
	await second.getByRole("button", { name: "Leave Charla" }).click();
	await second.getByRole("button", { name: "Leave all the same" }).click();
	await second.getByRole("button", { name: `Come back as ${ana.name}` }).waitFor();
	await second.close();

	const dialog = page.getByRole("dialog", { name: "Enter again" });
	await dialog.getByText(signedOut).waitFor();
	assert.equal(await composer(page).inputValue(), "Half a sent");
	await dialog.getByRole("button", { name: `Come back as ${ana.name}` }).click();
	await dialog.waitFor({ state: "detached" });
	await until(() => flow.connected(ana) === 1, "she is connected again");
	assert.ok(await composer(page).evaluate((field) => field === document.activeElement), "the focus is back in the field");
	await page.keyboard.press("End");
	await page.keyboard.type("ence");
	await page.keyboard.press("Enter");
	await line(bruno.page, "Half a sentence").waitFor();
	await reached(page, "Half a sentence", /^Stored/);
	assert.deepEqual(await texts(bruno.page), ["Half a sentence"]);
});

test("[62] what is sent while signed out waits, and goes out after coming back", async (t) => {
	const { room, people } = await flow.talk(t, ["Ana", "Bruno"]);
	const [ana, bruno] = people as [Talker, Talker];
	const { page } = ana;
	// Left on the server's side with the way back open in this browser, as another tab's leaving would.
	const session = (await flow.charla.auth.whoIs(ana.cookie)) as Session;
	const cookies = await flow.charla.auth.leave(session);
	const [name, value] = ((cookies[1] as string).split(";")[0] as string).split("=") as [string, string];
	await ana.context.addCookies([{ name, value, domain: "127.0.0.1", path: "/", httpOnly: true }]);
	flow.charla.realtime.endSession(session);
	const dialog = page.getByRole("dialog", { name: "Enter again" });
	await dialog.waitFor();
	await page.keyboard.press("Escape");
	await dialog.waitFor({ state: "detached" });
	await page.getByRole("status").getByText(signedOut).waitFor();
	await say(page, "Written while out");
	await reached(page, "Written while out", "Waiting to be sent");
	await page.getByRole("link", { name: "Enter again" }).click();
	await page.getByRole("button", { name: `Come back as ${ana.name}` }).click();
	await page.waitForURL(/\/rooms\//);
	await line(bruno.page, "Written while out").waitFor();
	assert.deepEqual(await flow.stored(bruno, room.id), ["Written while out"]);
});

test("[64] the socket of a session that was taken away is closed within a second and does not come back", async (t) => {
	const { room, people } = await flow.talk(t, ["Ana", "Bruno"]);
	const [ana, bruno] = people as [Talker, Talker];
	const heard: string[] = [];
	const watch = await bruno.context.newCDPSession(bruno.page);
	await watch.send("Network.enable");
	watch.on("Network.webSocketFrameReceived", (frame) => heard.push(frame.response.payloadData));
	const session = (await flow.charla.auth.whoIs(bruno.cookie)) as Session;
	await flow.charla.auth.leave(session);
	assert.equal(flow.connected(bruno), 1);
	flow.charla.realtime.endSession(session);
	// A second of this process, however many the machine takes for it.
	for (let tenth = 0; tenth < 10; tenth++) await sleep(100);
	assert.equal(flow.connected(bruno), 0, "the socket is closed");

	const dialog = bruno.page.getByRole("dialog", { name: "Enter again" });
	await dialog.waitFor();
	// Trying does not help: this browser has no way back, and is told so.
	await dialog.getByRole("button", { name: `Come back as ${bruno.name}` }).click();
	await dialog.getByRole("alert").waitFor();
	await say(ana.page, "Not for him");
	await reached(ana.page, "Not for him", "Stored · delivered 0/1 · on screen 0/1");
	assert.equal(flow.connected(bruno), 0);
	assert.equal(await bruno.page.getByText("Not for him").count(), 0);
	assert.ok(!heard.some((frame) => frame.includes("Not for him")));
	await bruno.page.goto(`/rooms/${room.id}`);
	await bruno.page.getByRole("textbox", { name: "Your name" }).waitFor();
});

test("[66] whose line takes nothing any more delays nobody, fills no memory, and is caught up without a hole once it does", async (t) => {
	await using weather = await openWeather(flow.charla.url);
	const { room, people } = await flow.talk(t, ["Ana", "Cleo"]);
	const [ana, cleo] = people as [Talker, Talker];
	const who = await flow.charla.person(flow.name("Bruno"));
	await flow.charla.chat.rooms.invite(ana.me, { roomId: room.id, name: who.me.name });
	const bruno = await flow.browser(t, who, { through: weather.url, expected: away });
	await flow.enter(bruno, bruno.page, room.id);
	await say(ana.page, "Everybody hears this");
	await line(bruno.page, "Everybody hears this").waitFor();

	weather.stall(true);
	const told = { ...fanOutCounts };
	const his = () => flow.charla.realtime.table().filter((row) => row.userId === bruno.me.id);
	const before = his().map((row) => row.connId);
	const waiting = () => Math.max(0, ...his().map((row) => row.backlogBytes));
	// The network takes some megabytes before anything waits here. As much as a message may hold, in three bytes a character.
	const big = (at: number) => `Number ${at}\n${"日".repeat(3900)}`;
	let count = 0;
	const more = () => Promise.all(Array.from({ length: 20 }, () => post(flow.charla.chat, ana.me, room.id, big(++count))));
	while (waiting() <= backlogLimit) {
		assert.ok(count < 800, "the premise: his line takes nothing, so something waits");
		await more();
	}
	const full = waiting();
	for (let n = 0; n < 3; n++) await more();
	assert.ok(waiting() < full + 100_000, `${waiting()} bytes wait, after ${full}, and 700,000 were said since`);
	// Nobody waits for him: what is said now is seen, and answered, while his page stands where it stood.
	await say(cleo.page, "Does Bruno hear us?");
	await line(ana.page, "Does Bruno hear us?").waitFor();
	await reached(cleo.page, "Does Bruno hear us?", /^(Stored|delivered|on screen)/);
	assert.equal(await line(bruno.page, "Does Bruno hear us?").count(), 0);

	weather.stall(false);
	await line(bruno.page, "Does Bruno hear us?").waitFor();
	// Told to, or cut off for it; where all of this took longer than a connection may be silent, it ended by itself.
	const isTold = fanOutCounts.resyncs + fanOutCounts.cutOff > told.resyncs + told.cutOff;
	assert.ok(isTold || his().every((row) => !before.includes(row.connId)), "he caught up by cursor");
	const seqs = await bruno.page.locator("[data-seq]").evaluateAll((rows) => rows.map((row) => Number((row as HTMLElement).dataset.seq)));
	assert.ok(seqs.length > 40);
	assert.deepEqual(
		seqs,
		seqs.map((_, at) => (seqs[0] as number) + at),
		"every message once, in order",
	);
	await say(bruno.page, "He does now");
	await line(cleo.page, "He does now").waitFor();
});
