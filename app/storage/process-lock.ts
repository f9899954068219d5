import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { markOf } from "./processes.ts";
import { codeOf } from "./storage-error.ts";

/** The process that holds a lock. */
export type Holder = { pid: number; mark: string };

export type Lock = { release(): void };

/**
 * Takes the lock file at `path` for this process, or says which living process has it. What a dead process left is
 * taken over; start times tell a dead holder from a stranger with its number. Also refused to the holder itself.
 */
export function takeLock(path: string): { lock: Lock } | { holder: Holder } {
	const unique = `${path}.${process.pid}.${Math.random().toString(36).slice(2)}`;
	const own = JSON.stringify({ pid: process.pid, mark: markOf(process.pid) ?? "" } satisfies Holder);
	writeFileSync(unique, own, { mode: 0o644 });
	try {
		for (;;) {
			try {
				// A link appears with its content and fails when the name is taken: nobody ever reads half a lock.
				linkSync(unique, path);
				return { lock: { release: () => releaseOwn(path, own) } };
			} catch (error) {
				if (codeOf(error) !== "EEXIST") throw error;
			}
			const found = readLock(path);
			if (found === null) continue;
			const holder = livingHolder(found);
			if (holder !== null) return { holder };
			setAside(path, found, `${unique}.stale`);
		}
	} finally {
		rmSync(unique, { force: true });
	}
}

/** Moves a dead holder's lock away. Should somebody have been faster, what was moved is theirs and goes back. */
function setAside(path: string, dead: string, aside: string): void {
	try {
		renameSync(path, aside);
		if (readFileSync(aside, "utf8") !== dead) linkSync(aside, path);
	} catch (error) {
		if (codeOf(error) !== "ENOENT" && codeOf(error) !== "EEXIST") throw error;
	} finally {
		rmSync(aside, { force: true });
	}
}

function releaseOwn(path: string, own: string): void {
	if (readLock(path) === own) rmSync(path, { force: true });
}

function readLock(path: string): string | null {
	try {
		return readFileSync(path, "utf8");
	} catch (error) {
		if (codeOf(error) === "ENOENT") return null;
		throw error;
	}
}

function livingHolder(text: string): Holder | null {
	try {
		const { pid, mark } = JSON.parse(text) as Holder;
		return markOf(pid) === mark ? { pid, mark } : null;
	} catch {
		// Not written by us, or the disk was full: nobody can be holding it.
		return null;
	}
}
