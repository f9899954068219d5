import assert from "node:assert/strict";
import { test } from "node:test";
import type { Fact } from "../contract/facts.ts";
import { limits } from "../contract/limits.ts";
import type { Person } from "../contract/shapes.ts";
import { fakeClock } from "./fake-browser.ts";
import { fakeServer } from "./fake-server.ts";
import type { RoomState } from "./live-state.ts";
import { append, fold, openState, prepend, refold, replace } from "./timeline.ts";

const ana: Person = { id: "ana", name: "Ana" };
const ben: Person = { id: "ben", name: "Ben" };
const cleo: Person = { id: "cleo", name: "Cleo" };

function room() {
	const server = fakeServer(fakeClock());
	server.addRoom("r", [ana, ben]);
	const log = () => (server.rooms.get("r") as { log: Fact[] }).log;
	return { server, log, open: (range = {}) => openState(server.opened("r", ana, range)) };
}

const seqs = (state: RoomState) => state.messages.map((m) => m.seq);
const bodies = (state: RoomState) => state.messages.map((m) => m.body);
const foldAll = (state: RoomState, facts: readonly Fact[]) => facts.reduce((s, f) => fold(s, f, ana.id), state);

test("a new message is shown last and moves the counters", () => {
	const { server, log, open } = room();
	const before = open();
	server.post("r", ben, "hola");
	const after = foldAll(before, log());
	assert.deepEqual(bodies(after), ["hola"]);
	assert.deepEqual([after.room.lastSeq, after.room.lastMsg, after.cursor], [1, 1, 1]);
	assert.deepEqual(bodies(before), [], "the state before is untouched");
});

test("a fact at or below the cursor, and one of another room, change nothing at all", () => {
	const { server, log, open } = room();
	server.post("r", ben, "one");
	const state = open();
	assert.equal(fold(state, log()[0] as Fact), state);
	assert.equal(fold(state, { ...(log()[0] as Fact), roomId: "other", seq: 2 }), state);
});

const changes: [string, (s: ReturnType<typeof fakeServer>) => unknown][] = [
	["an edit", (s) => s.edit("r", 1, "changed")],
	["an edit of an edit", (s) => [s.edit("r", 1, "x"), s.edit("r", 1, "y")]],
	["an edit that cuts the quote's excerpt", (s) => s.edit("r", 1, "word ".repeat(100))],
	["a deletion", (s) => s.remove("r", 2)],
	["a deletion of what is quoted", (s) => s.remove("r", 1)],
	["an edit after the deletion", (s) => [s.remove("r", 1), s.edit("r", 1, "risen")]],
	["a deletion of the quoting message", (s) => s.remove("r", 3)],
	["a second deletion", (s) => [s.remove("r", 1), s.remove("r", 1)]],
	["an edit of a message that is not loaded", (s) => s.edit("r", 99, "nowhere")],
	["a newcomer", (s) => s.join("r", cleo)],
	["somebody leaving", (s) => s.leave("r", ben)],
	["coming and going", (s) => [s.join("r", cleo), s.leave("r", cleo), s.join("r", cleo)]],
	["a rename", (s) => s.rename("r", ben, "new name")],
	["a reply", (s) => s.post("r", ben, "re", { replyTo: 1 })],
	["a reply to a deleted message", (s) => [s.remove("r", 1), s.post("r", ben, "re", { replyTo: 1 })]],
];

for (const [what, happen] of changes)
	test(`stale state and facts give what a fresh load gives: ${what}`, () => {
		const { server, log, open } = room();
		server.post("r", ana, "first");
		server.post("r", ben, "second");
		server.post("r", ana, "third", { replyTo: 1 });
		const stale = open();
		const known = log().length;
		happen(server);
		const missed = log().slice(known);
		assert.ok(missed.length > 0);
		assert.deepEqual(foldAll(stale, missed), open());
		assert.deepEqual(foldAll(stale, [...missed, ...missed]), open(), "and again when every fact comes twice");
	});

test("a direct room keeps the other person's name whatever a fact says", () => {
	const { open } = room();
	const state = open();
	const direct: RoomState = { ...state, room: { ...state.room, kind: "direct", name: "Ben" } };
	const next = fold(direct, { kind: "room-changed", roomId: "r", seq: 1, by: ben, name: "x", topic: "y" });
	assert.deepEqual([next.room.name, next.room.topic, next.cursor], ["Ben", "", 1]);
});

test("joining me gives my role, and a promotion keeps the pointers", () => {
	const { open } = room();
	const state = open();
	(state.members.ana as { displayedSeq: number }).displayedSeq = 0;
	const pointed = { ...state, members: { ...state.members, ana: { ...state.members.ana, deliveredSeq: 7, displayedSeq: 6 } } } as RoomState;
	const next = fold(pointed, { kind: "member-joined", roomId: "r", seq: 1, person: ana, role: "owner" }, "ana");
	assert.equal(next.room.role, "owner");
	assert.deepEqual(next.members.ana, { person: ana, role: "owner", deliveredSeq: 7, displayedSeq: 6 });
});

test("away from the live end a new message moves the counters only", () => {
	const { server, log, open } = room();
	for (let i = 0; i < 120; i++) server.post("r", ben, `m${i}`);
	const state = open({ around: 20 });
	assert.equal(state.hasAfter, true);
	server.post("r", ben, "live");
	const next = fold(state, log().at(-1) as Fact);
	assert.deepEqual(seqs(next), seqs(state));
	assert.deepEqual([next.room.lastMsg, next.cursor], [121, 121]);
});

test("the window keeps its newest messages and says that older ones exist", () => {
	const { server, log, open } = room();
	const stale = open();
	for (let i = 0; i < limits.mounted + 30; i++) server.post("r", ben, `m${i}`);
	const state = foldAll(stale, log());
	assert.equal(state.messages.length, limits.mounted);
	assert.equal(state.messages.at(-1)?.seq, limits.mounted + 30);
	assert.deepEqual([state.hasBefore, state.hasAfter], [true, false]);
	server.window = limits.mounted;
	assert.deepEqual(state, open());
});

test("what a reader looks at is not pushed out: the window lets go of the live end instead", () => {
	const { server, log, open } = room();
	for (let i = 0; i < limits.mounted; i++) server.post("r", ben, `m${i}`);
	server.window = limits.mounted;
	const reading = { ...open(), anchor: 3 };
	for (let i = 0; i < 5; i++) server.post("r", ben, `late${i}`);
	const state = foldAll(reading, log());
	assert.deepEqual([state.messages[0]?.seq, state.hasAfter, state.room.lastMsg], [3, true, limits.mounted + 5]);
	assert.ok(state.messages.some((m) => m.seq === 3));
});

test("stretches join without holes or repeats and drop the far end", () => {
	const { server, open } = room();
	for (let i = 0; i < 500; i++) server.post("r", ben, `m${i}`);
	let state = open();
	while (state.hasBefore && (state.messages[0]?.seq ?? 0) > 150)
		state = prepend(state, { ...server.opened("r", ana, { before: state.messages[0]?.seq }) });
	assert.equal(state.messages.length, limits.mounted);
	assert.equal(state.hasAfter, true, "the newest went");
	const from = seqs(state)[0] as number;
	assert.deepEqual(
		seqs(state),
		Array.from({ length: limits.mounted }, (_, i) => from + i),
	);
	while (state.hasAfter) state = append(state, server.opened("r", ana, { after: state.messages.at(-1)?.seq }));
	assert.deepEqual(
		seqs(state),
		Array.from({ length: limits.mounted }, (_, i) => 301 + i),
	);
	assert.equal(state.hasBefore, true);
	const repeated = append(state, server.opened("r", ana));
	assert.deepEqual(seqs(repeated), seqs(state));
	assert.deepEqual(
		seqs(replace(state, server.opened("r", ana, { around: 100 }))),
		Array.from({ length: 50 }, (_, i) => 75 + i),
	);
});

test("history that was read before an edit arrived does not undo it", () => {
	const { server, log, open } = room();
	for (let i = 0; i < 60; i++) server.post("r", ben, `m${i}`);
	const state = open();
	const late = server.opened("r", ana, { before: state.messages[0]?.seq });
	server.edit("r", 1, "edited");
	server.remove("r", 2);
	const journal = log().slice(-2);
	const joined = refold(prepend(foldAll(state, journal), late), journal);
	server.window = 60;
	assert.deepEqual(joined, open());
});

test("the newest stretch does not lose a message that came before its answer", () => {
	const { server, log, open } = room();
	for (let i = 0; i < 120; i++) server.post("r", ben, `m${i}`);
	const state = open({ around: 20 });
	const late = server.opened("r", ana);
	server.post("r", ben, "meanwhile");
	const journal = log().slice(-1);
	const joined = refold(replace(foldAll(state, journal), late), journal);
	assert.equal(joined.messages.at(-1)?.body, "meanwhile");
});
