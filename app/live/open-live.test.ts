import assert from "node:assert/strict";
import { test } from "node:test";
import { limits } from "../contract/limits.ts";
import type { MyRoom, Person } from "../contract/shapes.ts";
import { unreadOf } from "../contract/unread.ts";
import { fakeBrowser, fakeClock } from "./fake-browser.ts";
import { fakeServer } from "./fake-server.ts";
import type { Live } from "./live-state.ts";
import { createLive } from "./open-live.ts";
import { openState } from "./timeline.ts";

const ana: Person = { id: "ana", name: "Ana" };
const ben: Person = { id: "ben", name: "Ben" };

async function page({ start = true, rooms = ["r", "s"], before = (_: ReturnType<typeof fakeServer>) => {} } = {}) {
	const clock = fakeClock();
	const server = fakeServer(clock);
	for (const id of rooms) server.addRoom(id, [ana, ben]);
	before(server);
	const browser = fakeBrowser();
	const tab = (me = ana) => {
		const ports = browser.tab(clock, server.wire(me));
		const live = createLive({ me, rooms: rooms.map((id) => server.myRoom(id, me)), opened: server.opened("r", me), build: "b1", ports });
		return { live, ports };
	};
	const { live, ports } = tab();
	const stop = start ? live.start() : () => {};
	if (start) await clock.run(500);
	return { clock, server, browser, tab, live, ports, stop };
}

const shown = (live: Live) => (live.getState().open?.messages ?? []).map((m) => m.body);
const waiting = (live: Live) => live.getState().pending.map((p) => `${p.body} ${p.state}`);
/** Everything on screen as its reader sees it: messages and then what is pending. */
const bubbles = (live: Live) => [
	...shown(live),
	...live
		.getState()
		.pending.filter((p) => p.roomId === "r")
		.map((p) => p.body),
];
const stored = (server: ReturnType<typeof fakeServer>, id = "r") => server.rooms.get(id)?.messages.map((m) => m.body);

test("making one touches neither the network nor the browser; starting connects and catches up after the welcome", async () => {
	const { clock, server, live } = await page({ start: false });
	await clock.run(60_000);
	assert.equal(server.heard.length, 0);
	assert.equal(live.getState().connection.state, "connecting");
	live.start();
	await clock.run(15);
	assert.equal(server.heard.length, 0, "no call before the server said welcome");
	await clock.run(500);
	const { connection } = live.getState();
	assert.deepEqual([connection.state, connection.synced, connection.transport], ["online", true, "websocket"]);
	assert.equal(server.calls("room:since").length, 1, "one question for all rooms");
	assert.ok(connection.clockOffset > 4900 && connection.clockOffset <= 5000);
	assert.equal(live.getServerState().connection.state, "connecting", "what was rendered on the server stays");
});

test("started twice it is one connection, which closes when both let go", async () => {
	const { clock, server, live, stop } = await page();
	const stopAgain = live.start();
	await clock.run(500);
	assert.equal(server.calls("room:since").length, 1);
	stop();
	stop();
	server.post("r", ben, "still here");
	await clock.run(100);
	assert.deepEqual(shown(live), ["still here"]);
	stopAgain();
	server.post("r", ben, "gone");
	await clock.run(100);
	assert.deepEqual(shown(live), ["still here"]);
	live.start();
	await clock.run(500);
	assert.deepEqual(shown(live), ["still here", "gone"]);
});

test("what happened between the loader and the welcome is there, once", async () => {
	const { clock, server, live } = await page({ start: false });
	server.post("r", ben, "early");
	live.start();
	await clock.run(25);
	server.post("r", ben, "during the handshake");
	await clock.run(20);
	server.post("r", ben, "during catch-up");
	await clock.run(1000);
	assert.deepEqual(shown(live), ["early", "during the handshake", "during catch-up"]);
});

test("one's own message is shown at once and turns into the stored one without ever being two or none", async () => {
	const { clock, live, server } = await page();
	const seen: string[][] = [];
	live.subscribe(() => seen.push(bubbles(live)));
	live.send("r", "hola", null);
	assert.deepEqual(waiting(live), ["hola queued"]);
	await clock.run(1000);
	assert.deepEqual([shown(live), waiting(live), stored(server)], [["hola"], [], ["hola"]]);
	assert.ok(seen.length > 2);
	for (const each of seen) assert.deepEqual(each, ["hola"]);
});

test("an answer ahead of its fact keeps the bubble as stored until the fact comes; a lost fact is asked for", async () => {
	const { clock, live, server, browser } = await page();
	server.loseFacts = true;
	live.send("r", "hola", null);
	await clock.run(500);
	assert.deepEqual([shown(live), waiting(live)], [[], ["hola stored"]]);
	assert.equal(live.getState().pending[0]?.seq, 1);
	assert.equal(browser.kept.size, 0, "what the server has need not be kept here");
	await clock.run(3000);
	assert.deepEqual([shown(live), waiting(live)], [["hola"], []]);
});

test("a lost answer is asked again under the same id: one row, one bubble", async () => {
	const { clock, live, server } = await page();
	server.loseAnswers = 1;
	server.loseFacts = true;
	live.send("r", "hola", null);
	await clock.run(limits.ackTimeout + 5000);
	assert.equal(server.calls("message:post").length, 2);
	assert.deepEqual([stored(server), bubbles(live)], [["hola"], ["hola"]]);
});

test("a lost answer does not hold up the next message once the fact has shown that it arrived", async () => {
	const { clock, live, server } = await page();
	server.loseAnswers = 1;
	live.send("r", "one", null);
	live.send("r", "two", null);
	await clock.run(1000);
	assert.deepEqual([stored(server), waiting(live)], [["one", "two"], []]);
});

test("messages of a room go one after the other, those of another room do not wait for them", async () => {
	const { clock, live, server } = await page();
	server.refuse.set("message:post", [{ code: "too-fast", details: { seconds: 3 } }]);
	live.send("r", "r1", null);
	live.send("r", "r2", null);
	live.send("r", "r3", null);
	await clock.run(100);
	live.send("s", "s1", null);
	await clock.run(1000);
	assert.deepEqual(stored(server, "s"), ["s1"]);
	assert.deepEqual(stored(server), []);
	const first = live.getState().pending[0];
	assert.equal(first?.refusal?.code, "too-fast");
	assert.ok((first?.retryAt ?? 0) > clock.now());
	await clock.run(3000);
	assert.deepEqual(stored(server), ["r1", "r2", "r3"]);
});

test("a final refusal is shown with its reason and lets the next one go; retrying sends the same id", async () => {
	const { clock, live, server } = await page();
	server.refuse.set("message:post", [{ code: "failed", details: { reference: "abc" } }]);
	live.send("r", "one", null);
	live.send("r", "two", null);
	await clock.run(1000);
	assert.deepEqual([stored(server), waiting(live)], [["two"], ["one failed"]]);
	const failed = live.getState().pending[0];
	assert.deepEqual(failed?.refusal, { code: "failed", details: { reference: "abc" } });
	live.retry(failed?.clientId ?? "");
	await clock.run(1000);
	assert.deepEqual([stored(server), waiting(live)], [["two", "one"], []]);
	const ids = server.calls("message:post").map((call) => call.input.clientId);
	assert.equal(ids[0], ids[2]);
});

test("too long a text fails here, is kept, and can be dropped; a blank one is nothing", async () => {
	const { clock, live, server } = await page();
	live.send("r", "x".repeat(limits.body + 1), null);
	live.send("r", " \u200b\n ", null);
	await clock.run(1000);
	assert.equal(server.calls("message:post").length, 0);
	assert.deepEqual(
		live.getState().pending.map((p) => p.refusal?.code),
		["too-long"],
	);
	live.discard(live.getState().pending[0]?.clientId ?? "");
	assert.deepEqual(live.getState().pending, []);
});

test("written offline, kept over a reload, sent once in order on return", async () => {
	const { clock, live, server, ports, stop, tab, browser } = await page();
	server.isDown = true;
	server.dropAll();
	ports.surroundings.fire("offline");
	assert.equal(live.getState().connection.state, "offline");
	for (const body of ["one", "two", "three"]) live.send("r", body, null);
	await clock.run(4000);
	assert.deepEqual(waiting(live), ["one queued", "two queued", "three queued"]);
	stop();
	assert.equal(browser.kept.size, 3);
	const again = tab();
	again.live.start();
	await clock.run(100);
	assert.deepEqual(waiting(again.live), ["one queued", "two queued", "three queued"]);
	server.isDown = false;
	again.ports.surroundings.fire("online");
	await clock.run(2000);
	assert.deepEqual([stored(server), shown(again.live), waiting(again.live)], [["one", "two", "three"], ["one", "two", "three"], []]);
	assert.equal(browser.kept.size, 0);
});

test("a message stored just before the reload is not shown twice", async () => {
	const { clock, live, server, stop, tab } = await page();
	server.loseAnswers = 9;
	server.loseFacts = true;
	live.send("r", "hola", null);
	await clock.run(100);
	stop();
	server.loseAnswers = 0;
	const again = tab();
	again.live.start();
	assert.deepEqual(bubbles(again.live), ["hola"]);
	await clock.run(3000);
	assert.deepEqual([bubbles(again.live), waiting(again.live), stored(server)], [["hola"], [], ["hola"]]);
});

test("a message older than a day asks before it goes", async () => {
	const { clock, live, server, ports } = await page();
	server.isDown = true;
	server.dropAll();
	live.send("r", "old", null);
	live.send("r", "older", null);
	clock.forward(limits.staleQueue + 1000);
	live.send("r", "fresh", null);
	server.isDown = false;
	ports.surroundings.fire("online");
	await clock.run(60_000);
	assert.deepEqual([stored(server), waiting(live)], [["fresh"], ["old stale", "older stale"]]);
	const [old, older] = live.getState().pending;
	live.discard(older?.clientId ?? "");
	live.retry(old?.clientId ?? "");
	await clock.run(1000);
	assert.deepEqual([stored(server), waiting(live)], [["fresh", "old"], []]);
});

test("two tabs send each message once, in order, and show the same", async () => {
	const { clock, live, server, tab } = await page();
	const other = tab();
	other.live.start();
	await clock.run(500);
	live.send("r", "a1", null);
	live.send("r", "a2", null);
	other.live.send("r", "b1", null);
	live.send("r", "a3", null);
	await clock.run(5);
	assert.equal(other.live.getState().pending.length, 4, "the other tab shows them on their way");
	await clock.run(2000);
	const bodies = stored(server) ?? [];
	assert.deepEqual(
		bodies.filter((b) => b.startsWith("a")),
		["a1", "a2", "a3"],
	);
	assert.equal(bodies.length, 4);
	assert.equal(server.calls("message:post").length, 4, "nothing was sent twice");
	for (const each of [live, other.live]) assert.deepEqual([shown(each), waiting(each)], [bodies, []]);
});

test("what a closed tab left unsent goes out by another", async () => {
	const { clock, live, server, tab, stop } = await page();
	const other = tab();
	other.live.start();
	await clock.run(500);
	stop();
	live.send("r", "orphan", null);
	await clock.run(10_000);
	assert.deepEqual(stored(server), ["orphan"]);
});

test("a command's outcome is told to the page that asked and leaves no bubble", async () => {
	const { clock, live, server, tab } = await page();
	const other = tab();
	other.live.start();
	await clock.run(500);
	const told: unknown[] = [];
	live.onNotice((notice) => told.push(notice));
	other.live.onNotice(() => assert.fail("not its command"));
	server.outcome = { notice: "topic-changed", goTo: "/rooms/x" };
	live.send("r", "/topic x", null);
	await clock.run(1000);
	assert.deepEqual(told, [{ notice: "topic-changed", goTo: "/rooms/x" }]);
	assert.deepEqual([waiting(live), waiting(other.live)], [[], []]);
});

test("a fact that went missing is noticed by the next one and asked for, in order", async () => {
	const { clock, live, server } = await page();
	server.loseFacts = true;
	server.post("r", ben, "one");
	server.post("r", ben, "two");
	server.loseFacts = false;
	server.post("r", ben, "three");
	const before = server.calls("room:since").length;
	await clock.run(15);
	assert.deepEqual(shown(live), [], "the third waits for the first two");
	await clock.run(500);
	assert.deepEqual(shown(live), ["one", "two", "three"]);
	assert.equal(server.calls("room:since").length, before + 1);
});

test("missed while away: everything comes once and in order, over several answers, and live ones in between", async () => {
	const { clock, live, server } = await page();
	server.perAnswer = 7;
	server.isDown = true;
	server.dropAll();
	assert.equal(live.getState().connection.synced, false);
	server.loseFacts = true;
	for (let i = 0; i < 40; i++) server.post("r", ben, `m${i}`);
	server.edit("r", 3, "edited");
	server.remove("r", 5);
	server.rename("r", ben, "renamed");
	server.rename("s", ben, "renamed too");
	server.loseFacts = false;
	server.isDown = false;
	live.retryNow();
	for (let i = 0; i < 12; i++) {
		await clock.run(15);
		server.post("r", ben, `live${i}`);
	}
	await clock.run(2000);
	assert.deepEqual(live.getState().open?.messages, server.rooms.get("r")?.messages);
	assert.equal(live.getState().open?.room.name, "renamed");
	assert.equal(live.getState().rooms.s?.name, "renamed too");
	assert.equal(live.getState().connection.synced, true);
});

test("too far behind: the newest stretch is shown, older ones are reachable, the page is told to load anew", async () => {
	const { clock, live, server } = await page();
	let reloads = 0;
	live.onReload(() => reloads++);
	server.resetBehind = 100;
	server.isDown = true;
	server.dropAll();
	server.loseFacts = true;
	for (let i = 0; i < 300; i++) server.post("r", ben, `m${i}`);
	for (let i = 0; i < 300; i++) server.post("s", ben, `m${i}`);
	server.loseFacts = false;
	server.isDown = false;
	live.retryNow();
	await clock.run(40);
	server.post("r", ben, "live");
	await clock.run(2000);
	assert.equal(shown(live).at(-1), "live");
	assert.equal(live.getState().open?.hasBefore, true);
	assert.equal(live.getState().rooms.s?.lastMsg, 300);
	assert.equal(live.getState().cursors.s, 300);
	assert.ok(reloads >= 1);
	while (live.getState().open?.hasBefore && (live.getState().open?.messages[0]?.seq ?? 0) > 102)
		await Promise.all([live.loadBefore(), clock.run(100)]);
	const seqs = live.getState().open?.messages.map((m) => m.seq) ?? [];
	assert.deepEqual(
		seqs,
		Array.from({ length: seqs.length }, (_, i) => (seqs[0] as number) + i),
		"no hole",
	);
});

test("the server says resync: caught up by cursor", async () => {
	const { clock, live, server } = await page();
	server.loseFacts = true;
	server.post("r", ben, "dropped");
	server.post("s", ben, "dropped");
	server.signal({ kind: "resync" });
	await clock.run(1000);
	assert.deepEqual(shown(live), ["dropped"]);
	assert.equal(live.getState().rooms.s?.lastMsg, 1);
	assert.equal(live.getState().connection.synced, true);
});

test("the server gone: a countdown, then back by itself, and retrying at once when asked", async () => {
	const { clock, live, server } = await page();
	server.isDown = true;
	server.dropAll();
	const { connection } = live.getState();
	assert.equal(connection.state, "waiting");
	const wait = (connection.retryAt ?? 0) - clock.now();
	assert.ok(wait >= 500 && wait <= 1500, `${wait}`);
	await clock.run(120_000);
	assert.equal(live.getState().connection.state, "waiting");
	assert.ok((live.getState().connection.retryAt ?? 0) - clock.now() <= 45_000);
	server.isDown = false;
	live.retryNow();
	await clock.run(500);
	assert.deepEqual([live.getState().connection.state, live.getState().connection.synced], ["online", true]);
});

test("a connection that died without a word is found out by a wake and made anew", async () => {
	const { clock, live, server, ports } = await page();
	ports.surroundings.fire("hidden");
	clock.forward(60_000);
	server.isSilent = true;
	ports.surroundings.fire("visible");
	assert.equal(live.getState().connection.synced, false, "marked as possibly old at once");
	await clock.run(2900);
	assert.equal(live.getState().connection.state, "online");
	server.isSilent = false;
	await clock.run(700);
	assert.deepEqual([live.getState().connection.state, live.getState().connection.synced], ["online", true]);
});

test("a machine that slept in plain sight checks its connection too", async () => {
	const { clock, server } = await page();
	const before = server.calls("room:since").length;
	clock.forward(600_000);
	await clock.run(1000);
	assert.equal(server.calls("room:since").length, before + 1);
});

test("a move to another server loses nothing", async () => {
	const { clock, live, server } = await page();
	server.signal({ kind: "move", within: 3000 });
	for (let i = 0; i < 20; i++) {
		live.send("r", `m${i}`, null);
		await clock.run(200);
	}
	await clock.run(3000);
	assert.equal(live.getState().connection.state, "online");
	assert.deepEqual(
		shown(live),
		Array.from({ length: 20 }, (_, i) => `m${i}`),
	);
	assert.equal(server.calls("room:since").length, 2, "it did reconnect");
});

test("signed out: no more attempts, the queue stays, and goes out after signing in again", async () => {
	const { clock, live, server } = await page();
	server.handshake = "not-signed-in";
	server.dropAll();
	await clock.run(3000);
	assert.equal(live.getState().connection.state, "signed-out");
	live.send("r", "kept", null);
	await clock.run(60_000);
	assert.deepEqual(waiting(live), ["kept queued"]);
	server.handshake = null;
	live.retryNow();
	await clock.run(1000);
	assert.deepEqual([stored(server), waiting(live)], [["kept"], []]);
});

test("another person's session does not send this person's queue", async () => {
	const clock = fakeClock();
	const server = fakeServer(clock);
	server.addRoom("r", [ana, ben]);
	const ports = fakeBrowser().tab(clock, server.wire(ben));
	const live = createLive({ me: ana, rooms: [server.myRoom("r", ana)], build: "b1", ports });
	live.send("r", "mine", null);
	live.start();
	await clock.run(5000);
	assert.equal(live.getState().connection.state, "signed-out");
	assert.deepEqual(stored(server), []);
});

test("a new build is noticed at the welcome", async () => {
	const { clock, live, server } = await page();
	assert.equal(live.getState().connection.newVersion, false);
	server.build = "b2";
	server.dropAll();
	await clock.run(3000);
	assert.equal(live.getState().connection.newVersion, true);
});

test("rooms come and go by signal and by catch-up", async () => {
	const { clock, live, server } = await page();
	server.addRoom("t", [ana]);
	server.signal({ kind: "room-added", room: server.myRoom("t", ana) });
	server.signal({ kind: "room-removed", roomId: "s" });
	await clock.run(100);
	assert.deepEqual(Object.keys(live.getState().rooms), ["r", "t"]);
	server.loseFacts = true;
	server.leave("r", ana);
	server.addRoom("u", [ana]);
	server.dropAll();
	await clock.run(4000);
	assert.deepEqual(Object.keys(live.getState().rooms).sort(), ["s", "t", "u"]);
	assert.equal(live.getState().open, null, "a room one was removed from leaves the screen");
});

test("a room opened from an older or newer page ends up at the head", async () => {
	const { clock, live, server } = await page();
	server.post("s", ben, "one");
	const old = server.opened("s", ana);
	server.post("s", ben, "two");
	await clock.run(100);
	live.openRoom(old);
	assert.deepEqual(shown(live), ["one"]);
	await clock.run(500);
	assert.deepEqual(shown(live), ["one", "two"]);
	server.loseFacts = true;
	server.post("s", ben, "three");
	live.openRoom(server.opened("s", ana));
	await clock.run(500);
	assert.deepEqual(shown(live), ["one", "two", "three"]);
	assert.equal(live.getState().cursors.s, 3);
});

test("history for a room that was left meanwhile is ignored", async () => {
	const { clock, live, server } = await page({
		before: (server) => {
			for (let i = 0; i < 120; i++) server.post("r", ben, `m${i}`);
		},
	});
	const loading = live.loadBefore();
	assert.equal(live.getState().loading, "before");
	live.openRoom(server.opened("s", ana));
	await clock.run(500);
	await loading;
	assert.deepEqual([shown(live), live.getState().loading], [[], null]);
	live.openRoom(server.opened("r", ana));
	const jump = live.jumpTo(10);
	await clock.run(200);
	await jump;
	assert.ok(live.getState().open?.messages.some((m) => m.seq === 10));
	assert.equal(live.getState().open?.hasAfter, true);
	live.send("r", "mine", null);
	const latest = live.jumpToLatest();
	await clock.run(500);
	await latest;
	assert.deepEqual([shown(live).at(-1), waiting(live)], ["mine", []]);
});

test("history that did not come says so, and is asked for again as soon as there is a connection", async () => {
	const { clock, live, server } = await page({
		before: (server) => {
			for (let i = 0; i < 300; i++) server.post("r", ben, `m${i}`);
		},
	});
	const oldest = () => live.getState().open?.messages[0]?.seq ?? 0;
	const first = oldest();
	server.isSilent = true;
	const before = live.loadBefore();
	await clock.run(limits.ackTimeout + 100);
	await before;
	assert.deepEqual([live.getState().notLoaded, live.getState().loading, oldest()], ["before", null, first]);
	const jump = live.jumpTo(10);
	await clock.run(limits.ackTimeout + 100);
	assert.equal(await jump, false, "nobody answered: what is there is not known");

	const again = live.loadBefore();
	await clock.run(limits.ackTimeout + 100);
	await again;
	server.isSilent = false;
	server.dropAll();
	await clock.run(60_000);
	assert.equal(live.getState().notLoaded, null);
	assert.ok(oldest() < first, "it came with the connection");
	const there = live.jumpTo(10);
	await clock.run(500);
	assert.equal(await there, true);
	server.dropAll();
	await live.loadAfter();
	assert.equal(live.getState().notLoaded, "after", "without a connection it is not even asked");
	await clock.run(60_000);
	assert.equal(live.getState().notLoaded, null);
});

test("delivered and read pointers go forward only, gathered, and again after a lost connection", async () => {
	const { clock, live, server } = await page();
	for (let i = 0; i < 5; i++) server.post("s", ben, `m${i}`);
	server.post("r", ben, "here");
	await clock.run(2500);
	const moves = () =>
		server
			.calls("pointer:move")
			.map((call) => call.input as unknown as { roomId: string; delivered?: number; displayed?: number; read?: number });
	assert.deepEqual(
		moves().sort((a, b) => a.roomId.localeCompare(b.roomId)),
		[
			{ roomId: "r", delivered: 1 },
			{ roomId: "s", delivered: 5 },
		],
	);
	live.displayed(1);
	assert.equal(live.getState().rooms.r?.readMsg, 1, "read here at once");
	await clock.run(400);
	assert.deepEqual(moves().at(-1), { roomId: "r", displayed: 1, read: 1 });
	live.displayed(1);
	live.displayed(0);
	await clock.run(2000);
	assert.equal(moves().length, 3);
	server.post("r", ben, "next");
	await clock.run(100);
	server.isDown = true;
	server.dropAll();
	live.displayed(2);
	await clock.run(1000);
	server.isDown = false;
	live.retryNow();
	await clock.run(1500);
	assert.deepEqual(server.rooms.get("r")?.read.get("ana"), { readSeq: 2, readMsg: 2 });
});

test("read elsewhere is read here", async () => {
	const { clock, live, server } = await page();
	server.post("s", ben, "one");
	await clock.run(100);
	server.signal({ kind: "read", roomId: "s", readSeq: 1, readMsg: 1 });
	await clock.run(100);
	assert.deepEqual([live.getState().rooms.s?.lastMsg, live.getState().rooms.s?.readMsg], [1, 1]);
	server.signal({ kind: "read", roomId: "s", readSeq: 0, readMsg: 0 });
	await clock.run(100);
	assert.equal(live.getState().rooms.s?.readMsg, 1);
});

test("what is deleted is unread no longer: elsewhere, while away, and far behind; and not counted once more when it was read", async () => {
	const { clock, live, server } = await page();
	const unread = () => unreadOf(live.getState().rooms.s as MyRoom);
	for (let i = 0; i < 5; i++) server.post("s", ben, `m${i}`);
	await clock.run(100);
	server.remove("s", 2);
	await clock.run(100);
	assert.equal(unread(), 4);
	server.isDown = true;
	server.dropAll();
	server.remove("s", 4);
	server.isDown = false;
	live.retryNow();
	await clock.run(1500);
	assert.equal(unread(), 3, "caught up by facts");
	server.signal({ kind: "read", roomId: "s", readSeq: 3, readMsg: 3 });
	await clock.run(100);
	assert.deepEqual([unread(), live.getState().rooms.s?.unreadDeleted], [1, [4]]);
	server.remove("s", 3);
	await clock.run(100);
	assert.equal(unread(), 1, "it was read before");
	server.resetBehind = 10;
	server.isDown = true;
	server.dropAll();
	server.loseFacts = true;
	for (let i = 0; i < 20; i++) server.post("s", ben, `n${i}`);
	server.remove("s", 5);
	server.loseFacts = false;
	server.isDown = false;
	live.retryNow();
	await clock.run(1500);
	assert.equal(unread(), 20, "told with the reset");
	server.signal({ kind: "read", roomId: "s", readSeq: server.rooms.get("s")?.log.length ?? 0, readMsg: 25 });
	await clock.run(100);
	assert.deepEqual([unread(), live.getState().rooms.s?.unreadDeleted], [0, undefined]);
});

test("typing is told rarely, shown briefly, and over when the message comes", async () => {
	const { clock, live, server } = await page();
	for (let i = 0; i < 10; i++) {
		live.typing("r");
		await clock.run(100);
	}
	assert.equal(server.calls("typing").length, 1);
	server.signal({ kind: "typing", roomId: "r", person: ben });
	server.signal({ kind: "typing", roomId: "s", person: ben });
	server.signal({ kind: "typing", roomId: "r", person: ana });
	await clock.run(50);
	assert.deepEqual(
		live.getState().typing.r?.map((t) => t.person.id),
		["ben"],
	);
	server.post("r", ben, "done");
	await clock.run(50);
	assert.deepEqual(Object.keys(live.getState().typing), ["s"]);
	await clock.run(limits.typingShown);
	assert.deepEqual(live.getState().typing, {});
});

test("presence, members' pointers and announcements of the open room", async () => {
	const { clock, live, server } = await page();
	server.signal({ kind: "presence", roomId: "r", came: ["ben"], went: ["ana"] });
	server.signal({
		kind: "pointers",
		roomId: "r",
		moved: [
			["ben", 4, 3],
			["ben", 2, 5],
		],
	});
	server.post("r", ben, "hear me");
	server.post("s", ben, "not me");
	live.send("r", "nor my own", null);
	await clock.run(500);
	assert.deepEqual(live.getState().here, { ben: true });
	assert.deepEqual([live.getState().open?.members.ben?.deliveredSeq, live.getState().open?.members.ben?.displayedSeq], [4, 5]);
	assert.deepEqual(
		live.getState().announced.map((m) => m.body),
		["hear me"],
	);
});

test("drafts survive a crash and follow another tab's edits", async () => {
	const { clock, live, browser, tab } = await page();
	live.setDraft("r", "half a");
	assert.equal(live.getState().drafts.r, "half a");
	await clock.run(350);
	assert.equal(browser.drafts.get("r"), "half a");
	const other = tab();
	other.live.start();
	assert.equal(other.live.getState().drafts.r, "half a");
	other.live.setDraft("r", "half a thought");
	await clock.run(350);
	assert.equal(live.getState().drafts.r, "half a thought");
	live.setDraft("r", "");
	await clock.run(350);
	assert.deepEqual([browser.drafts.size, other.live.getState().drafts], [0, {}]);
	live.setDraft("s", "typed at the very end");
	browser.tell({ kind: "forget" });
	await clock.run(350);
	assert.deepEqual([browser.drafts.size, live.getState().drafts], [0, {}], "leaving leaves no draft behind");
});

test("an edit is carried out, a refused one says why, and without a connection it says so", async () => {
	const { clock, live, server } = await page();
	live.send("r", "mine", null);
	await clock.run(500);
	const edit = live.edit(1, "better");
	await clock.run(500);
	assert.equal(await edit, null);
	assert.deepEqual(shown(live), ["better"]);
	server.refuse.set("message:delete", [{ code: "not-yours" }]);
	const remove = live.remove(1);
	await clock.run(500);
	assert.deepEqual(await remove, { code: "not-yours", details: {} });
	server.dropAll();
	assert.equal((await live.edit(1, "x"))?.code, "no-answer");
});

test("an idle page in the background runs no timer more often than every 30 s", async () => {
	const { clock, ports } = await page();
	ports.surroundings.fire("hidden");
	await clock.run(10_000);
	assert.ok(clock.pending() <= 2, `${clock.pending()} timers`);
});

for (const seed of [1, 2, 3, 4, 5, 6, 7, 8])
	test(`whatever is lost, cut or repeated, the page ends as a fresh load would show it (run ${seed})`, async () => {
		const { clock, live, server } = await page();
		let n = seed * 7919;
		const pick = (below: number) => {
			n = (n * 48_271) % 2_147_483_647;
			return n % below;
		};
		server.window = limits.mounted;
		server.perAnswer = 5 + pick(20);
		let mine = 0;
		for (let step = 0; step < 150; step++) {
			const head = server.rooms.get("r")?.log.length ?? 0;
			const actions = [
				() => server.post("r", ben, `ben ${step}`, { replyTo: pick(2) ? 1 + pick(head + 1) : null }),
				() => live.send("r", `mine ${mine++}`, null),
				() => server.edit("r", 1 + pick(head + 1), `edited ${step}`),
				() => server.remove("r", 1 + pick(head + 1)),
				() => server.rename("r", ben, `name ${step}`),
				() => server.dropAll(),
				() => live.retryNow(),
				() => {
					server.loseFacts = !server.loseFacts;
				},
				() => {
					server.loseAnswers = pick(3);
				},
				() => void live.loadBefore(),
				() => {
					server.isDown = pick(3) === 0;
				},
				() => server.signal({ kind: "resync" }),
			];
			(actions[pick(actions.length)] as () => void)();
			await clock.run(pick(120));
		}
		server.isDown = false;
		server.loseFacts = false;
		server.loseAnswers = 0;
		await clock.run(60_000);
		server.post("r", ben, "the end");
		await clock.run(60_000);
		const fresh = openState(server.opened("r", ana));
		const open = live.getState().open;
		assert.deepEqual(open?.messages, fresh.messages);
		assert.deepEqual([open?.room.name, open?.room.lastSeq, open?.room.lastMsg], [fresh.room.name, fresh.room.lastSeq, fresh.room.lastMsg]);
		assert.deepEqual(waiting(live), []);
		const own = server.rooms.get("r")?.messages.filter((m) => m.author.id === "ana") ?? [];
		assert.equal(own.length, mine, "each of mine is stored exactly once");
		const posted = server.rooms
			.get("r")
			?.log.flatMap((f) => (f.kind === "message-posted" && f.message.author.id === "ana" ? [f.message.body] : []));
		assert.deepEqual(
			posted,
			Array.from({ length: mine }, (_, i) => `mine ${i}`),
			"in the order they were written",
		);
	});

test("a gap of several answers is filled although nothing live follows", async () => {
	const { clock, live, server } = await page();
	server.perAnswer = 3;
	server.loseFacts = true;
	for (let i = 0; i < 10; i++) server.post("r", ben, `m${i}`);
	server.signal({ kind: "resync" });
	await clock.run(1000);
	assert.equal(shown(live).length, 10);
});

test("a message that is too old says so right after the reload, before there is a connection", async () => {
	const { clock, live, server, stop, tab } = await page();
	server.isDown = true;
	server.dropAll();
	live.send("r", "old", null);
	await clock.run(100);
	stop();
	clock.forward(limits.staleQueue + 1);
	const again = tab();
	again.live.start();
	await clock.run(10);
	assert.deepEqual(waiting(again.live), ["old stale"]);
});

test("facts that arrive while history is on its way are not undone by it", async () => {
	const { clock, live, server } = await page({
		before: (server) => {
			for (let i = 0; i < 120; i++) server.post("r", ben, `m${i}`);
		},
	});
	const jump = live.jumpTo(10);
	await clock.run(200);
	await jump;
	const latest = live.jumpToLatest();
	// The server reads the stretch after one way; what happens then overtakes nothing, but is in neither stretch nor window.
	await clock.run(12);
	server.latency = 1;
	server.post("r", ben, "overtaking");
	server.edit("r", 119, "edited");
	await clock.run(500);
	await latest;
	assert.deepEqual(shown(live).slice(-3), ["edited", "m119", "overtaking"]);
});

test("a late answer to loading history does not touch the window jumped to meanwhile", async () => {
	const { clock, live, server } = await page({
		before: (server) => {
			for (let i = 0; i < 400; i++) server.post("r", ben, `m${i}`);
		},
	});
	server.latency = 100;
	const before = live.loadBefore();
	server.latency = 5;
	const jump = live.jumpTo(30);
	await clock.run(500);
	await Promise.all([before, jump]);
	const seqs = live.getState().open?.messages.map((m) => m.seq) ?? [];
	assert.deepEqual(
		seqs,
		Array.from({ length: limits.window }, (_, i) => 5 + i),
		"one piece without a hole",
	);
});

test("after a long outage the next one begins with a short wait again", async () => {
	const { clock, live, server } = await page();
	server.isDown = true;
	server.dropAll();
	await clock.run(300_000);
	server.isDown = false;
	live.retryNow();
	await clock.run(1000);
	server.isDown = true;
	server.dropAll();
	await clock.run(2000);
	server.isDown = false;
	await clock.run(6000);
	assert.equal(live.getState().connection.state, "online");
	server.isDown = true;
	server.dropAll();
	assert.ok((live.getState().connection.retryAt ?? 0) - clock.now() <= 1500);
});

test("a connection that answers nothing is given up after three calls, long before the engine's ping", async () => {
	const { clock, live, server } = await page();
	server.isSilent = true;
	live.send("r", "hola", null);
	await clock.run(limits.ackTimeout * 3 + 100);
	assert.notEqual(live.getState().connection.state, "online");
	server.isSilent = false;
	await clock.run(4000);
	assert.deepEqual([stored(server), waiting(live)], [["hola"], []]);
});

test("a pointer whose answer was lost goes again", async () => {
	const { clock, live, server } = await page();
	server.post("r", ben, "one");
	await clock.run(2500);
	server.isSilent = true;
	live.displayed(1);
	await clock.run(1000);
	assert.equal(server.rooms.get("r")?.read.get("ana")?.readMsg ?? 0, 0);
	server.isSilent = false;
	await clock.run(10_000);
	assert.equal(server.rooms.get("r")?.read.get("ana")?.readMsg, 1);
});

test("what is heard of a room before the room itself is folded once the room is there", async () => {
	const { clock, live, server } = await page();
	server.addRoom("t", [ana, ben]);
	const early = server.myRoom("t", ana);
	server.post("t", ben, "first words");
	await clock.run(50);
	server.signal({ kind: "room-added", room: early });
	const before = server.calls("room:since").length;
	await clock.run(500);
	assert.equal(live.getState().rooms.t?.lastMsg, 1);
	assert.equal(server.calls("room:since").length, before);
});

test("[S7] a text whose key stood for another goes again under a key of its own", async () => {
	const { clock, live, server } = await page();
	server.refuse.set("message:post", [{ code: "key-reused" }]);
	live.send("r", "one", null);
	await clock.run(1000);
	const [failed] = live.getState().pending;
	assert.deepEqual([failed?.state, failed?.refusal?.code, failed?.body], ["failed", "key-reused", "one"]);
	live.retry(failed?.clientId ?? "");
	await clock.run(1000);
	assert.deepEqual([stored(server), waiting(live)], [["one"], []]);
	const [first, second] = server.calls("message:post").map((call) => call.input.clientId);
	assert.notEqual(first, second);
});
