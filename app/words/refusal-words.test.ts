import assert from "node:assert/strict";
import { test } from "node:test";
import { type RefusalCode, refusals } from "../contract/refusals.ts";
import { en, type WordKey } from "./en.ts";
import { es } from "./es.ts";
import { refusalWords } from "./refusal-words.ts";

test("[P7] every refusal says something in both languages, with the same blanks to fill", () => {
	const blanks = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map((m) => m[1]).sort();
	const codes = Object.keys(refusals) as RefusalCode[];
	for (const code of codes) {
		const inBoth: readonly string[] = [en[`refusal.${code}`], es[`refusal.${code}`]];
		const [english = "", spanish = ""] = inBoth;
		assert.ok(english.length > 10 && spanish.length > 10, code);
		assert.notEqual(english, spanish, code);
		assert.deepEqual(blanks(english), blanks(spanish), code);
		assert.ok(refusals[code] >= 400 && refusals[code] < 600, code);
	}
	const said = (Object.keys(en) as WordKey[]).filter((key) => key.startsWith("refusal."));
	assert.deepEqual(said.toSorted(), codes.map((code) => `refusal.${code}`).toSorted(), "no words of a refusal that is gone");
});

test("[P7] the words of a refusal hold its details; an unknown one reads as a failure", () => {
	assert.equal(refusalWords(en, "too-long", { limit: 4000 }), "That is longer than 4000 characters. Shorten it or split it in two.");
	assert.equal(refusalWords(es, "too-fast", { seconds: 3 }), "Eso va más rápido de lo que se puede leer. Sigue en 3 s.");
	assert.equal(refusalWords(en, "nobody-by-name", { name: "{limit}" }), "There is nobody called {limit} here.");
	for (const code of ["of-tomorrow", "constructor", "__proto__", ""]) assert.match(refusalWords(en, code), /^Something went wrong/);
});

test("a reference goes along, in the sentence or after it", () => {
	const reference = "0af7651916cd";
	assert.equal(refusalWords(en, "failed", { reference }), "Something went wrong on our side (reference 0af7651916cd). Your text is kept.");
	assert.match(refusalWords(es, "unavailable", { reference }), / \(referencia 0af7651916cd\)$/);
	assert.doesNotMatch(refusalWords(es, "unavailable"), /referencia/);
});
