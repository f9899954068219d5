import assert from "node:assert/strict";
import { test } from "node:test";
import type { Activity, ActivityStore, RoomDay } from "../../app/contract/activity.ts";
import { archiveFiles, BadRecord, dayOf, fold, newDay, Outrun, readRecord, takeIn, writeRecord } from "./index.ts";

const room = "01900000-0000-7000-8000-000000000001";
const [ana, ben] = ["0192aaaa-0000-7000-8000-00000000000a", "0192aaaa-0000-7000-8000-00000000000b"] as const;
const noon = Date.UTC(2026, 10, 25, 12);

function event(seq: number, more: Partial<Activity> = {}): Activity {
	return {
		id: `${room}:${seq}`,
		roomId: room,
		seq,
		kind: "message",
		at: noon + seq * 1000,
		authorId: ana,
		bytes: 10,
		target: null,
		flags: [],
		reach: null,
		tp: "00-0192aaaa00007000800000000000000a-800000000000000a-01",
		...more,
	};
}
const day = (events: Activity[], doc = newDay(room, "2026-11-25", undefined)) => events.reduce(fold, doc);

/** Documents in memory, with the promise every store makes. */
function memory() {
	const docs = new Map<string, RoomDay>();
	const store: ActivityStore = {
		async newest(ids) {
			const found = ids.flatMap((id) => {
				const those = [...docs.values()].filter((doc) => doc.roomId === id).sort((a, b) => a.day.localeCompare(b.day));
				return those.length > 0 ? [[id, those.at(-1) as RoomDay] as const] : [];
			});
			return new Map(found);
		},
		async keep(doc, from) {
			const key = `${doc.roomId} ${doc.day}`;
			if ((docs.get(key)?.seq ?? null) !== from) return false;
			docs.set(key, structuredClone(doc));
			return true;
		},
		days: async (days) => [...docs.values()].filter((doc) => days.includes(doc.day)),
	};
	return { docs, store };
}

test("[A5] an event taken in twice, or one from before, changes nothing", () => {
	const events = [event(1), event(2, { kind: "join" }), event(3, { flags: ["question"] })];
	const once = day(events);
	assert.deepEqual(day([...events, ...events, event(1)]), once);
	assert.deepEqual(once.hours, { 12: { message: [2, 20], join: [1, 10] } });
	assert.deepEqual(once.people, { [ana]: 2 });
});

test("[A3] delivery is summed over those who were here", () => {
	const doc = day([event(1, { reach: { here: 3, delivered: 2 } }), event(2, { reach: { here: 0, delivered: 0 } }), event(3)]);
	assert.deepEqual(doc.reach, { here: 3, delivered: 2 });
});

test("[A6] ten messages of one person within fifteen seconds are a flood, said once; bots and other people are none", () => {
	const many = Array.from({ length: 30 }, (_, i) => event(i + 1, { at: noon + i * 500 }));
	assert.deepEqual(day(many).hints, [{ seq: 10, reason: "flood", authorId: ana, at: noon + 9 * 500 }]);
	assert.deepEqual(day(many.map((each) => ({ ...each, flags: ["bot"] as const satisfies Activity["flags"] }))).hints, []);
	assert.deepEqual(day(many.slice(0, 18).map((each, i) => ({ ...each, authorId: i % 2 ? ana : ben }))).hints, []);
	assert.deepEqual(day(many.slice(0, 12).map((each, i) => ({ ...each, at: noon + i * 2000 }))).hints, []);
	const links = day([event(1, { flags: ["links", "words"] })]);
	assert.deepEqual(
		links.hints.map((hint) => hint.reason),
		["links", "words"],
	);
});

test("[A7] a question is open until somebody else answers it: by a reply at any time, or with what they say next", () => {
	const asked = event(1, { flags: ["question"] });
	const open = (...after: Activity[]) => day([asked, ...after]).questions.map((question) => question.seq);
	assert.deepEqual(open(), [1]);
	assert.deepEqual(open(event(2)), [1], "asking on is no answer");
	assert.deepEqual(open(event(2, { authorId: ben })), []);
	assert.deepEqual(open(event(2, { authorId: ben, at: noon + 3_600_000 })), [1], "much later it is about something else");
	assert.deepEqual(open(event(2, { authorId: ben, at: noon + 3_600_000, target: 1 })), [], "but a reply is a reply");
	assert.deepEqual(open(event(2, { authorId: ben, flags: ["bot"] })), [1], "a bot answers nobody");
	assert.deepEqual(open(event(2, { kind: "delete", target: 1 })), [], "what was taken back needs no answer");
	assert.deepEqual(open(event(2, { authorId: ben, target: 7 })), [1], "a reply to something else");
	assert.equal(day([asked, event(2, { authorId: ben })]).answered, 1);
});

test("[A4] a day ends at midnight in UTC; questions go along; a clock set back opens no day again", async () => {
	const { docs, store } = memory();
	const late = Date.UTC(2026, 10, 25, 23, 59, 59);
	await takeIn(store, [event(1, { at: late, flags: ["question"] }), event(2, { at: late + 5000 }), event(3, { at: late })]);
	assert.deepEqual(
		[...docs.values()].map((doc) => [doc.day, doc.seq, doc.questions.length, Object.keys(doc.hours)]),
		[
			["2026-11-25", 1, 1, ["23"]],
			["2026-11-26", 3, 1, ["0", "23"]],
		],
	);
	await takeIn(store, [event(4, { authorId: ben, target: 1, at: late + 60_000 })]);
	assert.deepEqual(docs.get(`${room} 2026-11-26`)?.questions, []);
	assert.equal(dayOf(late), "2026-11-25");
});

test("[A5] two who write at once do not overwrite each other: the second is told, and finds it done", async () => {
	const { docs, store } = memory();
	await takeIn(store, [event(1)]);
	const slow = await store.newest([room]);
	await takeIn(store, [event(2)]);
	await assert.rejects(takeIn({ ...store, newest: async () => slow }, [event(2)]), Outrun);
	await takeIn(store, [event(2), event(3)]);
	assert.deepEqual([docs.get(`${room} 2026-11-25`)?.people[ana], docs.size], [3, 1]);
});

test("a document stays small whatever is thrown at it", () => {
	const people = Array.from({ length: 3000 }, (_, i) => `0192aaaa-0000-7000-8000-${String(i).padStart(12, "0")}`);
	const doc = day(people.map((authorId, i) => event(i + 1, { authorId, flags: ["question", "links", "words"], at: noon + i })));
	assert.ok(JSON.stringify(doc).length < 200_000, `${JSON.stringify(doc).length} bytes`);
	assert.deepEqual(doc.hours[12]?.message, [3000, 30_000]);
});

test("[A8] a record is read strictly: wrong bytes, shapes, rooms, orders and times are named, and nothing of them is repeated", () => {
	assert.deepEqual(readRecord(writeRecord([event(1), event(2)])), [event(1), event(2)]);
	assert.equal(readRecord(writeRecord([event(1, { kind: "poll-closed" })]))[0]?.kind, "poll-closed", "a newer server may say more");
	const text = (value: unknown) => new TextEncoder().encode(typeof value === "string" ? value : JSON.stringify(value));
	const whole = { v: 1, events: [event(1)] };
	const bad: [string, Uint8Array][] = [
		["empty", text("")],
		["not JSON", text("PK\u0003\u0004secret")],
		["cut off", writeRecord([event(1)]).slice(0, -10)],
		["not UTF-8", new Uint8Array([0xff, 0xfe, 0x7b, 0x00])],
		["another version", text({ ...whole, v: 2 })],
		["no events", text({ v: 1, events: [] })],
		["null", text("null")],
		["an array", text([event(1)])],
		["seq as text", text({ v: 1, events: [{ ...event(1), seq: "secret" }] })],
		["an id of another", text({ v: 1, events: [{ ...event(1), id: "secret" }] })],
		["seconds for ms", text({ v: 1, events: [event(1, { at: 1_795_000_000 })] })],
		["no number", text(`{"v":1,"events":[${JSON.stringify(event(1)).replace('"bytes":10', '"bytes":1e999')}]}`)],
		["two rooms", writeRecord([event(1), { ...event(2), roomId: ben, id: `${ben}:2` }])],
		["backwards", writeRecord([event(2), event(1)])],
		["too many", text({ v: 1, events: Array.from({ length: 1001 }, (_, i) => event(i + 1)) })],
	];
	for (const [what, bytes] of bad)
		assert.throws(
			() => readRecord(bytes),
			(error) => error instanceof BadRecord && !error.message.includes("secret"),
			what,
		);
});

test("[A4] a file of the archive is named by where it began: done again, also by halves, nothing is there twice", () => {
	const events = [1, 2, 3, 4].map((seq) => event(seq));
	const name = (those: Activity[]) => archiveFiles(those, `shardId-000000000000:${those[0]?.seq}`).map((file) => file.key);
	assert.deepEqual(name(events), ["activity/date=2026-11-25/shardId-000000000000_1.jsonl.gz"]);
	assert.deepEqual(name(events.slice(0, 2)), name(events));
	assert.deepEqual(archiveFiles(events, "x"), archiveFiles(events, "x"), "the same bytes too");
});

test("[A5] what never came is counted when it is sent again, whatever was counted since, and nothing a second time", async () => {
	const { docs, store } = memory();
	const whole = Array.from({ length: 20 }, (_, i) => event(i + 1, { authorId: i % 2 ? ana : ben, reach: { here: 2, delivered: 1 } }));
	await takeIn(store, whole);
	const expected = docs.get(`${room} 2026-11-25`);
	docs.clear();
	// Two stretches are given up, and the room goes on.
	for (const part of [whole.slice(0, 4), whole.slice(9, 12), whole.slice(17)]) await takeIn(store, part);
	const holed = docs.get(`${room} 2026-11-25`);
	assert.deepEqual(holed?.gaps, [
		[5, 9],
		[13, 17],
	]);
	await takeIn(store, whole.slice(5, 7));
	assert.deepEqual(docs.get(`${room} 2026-11-25`)?.gaps, [
		[5, 5],
		[8, 9],
		[13, 17],
	]);
	// The pointer is set back to the beginning, twice, in pieces of any size.
	for (const size of [20, 3]) for (let i = 0; i < whole.length; i += size) await takeIn(store, whole.slice(i, i + size));
	const mended = docs.get(`${room} 2026-11-25`);
	assert.equal(mended?.gaps, undefined);
	assert.deepEqual([mended?.hours, mended?.people, mended?.reach, mended?.seq], [expected?.hours, expected?.people, expected?.reach, 20]);
});

test("[A5] what is missing from a day that has ended counts in the newest, and only the last fifty gaps are known", async () => {
	const { docs, store } = memory();
	const next = { at: noon + 86_400_000 };
	await takeIn(store, [event(1), event(3, next)]);
	await takeIn(store, [event(2)]);
	await takeIn(store, [event(2)]);
	assert.deepEqual(
		[...docs.values()].map((doc) => [doc.day, doc.seq, doc.people[ana], doc.gaps]),
		[
			["2026-11-25", 1, 1, undefined],
			["2026-11-26", 3, 2, undefined],
		],
	);
	const holed = day(Array.from({ length: 100 }, (_, i) => event(2 * i + 2)));
	assert.deepEqual([holed.gaps?.length, holed.gaps?.at(-1)], [50, [199, 199]]);
});
