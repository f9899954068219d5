import { limits } from "../../contract/limits.ts";
import { refuse } from "../../contract/refusals.ts";
import { isBlank, lengthOf } from "../../contract/text.ts";

// Letters of other scripts (and digits) that read as a Latin letter at a glance, after NFKC and lower-casing.
// A short form of Unicode's confusables (UTS 39): Cyrillic, Greek, Armenian, Cherokee, Latin extensions, digits.
const lookAlikes: Record<string, string> = {
	a: "аαɑꭺ",
	b: "ьвβꮟƅ",
	c: "сϲᴄꮯ",
	d: "ԁɗꮷ",
	e: "еεҽꮛє",
	f: "ғƒꬵ",
	g: "ɡց",
	h: "һհнꮒ",
	i: "іιıɩ1l|ӏןɪꭵ",
	j: "јϳյ",
	k: "кκҝ",
	m: "мμꮇ",
	n: "пηոռ",
	o: "оοօо0ᴏσⲟჿ๐",
	p: "рρⲣꮲ",
	q: "ԛզգ",
	r: "гᴦꮁ",
	s: "ѕꜱꮪ",
	t: "тτⲧꭲ",
	u: "υսᴜцʋ",
	v: "ѵνᴠꮩ",
	w: "ԝѡωшꮃ",
	x: "хχⲭ",
	y: "уγүყʏ",
	z: "ᴢꮓ",
};
const fold = new Map(Object.entries(lookAlikes).flatMap(([latin, others]) => Array.from(others, (other) => [other, latin] as const)));

/**
 * The name as the eye takes it in: compatibility forms, case, accents, punctuation and look-alike letters folded.
 * Two names with one skeleton could be mistaken for each other. Source: UTS 39, section 4, in short form.
 */
export function skeletonOf(name: string): string {
	const plain = name.normalize("NFKC").toLowerCase().normalize("NFKD").replace(/\p{M}/gu, "");
	const folded = Array.from(plain, (letter) => fold.get(letter) ?? letter).join("");
	// Controls and half characters go too: PostgreSQL could not even be asked about them.
	// "rn" reads as "m" and "vv" as "w" in most typefaces.
	return folded
		.replace(/[\s\p{P}\p{C}]+/gu, "")
		.replace(/rn/g, "m")
		.replace(/vv/g, "w");
}

// Whoever bore one of these could speak as Charla, or be everybody at once when mentioned.
const reserved = new Map(["admin", "system", "sistema", "here", "room", "all", "todos"].map((word) => [skeletonOf(word), word]));

/** Whether a name would pass for Charla itself, or for everybody. */
export function isReserved(name: string): boolean {
	const word = reserved.get(skeletonOf(name));
	if (word === undefined) return false;
	// l and i are one letter to a skeleton, but a dotted i where the word has an l is plain to see: Ali is a name, "all" is not.
	const letters = Array.from(name.normalize("NFKD").replace(/[^\p{L}\p{N}]/gu, ""));
	const isDotted = (letter: string | undefined) => letter === "i" || (letter === "I" && name === name.toUpperCase());
	return !Array.from(word).some((letter, at) => letter === "l" && isDotted(letters[at]));
}

/**
 * A name fit to be shown: NFKC, single spaces, at least one letter or digit, none of the characters that hide or turn
 * text around. Throws a refusal saying which rule it breaks.
 */
export function cleanName(input: string): string {
	if (!input.isWellFormed()) throw refuse("name-invalid");
	const name = input.normalize("NFKC").replace(/\s+/gu, " ").trim();
	if (isBlank(name)) throw refuse("name-empty");
	if (lengthOf(name) > limits.name) throw refuse("name-too-long", { limit: limits.name });
	// Controls, format characters (right-to-left override, zero-width), private use, unassigned.
	if (/[\p{C}\p{Zl}\p{Zp}\u115f\u1160\u3164\uffa0\u2800]/u.test(name)) throw refuse("name-invalid");
	// More than two marks on one letter is Zalgo, not a language.
	if (/\p{M}{3,}/u.test(name.normalize("NFD"))) throw refuse("name-invalid");
	if (!/[\p{L}\p{N}]/u.test(name)) throw refuse("name-empty");
	if (skeletonOf(name) === "") throw refuse("name-empty");
	return name;
}
