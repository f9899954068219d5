import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Session } from "../../app/auth/index.server.ts";
import { composer, isAlive, line, openFlow, reached, say, type Talker, texts, until } from "../support/flow-a-people.ts";

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
