import assert from "node:assert/strict";
import { test } from "node:test";
import type { Bus, BusListener } from "./bus.ts";
import { decodeHints, encodeHints, type Hint } from "./hints.ts";
import { openPeers } from "./peers.ts";

/**
 * A text as the version before this one sends it. It is frozen: while that version may run beside this one, what is here has to
 * be understood. A new one is added when hints change; the oldest goes when no deploy can begin from it any more.
 */
const frozen = [
	{
		version: "0.1.0",
		text: `{"v":1,"from":"one/17#a1b2c3","hints":[{"kind":"fact","fact":{"kind":"message-posted","roomId":"01900000-0000-7000-8000-000000000001","seq":7,"message":{"roomId":"01900000-0000-7000-8000-000000000001","seq":7,"msgNo":5,"author":{"id":"01900000-0000-7000-8000-00000000000a","name":"Ana"},"clientId":"3d1f7b4e-6f0e-4bb0-9a52-0b8f0a3c1d2e","body":"hola","html":null,"createdAt":1764000000000,"editedAt":null,"deletedAt":null,"replyTo":null}},"ts":[1764000000000,1764000000002,1764000000005,1764000000006]},{"kind":"pointer","roomId":"01900000-0000-7000-8000-000000000001","userId":"01900000-0000-7000-8000-00000000000a","deliveredSeq":7,"displayedSeq":6},{"kind":"typing","roomId":"01900000-0000-7000-8000-000000000001","person":{"id":"01900000-0000-7000-8000-00000000000a","name":"Ana"}},{"kind":"presence","roomId":"01900000-0000-7000-8000-000000000001","came":["01900000-0000-7000-8000-00000000000a"],"went":[]},{"kind":"here","roomId":"01900000-0000-7000-8000-000000000001","people":["01900000-0000-7000-8000-00000000000a"]},{"kind":"who","roomId":"01900000-0000-7000-8000-000000000001"},{"kind":"signal","userId":"01900000-0000-7000-8000-00000000000a","signal":{"kind":"read","roomId":"01900000-0000-7000-8000-000000000001","readSeq":7,"readMsg":5}},{"kind":"session-ended","session":"session:abc"},{"kind":"spent","spent":[["post 01900000-0000-7000-8000-00000000000a",{"burst":10,"perSecond":1},2]]},{"kind":"log-level","raised":true,"by":"01900000-0000-7000-8000-00000000000a"},{"kind":"goodbye"}]}`,
	},
];

/** Peers on a bus of which the test holds the other end. */
function peersAlone() {
	const sent: [string, string][] = [];
	const errors: unknown[] = [];
	let listener: BusListener | undefined;
	const bus: Bus = {
		adapter: "redis",
		send: (channel, text) => void sent.push([channel, text]),
		follow() {},
		unfollow() {},
		isOpen: () => true,
		close: async () => {},
	};
	const peers = openPeers({
		openBus: (given) => {
			listener = given;
			return bus;
		},
		instance: "me",
		onError: (error) => void errors.push(error),
	});
	return { peers, sent, errors, hear: (text: string) => listener?.heard("all", text) };
}

for (const { version, text } of frozen)
	test(`[I14] what ${version} tells is understood, every kind of it`, () => {
		const { peers, hear } = peersAlone();
		const kinds: Hint["kind"][] = [
			"fact",
			"pointer",
			"typing",
			"presence",
			"here",
			"who",
			"signal",
			"session-ended",
			"spent",
			"log-level",
			"goodbye",
		];
		const heard: Hint[] = [];
		for (const kind of kinds) peers.on(kind, (hint) => void heard.push(hint));
		hear(text);
		assert.deepEqual(
			heard.map((hint) => hint.kind),
			kinds,
		);
		assert.deepEqual(heard, JSON.parse(text).hints);
		// And what this version sends is still what that one reads.
		assert.equal(encodeHints("one/17#a1b2c3", heard), text);
	});

test("[I14] a kind that a newer version added is passed over, and the rest of its text is heard", () => {
	const { peers, hear, errors } = peersAlone();
	const heard: string[] = [];
	peers.on("who", ({ roomId }) => void heard.push(roomId));
	hear(`{"v":1,"from":"newer","hints":[{"kind":"confetti","colour":"red"},{"kind":"who","roomId":"r","because":"new field"}]}`);
	assert.deepEqual(heard, ["r"]);
	assert.deepEqual(errors, []);
});

test("[I14] texts that cannot be read are passed over: other versions, nonsense, our own", () => {
	for (const text of ["", "{", "null", "[]", `{"v":2,"from":"a","hints":[]}`, `{"v":1,"hints":[]}`, `{"v":1,"from":"a","hints":{}}`])
		assert.equal(decodeHints(text), null, text);
	assert.deepEqual(decodeHints(`{"v":1,"from":"a","hints":[null,1,{},{"kind":7},{"kind":"goodbye"}]}`)?.hints, [{ kind: "goodbye" }]);
	const { peers, hear } = peersAlone();
	peers.on("goodbye", () => assert.fail("that was ourselves"));
	hear(encodeHints("me", [{ kind: "goodbye" }]));
});

test("[I14] a hint whose listener fails is told once and takes no other along", () => {
	const { peers, hear, errors } = peersAlone();
	const heard: string[] = [];
	peers.on("who", ({ roomId }) => {
		if (roomId === "bad") throw new Error("cannot");
		heard.push(roomId);
	});
	hear(
		encodeHints("other", [
			{ kind: "who", roomId: "bad" },
			{ kind: "who", roomId: "good" },
		]),
	);
	assert.deepEqual(heard, ["good"]);
	assert.equal(errors.length, 1);
});

test("what is told in one turn of the event loop is one text per channel, in order", async () => {
	const { peers, sent } = peersAlone();
	peers.tell("room:1", { kind: "who", roomId: "1" });
	peers.tell("room:2", { kind: "who", roomId: "2" });
	peers.tell("room:1", { kind: "here", roomId: "1", people: ["a"] });
	await new Promise((done) => setImmediate(done));
	assert.deepEqual(
		sent.map(([channel, text]) => [channel, decodeHints(text)?.hints.map((hint) => hint.kind)]),
		[
			["room:1", ["who", "here"]],
			["room:2", ["who"]],
		],
	);
});
