import assert from "node:assert/strict";
import { test } from "node:test";
import type { Member, Message } from "../contract/shapes.ts";
import type { LiveState, Pending } from "../live/live-state.ts";
import { iconOf, ringOf } from "./tab-icon.ts";

const me = { id: "ana", name: "Ana" };
const at = 1_000_000;

function stateOf(given: {
	pending?: [createdAt: number, state: Pending["state"]][];
	mine?: [seq: number, age: number][];
	pointers?: [delivered: number, displayed: number][];
}): LiveState {
	const others = (given.pointers ?? []).map(([deliveredSeq, displayedSeq], i) => ({
		person: { id: `p${i}`, name: `P${i}` },
		role: "member",
		deliveredSeq,
		displayedSeq,
	}));
	const members = Object.fromEntries(others.map((member) => [member.person.id, member as Member]));
	const messages = (given.mine ?? []).map(([seq, age]) => ({ seq, author: me, createdAt: at - age, deletedAt: null }) as Message);
	const pending = (given.pending ?? []).map(([createdAt, state]) => ({ createdAt, state }) as Pending);
	return { me, pending, open: { members, messages } } as unknown as LiveState;
}

test("[48] the tab's icon tells of the oldest message of mine that is not seen by all: on its way, failed, stored, delivered, seen, at rest", () => {
	const ring = (given: Parameters<typeof stateOf>[0]) => ringOf(stateOf(given), at);
	assert.equal(ring({}), null);
	assert.equal(ring({ pending: [[2, "sending"]] }), "sending");
	assert.equal(
		ring({
			pending: [
				[2, "sending"],
				[1, "failed"],
			],
		}),
		"failed",
	);
	assert.equal(
		ring({
			pending: [
				[1, "queued"],
				[2, "failed"],
			],
		}),
		"sending",
	);
	assert.equal(ring({ pending: [[1, "stored"]] }), 36);
	const nobody: [number, number] = [0, 0];
	assert.equal(ring({ mine: [[5, 0]], pointers: [nobody, nobody] }), 36);
	assert.equal(ring({ mine: [[5, 0]], pointers: [[5, 0], nobody] }), 68);
	assert.equal(
		ring({
			mine: [[5, 0]],
			pointers: [
				[5, 0],
				[6, 4],
			],
		}),
		100,
	);
	assert.equal(
		ring({
			mine: [[5, 0]],
			pointers: [
				[5, 0],
				[5, 5],
			],
		}),
		"seen",
	);
	assert.equal(
		ring({
			mine: [[5, 0]],
			pointers: [
				[5, 5],
				[5, 5],
			],
		}),
		null,
	);
	assert.equal(
		ring({
			mine: [
				[5, 0],
				[7, 0],
			],
			pointers: [[7, 5]],
		}),
		100,
		"the older one is done",
	);
	assert.equal(ring({ mine: [[5, 61_000]], pointers: [nobody] }), null, "not for ever");
	assert.equal(ring({ mine: [[5, 0]] }), null, "alone in a room");
});

test("[48] each state of the icon is a picture of its own, and unread adds a dot to any", () => {
	const rings = [null, "sending", "failed", "seen", 36, 68] as const;
	const icons = rings.flatMap((ring) => [iconOf(ring, false), iconOf(ring, true)]);
	assert.equal(new Set(icons).size, icons.length);
	assert.deepEqual(icons.slice(0, 2), ["/favicon.svg", "/favicon-unread.svg"]);
	for (const icon of icons.slice(2)) assert.match(decodeURIComponent(icon), /^data:image\/svg\+xml,<svg .*<\/svg>$/);
});
