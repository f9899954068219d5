import type { Language } from "../contract/language.ts";
import type { RefusalCode, RefusalDetails } from "../contract/refusals.ts";
import { en, type Words } from "./en.ts";
import { es } from "./es.ts";
import { refusalWords } from "./refusal-words.ts";
import { writeWords } from "./word-text.ts";

const words: Record<Language, Words> = { en, es };
const texts: Record<Language, string> = { en: writeWords(en), es: writeWords(es) };

/** The words of one language, for `WordsProvider`. On the server only: a browser gets those of its own with the page, never both. */
export function wordsFor(language: Language): string {
	return texts[language];
}

/** Why something was refused, for an answer that is no page. */
export function sayRefused(language: Language, code: RefusalCode, details: RefusalDetails): string {
	return refusalWords(words[language], code, details);
}
