import { BadFile } from "./bad-file.ts";

/** A piece of the document: a field of the object around it, or one element of an array (`of` is the array's name, null at the top). */
export type Piece =
	| { is: "field"; name: string; value: unknown; line: number }
	| { is: "element"; of: string | null; value: unknown; line: number };

/** Longer than any record is, characters; a file is never held in memory, but one record is. */
const longest = 256 * 1024;

const TAB = 9;
const NEWLINE = 10;
const RETURN = 13;
const SPACE = 32;
const QUOTE = 34;
const COMMA = 44;
const COLON = 58;
const OPEN_ARRAY = 91;
const BACKSLASH = 92;
const CLOSE_ARRAY = 93;
const OPEN_OBJECT = 123;
const CLOSE_OBJECT = 125;

/** What comes next, between values. */
type Expecting =
	| "document"
	| "element"
	| "element-or-end"
	| "comma-or-end"
	| "key"
	| "key-or-end"
	| "colon"
	| "value"
	| "field-comma-or-end"
	| "end";

/**
 * Takes a JSON document apart as its bytes arrive: an array, or an object with fields and arrays in it, one element at a time,
 * each with the line it begins on. At most one element and one chunk are in memory. Throws BadFile.
 */
export async function* splitJson(source: AsyncIterable<Uint8Array>): AsyncGenerator<Piece> {
	const decoder = new TextDecoder("utf-8", { fatal: true });
	const splitter = openSplitter();
	let isFirst = true;
	for await (const chunk of source) {
		if (chunk.length === 0) continue;
		if (isFirst) refuseOtherFormats(chunk);
		isFirst = false;
		yield* splitter.push(decoded(() => decoder.decode(chunk, { stream: true }), splitter.line));
	}
	yield* splitter.push(decoded(() => decoder.decode(), splitter.line));
	splitter.end();
}

function decoded(decode: () => string, line: () => number): string {
	try {
		return decode();
	} catch {
		throw new BadFile("wrong-encoding", line());
	}
}

/** By their first bytes: what is called .json and is none. */
function refuseOtherFormats(chunk: Uint8Array): void {
	const [a, b, c, d] = chunk;
	const isZip = a === 0x50 && b === 0x4b && (c ?? 0) <= 0x08;
	const isGzip = a === 0x1f && b === 0x8b;
	const isOther =
		(a === 0x37 && b === 0x7a && c === 0xbc) ||
		(a === 0x28 && b === 0xb5 && c === 0x2f && d === 0xfd) ||
		(a === 0x42 && b === 0x5a && c === 0x68);
	if (isZip || isGzip || isOther) throw new BadFile("compressed", 1);
	// UTF-16 and UTF-32, with a mark or by their zeros.
	if ((a === 0xff && b === 0xfe) || (a === 0xfe && b === 0xff) || a === 0 || b === 0) throw new BadFile("wrong-encoding", 1);
}

function openSplitter() {
	let line = 1;
	let expecting: Expecting = "document";
	/** Whether the document is an object with arrays in it; its field under way. */
	let isObject = false;
	let name: string | null = null;
	let keyText: string[] | null = null;
	/** The value under way: its pieces of earlier chunks, and where in it we are. */
	let parts: string[] | null = null;
	let length = 0;
	let begin = 1;
	let depth = 0;
	let isInString = false;
	let isEscaped = false;
	let shape: "container" | "string" | "scalar" = "scalar";

	const bad = (at = line) => new BadFile("not-json", at);

	function parsed(text: string): unknown {
		try {
			return JSON.parse(text);
		} catch {
			throw bad(begin);
		}
	}

	function* push(text: string): Generator<Piece> {
		let from = 0;
		for (let i = 0; i < text.length; i++) {
			const c = text.charCodeAt(i);
			if (parts === null) {
				// Between values.
				if (c === NEWLINE) line++;
				if (c === SPACE || c === TAB || c === RETURN || c === NEWLINE) continue;
				if (c === 0xfeff && expecting === "document") continue;
				if (expecting === "document") {
					if (c !== OPEN_ARRAY && c !== OPEN_OBJECT) throw bad();
					isObject = c === OPEN_OBJECT;
					expecting = isObject ? "key-or-end" : "element-or-end";
				} else if (expecting === "comma-or-end" || expecting === "field-comma-or-end") {
					const isField = expecting === "field-comma-or-end";
					if (c === COMMA) expecting = isField ? "key" : "element";
					else if (c === (isField ? CLOSE_OBJECT : CLOSE_ARRAY)) expecting = isField || !isObject ? "end" : "field-comma-or-end";
					else throw bad();
				} else if (expecting === "element-or-end" && c === CLOSE_ARRAY) expecting = isObject ? "field-comma-or-end" : "end";
				else if (expecting === "key-or-end" && c === CLOSE_OBJECT) expecting = "end";
				else if (expecting === "colon") {
					if (c !== COLON) throw bad();
					expecting = "value";
				} else if (expecting === "end") throw bad();
				else if (expecting === "value" && c === OPEN_ARRAY) expecting = "element-or-end";
				else {
					// A value begins: an element, a key, or a field's.
					if (c === COMMA || c === COLON || c === CLOSE_ARRAY || c === CLOSE_OBJECT) throw bad();
					if ((expecting === "key" || expecting === "key-or-end") && c !== QUOTE) throw bad();
					keyText = expecting === "key" || expecting === "key-or-end" ? [] : null;
					parts = [];
					length = 0;
					begin = line;
					from = i;
					depth = c === OPEN_ARRAY || c === OPEN_OBJECT ? 1 : 0;
					shape = depth > 0 ? "container" : c === QUOTE ? "string" : "scalar";
					isInString = c === QUOTE;
					isEscaped = false;
				}
				continue;
			}
			// Within a value: only where it ends matters; whether it is JSON is seen when it is whole.
			if (c === NEWLINE) line++;
			let isOver = false;
			let end = i + 1;
			if (isInString) {
				if (isEscaped) isEscaped = false;
				else if (c === BACKSLASH) isEscaped = true;
				else if (c === QUOTE) {
					isInString = false;
					isOver = shape === "string";
				}
			} else if (shape === "scalar") {
				if (c === COMMA || c === CLOSE_ARRAY || c === CLOSE_OBJECT || c === SPACE || c === TAB || c === RETURN || c === NEWLINE) {
					isOver = true;
					end = i;
				}
			} else if (c === QUOTE) isInString = true;
			else if (c === OPEN_ARRAY || c === OPEN_OBJECT) depth++;
			else if (c === CLOSE_ARRAY || c === CLOSE_OBJECT) isOver = --depth === 0;
			if (length + i - from > longest) throw new BadFile("record-too-large", begin);
			if (!isOver) continue;
			parts.push(text.slice(from, end));
			const value = parsed(parts.join(""));
			parts = null;
			if (keyText !== null) {
				name = value as string;
				keyText = null;
				expecting = "colon";
			} else if (expecting === "value") {
				yield { is: "field", name: name as string, value, line: begin };
				expecting = "field-comma-or-end";
			} else {
				yield { is: "element", of: isObject ? name : null, value, line: begin };
				expecting = "comma-or-end";
			}
			// What ended a number belongs to what is around it.
			if (end === i) {
				if (c === NEWLINE) line--;
				i--;
			}
		}
		if (parts !== null) {
			parts.push(text.slice(from));
			length += text.length - from;
		}
	}

	function end(): void {
		if (expecting === "document") throw new BadFile("empty");
		if (expecting !== "end" || parts !== null) throw new BadFile("truncated", line);
	}
	return { push, end, line: () => line };
}
