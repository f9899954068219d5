import { type ChildProcess, execFile, spawn } from "node:child_process";
import { chownSync, closeSync, openSync, readdirSync, readFileSync, rmSync, statSync, truncateSync } from "node:fs";
import { open, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import pg from "pg";
import { choosePlace, type Place } from "./database-place.ts";
import type { Log } from "./log-port.ts";
import type { Connection } from "./pool.ts";
import { type Binaries, findPackage, usableBinaries } from "./postgres-binaries.ts";
import { commandOf, isWorkedIn, markOf } from "./processes.ts";
import { codeOf, storageError } from "./storage-error.ts";

const run = promisify(execFile);

const ROLE = "charla";
const DATABASE = "charla";
const PORT = 5432;
/** How long starts that fail are repeated: after a crash the old children hold on to shared memory for a while; in ms. */
const RETRY_FOR = 10_000;
/** How long a server that lives may take until it answers: it may be replaying its log after a power cut; in ms. */
const PATIENCE = 120_000;
/** How long a server gets to end; in ms. */
const STOP_WITHIN = 10_000;
/** After how long without the database `signalLost` is called; in ms. */
const LOST_AFTER = 60_000;
/** Beyond this the log begins anew at the next start; in bytes. */
const LOG_LIMIT = 10 * 1024 * 1024;
/** Not left empty, or `pg` would take PGOPTIONS of the person's shell. */
const SESSION_OPTIONS = "-c timezone=UTC";

/** Given on the command line, so that they are always those of the code that runs. fsync and synchronous_commit stay on. */
const SETTINGS = {
	listen_addresses: "",
	port: String(PORT),
	unix_socket_permissions: "0700",
	max_connections: "50",
	shared_buffers: "128MB",
	jit: "off",
	timezone: "UTC",
	log_timezone: "UTC",
};

export type EmbeddedOptions = {
	/** Must exist. What is in it decides which database this is. */
	dataDir: string;
	log: Log;
	/** PostgreSQL settings on top of ours. */
	settings?: Record<string, string>;
	/** Called once each time PostgreSQL has been away for a minute and could not be brought back. Attempts go on. */
	signalLost?: () => void;
};

/** A PostgreSQL of our own that is kept running. */
export type Embedded = {
	connection: Connection;
	/** The same for programs that take a connection string. */
	url: string;
	/** Number of the postmaster process that runs now. */
	pid(): number;
	/** Fast shutdown; resolves when it has ended. */
	stop(): Promise<void>;
};

/** A postmaster that lives; `child` when this process started it and has not adopted it. */
type Postmaster = { pid: number; mark: string; socketDir: string; child: ChildProcess | null };

/**
 * Starts the PostgreSQL of the npm package on a unix socket in `dataDir`, making its data folder the first time, or
 * adopts the one a killed Charla left running there. Starts it anew whenever it dies, until `stop`.
 * Does not guard against a second Charla on the same folder: see `takeLock`.
 * Errors: see StorageErrorCode.
 */
export async function startEmbedded(options: EmbeddedOptions): Promise<Embedded> {
	const { log } = options;
	const packageDir = findPackage();
	const place = choosePlace(options.dataDir);
	const binaries = await usableBinaries(packageDir, place.copiesDir, place.account);
	await makeCluster(place, binaries, log);
	place.noteDown();

	let stopping = false;
	let current = await adoptOrStart(place, binaries, options);
	const connection = { host: current.socketDir, port: PORT, user: ROLE, database: DATABASE, ssl: false, options: SESSION_OPTIONS };
	await createDatabase(connection).catch((error) => {
		signal(current, "SIGINT");
		throw error;
	});

	let ended = watch(current, onDeath);
	let recovery: Promise<void> = Promise.resolve();
	// Whatever way this process ends (kill -9 apart), PostgreSQL does not outlive it.
	const atExit = () => signal(current, "SIGINT");
	process.once("exit", atExit);

	function onDeath() {
		if (!stopping) recovery = bringBack();
	}

	async function bringBack() {
		log.warn("db.server_lost", { db_pid: current.pid });
		const since = Date.now();
		let told = false;
		while (!stopping) {
			try {
				current = await adoptOrStart(place, binaries, options);
				ended = watch(current, onDeath);
				log.info("db.server_back", { db_pid: current.pid, duration_ms: Date.now() - since });
				return;
			} catch (error) {
				log.error("db.server_down", { exception_message: (error as Error).message });
				if (!told && Date.now() - since > LOST_AFTER) {
					told = true;
					options.signalLost?.();
				}
				await sleep(1_000, undefined, { ref: false });
			}
		}
	}

	return {
		connection,
		url: `postgres://${ROLE}@/${DATABASE}?host=${encodeURIComponent(current.socketDir)}&port=${PORT}`,
		pid: () => current.pid,
		async stop() {
			stopping = true;
			await within(RETRY_FOR, recovery);
			process.off("exit", atExit);
			signal(current, "SIGINT");
			if (await within(STOP_WITHIN, ended)) return;
			// Not clean, but as safe as a power cut: the next start replays the log.
			log.warn("db.server_killed", { db_pid: current.pid });
			signal(current, "SIGQUIT");
			await within(STOP_WITHIN, ended);
		},
	};
}

/**
 * Makes the data folder unless there is one. It is made under another name and renamed when complete and on disk, so
 * that one that was half made when somebody pulled the plug is never mistaken for a database.
 */
async function makeCluster(place: Place, binaries: Binaries, log: Log): Promise<void> {
	const found = versionOf(place.cluster);
	if (found === binaries.major) return;
	if (found !== null) {
		throw storageError(
			"DATA_FOREIGN",
			`The database in ${place.cluster} was made by PostgreSQL ${found}, and this Charla brings ${binaries.major}. Bring it over with pg_dump and pg_upgrade, or start the Charla that made it.`,
		);
	}
	for (const entry of readdirSync(place.home)) {
		if (entry.startsWith("cluster.making-")) await rm(join(place.home, entry), { recursive: true, force: true, maxRetries: 5 });
	}
	const making = `${place.cluster}.making-${process.pid}`;
	log.info("db.created", { folder: place.cluster });
	try {
		// The locale is PostgreSQL's own, so that sorting and upper case are the same on every machine and survive its upgrades.
		const args = ["--pgdata", making, "--username", ROLE, "--auth=trust", "--encoding=UTF8", "--locale=C"];
		const locale = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--no-instructions"];
		await run(binaries.initdb, [...args, ...locale], { env: binaries.env, cwd: "/", ...identity(place) });
	} catch (error) {
		const reason = (error as { stderr?: string }).stderr?.trim() || (error as Error).message;
		throw storageError("DATABASE_DOES_NOT_START", `The database could not be made in ${place.home}: ${reason}`, error);
	}
	await rename(making, place.cluster);
	const folder = await open(place.home);
	await folder.sync();
	await folder.close();
}

function versionOf(cluster: string): string | null {
	try {
		return readFileSync(join(cluster, "PG_VERSION"), "utf8").trim();
	} catch (error) {
		if (codeOf(error) !== "ENOENT") {
			throw storageError("DATA_FOREIGN", `The database in ${cluster} cannot be read: start Charla as the account that made it.`, error);
		}
	}
	let entries: string[];
	try {
		entries = readdirSync(cluster);
	} catch {
		return null;
	}
	if (entries.length > 0) {
		throw storageError(
			"DATA_FOREIGN",
			`${cluster} is not a PostgreSQL data folder and not empty: move it away, and Charla makes a new one.`,
		);
	}
	rmSync(cluster, { recursive: true });
	return null;
}

async function adoptOrStart(place: Place, binaries: Binaries, options: EmbeddedOptions): Promise<Postmaster> {
	const giveUpAt = Date.now() + RETRY_FOR;
	for (;;) {
		const running = findRunning(place.cluster);
		if (running !== null) {
			const ready = await untilAnswering(running, place);
			if (ready) {
				options.log.info("db.adopted", { db_pid: running.pid });
				return running;
			}
			// It was on its way out. Next round.
			continue;
		}
		forgetStranger(place.cluster);
		const started = start(place, binaries, options.settings);
		if (started !== null && (await untilAnswering(started, place))) return started;
		if (Date.now() > giveUpAt) {
			throw storageError("DATABASE_DOES_NOT_START", `PostgreSQL does not start. The end of ${place.logFile}:\n${endOf(place.logFile)}`);
		}
		await sleep(250);
	}
}

function start(place: Place, binaries: Binaries, settings: Record<string, string> = {}): Postmaster | null {
	const log = openLog(place);
	try {
		const all = { ...SETTINGS, unix_socket_directories: place.socketDir, ...settings };
		const args = ["-D", place.cluster, ...Object.entries(all).flatMap(([name, value]) => ["-c", `${name}=${value}`])];
		const child = spawn(binaries.postgres, args, {
			env: binaries.env,
			cwd: "/",
			stdio: ["ignore", log, log],
			// A process group of its own: Ctrl-C in the terminal must reach Charla, which has to finish its work with the database first.
			detached: true,
			...identity(place),
		});
		child.on("error", () => undefined);
		child.unref();
		const mark = child.pid === undefined ? null : markOf(child.pid);
		return child.pid === undefined || mark === null ? null : { pid: child.pid, mark, socketDir: place.socketDir, child };
	} finally {
		closeSync(log);
	}
}

function openLog(place: Place): number {
	const log = openSync(place.logFile, "a", 0o600);
	if (statSync(place.logFile).size > LOG_LIMIT) truncateSync(place.logFile);
	if (place.account !== null) chownSync(place.logFile, place.account.uid, place.account.gid);
	return log;
}

function identity(place: Place): { uid: number; gid: number } | object {
	return place.account === null ? {} : { uid: place.account.uid, gid: place.account.gid };
}

/** The postmaster that runs on `cluster`, by what it wrote into postmaster.pid: number, folder, start, port, socket folder. */
function findRunning(cluster: string): Postmaster | null {
	const lines = readPidFile(cluster);
	const pid = Number(lines[0]);
	if (!Number.isInteger(pid) || pid <= 0) return null;
	const mark = markOf(pid);
	const socketDir = lines[4];
	if (mark === null || !isPostmasterOf(pid, cluster) || !socketDir) return null;
	return { pid, mark, socketDir, child: null };
}

function isPostmasterOf(pid: number, cluster: string): boolean {
	const command = commandOf(pid);
	return command.includes("postgres") && command.includes(cluster);
}

/**
 * Takes away a postmaster.pid whose number now belongs to a stranger, which PostgreSQL would take for a rival. Only
 * when no process of the dead one works in the folder any more: that file is what a start finds them by.
 */
function forgetStranger(cluster: string): void {
	const pid = Number(readPidFile(cluster)[0]);
	if (!Number.isInteger(pid) || pid <= 0 || markOf(pid) === null) return;
	if (isPostmasterOf(pid, cluster) || isWorkedIn(cluster)) return;
	rmSync(join(cluster, "postmaster.pid"), { force: true });
}

function readPidFile(cluster: string): string[] {
	try {
		return readFileSync(join(cluster, "postmaster.pid"), "utf8").split("\n");
	} catch (error) {
		if (codeOf(error) === "ENOENT") return [];
		throw error;
	}
}

/** True once it takes queries, on the data folder it should; false when it has ended. */
async function untilAnswering(postmaster: Postmaster, place: Place): Promise<boolean> {
	const giveUpAt = Date.now() + PATIENCE;
	while (lives(postmaster)) {
		try {
			const folder = await askOnce({
				host: postmaster.socketDir,
				port: PORT,
				user: ROLE,
				database: "postgres",
				ssl: false,
				options: SESSION_OPTIONS,
			});
			if (folder === place.cluster) return true;
			throw storageError("DATABASE_DOES_NOT_START", `Another PostgreSQL (on ${folder}) answers in ${postmaster.socketDir}.`);
		} catch (error) {
			if (codeOf(error) === "DATABASE_DOES_NOT_START") throw error;
			if (Date.now() > giveUpAt) {
				throw storageError("DATABASE_DOES_NOT_START", `PostgreSQL runs and does not answer: ${(error as Error).message}`, error);
			}
		}
		await sleep(50);
	}
	return false;
}

async function askOnce(connection: Connection): Promise<string | undefined> {
	return withClient(connection, async (client) => (await client.query("show data_directory")).rows[0]?.data_directory);
}

async function createDatabase(connection: Connection): Promise<void> {
	await withClient({ ...connection, database: "postgres" }, async (client) => {
		const found = await client.query("select 1 from pg_database where datname = $1", [DATABASE]);
		if (found.rowCount === 0) await client.query(`create database ${DATABASE}`);
	});
}

async function withClient<T>(connection: Connection, work: (client: pg.Client) => Promise<T>): Promise<T> {
	const client = new pg.Client({ ...connection, connectionTimeoutMillis: 5_000 });
	client.on("error", () => undefined);
	await client.connect();
	try {
		return await work(client);
	} finally {
		await client.end();
	}
}

/** Resolves when a postmaster has ended, after calling `onDeath`. Ours tell; adopted ones have to be looked at. */
function watch(postmaster: Postmaster, onDeath: () => void): Promise<void> {
	return new Promise((resolve) => {
		function over() {
			clearInterval(timer);
			postmaster.child?.off("exit", over);
			resolve();
			onDeath();
		}
		const timer = setInterval(() => lives(postmaster) || over(), 250).unref();
		postmaster.child?.once("exit", over);
	});
}

function lives(postmaster: Postmaster): boolean {
	return postmaster.child?.exitCode == null && postmaster.child?.signalCode == null && markOf(postmaster.pid) === postmaster.mark;
}

function signal(postmaster: Postmaster, name: "SIGINT" | "SIGQUIT"): void {
	if (!lives(postmaster)) return;
	try {
		process.kill(postmaster.pid, name);
	} catch {
		// It ended in between.
	}
}

async function within(milliseconds: number, work: Promise<void>): Promise<boolean> {
	const timeout = new AbortController();
	const late = sleep(milliseconds, false, { signal: timeout.signal }).catch(() => false);
	const done = await Promise.race([work.then(() => true), late]);
	timeout.abort();
	return done;
}

function endOf(logFile: string): string {
	try {
		return readFileSync(logFile, "utf8").trimEnd().split("\n").slice(-8).join("\n");
	} catch (error) {
		return (error as Error).message;
	}
}
