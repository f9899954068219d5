import { createHash } from "node:crypto";
import type { FileFault, ImportedRecord, ImportHeader, ImportKind, Rejected } from "../../app/contract/imports.ts";
import { BadFile } from "./bad-file.ts";
import { readRecord } from "./records.ts";
import { splitJson } from "./split-json.ts";

/** Larger files are split by whoever has them, bytes; a million records is a catalogue nobody can look through. */
export const fileLimits = { bytes: 200 * 1024 * 1024, records: 1_000_000 };

/** What is handed on at a time. */
const together = 500;

/** The array of a document that holds its records, by the kind they are. */
const arrays: Record<string, ImportKind> = {
	items: "catalogue",
	people: "people",
	users: "people",
	members: "people",
	rooms: "rooms",
	channels: "rooms",
	messages: "channel",
};

/** What a file's name says when the file itself does not, the folder's as Slack names it: general/2026-11-25.json. */
function kindByName(name: string): ImportKind | null {
	const base = name.split("/").at(-1) ?? "";
	if (/^(catalogue|catalog|items)\b/i.test(base)) return "catalogue";
	if (/^(people|users)\b/i.test(base)) return "people";
	if (/^(rooms|channels)\b/i.test(base)) return "rooms";
	if (/^channel-./i.test(base) || /^\d{4}-\d\d-\d\d\.json$/i.test(base)) return "channel";
	return null;
}

function channelByName(name: string): string | null {
	const [folder, base = ""] = name.split("/").slice(-2).length === 2 ? name.split("/").slice(-2) : [null, name];
	const named = /^channel-(.+?)(?:\.json)?$/i.exec(base)?.[1];
	return named ?? (folder && /^\d{4}-\d\d-\d\d\.json$/i.test(base) ? folder : null);
}

/** One batch: records that are right and lines that are not, in the file's order. */
export type Batch = { header: ImportHeader; records: { line: number; record: ImportedRecord }[]; rejected: Rejected[] };
export type Whole = { header: ImportHeader; records: number; bytes: number; sha256: string };

/**
 * Reads a file of records as it streams in, batch by batch; the last thing it gives is the whole's summary. A record that is
 * not right is one rejected line; of two with the same key the first stays. Throws BadFile for what spoils the file.
 */
export async function* readImport(source: AsyncIterable<Uint8Array>, name: string): AsyncGenerator<Batch, Whole> {
	const hash = createHash("sha256");
	let bytes = 0;
	async function* measured() {
		for await (const chunk of source) {
			bytes += chunk.length;
			if (bytes > fileLimits.bytes) throw new BadFile("too-large");
			hash.update(chunk);
			yield chunk;
		}
	}
	let kind: ImportKind | null = null;
	let version: number | null = null;
	let channel: string | null = null;
	let header: ImportHeader | null = null;
	let of: string | null = null;
	let count = 0;
	const keys = new Set<string>();
	let batch: Batch | null = null;

	const settle = (array: string | null, line: number): ImportHeader => {
		const found = kind ?? (array ? (arrays[array] ?? null) : null) ?? kindByName(name);
		if (!found) throw new BadFile("unknown-kind", line);
		if (array !== null && arrays[array] !== found && array !== "records") throw new BadFile("unknown-field", line);
		const named = found === "channel" ? (channel ?? channelByName(name)) : null;
		if (found === "channel" && !named) throw new BadFile("no-channel-name", line);
		of = array;
		return { kind: found, version, channel: named };
	};

	for await (const piece of splitJson(measured())) {
		if (piece.is === "field") {
			if (piece.name === "kind") {
				if (header || !isKind(piece.value)) throw new BadFile("unknown-kind", piece.line);
				kind = piece.value;
			} else if (piece.name === "version") {
				if (header || !Number.isSafeInteger(piece.value) || (piece.value as number) < 1) throw new BadFile("bad-version", piece.line);
				version = piece.value as number;
			} else if (piece.name === "channel") {
				const given = typeof piece.value === "string" ? piece.value : (piece.value as { name?: unknown } | null)?.name;
				if (header || typeof given !== "string" || given.trim() === "") throw new BadFile("no-channel-name", piece.line);
				channel = given.trim().slice(0, 60);
			}
			// Whatever else a file says of itself ("exportedBy") is its own affair.
			continue;
		}
		if (!header) header = settle(piece.of, piece.line);
		else if (piece.of !== of) throw new BadFile("unknown-field", piece.line);
		if (++count > fileLimits.records) throw new BadFile("too-many-records", piece.line);
		batch ??= { header, records: [], rejected: [] };
		const record = readRecord(header.kind, piece.value);
		if ("fault" in record) batch.rejected.push({ line: piece.line, ...record });
		else if (keys.has(record.key)) batch.rejected.push({ line: piece.line, field: keyField[header.kind], fault: "duplicate" });
		else {
			keys.add(record.key);
			batch.records.push({ line: piece.line, record });
		}
		if (batch.records.length + batch.rejected.length >= together) {
			yield batch;
			batch = null;
		}
	}
	if (batch) yield batch;
	if (!header) throw new BadFile("empty");
	return { header, records: count, bytes, sha256: hash.digest("hex") };
}

const keyField: Record<ImportKind, string> = { catalogue: "id", people: "name", rooms: "name", channel: "ts" };
const isKind = (value: unknown): value is ImportKind => typeof value === "string" && Object.values(arrays).includes(value as ImportKind);

/** What is wrong with the file, or null when it is something else that failed. */
export function faultOf(error: unknown): { code: FileFault; line: number | null } | null {
	return error instanceof BadFile ? { code: error.fault, line: error.line } : null;
}
