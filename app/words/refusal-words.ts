import type { RefusalDetails } from "../contract/refusals.ts";
import type { WordKey, Words } from "./en.ts";

/** Why something was refused, as a sentence. A code that is not known here (an older page, a newer server) reads as `failed`. */
export function refusalWords(words: Words, code: string, details: RefusalDetails = {}): string {
	const key = `refusal.${code}`;
	const sentence = words[Object.hasOwn(words, key) ? (key as WordKey) : "refusal.failed"];
	const fill = (text: string, values: RefusalDetails) => text.replace(/\{(\w+)\}/g, (_, name: string) => String(values[name] ?? "–"));
	const filled = fill(sentence, details);
	// What was expected may have been recorded all the same.
	const isNew = details.reference && !sentence.includes("{reference}");
	return isNew ? fill(words["refused.reference"], { words: filled, reference: details.reference as string }) : filled;
}
