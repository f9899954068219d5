import { mkdirSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import path from "node:path";

/** A line that waits on disk: for which group, when it was written (ms), and itself. */
export type SpilledLine = { to: "app" | "access" | "audit"; at: number; line: string };
/** Lines of one file, oldest first; `lost` of them could not be read. */
export type Segment = { file: string; lines: SpilledLine[]; lost: number };

/** <process>-<number>-<lines>.ndjson: who writes it, the order, and how much is in it without opening it. */
const segmentName = /^(\d+)-(\d+)-(\d+)\.ndjson$/;

/**
 * Where lines wait that CloudWatch does not take: a folder of small files, `maxBytes` in all. Each is written at once and
 * never appended to, so that a file is whole or not there. What a dead process left behind is taken over at the start.
 */
export class Spill {
	/** Lines that wait here. */
	lines = 0;
	#bytes = 0;
	#number = 0;
	#segments: string[] = [];
	readonly #dir: string;
	readonly #maxBytes: number;

	constructor(given: { dir: string; maxBytes: number }) {
		this.#dir = given.dir;
		this.#maxBytes = given.maxBytes;
		this.#takeOver();
	}

	/** Keeps lines; says why when it could not, and then has kept none. */
	write(lines: readonly SpilledLine[]): "spill-full" | "spill-failed" | null {
		const problem = this.#writeFile(this.#nextName(lines.length), lines);
		if (problem === null) this.lines += lines.length;
		return problem;
	}

	/** Keeps lines nobody will ever take for whoever looks into it; they are not sent again. As much as there is room. */
	setAside(lines: readonly SpilledLine[]): void {
		this.#writeFile(`refused-${process.pid}-${++this.#number}-${lines.length}.ndjson`, lines);
	}

	/** The file that waits longest; null when none does. It stays until `settle`. */
	async oldest(): Promise<Segment | null> {
		const file = this.#segments[0];
		if (file === undefined) return null;
		const text = await readFile(path.join(this.#dir, file), "utf8").catch(() => "");
		const lines = text.split("\n").flatMap((each) => {
			const line = parsed(each);
			return line ? [line] : [];
		});
		return { file, lines: lines.sort((one, other) => one.at - other.at), lost: linesIn(file) - lines.length };
	}

	/** Removes a file but for what is `left` of it. Says why when those could not be kept. */
	settle(file: string, left: readonly SpilledLine[]): "spill-full" | "spill-failed" | null {
		this.#segments = this.#segments.filter((each) => each !== file);
		this.lines -= linesIn(file);
		const full = path.join(this.#dir, file);
		this.#bytes -= statSync(full, { throwIfNoEntry: false })?.size ?? 0;
		remove(full);
		return left.length > 0 ? this.write(left) : null;
	}

	#nextName(lines: number): string {
		return `${process.pid}-${++this.#number}-${lines}.ndjson`;
	}

	#writeFile(name: string, lines: readonly SpilledLine[]): "spill-full" | "spill-failed" | null {
		const text = `${lines.map((line) => JSON.stringify(line)).join("\n")}\n`;
		const bytes = Buffer.byteLength(text);
		if (this.#bytes + bytes > this.#maxBytes) return "spill-full";
		const file = path.join(this.#dir, name);
		try {
			mkdirSync(this.#dir, { recursive: true });
			// Not readable by others: lines name people by their ids.
			writeFileSync(file, text, { mode: 0o600 });
		} catch {
			remove(file);
			return "spill-failed";
		}
		this.#bytes += bytes;
		if (segmentName.test(name)) this.#segments.push(name);
		return null;
	}

	#takeOver(): void {
		const found = filesOf(this.#dir);
		// Beyond every number there is: a name given twice would be a file lost.
		this.#number = Math.max(0, ...found.map(({ name }) => Number(segmentName.exec(name)?.[2] ?? 0)));
		for (const { name, bytes } of found) {
			const [, pid, , lines] = segmentName.exec(name) ?? [];
			if (pid === undefined) {
				this.#bytes += bytes;
				continue;
			}
			// The process that writes to it still runs; ours has written nothing yet, whoever had its number before.
			if (Number(pid) !== process.pid && isRunning(Number(pid))) continue;
			const mine = this.#nextName(Number(lines));
			try {
				// Of two processes that start together one succeeds.
				renameSync(path.join(this.#dir, name), path.join(this.#dir, mine));
			} catch {
				continue;
			}
			this.#bytes += bytes;
			this.lines += Number(lines);
			this.#segments.push(mine);
		}
	}
}

const linesIn = (file: string): number => Number(segmentName.exec(file)?.[3] ?? 0);

function remove(file: string): void {
	try {
		rmSync(file, { force: true });
	} catch {
		// The folder itself is not there, or not ours: whatever is in it is not sent by us.
	}
}

/** Files of a folder in the order they were written; none when there is no such folder. */
function filesOf(dir: string): { name: string; bytes: number }[] {
	try {
		return readdirSync(dir)
			.flatMap((name) => {
				const stat = statSync(path.join(dir, name), { throwIfNoEntry: false });
				return stat?.isFile() ? [{ name, bytes: stat.size, at: stat.mtimeMs }] : [];
			})
			.sort((one, other) => one.at - other.at || Number(segmentName.exec(one.name)?.[2]) - Number(segmentName.exec(other.name)?.[2]));
	} catch {
		return [];
	}
}

function isRunning(pid: number): boolean {
	try {
		process.kill(pid, 0);
		return true;
	} catch (error) {
		return (error as NodeJS.ErrnoException).code === "EPERM";
	}
}

function parsed(text: string): SpilledLine | null {
	try {
		const { to, at, line } = JSON.parse(text) as SpilledLine;
		return ["app", "access", "audit"].includes(to) && Number.isFinite(at) && typeof line === "string" && line !== ""
			? { to, at, line }
			: null;
	} catch {
		return null;
	}
}
