import { randomUUID } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { mkdir, readdir, rename, rm, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { pipeline } from "node:stream/promises";
import { fileLimits } from "./read-import.ts";

/** A file counts as whole once it has not grown for this long, ms: who copies a large one over a slow line moves it in instead. */
const settled = 2000;
/** How often it is looked, ms. */
const lookEvery = 1000;

export type Arrived = { id: string; name: string; place: string; bytes: number };

/**
 * Files on this machine: `inbox/` is watched, `imports/` holds what waits for its yes, `quarantine/` what is bad, with the reason
 * beside it. A file is taken by moving it, so it is taken once however many look.
 */
export function folderInbox(folder: string) {
	const inbox = path.join(folder, "inbox");
	const waiting = path.join(folder, "imports");
	const quarantine = path.join(folder, "quarantine");
	const placeOf = (place: string) => path.join(waiting, path.basename(place));

	/** Names of files in the inbox, one folder deep (as Slack exports channels), that are not being written any more. */
	async function ready(now: number): Promise<string[]> {
		const found: string[] = [];
		const entries = await readdir(inbox, { withFileTypes: true });
		for (const entry of entries) {
			if (entry.name.startsWith(".")) continue;
			const names = entry.isDirectory()
				? (await readdir(path.join(inbox, entry.name))).filter((name) => !name.startsWith(".")).map((name) => `${entry.name}/${name}`)
				: [entry.name];
			for (const name of names) {
				const about = await stat(path.join(inbox, name)).catch(() => null);
				if (about?.isFile() && now - about.mtimeMs >= settled) found.push(name);
			}
		}
		return found.sort();
	}

	async function take(name: string): Promise<Arrived | null> {
		const id = randomUUID();
		const place = `${id}.json`;
		try {
			await rename(path.join(inbox, name), placeOf(place));
		} catch (error) {
			// Somebody else took it.
			if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
			throw error;
		}
		return { id, name, place, bytes: (await stat(placeOf(place))).size };
	}

	return {
		inbox,
		async prepare(): Promise<void> {
			for (const each of [inbox, waiting, quarantine]) await mkdir(each, { recursive: true, mode: 0o700 });
		},
		open: async (place: string): Promise<AsyncIterable<Uint8Array>> => {
			await stat(placeOf(place));
			return createReadStream(placeOf(place));
		},
		async quarantine(place: string, name: string, reason: string): Promise<void> {
			const to = path.join(quarantine, `${path.basename(place, ".json").slice(0, 8)}-${path.basename(name).replace(/[^\w.-]+/g, "_")}`);
			await writeFile(`${to}.reason.txt`, `${reason}\n`);
			await rename(placeOf(place), to).catch(ignoreMissing);
		},
		discard: (place: string): Promise<void> => rm(placeOf(place), { force: true }),
		/** Keeps what streams in as a file that waits. Throws `too-large`, and keeps nothing of what did not come whole. */
		async receive(name: string, source: AsyncIterable<Uint8Array>): Promise<Arrived> {
			const id = randomUUID();
			const place = `${id}.json`;
			let bytes = 0;
			async function* measured() {
				for await (const chunk of source) {
					bytes += chunk.length;
					if (bytes > fileLimits.bytes) throw Object.assign(new Error("too-large"), { code: "too-large" });
					yield chunk;
				}
			}
			try {
				await pipeline(measured(), createWriteStream(placeOf(place), { flags: "wx", mode: 0o600 }));
			} catch (error) {
				await rm(placeOf(place), { force: true });
				throw error;
			}
			return { id, name, place, bytes };
		},
		/** Tells of every file that is put into the inbox. `stop` waits for what is under way. */
		watch(onFile: (file: Arrived) => Promise<void>, onError: (error: unknown) => void): { look(): Promise<void>; stop(): Promise<void> } {
			let running: Promise<void> | null = null;
			let isStopped = false;
			async function lookOnce(): Promise<void> {
				for (const name of await ready(Date.now())) {
					if (isStopped) return;
					const file = await take(name);
					if (file) await onFile(file);
				}
			}
			const look = () => {
				running ??= lookOnce()
					.catch(onError)
					.finally(() => {
						running = null;
					});
				return running;
			};
			const timer = setInterval(look, lookEvery);
			timer.unref();
			return {
				look,
				async stop() {
					isStopped = true;
					clearInterval(timer);
					await running;
				},
			};
		},
	};
}
export type FolderInbox = ReturnType<typeof folderInbox>;

function ignoreMissing(error: NodeJS.ErrnoException): void {
	if (error.code !== "ENOENT") throw error;
}
