import assert from "node:assert/strict";
import { test } from "node:test";
import { limits } from "../contract/limits.ts";
import type { Person } from "../contract/shapes.ts";
import { openClockOffset } from "./clock-offset.ts";
import { fakeBrowser, fakeClock } from "./fake-browser.ts";
import { fakeServer } from "./fake-server.ts";
import { createLive } from "./open-live.ts";
import type { Recorder } from "./ports.ts";

const ana: Person = { id: "ana", name: "Ana" };
const ben: Person = { id: "ben", name: "Ben" };

/** A recorder that writes down what it is told, a line each. */
function witness(clock: { now(): number }) {
	const told: string[] = [];
	let traces = 0;
	const recorder: Recorder = {
		connecting: () => `tp-${++traces}`,
		calling(name, _input, about) {
			if (name === "message:post") told.push(`calling ${about.transport}`);
			return { tp: `tp-${++traces}` };
		},
		answered(name, _input, answer, took) {
			if (name === "message:post") told.push(`answered ${answer === null ? null : answer.ok} ${took}`);
		},
		clicked: (clientId, _roomId, { at, isReady }) => void told.push(`clicked ${clientId.slice(-1)} ${clock.now() - at} ${isReady}`),
		failed: (clientId, code) => void told.push(`failed ${clientId.slice(-1)} ${code}`),
		stored: (clientId) => void told.push(`stored ${clientId.slice(-1)}`),
		heard: (fact, envelope, isOpen) => void told.push(`heard ${fact.roomId} ${fact.seq} ${envelope !== undefined} ${isOpen}`),
		lost: () => void told.push("lost"),
		calledOff: () => void told.push("called off"),
		back: ({ attempts, backfilled, transport }) => void told.push(`back ${attempts} ${backfilled} ${transport}`),
		clock: (offset) => void told.push(`clock ${offset}`),
		switching: (roomId) => void told.push(`switching ${roomId}`),
		switched: (roomId, cached) => void told.push(`switched ${roomId} ${cached}`),
	};
	return { told, recorder, take: () => told.splice(0) };
}

async function page({ recorded = true } = {}) {
	const clock = fakeClock();
	const server = fakeServer(clock);
	for (const id of ["r", "s"]) server.addRoom(id, [ana, ben]);
	const { recorder, take } = witness(clock);
	const ports = fakeBrowser().tab(clock, server.wire(ana));
	const live = createLive({
		me: ana,
		rooms: ["r", "s"].map((id) => server.myRoom(id, ana)),
		opened: server.opened("r", ana),
		build: "b1",
		ports: recorded ? Object.assign(ports, { recorder }) : ports,
	});
	const stop = live.start();
	await clock.run(500);
	return { clock, server, live, ports, stop, take };
}

test("a message is told from the click to the answer, and its envelope travels beside it", async () => {
	const { clock, server, live, take } = await page();
	assert.deepEqual(take(), ["clock 4990", "clock 5000"], "the way of the welcome is known with the first answer");
	live.send("r", "hello", null);
	await clock.run(500);
	// The fact comes before the answer here: the message is stored, and the answer told all the same.
	const told = take();
	assert.deepEqual(told.slice(0, 3), ["clicked 2 0 true", "clicked 2 0 false", "calling websocket"]);
	assert.deepEqual(told.slice(3).toSorted(), ["answered true 20", "heard r 1 false true", "stored 2"]);
	const [post] = server.calls("message:post");
	assert.match(post?.envelope?.tp ?? "", /^tp-\d+$/);
	assert.notEqual(post?.envelope?.tp, server.calls("room:since")[0]?.envelope?.tp);
});

test("attempts that get no answer are told, each with an envelope of its own, and so is a refusal for good", async () => {
	const { clock, server, live, take } = await page();
	take();
	server.loseAnswers = 1;
	server.loseFacts = true;
	live.send("r", "twice", null);
	await clock.run(limits.ackTimeout + 100);
	const late = limits.ackTimeout;
	assert.deepEqual(take(), [
		"clicked 2 0 true",
		"clicked 2 0 false",
		"calling websocket",
		`answered null ${late}`,
		`clicked 2 ${late} false`,
		"calling websocket",
		"answered true 20",
		"stored 2",
	]);
	await clock.run(3000);
	assert.deepEqual(take(), ["stored 2"], "when the message itself arrived");
	assert.equal(new Set(server.calls("message:post").map((call) => call.envelope?.tp)).size, 2);

	server.refuse.set("message:post", [{ code: "too-fast", details: { seconds: 1 } }, { code: "not-found" }]);
	live.send("r", "refused", null);
	await clock.run(2000);
	const told = take().filter((line) => !line.startsWith("clicked"));
	assert.deepEqual(told, ["calling websocket", "answered false 20", "calling websocket", "answered false 20", "failed 3 not-found"]);
	live.discard("00000000-0000-4000-8000-000000000003");
	assert.deepEqual(take(), ["failed 3 given-up"]);
	live.send("r", "x".repeat(50_000), null);
	await clock.run(100);
	assert.deepEqual(take(), [], "what never leaves the page is no attempt");
});

test("facts are told before they are folded, with whether their room is on screen", async () => {
	const { clock, server, live, take } = await page();
	take();
	server.isRecording = true;
	server.post("r", ben, "one");
	server.post("s", ben, "two");
	await clock.run(100);
	assert.deepEqual(take(), ["heard r 1 true true", "heard s 1 true false"]);
	assert.deepEqual(
		live.getState().open?.messages.map((message) => message.body),
		["one"],
	);
});

test("a connection lost is told, and back only once what was missed is there", async () => {
	const { clock, server, live, take } = await page();
	take();
	server.isDown = true;
	server.dropAll();
	server.post("r", ben, "missed");
	await clock.run(3000);
	assert.deepEqual(take(), ["lost"]);
	server.isDown = false;
	await clock.run(30_000);
	const told = take();
	assert.match(told.join(), /^clock 5000,back [2-9] 1 websocket$/);
	assert.equal(live.getState().connection.synced, true);
	const [first, ...again] = server.handshakes;
	assert.deepEqual([first?.attempt, first?.recovered], [1, false]);
	assert.deepEqual(
		again.map((handshake) => [handshake?.attempt, handshake?.recovered]),
		again.map((_, at) => [at + 1, true]),
	);
	assert.equal(new Set(server.handshakes.map((handshake) => handshake?.tp)).size, server.handshakes.length, "a trace for each attempt");
	server.dropAll();
	await clock.run(30_000);
	assert.deepEqual(take(), ["lost", "clock 5000", "back 1 0 websocket"]);
});

test("what is the machine's own doing is no outage: being offline, sleeping, leaving", async () => {
	const { clock, server, ports, stop, take } = await page();
	take();
	ports.surroundings.fire("offline");
	await clock.run(2000);
	ports.surroundings.fire("online");
	await clock.run(2000);
	assert.deepEqual(take(), ["clock 5000"], "offline, and back");

	server.isDown = true;
	server.dropAll();
	await clock.run(1000);
	ports.surroundings.fire("offline");
	assert.deepEqual(take(), ["lost", "called off"]);
	server.isDown = false;
	ports.surroundings.fire("online");
	await clock.run(2000);
	take();

	server.isDown = true;
	server.dropAll();
	ports.surroundings.fire("hidden");
	clock.forward(3_600_000);
	ports.surroundings.fire("visible");
	assert.deepEqual(take(), ["lost", "called off"]);
	server.isDown = false;
	await clock.run(60_000);
	assert.deepEqual(take(), ["clock 5000"]);

	server.isDown = true;
	server.dropAll();
	stop();
	assert.deepEqual(take(), ["lost", "called off"]);
});

test("switching rooms is told when it is asked for and when it is done, with whether it was open before", async () => {
	const { server, live, take } = await page();
	take();
	for (const [roomId, isKnown] of [
		["s", false],
		["r", false],
		["s", true],
	] as const) {
		live.switching(roomId);
		live.openRoom(server.opened(roomId, ana));
		assert.deepEqual(take(), [`switching ${roomId}`, `switched ${roomId} ${isKnown}`]);
	}
	live.openRoom(server.opened("s", ana));
	assert.deepEqual(take(), [], "the same room again is no switch");
});

test("without a recorder everything goes the same, and nothing is added to what is sent", async () => {
	const { clock, server, live } = await page({ recorded: false });
	server.isRecording = true;
	live.send("r", "hello", null);
	await clock.run(500);
	server.dropAll();
	await clock.run(30_000);
	live.switching("s");
	assert.deepEqual([live.getState().open?.messages.length, live.getState().connection.synced], [1, true]);
	assert.ok(server.heard.every((call) => call.envelope === undefined));
	assert.deepEqual([...new Set(server.handshakes)], [undefined]);
});

test("the clock is taken from the stamp that came fastest, and a clock that was set is believed soon", () => {
	const clock = openClockOffset();
	assert.equal(clock.get(), 0);
	clock.stamped(6000, 1000);
	assert.equal(clock.get(), 5000);
	clock.stamped(6900, 2000);
	assert.equal(clock.get(), 5000, "one that was held up says less");
	for (const roundTrip of [400, 40, 300]) clock.answered(roundTrip);
	assert.equal(clock.get(), 5020);
	for (let at = 0; at < 8; at++) clock.stamped(3000 + at * 10, 3000 + at * 10);
	assert.equal(clock.get(), 20);
});
