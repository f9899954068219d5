import { type EventName, events, logFields } from "./contract.ts";

/** Characters of one field, and of a stack: a line stays below 8 kB whatever is in it. */
const longest = 256;
const longestStack = 4000;
/** Bytes of a line; what CloudWatch and people's terminals take well. */
const lineBytes = 8192;

export type Line = Record<string, string | number | boolean>;

// Control characters, escapes of terminals, line separators and direction changes: a line is one line, and reads as it was written.
const unprintable = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]/g;

/** Anything but plain ASCII. Most fields are ids, and are done with after this one look. */
const unusual = /[^\x20-\x7e]/;

function clean(text: string, most: number): string {
	if (text.length <= most && !unusual.test(text)) return text;
	return text
		.slice(0, most * 2)
		.replace(unprintable, " ")
		.toWellFormed()
		.slice(0, most);
}

/**
 * What a log line says besides what every line has: fields of the contract with the right type, cut and cleaned. Others are
 * left out and told to `onRejected`. Never throws, whatever it is given.
 */
export function fieldsOf(given: Record<string, unknown> | undefined, onRejected: (name: string) => void): Line {
	const line: Line = {};
	if (!given) return line;
	for (const name of Object.keys(given)) {
		let value: unknown;
		try {
			value = given[name];
		} catch {
			value = null;
		}
		if (value === undefined) continue;
		const type = Object.hasOwn(logFields, name) ? logFields[name as keyof typeof logFields] : null;
		if (type === "stack" && typeof value === "string") line[name] = clean(value.replace(/\n\s*/g, " | "), longestStack);
		else if (type === "string" && typeof value === "string")
			line[name] = clean(name === "exception_message" ? scrub(value) : value, longest);
		else if (type === "number" && typeof value === "number" && Number.isFinite(value)) line[name] = value;
		else if (type === "boolean" && typeof value === "boolean") line[name] = value;
		else onRejected(name);
	}
	return line;
}

/** The event of a line, with its sentence. What is not in the contract is an `exception`, so that nothing is lost over a slip. */
export function eventOf(name: string): { event: EventName; msg: string } {
	const event = (Object.hasOwn(events, name) ? name : "exception") as EventName;
	return { event, msg: events[event].msg };
}

/** One line of JSON, 8 kB at most: the longest fields give way. */
export function serialise(line: Line): string {
	const text = JSON.stringify(line);
	if (Buffer.byteLength(text) <= lineBytes) return text;
	const shorter = { ...line };
	for (const name of ["exception_stack", "exception_message", "detail", "path"])
		if (typeof shorter[name] === "string") shorter[name] = (shorter[name] as string).slice(0, 200);
	return JSON.stringify(shorter);
}

/** What a log line says of an error. Its sentence may quote what people wrote or an address with a password: both are cut out. */
export function errorFields(error: unknown): { exception_type: string; exception_message: string; exception_stack: string | undefined } {
	const isError = error instanceof Error;
	const stack = isError ? error.stack : undefined;
	return {
		exception_type: isError ? error.name : "Error",
		exception_message: scrub(isError ? error.message : String(error)),
		// The first line repeats the message.
		exception_stack: stack ? scrub(stack.slice(Math.max(0, stack.indexOf("\n    at ")))) : undefined,
	};
}

function scrub(text: string): string {
	return text
		.slice(0, 8000)
		.replace(/\b(?:postgres(?:ql)?|https?|rediss?):\/\/[^\s"']*/gi, "<address>")
		.replace(/[\w.+-]+@[\w-]+\.[\w.-]+/g, "<e-mail>")
		.replace(/=\([^)]*\)/g, "=(…)")
		.replace(/"[^"]{0,500}"/g, (quoted) => (/^"[a-z_]{1,63}"$/.test(quoted) ? quoted : '"…"'))
		.replace(/\b[A-Za-z0-9_-]{32,}\b/g, "<token>");
}
