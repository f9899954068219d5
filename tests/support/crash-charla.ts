import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { SIGNPOST } from "../../app/storage/database-place.ts";
import { isWorkedIn, markOf } from "../../app/storage/processes.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
/** What a process wrote is kept from the end, characters: enough for the cause of a failure. */
const KEPT = 20_000;

type Env = Record<string, string>;

/** A folder for a server's data. PostgreSQL's account may enter it unless `closed`: then only we may. */
export function freshDataDir(options: { closed?: boolean } = {}): { dataDir: string; remove(): void } {
	const folder = mkdtempSync(join(tmpdir(), "charla-crash-"));
	chmodSync(folder, options.closed ? 0o700 : 0o755);
	const dataDir = join(folder, "data");
	return {
		dataDir,
		remove() {
			const place = databaseFolderOf(dataDir);
			// Started as root in a closed folder, the database is in a cache folder of its own.
			if (place !== join(dataDir, "database")) rmSync(dirname(place), { recursive: true, force: true });
			rmSync(folder, { recursive: true, force: true });
		},
	};
}

/** Where the database of a data folder is. */
export function databaseFolderOf(dataDir: string): string {
	try {
		const noted = readFileSync(join(dataDir, SIGNPOST), "utf8");
		return noted.split("\n").find((line) => line.startsWith("/")) ?? join(dataDir, "database");
	} catch {
		return join(dataDir, "database");
	}
}

/** The postmaster that runs on a data folder, by what it wrote down: its number and the folder of its socket. Null when none lives. */
export function postmasterOf(dataDir: string): { pid: number; socketDir: string } | null {
	try {
		const lines = readFileSync(join(databaseFolderOf(dataDir), "cluster", "postmaster.pid"), "utf8").split("\n");
		const pid = Number(lines[0]);
		return pid > 0 && lines[4] && markOf(pid) !== null ? { pid, socketDir: lines[4] } : null;
	} catch {
		return null;
	}
}

/** Whether any process of PostgreSQL is left on a data folder. */
export function databaseRuns(dataDir: string): boolean {
	return postmasterOf(dataDir) !== null || isWorkedIn(join(databaseFolderOf(dataDir), "cluster"));
}

/**
 * A free port below those the system gives to outgoing connections: while the server is down, a client that connects to
 * its own port number would otherwise now and then meet itself, or keep the server from coming back.
 */
export async function fixedPort(): Promise<number> {
	for (;;) {
		const port = 20_000 + Math.floor(Math.random() * 12_000);
		const probe = createServer();
		const free = await new Promise<boolean>((resolve) => {
			probe.once("error", () => resolve(false));
			probe.listen(port, "127.0.0.1", () => resolve(true));
		});
		if (!free) continue;
		await new Promise((resolve) => probe.close(resolve));
		return port;
	}
}

export type ServerProcess = {
	child: ChildProcess;
	/** The end of what it wrote, standard output and error together. */
	said(): string;
	/** Resolves with the exit code, or the signal's name. */
	ended: Promise<number | NodeJS.Signals>;
};

const running = new Set<ChildProcess>();
// Whatever way the test ends, its servers get the chance to end with their databases.
process.once("exit", () => {
	for (const child of running) child.kill("SIGTERM");
});
for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => process.exit(1));

/** How a server is started: each may be left out. */
export type StartedWith = {
	/** For Node. */
	flags?: string[];
	/** A file it writes to instead of to us. */
	stdout?: number | undefined;
	/** It can be asked by messages. */
	ipc?: boolean;
	/** The network namespace it runs in. */
	namespace?: string | null;
	/** Another checkout than this one, built. */
	root?: string | undefined;
};

/** Starts the server exactly as `npm start` does, in a process of its own, with nothing of this shell's configuration. */
export function startServer(env: Env, more: StartedWith = {}): ServerProcess {
	const { PATH, HOME, TMPDIR } = process.env;
	// It becomes the server: its number and its signals are the server's.
	const enter = more.namespace ? ["nsenter", `--net=${more.namespace}`] : [];
	const server = [process.execPath, ...(more.flags ?? []), "--import", "./observability/start.ts", "server.ts"];
	const [file = process.execPath, ...args] = [...enter, ...server];
	const child = spawn(file, args, {
		cwd: more.root ?? ROOT,
		env: { PATH, HOME, TMPDIR, NODE_ENV: "production", FACT_URL: "off", LOG_LEVEL: "error", ...env },
		stdio: ["ignore", more.stdout ?? "pipe", "pipe", ...(more.ipc ? (["ipc"] as const) : [])],
	});
	running.add(child);
	let said = "";
	const hear = (text: Buffer) => {
		said = (said + text).slice(-KEPT);
	};
	child.stdout?.on("data", hear);
	child.stderr?.on("data", hear);
	const ended = once(child, "close").then(([code, signal]) => {
		running.delete(child);
		return (code ?? signal) as number | NodeJS.Signals;
	});
	return { child, said: () => said, ended };
}

/** Waits until a server takes people. Throws with what it said when it ends or takes longer than `within` ms. */
export async function untilReady(url: string, server: ServerProcess, within = 60_000): Promise<void> {
	let over: number | NodeJS.Signals | null = null;
	void server.ended.then((how) => {
		over = how;
	});
	for (const end = Date.now() + within; Date.now() < end; await sleep(50)) {
		if (over !== null) throw new Error(`the server ended with ${over}:\n${server.said()}`);
		const ready = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(2000) }).catch(() => null);
		await ready?.body?.cancel();
		if (ready?.ok) return;
	}
	throw new Error(`the server was not ready within ${within} ms:\n${server.said()}`);
}

/** Enters over the form and gives the cookie of the session. */
export async function enter(url: string, name: string): Promise<string> {
	const answer = await fetch(`${url}/?index`, { method: "POST", body: new URLSearchParams({ name }), redirect: "manual" });
	const text = await answer.text();
	const cookie = answer.headers
		.getSetCookie()
		.map((each) => each.split(";")[0] as string)
		.find((each) => each.startsWith("sid=") && each !== "sid=");
	if (!cookie) throw new Error(`${name} could not enter: ${answer.status} ${text.slice(0, 500)}`);
	return cookie;
}

/** Resolves when a condition holds; throws after `within` ms with what `otherwise` says then. */
export async function until(condition: () => boolean, within: number, otherwise: () => string): Promise<void> {
	for (const end = Date.now() + within; !condition(); await sleep(20)) if (Date.now() > end) throw new Error(otherwise());
}
