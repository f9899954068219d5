const hues = 12;

/** The class of somebody's own colour, `m1` to `m12`: stable over devices, since it comes from the id alone (FNV-1a). */
export function hueOf(id: string): string {
	let hash = 0x811c9dc5;
	for (let i = 0; i < id.length; i++) hash = Math.imul(hash ^ id.charCodeAt(i), 0x01000193);
	return `m${((hash >>> 0) % hues) + 1}`;
}

const graphemes = new Intl.Segmenter(undefined, { granularity: "grapheme" });

/** One or two letters for an avatar: of the first and the last word. */
export function initialsOf(name: string): string {
	const words = name.trim().split(/\s+/);
	const first = (word: string | undefined) => (word ? (graphemes.segment(word)[Symbol.iterator]().next().value?.segment ?? "") : "");
	const letters = words.length > 1 ? first(words[0]) + first(words.at(-1)) : first(words[0]);
	// Not by the language of the machine: server and browser may have different ones.
	return letters.toUpperCase();
}
