import assert from "node:assert/strict";
import { test } from "node:test";
import { tellingPath } from "./telling-path.ts";

test("a path may be written down without query, cut, and never with an owner's token, however it is spelled", () => {
	assert.equal(tellingPath("/rooms/abc?q=secret#there"), "/rooms/abc");
	assert.equal(tellingPath("/owner"), "/owner");
	assert.equal(tellingPath("/ownership/rules"), "/ownership/rules");
	assert.equal(tellingPath(`/${"x".repeat(300)}`).length, 200);
	assert.equal(tellingPath(""), "/");
	const spellings = [
		"/owner/TOKEN",
		"/owner/TOKEN.data?_routes=x",
		"/Owner/TOKEN",
		"//owner//TOKEN",
		"/%6fwner/TOKEN",
		"/owner%2FTOKEN",
		"/%4Fwner/TOKEN%",
		"http://chat.example.org/owner/TOKEN",
		"/\\owner/TOKEN",
	];
	for (const address of spellings) assert.equal(tellingPath(address), "/owner/:token", address);
});
