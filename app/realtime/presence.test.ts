import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { Hint, HintKind } from "./hints.ts";
import type { Peers } from "./peers.ts";
import { openPresence } from "./presence.ts";

/** Presence with nobody here but `local`, a clock that is set by hand, and hints that are put in by hand. */
function presenceOf(t: TestContext, local: string[]) {
	t.mock.timers.enable({ apis: ["setInterval"] });
	const listeners = new Map<string, (hint: never, from: string) => void>();
	const told: string[] = [];
	const sent: Hint[] = [];
	let now = 0;
	const peers: Peers = {
		adapter: "redis",
		tell: (_channel, hint) => void sent.push(hint),
		on: (kind, listener) => void listeners.set(kind, listener as never),
		onFollowing() {},
		follow() {},
		unfollow() {},
		isOpen: () => true,
		close: async () => {},
	};
	const presence = openPresence({
		peers,
		hereIn: () => local,
		rooms: () => ["r"],
		tell: (_room, userId, isHere) => void told.push(`${isHere ? "+" : "-"}${userId}`),
		clock: () => now,
	});
	return {
		presence,
		sent,
		hear: <K extends HintKind>(hint: Extract<Hint, { kind: K }>, from: string) => listeners.get(hint.kind)?.(hint as never, from),
		/** Time passes, and what is due happens. */
		pass(ms: number) {
			for (let passed = 0; passed < ms; passed += 1000) {
				now += 1000;
				t.mock.timers.tick(1000);
			}
		},
		told: () => told.splice(0),
	};
}

test("[I2] people of an instance that was killed are gone within 40 s of when it was last heard, and those elsewhere stay", (t) => {
	const p = presenceOf(t, ["here"]);
	p.hear({ kind: "here", roomId: "r", people: ["ana", "both", "here"] }, "one");
	p.hear({ kind: "here", roomId: "r", people: ["both"] }, "two");
	assert.deepEqual(p.told(), ["+ana", "+both"]);
	for (let i = 0; i < 4; i++) {
		p.pass(10_000);
		p.hear({ kind: "here", roomId: "r", people: ["both"] }, "two");
		// One word of it may have been lost.
		if (i === 2) assert.deepEqual(p.told(), []);
	}
	assert.deepEqual(p.told(), ["-ana"]);
	assert.deepEqual(p.presence.here("r").sort(), ["both", "here"]);
});

test("[I2] somebody at two instances comes once and goes once", (t) => {
	const p = presenceOf(t, []);
	p.hear({ kind: "presence", roomId: "r", came: ["ana"], went: [] }, "one");
	p.hear({ kind: "presence", roomId: "r", came: ["ana"], went: [] }, "two");
	p.presence.changed("r", "ana", true);
	p.presence.changed("r", "ana", false);
	p.hear({ kind: "presence", roomId: "r", came: [], went: ["ana"] }, "one");
	assert.deepEqual(p.told(), ["+ana"]);
	p.hear({ kind: "presence", roomId: "r", came: [], went: ["ana"] }, "two");
	assert.deepEqual(p.told(), ["-ana"]);
});

test("[I2] whoever was at an instance that stops and is at another within the grace never went", (t) => {
	const p = presenceOf(t, []);
	p.hear({ kind: "here", roomId: "r", people: ["ana", "ben"] }, "one");
	assert.deepEqual(p.told(), ["+ana", "+ben"]);
	p.hear({ kind: "goodbye" }, "one");
	p.pass(2000);
	p.hear({ kind: "presence", roomId: "r", came: ["ana"], went: [] }, "two");
	assert.deepEqual(p.presence.here("r").sort(), ["ana", "ben"]);
	p.pass(2000);
	assert.deepEqual(p.told(), ["-ben"]);
	assert.deepEqual(p.presence.here("r"), ["ana"]);
});

test("[I2] each room's people are told again every 15 s, and at once when somebody asks", (t) => {
	const p = presenceOf(t, ["ana"]);
	p.pass(15_000);
	assert.deepEqual(p.sent, [{ kind: "here", roomId: "r", people: ["ana"] }]);
	p.hear({ kind: "who", roomId: "r" }, "one");
	assert.equal(p.sent.length, 2);
});
