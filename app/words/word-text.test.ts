import assert from "node:assert/strict";
import { test } from "node:test";
import { en } from "./en.ts";
import { es } from "./es.ts";
import { readWords, writeWords } from "./word-text.ts";

test("[P7] the words of each language arrive in the browser as they stand here", () => {
	for (const words of [en, es]) assert.deepEqual(readWords(writeWords(words)), words);
});
