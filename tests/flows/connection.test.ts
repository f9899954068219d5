import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import type { Page } from "playwright-core";
import { say as post } from "../support/chat.ts";
import { away, composer, isAlive, line, openFlow, reached, say, type Talker, texts, tryNow, until } from "../support/flow-a-people.ts";
import { openWeather } from "../support/flow-a-proxy.ts";
import { long } from "../support/long.ts";

const flow = openFlow();

const banner = (page: Page, words: string | RegExp) => page.getByRole("status").getByText(words);
const noConnection = "You're offline. What you write is kept on this device and goes out on its own.";
const noServer = "The server does not answer. Charla keeps trying.";
const one = (people: Talker[]) => people[0] as Talker;
const sockets = (request: string) => request.includes(" /socket.io/");

test("[4] an answer that is lost on the way costs nothing: one row, one line in every browser", async (t) => {
	await using weather = await openWeather(flow.charla.url);
	const { room, people } = await flow.talk(t, ["Ana"], { through: weather.url, expected: away });
	const ana = one(people);
	const { room: _other, people: others } = await flow.talk(t, ["Bruno"]);
	const bruno = one(others);
	await flow.charla.chat.rooms.invite(ana.me, { roomId: room.id, name: bruno.name });
	await flow.enter(bruno, bruno.page, room.id);

	const posted: string[] = [];
	ana.page.on("websocket", (socket) =>
		socket.on("framesent", ({ payload }) => String(payload).includes('"message:post"') && posted.push(String(payload))),
	);
	await ana.page.reload();
	await isAlive(ana.page);
	const second = await ana.context.newPage();
	await flow.enter(ana, second, room.id);
	await until(() => flow.connected(ana) === 2, "both tabs are connected");

	// The answer alone: the message itself comes, and says as much.
	let lost = 0;
	weather.swallows = (_connection, frame) => /^43\d+\[.*"seq":\d/.test(frame) && lost++ === 0;
	await say(ana.page, "Answer lost");
	await reached(ana.page, "Answer lost", /^Stored/);
	assert.equal(lost, 1, "an answer was lost");
	assert.equal(posted.filter((frame) => frame.includes("Answer lost")).length, 1);

	// The answer, and the message on its way to the tab that wrote it: it asks again, under the same key.
	let answers = 0;
	const deaf = new Set<number>();
	weather.swallows = (connection, frame) => {
		if (/^43\d+\[.*"seq":\d/.test(frame) && answers === 0) {
			answers++;
			return true;
		}
		if (!frame.includes("Both lost") || deaf.size > 0) return false;
		deaf.add(connection);
		return true;
	};
	await second.close();
	await until(() => flow.connected(ana) === 1, "one tab is left");
	await say(ana.page, "Both lost");
	await reached(ana.page, "Both lost", /^Stored/);
	await line(bruno.page, "Both lost").waitFor();
	await say(ana.page, "Fence");
	await line(bruno.page, "Fence").waitFor();
	await reached(ana.page, "Fence", /^Stored/);
	const expected = ["Answer lost", "Both lost", "Fence"];
	assert.equal(posted.filter((frame) => frame.includes("Both lost")).length, 2, "it was asked twice");
	assert.deepEqual(await texts(ana.page), expected);
	assert.deepEqual(await texts(bruno.page), expected);
	assert.deepEqual(await flow.stored(ana, room.id), expected);
});

long("[4] a message that another tab hears of first stays on screen in the tab that wrote it", async (t) => {
	await using weather = await openWeather(flow.charla.url);
	const { room, people } = await flow.talk(t, ["Ana"], { through: weather.url, expected: away });
	const ana = one(people);
	const second = await ana.context.newPage();
	await flow.enter(ana, second, room.id);
	await until(() => flow.connected(ana) === 2, "both tabs are connected");
	const isShown = await ana.page.evaluateHandle(() => {
		const seen = { was: false, gone: 0 };
		new MutationObserver(() => {
			const isHere = [...document.querySelectorAll("[data-key] .body")].some((body) => body.textContent === "Heard elsewhere");
			if (seen.was && !isHere) seen.gone++;
			seen.was ||= isHere;
		}).observe(document.body, { childList: true, subtree: true });
		return seen;
	});
	// The first tab hears neither the answer nor the message. Which connection is its own shows by an earlier answer.
	let own = 0;
	weather.swallows = (connection, frame) => {
		if (/^43\d+\[.*"seq":\d/.test(frame)) own = connection;
		return false;
	};
	await say(ana.page, "Mark");
	await reached(ana.page, "Mark", /^Stored/);
	weather.swallows = (connection) => connection === own;
	await say(ana.page, "Heard elsewhere");
	await line(second, "Heard elsewhere").waitFor();
	weather.swallows = () => false;
	await say(ana.page, "Fence");
	await reached(ana.page, "Fence", /^Stored/);
	await line(second, "Fence").waitFor();
	await reached(ana.page, "Heard elsewhere", /^Stored/);
	assert.deepEqual(await texts(ana.page), ["Mark", "Heard elsewhere", "Fence"]);
	assert.deepEqual(await texts(second), ["Mark", "Heard elsewhere", "Fence"]);
	assert.deepEqual(await isShown.evaluate((seen) => seen), { was: true, gone: 0 });
});

test("[6] without a network the banner says so within two seconds, and what is written waits, through a reload, and goes out once and in order", async (t) => {
	await using weather = await openWeather(flow.charla.url);
	const { room, people } = await flow.talk(t, ["Ana"], { through: weather.url, expected: away });
	const ana = one(people);
	const { people: others } = await flow.talk(t, ["Bruno"]);
	const bruno = one(others);
	await flow.charla.chat.rooms.invite(ana.me, { roomId: room.id, name: bruno.name });
	await flow.enter(bruno, bruno.page, room.id);

	// Measured where it is seen: this process may be late to look.
	const told = await ana.page.evaluateHandle((words) => {
		const seen = { lost: 0, after: -1 };
		window.addEventListener("offline", (event) => {
			seen.lost = event.timeStamp;
		});
		new MutationObserver(() => {
			if (seen.lost > 0 && seen.after < 0 && document.body.innerText.includes(words)) seen.after = performance.now() - seen.lost;
		}).observe(document.body, { childList: true, subtree: true, characterData: true, attributes: true });
		return seen;
	}, noConnection);
	await ana.context.setOffline(true);
	await banner(ana.page, noConnection).waitFor();
	const after = await told.evaluate((seen) => seen.after);
	assert.ok(after >= 0 && after <= 2000, `the banner took ${after} ms`);
	const queued = ["First", "Second", "Third"];
	for (const text of queued) {
		await say(ana.page, text);
		await reached(ana.page, text, "Waiting to be sent");
		await line(ana.page, text).getByText("Kept here. It goes out as soon as there is a connection.").waitFor();
	}
	assert.ok(await composer(ana.page).evaluate((field) => field === document.activeElement), "one can go on writing");

	// The network is back and pages load, but the server takes no connection yet.
	weather.refuses = sockets;
	await ana.context.setOffline(false);
	await ana.page.reload();
	await isAlive(ana.page);
	for (const text of queued) await reached(ana.page, text, "Waiting to be sent");
	await banner(ana.page, noServer).waitFor();
	assert.deepEqual(await flow.stored(bruno, room.id), []);

	weather.refuses = () => false;
	await tryNow(ana.page);
	for (const text of queued) await reached(ana.page, text, /^Stored/);
	await say(ana.page, "Fence");
	await line(bruno.page, "Fence").waitFor();
	for (const page of [ana.page, bruno.page]) assert.deepEqual(await texts(page), [...queued, "Fence"]);
	assert.deepEqual(await flow.stored(bruno, room.id), [...queued, "Fence"]);
	// Nothing is left to go out again.
	await ana.page.reload();
	await isAlive(ana.page);
	await say(ana.page, "Last");
	await line(bruno.page, "Last").waitFor();
	assert.deepEqual(await flow.stored(bruno, room.id), [...queued, "Fence", "Last"]);
});

long("[7] what waited for more than a day asks before it goes out", async (t) => {
	await using weather = await openWeather(flow.charla.url);
	const { room, people } = await flow.talk(t, ["Ana"], { through: weather.url, expected: away });
	const ana = one(people);
	weather.refuses = sockets;
	weather.dropAll();
	await banner(ana.page, noServer).waitFor();
	for (const text of ["Still true", "Not any more"]) {
		await say(ana.page, text);
		await reached(ana.page, text, "Waiting to be sent");
	}
	// 25 hours later the same browser opens the page again.
	await ana.page.clock.setSystemTime(Date.now() + 25 * 3600_000);
	await ana.page.reload();
	await isAlive(ana.page);
	weather.refuses = () => false;
	await until(() => flow.connected(ana) === 1, "the page is connected");
	for (const text of ["Still true", "Not any more"]) {
		await reached(ana.page, text, "Not sent yet");
		await line(ana.page, text)
			.getByText(/^You wrote this .*\. Should it still go out\?$/)
			.waitFor();
	}
	assert.deepEqual(await flow.stored(ana, room.id), []);
	await line(ana.page, "Not any more").getByRole("button", { name: "Discard" }).click();
	await line(ana.page, "Still true").getByRole("button", { name: "Send it" }).click();
	await reached(ana.page, "Still true", /^Stored/);
	assert.deepEqual(await flow.stored(ana, room.id), ["Still true"]);
	assert.deepEqual(await texts(ana.page), ["Still true"]);
});

long("[8] after three reconnections a message is still sent once", async (t) => {
	await using weather = await openWeather(flow.charla.url);
	const { room, people } = await flow.talk(t, ["Ana"], { through: weather.url, expected: away });
	const ana = one(people);
	const posted: string[] = [];
	ana.page.on("websocket", (socket) =>
		socket.on("framesent", ({ payload }) => String(payload).includes('"message:post"') && posted.push(String(payload))),
	);
	for (let time = 0; time < 3; time++) {
		weather.dropAll();
		await until(() => flow.connected(ana) === 0, "the connection is gone");
		await until(() => flow.connected(ana) === 1, "the connection is back");
	}
	await say(ana.page, "By Enter");
	await reached(ana.page, "By Enter", /^Stored/);
	await composer(ana.page).fill("By button");
	await ana.page.getByRole("button", { name: "Send" }).click();
	await reached(ana.page, "By button", /^Stored/);
	assert.equal(posted.length, 2);
	assert.deepEqual(await flow.stored(ana, room.id), ["By Enter", "By button"]);
	assert.deepEqual(await texts(ana.page), ["By Enter", "By button"]);
});

long("[57] of 500 messages missed every one can be read, without a hole or a repeat", async (t) => {
	await using weather = await openWeather(flow.charla.url);
	const { room, people } = await flow.talk(t, ["Ana"], { through: weather.url, expected: away });
	const ana = one(people);
	const bruno = await flow.charla.person(flow.name("Bruno"));
	await flow.charla.chat.rooms.join(bruno.me, { roomId: room.id });
	await say(ana.page, "Before");
	await reached(ana.page, "Before", /^Stored/);

	weather.cut = true;
	weather.dropAll();
	await banner(ana.page, noServer).waitFor();
	for (let n = 1; n <= 500; n++) await post(flow.charla.chat, bruno.me, room.id, `Missed ${n}`);
	weather.cut = false;
	await tryNow(ana.page);
	await banner(ana.page, noServer).waitFor({ state: "detached" });

	// Read from where she was to the end, as far as the page goes each time.
	const read = new Set<string>();
	await ana.page.getByRole("region", { name: `Messages in ${room.name}` }).hover();
	await until(async () => (await texts(ana.page)).length > 1, "the messages are there");
	const wanted = ["Before", ...Array.from({ length: 500 }, (_, n) => `Missed ${n + 1}`)];
	await until(
		async () => {
			const shown = await texts(ana.page);
			for (const text of shown) read.add(text);
			assert.equal(new Set(shown).size, shown.length, "a message stands twice on the page");
			const from = wanted.indexOf(shown[0] as string);
			assert.deepEqual(shown, wanted.slice(from, from + shown.length), "a hole on the page");
			if (read.size === wanted.length) return true;
			// First to the one end, then to the other, as a wheel turns.
			await ana.page.mouse.wheel(0, read.has("Before") ? 1500 : -1500);
			return false;
		},
		"all messages were read",
		90_000,
	);
	assert.deepEqual([...read].sort(), [...wanted].sort());
});

test("[58] an edit, a deletion and a rename that were missed are there on return", async (t) => {
	await using weather = await openWeather(flow.charla.url);
	const { room, people } = await flow.talk(t, ["Ana"], { through: weather.url, expected: away });
	const ana = one(people);
	const { chat } = flow.charla;
	await say(ana.page, "Will be another");
	await reached(ana.page, "Will be another", /^Stored/);
	await say(ana.page, "Will be gone");
	await reached(ana.page, "Will be gone", /^Stored/);
	const seqOf = async (text: string) => Number(await line(ana.page, text).getAttribute("data-seq"));
	const [edited, deleted] = [await seqOf("Will be another"), await seqOf("Will be gone")];

	weather.cut = true;
	weather.dropAll();
	await banner(ana.page, noServer).waitFor();
	const newName = flow.name("Renamed");
	await chat.messages.edit(ana.me, { roomId: room.id, clientId: randomUUID(), seq: edited, body: "Is another" });
	await chat.messages.remove(ana.me, { roomId: room.id, clientId: randomUUID(), seq: deleted });
	await chat.rooms.change(ana.me, { roomId: room.id, name: newName, topic: "And a topic" });
	assert.deepEqual(await texts(ana.page), ["Will be another", "Will be gone"]);
	weather.cut = false;
	await tryNow(ana.page);

	await line(ana.page, "Is another").getByText("edited").waitFor();
	await ana.page.getByText("This message was deleted").waitFor();
	await ana.page.getByRole("heading", { level: 1, name: newName }).waitFor();
	await ana.page.getByRole("link", { name: newName }).first().waitFor();
	await ana.page.getByText("And a topic").waitFor();
	assert.equal(await ana.page.getByText("Will be").count(), 0);
	assert.equal(await ana.page.getByText(room.name, { exact: true }).count(), 0, "the old name is nowhere");
});

test("[61] where web sockets are blocked two people talk all the same", async (t) => {
	await using weather = await openWeather(flow.charla.url);
	weather.refuses = (request) => /upgrade: *websocket/i.test(request);
	const { people } = await flow.talk(t, ["Ana", "Bruno"], { through: weather.url, expected: away });
	const [ana, bruno] = people as [Talker, Talker];
	assert.ok([...flow.charla.realtime.io.of("/").sockets.values()].every((socket) => socket.conn.transport.name === "polling"));
	await say(ana.page, "Over polling");
	await line(bruno.page, "Over polling").waitFor();
	await say(bruno.page, "It works");
	await reached(bruno.page, "It works", "Stored · delivered 1/1 · on screen 1/1");
	assert.deepEqual(await texts(ana.page), ["Over polling", "It works"]);
	await ana.page.getByRole("button", { name: /^Connection: / }).click();
	await ana.page.getByRole("dialog").getByText("Polling, where a WebSocket cannot pass").waitFor();
});

long("[64] who leaves a room on one device is out of it on the other, and nothing of it stays there", async (t) => {
	const { room, people } = await flow.talk(t, ["Ana", "Bruno"]);
	const [ana, bruno] = people as [Talker, Talker];
	await say(ana.page, "Between us");
	await line(bruno.page, "Between us").waitFor();
	const phone = await flow.browser(t, { me: bruno.me, cookie: await flow.charla.session(bruno.me) });
	await flow.enter(phone, phone.page, room.id);
	const failed: string[] = [];
	bruno.page.on("response", (response) => response.status() >= 400 && failed.push(`${response.status()} ${response.url()}`));

	await phone.page.getByRole("link", { name: "About this room" }).last().click();
	await phone.page.getByRole("button", { name: "Leave this room" }).click();
	await phone.page.waitForURL(/\/rooms$/);
	await bruno.page.getByRole("heading", { name: "You are no longer in this room." }).waitFor();
	assert.equal(await bruno.page.getByText("Between us").count(), 0);
	assert.equal(await bruno.page.getByRole("link", { name: room.name }).count(), 0);

	// What is said now does not reach him: it would have come before what he hears elsewhere.
	const frames: string[] = [];
	bruno.page.on("websocket", (socket) => socket.on("framereceived", ({ payload }) => frames.push(String(payload))));
	await say(ana.page, "Without him");
	await reached(ana.page, "Without him", /^Stored/);
	await bruno.page.getByRole("link", { name: "All rooms" }).click();
	await bruno.page.waitForURL(/\/rooms$/);
	assert.equal(await bruno.page.getByText("Without him").count(), 0);
	assert.ok(!frames.some((frame) => frame.includes("Without him")));
	assert.deepEqual(failed, []);
});
