import { createHash, randomBytes } from "node:crypto";

function format(bytes: Buffer, version: number): string {
	bytes[6] = ((bytes[6] as number) & 0x0f) | (version << 4);
	bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80;
	const hex = bytes.toString("hex", 0, 16);
	return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/** A UUIDv7: 48 bits of time and 74 random ones, so that keys made later sort later. */
export function uuidv7(now: number = Date.now()): string {
	const bytes = randomBytes(16);
	bytes.writeUIntBE(now, 0, 6);
	return format(bytes, 7);
}

/** A UUID that is always the same for the same words: for what must exist once, such as a direct room or a bot's answer. */
export function uuidOf(...words: string[]): string {
	return format(createHash("sha256").update(words.join("\u0000")).digest().subarray(0, 16), 8);
}
