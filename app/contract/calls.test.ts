import assert from "node:assert/strict";
import { test } from "node:test";
import { limits } from "./limits.ts";
import { parseCall, parseForm } from "./parse.ts";
import { asRefusal, refuse } from "./refusals.ts";

const roomId = "01900000-0000-7000-8000-000000000001";
const clientId = "0b0e7e52-6a3a-4f0e-9d25-0c8f6d1f6a11";
const post = (body: unknown, more: object = {}) => parseCall("message:post", { roomId, clientId, body, ...more });

test("[M1] a message of 4,000 characters passes, emoji or not, and of 4,001 does not", () => {
	for (const one of ["x", "é", "😀", "日"]) {
		assert.equal(post(one.repeat(limits.body)).body, one.repeat(limits.body));
		assert.throws(() => post(one.repeat(limits.body + 1)), { code: "too-long", details: { field: "body", limit: 4000 } });
	}
});

test("[M1] a message that says nothing is empty, and one that is no text is malformed", () => {
	for (const body of ["", " \n ", "\u200b", "\u202e\u2066"])
		assert.throws(() => post(body), { code: "empty", details: { field: "body", limit: 4000 } });
	for (const body of [null, undefined, 7, {}, [], true, ["x"], { toString: "x" }, "a\0b", "\ud800", "x\udc00y"])
		assert.throws(() => post(body), { code: "malformed" }, JSON.stringify(body));
});

test("[M1] line ends become one kind, space at the end goes, space at the beginning stays", () => {
	assert.equal(post("    code\r\n\tmore\rlast  \n\n").body, "    code\n\tmore\nlast");
});

test("[X4] a call with a field too many, a wrong id, or a wrong number is refused by name", () => {
	const wrong: object[] = [
		{ extra: 1 },
		{ roomId: "lobby" },
		{ roomId: 7 },
		{ roomId: `${roomId}' or 1=1` },
		{ roomId: [roomId] },
		{ clientId: "" },
		{ clientId: null },
		{ replyTo: -1 },
		{ replyTo: 1.5 },
		{ replyTo: "1" },
		{ replyTo: Number.NaN },
		{ replyTo: Number.POSITIVE_INFINITY },
		{ replyTo: 2 ** 53 },
		{ replyTo: {} },
	];
	for (const more of wrong) assert.throws(() => post("x", more), { code: "malformed" }, JSON.stringify(more));
	for (const input of [undefined, null, 7, "x", [], [roomId], true, new Map()])
		assert.throws(() => parseCall("message:post", input), { code: "malformed" });
	assert.deepEqual(post("x", { roomId: roomId.toUpperCase(), replyTo: 3 }), { roomId, clientId, body: "x", replyTo: 3 });
	assert.throws(() => post("x", JSON.parse('{"__proto__": {"a": 1}, "constructor": 1}')), { code: "malformed" });
});

test("[X4] a catch-up asks for 500 rooms at most, each with a place", () => {
	const cursors = (n: number) => Array.from({ length: n }, () => [roomId, 0]);
	assert.equal(parseCall("room:since", { cursors: cursors(limits.catchUpRooms) }).cursors.length, 500);
	for (const wrong of [cursors(501), [[roomId]], [[roomId, 1, 2]], [[roomId, "1"]], [["x", 1]], "x", { length: 1 }])
		assert.throws(() => parseCall("room:since", { cursors: wrong }), { code: "malformed" });
});

test("[R7] a room's name and topic are one line of visible text within their limits", () => {
	const create = (name: string, topic = "") => parseForm("room:create", { name, topic, kind: "public" });
	assert.deepEqual(create(" Two\n words\u202e ", "a\tb\u0000c"), { name: "Two words", topic: "a b c", kind: "public" });
	assert.equal(create("👨‍👩‍👧").name, "👨‍👩‍👧", "a family stays together");
	assert.equal(create("é".repeat(60)).name.length, 60);
	assert.throws(() => create("x".repeat(61)), { code: "too-long", details: { field: "name", limit: 60 } });
	assert.throws(() => create("x", "y".repeat(201)), { code: "too-long", details: { field: "topic", limit: 200 } });
	for (const name of ["", "  ", "\u200b\u200d", "\u3164"]) assert.throws(() => create(name), { code: "empty" }, JSON.stringify(name));
	assert.throws(() => create("\ud800"), { code: "malformed" });
	assert.throws(() => parseForm("room:create", { name: "x", kind: "direct" }), { code: "malformed" });
});

test("[X4] a form with a file, or a field twice, where text belongs is malformed", () => {
	const form = new FormData();
	form.set("name", new Blob(["x"]), "x.txt");
	assert.throws(() => parseForm("enter", form), { code: "malformed", details: { field: "name", limit: limits.roomName } });
	assert.throws(() => parseForm("enter", { name: "x".repeat(501) }), { code: "name-too-long", details: { field: "name", limit: 32 } });
	assert.throws(() => parseForm("enter", {}), { code: "malformed" });
});

test("[X4] a refusal is told from a bug by its code and name, not by its class", () => {
	assert.equal(asRefusal(refuse("deleted"))?.code, "deleted");
	assert.equal(
		asRefusal(Object.assign(new Error("x"), { name: "Refusal", code: "deleted" }))?.code,
		"deleted",
		"of another copy of the module",
	);
	for (const error of [
		null,
		undefined,
		"deleted",
		new Error("deleted"),
		Object.assign(new Error("x"), { code: "deleted" }),
		Object.assign(new Error("x"), { name: "Refusal", code: "toString" }),
	])
		assert.equal(asRefusal(error), null);
});
