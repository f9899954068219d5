import { commands } from "../contract/commands.ts";
import type { Language } from "../contract/language.ts";
import type { emojiFor } from "./emoji.ts";

/** Suggestions shown at once: what fits above the composer on a phone. */
const most = 8;

export type Option = { id: string; sign: string; words: string; insert: string };
/** `from` to `to` is the part of the text an option replaces. */
export type Completion = { kind: "command" | "emoji"; from: number; to: number; options: Option[] };

/**
 * What could be meant by the text before the caret, or null. "//" at the start is a plain slash. `findEmoji` is null until the
 * list of emoji has come.
 */
export function completionAt(text: string, caret: number, language: Language, findEmoji: typeof emojiFor | null): Completion | null {
	const before = text.slice(0, caret);
	const command = /^\/([a-z]*)$/i.exec(before);
	if (command) {
		const letters = (command[1] ?? "").toLowerCase();
		const options = commands
			.filter((known) => known.name.startsWith(letters))
			.map((known) => ({
				id: known.name,
				sign: known.usage,
				words: known.words[language],
				// A command that takes something waits for it.
				insert: known.usage.includes(" ") ? `/${known.name} ` : `/${known.name}`,
			}));
		return options.length > 0 ? { kind: "command", from: 0, to: caret, options } : null;
	}
	const emoji = /(?:^|[\s(]):([a-z0-9_+-]{2,})$/i.exec(before);
	if (!emoji || !findEmoji) return null;
	const letters = (emoji[1] ?? "").toLowerCase();
	const options = findEmoji(letters, most).map((found) => ({
		id: found.name,
		sign: found.emoji,
		words: `:${found.name}:`,
		insert: `${found.emoji} `,
	}));
	return options.length > 0 ? { kind: "emoji", from: caret - letters.length - 1, to: caret, options } : null;
}
