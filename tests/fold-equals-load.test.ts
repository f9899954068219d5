import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, test } from "node:test";
import type { Fact } from "../app/contract/facts.ts";
import { limits } from "../app/contract/limits.ts";
import type { Person } from "../app/contract/shapes.ts";
import type { RoomState } from "../app/live/live-state.ts";
import { fold, openState } from "../app/live/timeline.ts";
import { seeded, type TestChat, testChat } from "./support/chat.ts";

/** One for all: each test has people and a room of its own in it. */
let t: TestChat;
before(async () => {
	t = await testChat();
});
after(() => t[Symbol.asyncDispose]());

let scenes = 0;

/** A room with Ana (its owner, who watches), Ben and some history. */
async function scene() {
	const no = ++scenes;
	const [ana, ben, cleo] = [await t.person(`Ana ${no}`), await t.person(`Ben ${no}`), await t.person(`Cleo ${no}`)];
	const name = `Shelf ${no}`;
	const { id } = await t.chat.rooms.create(ana, { name, topic: "", kind: "public" });
	await t.chat.rooms.join(ben, { roomId: id });
	const first = await t.say(ana, id, "first");
	const second = await t.say(ben, id, "second **bold**", first);
	const third = await t.say(ana, id, "third", second);
	const cartId = await t.order(ben, id);
	return { cartId, t, ana, ben, cleo, id, name, first, second, third };
}
type Scene = Awaited<ReturnType<typeof scene>>;

const load = async (t: TestChat, me: Person, roomId: string): Promise<RoomState> =>
	openState(overTheWire(await t.chat.rooms.open(me, { roomId })));
const overTheWire = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;

/** The same newest messages of both; how far back a window reaches is no part of what is true. */
function sameWindow(a: RoomState, b: RoomState): [RoomState, RoomState] {
	const size = Math.min(a.messages.length, b.messages.length);
	const trim = (s: RoomState): RoomState => ({
		...s,
		messages: size === 0 ? [] : s.messages.slice(-size),
		hasBefore: s.hasBefore || s.messages.length > size,
	});
	return [trim(a), trim(b)];
}

/** Facts after a place as a catch-up gives them. */
async function caughtUp(t: TestChat, me: Person, roomId: string, from: number): Promise<Fact[]> {
	const facts: Fact[] = [];
	for (let cursor = from; ; cursor = (facts.at(-1) as Fact).seq) {
		const [room] = await t.chat.rooms.since(me, { cursors: [[roomId, cursor]] });
		assert.equal(room?.reset, false);
		if (room?.facts.length === 0) return overTheWire(facts);
		facts.push(...(room?.facts ?? []));
	}
}

async function assertFoldIsLoad(t: TestChat, me: Person, roomId: string, stale: RoomState): Promise<void> {
	const fresh = await load(t, me, roomId);
	const told = overTheWire(t.facts(roomId));
	const live = told.reduce((s, f) => fold(s, f, me.id), stale);
	assert.deepEqual(...sameWindow(live, fresh), "what was told live");
	const after = await caughtUp(t, me, roomId, stale.cursor);
	assert.deepEqual(
		...sameWindow(
			after.reduce((s, f) => fold(s, f, me.id), stale),
			fresh,
		),
		"what catching up gave",
	);
	// Both at once, overlapping and repeated, as it is when a connection comes back.
	const both = [...after, ...told.slice(-5), ...after.slice(-3)];
	assert.deepEqual(
		...sameWindow(
			both.reduce((s, f) => fold(s, f, me.id), stale),
			fresh,
		),
		"both, repeated",
	);
}

const key = () => randomUUID();
const kinds: [title: string, change: (s: Scene) => Promise<unknown>][] = [
	["a post", (s) => s.t.say(s.ben, s.id, "hello *there*")],
	["a post of the reader", (s) => s.t.say(s.ana, s.id, "mine")],
	["a reply", (s) => s.t.say(s.ben, s.id, "re", s.first)],
	["an edit", (s) => s.t.chat.messages.edit(s.ana, { roomId: s.id, clientId: key(), seq: s.first, body: "first, `edited`" })],
	[
		"an edit of an edit",
		async (s) => {
			await s.t.chat.messages.edit(s.ben, { roomId: s.id, clientId: key(), seq: s.second, body: "once" });
			await s.t.chat.messages.edit(s.ben, { roomId: s.id, clientId: key(), seq: s.second, body: "**twice**" });
		},
	],
	[
		"an edit of a message posted since",
		async (s) => {
			const seq = await s.t.say(s.ben, s.id, "new");
			await s.t.say(s.ana, s.id, "re new", seq);
			await s.t.chat.messages.edit(s.ben, { roomId: s.id, clientId: key(), seq, body: `newer ${"word ".repeat(60)}` });
		},
	],
	["a deletion", (s) => s.t.chat.messages.remove(s.ana, { roomId: s.id, clientId: key(), seq: s.third })],
	["a deletion of a quoted message", (s) => s.t.chat.messages.remove(s.ana, { roomId: s.id, clientId: key(), seq: s.first })],
	[
		"a deletion of a message that quotes and is quoted",
		(s) => s.t.chat.messages.remove(s.ben, { roomId: s.id, clientId: key(), seq: s.second }),
	],
	[
		"an edit and then a deletion",
		async (s) => {
			await s.t.chat.messages.edit(s.ben, { roomId: s.id, clientId: key(), seq: s.second, body: "regretted" });
			await s.t.chat.messages.remove(s.ben, { roomId: s.id, clientId: key(), seq: s.second });
		},
	],
	[
		"a reply to a deleted message",
		async (s) => {
			await s.t.chat.messages.remove(s.ana, { roomId: s.id, clientId: key(), seq: s.first });
			await s.t.say(s.ben, s.id, "to nothing", s.first);
		},
	],
	["an order", (s) => s.t.order(s.ben, s.id)],
	[
		"an order that was approved",
		async (s) => {
			const cartId = await s.t.order(s.ben, s.id);
			await s.t.chat.orders.decide(s.ana, { roomId: s.id, cartId, verdict: "approved" });
		},
	],
	[
		"an order that is quoted, and then withdrawn",
		async (s) => {
			const cartId = await s.t.order(s.ben, s.id);
			const card = (await load(s.t, s.ana, s.id)).messages.find((message) => message.card?.id === cartId);
			await s.t.say(s.ana, s.id, "really?", card?.seq ?? 0);
			await s.t.chat.orders.decide(s.ben, { roomId: s.id, cartId, verdict: "withdrawn" });
		},
	],
	["the approval of an order from before", (s) => s.t.chat.orders.decide(s.ana, { roomId: s.id, cartId: s.cartId, verdict: "approved" })],
	["somebody joining", (s) => s.t.chat.rooms.join(s.cleo, { roomId: s.id })],
	["somebody leaving", (s) => s.t.chat.rooms.leave(s.ben, { roomId: s.id })],
	[
		"somebody leaving and coming back",
		async (s) => {
			await s.t.chat.rooms.leave(s.ben, { roomId: s.id });
			await s.t.say(s.ana, s.id, "meanwhile");
			await s.t.chat.rooms.join(s.ben, { roomId: s.id });
		},
	],
	["a new name", (s) => s.t.chat.rooms.change(s.ana, { roomId: s.id, name: "Novels", topic: "" })],
	["a new topic", (s) => s.t.chat.rooms.change(s.ana, { roomId: s.id, name: s.name, topic: "What we read" })],
	[
		"the same edit twice",
		async (s) => {
			const clientId = key();
			for (let i = 0; i < 2; i++) await s.t.chat.messages.edit(s.ana, { roomId: s.id, clientId, seq: s.first, body: "once" });
		},
	],
];
for (const [title, change] of kinds) {
	test(`[N2] folding ${title} gives what a fresh load gives`, async () => {
		const s = await scene();
		const stale = await load(s.t, s.ana, s.id);
		await change(s);
		assert.notEqual((await load(s.t, s.ana, s.id)).cursor, stale.cursor, "the premise: something happened");
		await assertFoldIsLoad(s.t, s.ana, s.id, stale);
	});
}

test("[N2] folding a promotion gives what a fresh load gives, for the one promoted and for others", async () => {
	const s = await scene();
	await s.t.chat.rooms.join(s.cleo, { roomId: s.id });
	const [heir, other] = [await load(s.t, s.ben, s.id), await load(s.t, s.cleo, s.id)];
	await s.t.chat.rooms.leave(s.ana, { roomId: s.id });
	await assertFoldIsLoad(s.t, s.ben, s.id, heir);
	await assertFoldIsLoad(s.t, s.cleo, s.id, other);
	assert.deepEqual([(await load(s.t, s.ben, s.id)).room.role, (await load(s.t, s.cleo, s.id)).room.role], ["owner", "member"]);
});

test("[N2] folding any walk of changes gives what a fresh load gives, from wherever it began", async () => {
	const seed = Number(process.env.CHARLA_SEED ?? 20_261_124);
	const s = await scene();
	const { id, ana } = s;
	const random = seeded(seed);
	const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
	const others = [s.ben, s.cleo, await t.person("Dora"), await t.person("Emil")];
	const isIn = new Set([ana.id, s.ben.id]);
	const mine = new Map<string, number[]>([
		[ana.id, [s.first, s.third]],
		[s.ben.id, [s.second]],
	]);
	const all = [s.first, s.second, s.third];
	const starts: RoomState[] = [await load(t, ana, id)];
	const steps: string[] = [];

	for (let step = 1; step <= 200; step++) {
		const who = pick([ana, ...others].filter((p) => isIn.has(p.id)));
		const own = mine.get(who.id) ?? [];
		const chance = random();
		const refused = (error: { name: string }) => assert.equal(error.name, "Refusal", String(error));
		if (chance < 0.4 || own.length === 0) {
			const seq = await t.say(
				who,
				id,
				pick(["hello", "**bold**", "- list\n- of", "`code`", "https://e.example/a", "x ".repeat(150)]) + step,
				random() < 0.4 ? pick(all) : null,
			);
			mine.set(who.id, [...own, seq]);
			all.push(seq);
			steps.push(`${who.name} posts ${seq}`);
		} else if (chance < 0.6) {
			const seq = pick(own);
			await t.chat.messages
				.edit(who, { roomId: id, clientId: randomUUID(), seq, body: pick(["edited ", "*again* "]) + step })
				.catch(refused);
			steps.push(`${who.name} edits ${seq}`);
		} else if (chance < 0.72) {
			const seq = pick(own);
			await t.chat.messages.remove(who, { roomId: id, clientId: randomUUID(), seq }).catch(refused);
			steps.push(`${who.name} deletes ${seq}`);
		} else if (chance < 0.92) {
			const other = pick(others);
			if (isIn.has(other.id)) await t.chat.rooms.leave(other, { roomId: id });
			else await t.chat.rooms.join(other, { roomId: id });
			steps.push(`${other.name} ${isIn.has(other.id) ? "leaves" : "joins"}`);
			if (!isIn.delete(other.id)) isIn.add(other.id);
		} else {
			await t.chat.rooms.change(ana, { roomId: id, name: `Books ${step}`, topic: pick(["", "a", "b"]) });
			steps.push("renamed");
		}
		if (step % 25 === 0) {
			starts.push(await load(t, ana, id));
			for (const stale of starts)
				await assertFoldIsLoad(t, ana, id, stale).catch((error: Error) =>
					assert.fail(`CHARLA_SEED=${seed}, step ${step}: ${steps.slice(-25).join("; ")}\n${error.message}`),
				);
		}
	}
	assert.ok(all.length > limits.window, "the premise: more was posted than a window holds");
});
