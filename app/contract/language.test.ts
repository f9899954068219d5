import assert from "node:assert/strict";
import { test } from "node:test";
import { pickLanguage } from "./language.ts";

test("[P7] the language chosen wins, then the best the browser asks for, then English", () => {
	const picks: [string | null, string | null, string][] = [
		["es", "en", "es"],
		["en", "es", "en"],
		["fr", "es", "es"],
		[null, null, "en"],
		[null, "", "en"],
		[null, "es", "es"],
		[null, "es-CL", "es"],
		[null, "es-419,es;q=0.9", "es"],
		[null, "ES-cl", "es"],
		[null, "fr,es;q=0.5,en;q=0.9", "en"],
		[null, "en;q=0.5, es ; q=0.9", "es"],
		[null, "en;q=0,es;q=0.1", "es"],
		[null, "es;q=0", "en"],
		[null, "fr-FR,de", "en"],
		[null, "*", "en"],
		[null, "es;q=abc,en;q=0.1", "en"],
		["constructor", "__proto__", "en"],
		[null, ",,;;q=,=;", "en"],
	];
	for (const [chosen, accept, expected] of picks) assert.equal(pickLanguage(chosen, accept), expected, `${chosen} / ${accept}`);
});
