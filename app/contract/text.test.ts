import assert from "node:assert/strict";
import { test } from "node:test";
import { emojiOnly, excerpt, isBlank, lengthOf } from "./text.ts";

test("[M1] a text is blank when nothing in it can be seen", () => {
	for (const text of [
		"",
		" ",
		"\n\t\r",
		"\u00a0\u2003",
		"\u200b\u200c\u200d\u2060\ufeff",
		"\u202e\u2066",
		"\u115f\u1160\u3164\uffa0",
		"\u2800",
		"\u034f",
		"\u0000\u001b",
		"\u00ad",
		"\u{e0020}",
	])
		assert.equal(isBlank(text), true, JSON.stringify(text));
	for (const text of [".", "\u200ba", "0", "ㅤx", "😀", "\u0301", "א"]) assert.equal(isBlank(text), false, JSON.stringify(text));
});

test("[M1] a text is as long as it has code points", () => {
	assert.equal(lengthOf(""), 0);
	assert.equal(lengthOf("abc"), 3);
	assert.equal(lengthOf("😀".repeat(4000)), 4000);
	assert.equal(lengthOf("é"), 1);
	assert.equal(lengthOf("a😀b😀"), 4);
	assert.equal(lengthOf("😀"), Array.from("😀").length);
	for (const text of ["日本語", "👨‍👩‍👧", "🇨🇱", "e\u0301"]) assert.equal(lengthOf(text), Array.from(text).length, text);
});

test("[M5] an excerpt is one line, cut at a whole character, with an ellipsis when it was cut", () => {
	assert.equal(excerpt("one\n two\t three  "), "one two three");
	assert.equal(excerpt("x".repeat(140)), "x".repeat(140));
	assert.equal(excerpt("x".repeat(141)), `${"x".repeat(139)}…`);
	assert.equal(excerpt("😀".repeat(20), 5), "😀😀😀😀…");
	assert.equal(excerpt("one two three", 5), "one…", "no space before the ellipsis");
	assert.ok(excerpt("😀".repeat(500)).isWellFormed());
});

test("[M15] one to three emoji alone are counted, a family as one; anything beside them is text", () => {
	const counts: [string, number][] = [
		["😀", 1],
		[" 😀 ", 1],
		["😀😀", 2],
		["😀 😀 😀", 3],
		["👨‍👩‍👧‍👦", 1],
		["👍🏽", 1],
		["🇨🇱", 1],
		["🇨🇱🇪🇸", 2],
		["❤️", 1],
		["1️⃣", 1],
		["👩‍💻🏳️‍🌈", 2],
		["😀😀😀😀", 0],
		["a😀", 0],
		["😀!", 0],
		["1", 0],
		["123", 0],
		["", 0],
		["   ", 0],
		["😀".repeat(200), 0],
		["#", 0],
	];
	for (const [text, count] of counts) assert.equal(emojiOnly(text), count, text.slice(0, 20));
});
