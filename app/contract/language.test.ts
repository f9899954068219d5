import assert from "node:assert/strict";
import { test } from "node:test";
import { pickLanguage } from "./language.ts";
import { refusals, refusalWords } from "./refusals.ts";

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

test("[P7] every refusal says something in both languages, with the same blanks to fill", () => {
	const blanks = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map((m) => m[1]).sort();
	for (const [code, { en, es, status }] of Object.entries(refusals)) {
		assert.ok(en.length > 10 && es.length > 10, code);
		assert.notEqual(en as string, es as string, code);
		assert.deepEqual(blanks(en), blanks(es), code);
		assert.ok(status >= 400 && status < 600, code);
	}
});

test("[P7] the words of a refusal hold its details; an unknown one reads as a failure", () => {
	assert.equal(refusalWords("too-long", "en", { limit: 4000 }), "That is longer than 4000 characters. Shorten it or split it in two.");
	assert.equal(refusalWords("too-fast", "es", { seconds: 3 }), "Eso va más rápido de lo que se puede leer. Sigue en 3 s.");
	for (const code of ["of-tomorrow", "constructor", "__proto__", ""]) assert.match(refusalWords(code, "en"), /^Something went wrong/);
});
