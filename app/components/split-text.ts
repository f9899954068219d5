import { readCommand } from "../contract/commands.ts";
import { isBlank } from "../contract/text.ts";

/** A block of code that is open: the line it began with, and the sign that ends it. */
type Fence = { line: string; sign: string };

/** Longer signs and languages are no code that somebody wrote: they are left as they stand. */
const fenceLine = /^ {0,3}(`{3,16}|~{3,16})([^\n]{0,40})$/;
/** What a part may need for the code it begins and ends in, characters: the line, the sign, a line's end for each. */
const forFences = 3 + 16 + 40 + 1 + 16 + 1;

/** Where a text is cut, the best first, and what of the space there goes. An indent stays. */
const emptyLines = /^(?:[ \t]*\n)+/;
const seams = [
	{ at: /\n[ \t]*\n/g, gone: emptyLines },
	{ at: /\n/g, gone: emptyLines },
	{ at: /\s/g, gone: /^\s+/ },
] as const;

const graphemes = new Intl.Segmenter(undefined, { granularity: "grapheme" });

/**
 * A text as several of at most `limit` characters (code points), in order: cut at an empty line, else at a line's end, else
 * between words, else between characters as people see them. Only the space at a cut goes. Code that is cut is code in both
 * parts, and no part is taken for a command. Null where it takes more than `most`, and for a command, which is no text.
 */
export function splitText(text: string, limit: number, most: number): string[] | null {
	if (readCommand(text)) return null;
	const parts: string[] = [];
	let rest = text.replace(/\r\n?/g, "\n").trimEnd();
	let open: Fence | null = null;
	// One is for the slash that keeps a part from being a command.
	const room = limit - 1 - (/^ {0,3}(?:```|~~~)/m.test(rest) ? forFences : 0);
	while (rest !== "") {
		const [piece, left] = cut(rest, room);
		const head: string = open ? `${open.line}\n` : "";
		open = fenceAfter(piece, open);
		const tail = open && left !== "" ? `\n${open.sign}` : "";
		if (!isBlank(piece)) parts.push(literal(`${head}${piece}${tail}`, parts.length === 0));
		if (parts.length > most) return null;
		const [line = ""] = left.split("\n", 1);
		const isEnd = open !== null && fenceAfter(line, open) === null;
		// The code ends here as well: the next part begins after it.
		rest = isEnd ? left.slice(line.length).replace(emptyLines, "") : left;
		if (isEnd) open = null;
	}
	return parts;
}

/** The beginning of a text that fits, and what is left of it after the space between the two. */
function cut(text: string, room: number): [string, string] {
	const end = indexAfter(text, room);
	if (end === text.length) return [text, ""];
	// One character more: a line that just fits ends there.
	const window = text.slice(0, end + 1);
	for (const seam of seams) {
		const at = Array.from(window.matchAll(seam.at)).at(-1)?.index ?? 0;
		// Too far ahead of the end it would make more parts than it takes.
		if (at > end / 2) return [text.slice(0, at).trimEnd(), text.slice(at).replace(seam.gone, "")];
	}
	const at = graphemes.segment(text.slice(0, end + 64)).containing(end)?.index || end;
	return [text.slice(0, at), text.slice(at)];
}

/** The place in a text after so many code points, or its end. */
function indexAfter(text: string, points: number): number {
	let at = 0;
	for (let n = 0; n < points && at < text.length; n++) at += (text.codePointAt(at) as number) > 0xffff ? 2 : 1;
	return at;
}

/** The block of code that is open after a piece of text, when `open` was so before it. */
function fenceAfter(piece: string, open: Fence | null): Fence | null {
	let now = open;
	for (const line of piece.split("\n")) {
		const [, sign = "", more = ""] = fenceLine.exec(line) ?? [];
		if (sign === "") continue;
		if (!now) now = sign.startsWith("`") && more.includes("`") ? null : { line, sign };
		else if (sign.startsWith(now.sign) && more.trim() === "") now = null;
	}
	return now;
}

/** Keeps a part that begins with a slash from being a command; two slashes that were typed first begin a text already. */
function literal(part: string, isFirst: boolean): string {
	const isTaken = readCommand(part) !== null || (!isFirst && part.trimStart().startsWith("//"));
	return isTaken ? `/${part.trimStart()}` : part;
}
