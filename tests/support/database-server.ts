import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { closeSync, lstatSync, mkdirSync, openSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { takeLock } from "../../app/storage/process-lock.ts";
import { markOf } from "../../app/storage/processes.ts";

/*
 * One PostgreSQL for all test processes of this checkout and user. It belongs to none of them but to a process of its
 * own, the keeper (database-keeper.ts): so it outlives each single test file, ends soon after the last one, and does so
 * however they end, kill -9 included. What they know of each other is in one folder: who uses it, and where it is.
 */

const CHECKOUT = fileURLToPath(new URL("../../", import.meta.url));
const KEEPER = fileURLToPath(new URL("./database-keeper.ts", import.meta.url));
const HASH = createHash("sha256").update(CHECKOUT).digest("hex").slice(0, 12);

export const FOLDER = join(tmpdir(), `charla-test-${HASH}-${process.getuid?.() ?? 0}`);
const USERS = join(FOLDER, "users");
const SERVER = join(FOLDER, "server.json");
const DOOR = join(FOLDER, "door.lock");
/** A first start makes a database; on a busy machine that takes its time; in ms. */
const START_WITHIN = 60_000;
const STOP_WITHIN = 30_000;

type Server = { pid: number; mark: string; url: string };

/** Registers this process as a user and gives the server's connection string, starting it if need be. */
export async function joinServer(): Promise<string> {
	makeFolder();
	return atTheDoor(async () => {
		const mark = join(USERS, String(process.pid));
		writeFileSync(mark, markOf(process.pid) ?? "");
		process.once("exit", () => rmSync(mark, { force: true }));
		return (readServer() ?? (await startKeeper())).url;
	});
}

/** Ends the shared server at once; the runner calls this last. Nothing happens when none runs. */
export async function stopTestDatabase(): Promise<void> {
	makeFolder();
	await atTheDoor(async () => {
		const server = readServer();
		if (server === null) return;
		try {
			process.kill(server.pid, "SIGTERM");
		} catch {
			// It just ended by itself.
		}
		await until(STOP_WITHIN, "The test database does not stop", () => markOf(server.pid) !== server.mark || null);
	});
}

/** Tells where the server is. By the keeper, once it answers. */
export function announceServer(url: string): void {
	const server: Server = { pid: process.pid, mark: markOf(process.pid) ?? "", url };
	writeFileSync(`${SERVER}.new`, JSON.stringify(server));
	renameSync(`${SERVER}.new`, SERVER);
}

/** Takes that back. */
export function withdrawServer(): void {
	rmSync(SERVER, { force: true });
}

/** Whether any process uses the server. Forgets those that are dead. */
export function hasUsers(): boolean {
	return readdirSync(USERS).filter(isUser).length > 0;
}

/** Keeps everybody from coming or going while `work` runs; null, without running it, when somebody is at the door already. */
export async function withDoorClosed<T>(work: () => Promise<T>): Promise<T | null> {
	const taken = takeLock(DOOR);
	if (!("lock" in taken)) return null;
	try {
		return await work();
	} finally {
		taken.lock.release();
	}
}

async function atTheDoor<T>(work: () => Promise<T>): Promise<T> {
	for (;;) {
		const result = await withDoorClosed(async () => ({ value: await work() }));
		if (result !== null) return result.value;
		await sleep(20);
	}
}

/** Readable by all, since PostgreSQL may run as another account; written by us only. */
function makeFolder(): void {
	mkdirSync(FOLDER, { recursive: true, mode: 0o755 });
	const found = lstatSync(FOLDER);
	if (!found.isDirectory() || (process.getuid !== undefined && found.uid !== process.getuid())) {
		throw new Error(`${FOLDER} belongs to somebody else: move it away, or set TMPDIR.`);
	}
	mkdirSync(USERS, { recursive: true });
}

async function startKeeper(): Promise<Server> {
	const log = join(FOLDER, "keeper.log");
	const output = openSync(log, "w");
	// Without what the test runner hands its children: the keeper is no test.
	const { NODE_OPTIONS: _options, NODE_TEST_CONTEXT: _context, ...env } = process.env;
	spawn(process.execPath, [KEEPER], { detached: true, stdio: ["ignore", output, output], cwd: CHECKOUT, env }).unref();
	closeSync(output);
	return until(START_WITHIN, `The test database does not start, see ${log}`, readServer);
}

/** The server that runs, or null. */
export function readServer(): Server | null {
	try {
		const server = JSON.parse(readFileSync(SERVER, "utf8")) as Server;
		return markOf(server.pid) === server.mark ? server : null;
	} catch {
		// None was announced, or it is being withdrawn.
		return null;
	}
}

/** Whether process `user` registered and still lives. Forgets it if not. */
export function isUser(user: string): boolean {
	try {
		if (markOf(Number(user)) === readFileSync(join(USERS, user), "utf8")) return true;
	} catch {
		// It just left.
	}
	rmSync(join(USERS, user), { force: true });
	return false;
}

async function until<T>(milliseconds: number, otherwise: string, look: () => T | null): Promise<T> {
	for (const end = Date.now() + milliseconds; Date.now() < end; await sleep(20)) {
		const found = look();
		if (found !== null) return found;
	}
	throw new Error(otherwise);
}
