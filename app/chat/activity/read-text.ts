import type { ActivityFlag } from "../../contract/activity.ts";

/** So many links in one message are worth a look. */
const manyLinks = 4;

/** What a text is, as far as it may leave the room: decided here, where the text is. `words` are an administrator's list. */
export function openReadText(words: readonly string[]): (text: string) => ActivityFlag[] {
	const listed = words.map((word) => word.normalize("NFKC").toLowerCase().trim()).filter(Boolean);
	const pattern = listed.length === 0 ? null : new RegExp(`(?<![\\p{L}\\p{N}])(?:${listed.map(escaped).join("|")})(?![\\p{L}\\p{N}])`, "u");
	return (text) => {
		const prose = text.replace(/```[\s\S]*?(?:```|$)|`[^`\n]*`/g, " ");
		const flags: ActivityFlag[] = [];
		// At the end of a line, in Latin, Arabic and Chinese; not the one inside an address.
		if (/[?？؟][!"'»”)\]*_~]*\s*$/mu.test(prose.replace(/https?:\/\/\S+/g, ""))) flags.push("question");
		if ((prose.match(/https?:\/\/\S/gi)?.length ?? 0) >= manyLinks) flags.push("links");
		if (pattern?.test(text.normalize("NFKC").toLowerCase())) flags.push("words");
		return flags;
	};
}

const escaped = (word: string) => word.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&");
