/** Longer ones say nothing more, characters. */
const MESSAGE_MAX = 256;
/** The agent sends the stack as one text, characters. */
const STACK_MAX = 4096;

/**
 * An error as it may leave the house: its class, its message without what may come from people (quoted text, addresses,
 * tokens), and the frames of its stack. A database's error quotes what it was given, and a URL may carry a session.
 */
export function scrub(error: unknown): Error {
	const given = error instanceof Error ? error : new Error(typeof error === "string" ? error : "not an error");
	const clean = new Error(withoutWords(given.message));
	clean.name = /^[A-Za-z][\w.]{0,60}$/.test(given.name) ? given.name : "Error";
	const frames = (given.stack ?? "").split("\n").filter((line) => /^\s+at /.test(line));
	clean.stack = [`${clean.name}: ${clean.message}`, ...frames].join("\n").slice(0, STACK_MAX);
	return clean;
}

function withoutWords(message: string): string {
	return (
		message
			.split("\n", 1)[0]
			?.replace(/"[^"]*"|'[^']*'|`[^`]*`|«[^»]*»|“[^”]*”/g, "…")
			.replace(/\S+@\S+\.\S+/g, "…")
			.replace(/\b[a-z][a-z+.-]*:\/\/\S+/gi, "…")
			.replace(/\b(\d{1,3}\.){3}\d{1,3}\b/g, "…")
			// Tokens, hashes and ids: nothing a sentence is made of is as long without a space.
			.replace(/[\w+/=-]{24,}/g, "…")
			.slice(0, MESSAGE_MAX) ?? ""
	);
}
