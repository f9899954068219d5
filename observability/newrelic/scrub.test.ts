import assert from "node:assert/strict";
import { test } from "node:test";
import { scrub } from "./scrub.ts";

test("what may come from people is taken out of an error's message, its kind and its frames stay", () => {
	const words: [string, string][] = [
		['invalid input syntax for type uuid: "my secret"', "invalid input syntax for type uuid: …"],
		["no such person: 'Ana María'", "no such person: …"],
		["connect ECONNREFUSED 192.0.2.17:5432", "connect ECONNREFUSED …:5432"],
		["cannot fetch https://user:pass@example.org/a?sid=1 now", "cannot fetch … now"],
		["mail to ana@example.org failed", "mail to … failed"],
		["bad token eyJhbGciOiJIUzI1NiJ9abcdefgh", "bad token …"],
		["first\nsecond: what somebody wrote", "first"],
		["room is full", "room is full"],
	];
	for (const [given, left] of words) {
		const error = new RangeError(given);
		const clean = scrub(error);
		assert.equal(clean.message, left);
		assert.equal(clean.name, "RangeError");
		assert.equal(clean.stack?.split("\n")[0], `RangeError: ${left}`);
		assert.match(clean.stack ?? "", /\n {4}at .*scrub\.test\.ts/);
		if (given !== left) assert.ok(!clean.stack?.includes(given));
	}
});

test("whatever is thrown becomes an error, of bounded size", () => {
	assert.equal(scrub("just a text").message, "just a text");
	for (const odd of [undefined, null, 7, { message: "no error" }]) assert.equal(scrub(odd).message, "not an error");
	assert.equal(scrub(new Error("so ".repeat(1000))).message.length, 256);
	const named = new Error("x");
	named.name = "a secret told to nobody";
	assert.equal(scrub(named).name, "Error");
});
