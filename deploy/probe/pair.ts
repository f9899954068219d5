import { readFileSync, renameSync, writeFileSync } from "node:fs";

/** The sessions of the two who talk, as cookies. */
export type Pair = { writer: string; reader: string };

/** The pair that was kept, or null. */
export function keptPair(file: string): Pair | null {
	try {
		const { writer, reader } = JSON.parse(readFileSync(file, "utf8")) as Partial<Pair>;
		return typeof writer === "string" && typeof reader === "string" ? { writer, reader } : null;
	} catch {
		return null;
	}
}

/** Keeps a pair, so that each deployment does not bring two more people. They are sessions: for our own eyes only. */
export function keepPair(file: string, pair: Pair): void {
	try {
		writeFileSync(`${file}.new`, JSON.stringify(pair), { mode: 0o600 });
		renameSync(`${file}.new`, file);
	} catch (error) {
		console.error(`The two who talk are not kept, and others will come the next time: ${(error as Error).message}`);
	}
}
