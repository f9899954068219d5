import assert from "node:assert/strict";
import { test } from "node:test";
import { readCommand } from "../contract/commands.ts";
import { lengthOf } from "../contract/text.ts";
import { splitText } from "./split-text.ts";

/** The parts of a text, each within the limit. */
function split(text: string, limit: number, most = 1000): string[] {
	const parts = splitText(text, limit, most);
	assert.ok(parts, "it can be split");
	for (const part of parts) {
		assert.ok(lengthOf(part) <= limit, `${lengthOf(part)} of ${limit}: ${part}`);
		assert.ok(part.isWellFormed());
		assert.equal(readCommand(part), null, `no command: ${part}`);
	}
	return parts;
}
const visible = (text: string) => text.replace(/\s+/g, "");

test("[S8] a text is cut at an empty line, else at a line's end, else between words, else between characters", () => {
	assert.deepEqual(split("one two\n\nthree four", 13), ["one two", "three four"]);
	assert.deepEqual(split("one two\nthree four", 13), ["one two", "three four"]);
	assert.deepEqual(split("one two three four", 13), ["one two", "three four"]);
	assert.deepEqual(split("onetwothreefour", 9), ["onetwoth", "reefour"]);
	assert.deepEqual(split("short", 9), ["short"]);
	// The better place, unless it is so far ahead that more parts would come of it.
	assert.deepEqual(split("one two\n\nthree four five six", 16), ["one two", "three four five", "six"]);
	assert.deepEqual(split("a\n\nbbbb cccc dddd eeee", 16), ["a\n\nbbbb cccc", "dddd eeee"]);
	// An indent is no space at the cut.
	assert.deepEqual(split("first\n\n\n    second", 12), ["first", "    second"]);
});

test("[S8] nothing visible is lost, doubled or out of order, whatever the text", () => {
	let seed = 7;
	const random = (below: number) => {
		seed = (seed * 1103515245 + 12345) % 2147483648;
		return seed % below;
	};
	const pieces = [
		"word",
		" ",
		"\n",
		"\n\n",
		"    ",
		"\t",
		"😀",
		"👩‍👩‍👧‍👦",
		"é",
		"/",
		"//",
		"/help",
		"w".repeat(70),
		"~x",
		"`x`",
		"日本語",
		"\r\n",
	];
	for (let n = 0; n < 400; n++) {
		const text = Array.from({ length: 1 + random(80) }, () => pieces[random(pieces.length)]).join("");
		if (readCommand(text) || visible(text) === "") continue;
		const limit = 24 + random(40);
		const parts = split(text, limit);
		// A part that would be a command, or begin with two slashes, has one slash more, which is taken off again where it is posted.
		const posted = parts.map((part) => (part.trimStart().startsWith("//") ? part.trimStart().slice(1) : part));
		const typed = text.trimStart().startsWith("//") ? text.trimStart().slice(1) : text;
		assert.equal(visible(posted.join("")), visible(typed), JSON.stringify(text));
	}
});

test("[S8] no character is torn, and a text of one kind of character is cut where it is full", () => {
	assert.deepEqual(split("😀".repeat(10), 7), ["😀".repeat(6), "😀".repeat(4)]);
	const family = "👩‍👩‍👧‍👦";
	for (const part of split(family.repeat(9), 24)) assert.equal(part.replaceAll(family, ""), "");
	// Marks without end on one letter are no character any more that could be kept whole.
	assert.equal(split(`e${"\u0301".repeat(100)}`, 24).join(""), `e${"\u0301".repeat(100)}`);
	assert.deepEqual(split(`${" ".repeat(100)}x`, 24), ["x"]);
});

test("[S8] code that is cut is code in each part, in its own language", () => {
	const lines = Array.from({ length: 60 }, (_, at) => `\tline ${at};`);
	const text = `Look:\n\n\`\`\`js\n${lines.join("\n")}\n\`\`\`\nthat was it`;
	const parts = split(text, 200);
	assert.ok(parts.length > 3);
	const code: string[] = [];
	for (const part of parts) {
		const blocks = Array.from(part.matchAll(/^```js\n([\s\S]*?)\n```$/gm), (block) => block[1] as string);
		assert.equal(part.split("```").length - 1, blocks.length * 2, `every block is whole: ${part}`);
		code.push(...blocks);
	}
	assert.deepEqual(code.join("\n").split("\n"), lines);
	assert.ok(parts[0]?.startsWith("Look:"));
	assert.ok(parts.at(-1)?.endsWith("that was it"));
	// What was never ended is not ended for them.
	const endless = split(`\`\`\`\n${lines.join("\n")}`, 200);
	assert.ok(!endless.at(-1)?.endsWith("```"));
	// Another sign ends nothing.
	const nested = split(`~~~~\n\`\`\`\n${lines.join("\n")}\n\`\`\`\n~~~~\nout`, 200);
	assert.ok(nested.slice(1).every((part) => part.startsWith("~~~~\n")));
});

test("[S8] a part that begins with a slash is text, and a command is not cut", () => {
	assert.deepEqual(split("one two three\n/help me", 14), ["one two three", "//help me"]);
	assert.deepEqual(split("one two three\n//x y z", 14), ["one two three", "///x y z"]);
	assert.deepEqual(split("//one two\nthree four", 12), ["//one two", "three four"]);
	assert.deepEqual(split("/etc/hosts is\na file", 14), ["/etc/hosts is", "a file"]);
	assert.equal(splitText(`/topic ${"x".repeat(100)}`, 24, 10), null);
});

test("[S8] what takes more parts than go at once is not split", () => {
	const text = "word ".repeat(1000);
	const { length } = split(text, 100);
	assert.equal(splitText(text, 100, length)?.length, length);
	assert.equal(splitText(text, 100, length - 1), null);
});
