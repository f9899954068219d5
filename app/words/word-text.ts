import type { Words } from "./en.ts";

/** Words as a page brings them: a line each, the key before the first space. As an object each would cost 18 bytes more of every page. */
export function writeWords(words: Words): string {
	return Object.entries(words)
		.map(([key, said]) => `${key} ${said}`)
		.join("\n");
}

/** The words that `writeWords` wrote. */
export function readWords(text: string): Words {
	const pairs = text.split("\n").map((line) => {
		const end = line.indexOf(" ");
		return [line.slice(0, end), line.slice(end + 1)];
	});
	return Object.fromEntries(pairs) as Words;
}
