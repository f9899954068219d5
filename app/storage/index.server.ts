import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { startEmbedded } from "./embedded.ts";
import type { Log } from "./log-port.ts";
import { isMigrated, migrate } from "./migrate.ts";
import { type Connection, type OnWaited, openPool, type Run } from "./pool.ts";
import { type Lock, takeLock } from "./process-lock.ts";
import type { Sql } from "./sql.ts";
import { storageError } from "./storage-error.ts";

export { type Instance, type Instances, openInstances } from "./instances.ts";
export type { Log } from "./log-port.ts";
export type { Run } from "./pool.ts";
export type { Sql } from "./sql.ts";
export { isUnavailable } from "./unavailable.ts";

export type StorageOptions = {
	/** A PostgreSQL server to use; null: one of our own in `dataDir`. */
	databaseUrl: string | null;
	/** Made if missing. Used only without `databaseUrl`. */
	dataDir: string;
	log: Log;
	onWaited?: OnWaited | undefined;
	/** Called when our own PostgreSQL has been away for a minute and cannot be brought back: time to give up this process. */
	signalLost?: () => void;
};

export type Storage = {
	sql: Sql;
	/** For packages that bring SQL of their own. */
	run: Run;
	kind: "embedded" | "served";
	/** Connection string for other programs, such as scripts. */
	url: string;
	/** Brings the schema up to date. Safe in several instances at once. */
	migrate(): Promise<void>;
	/** Whether the database answers within 2 s and has our schema. Never throws. */
	ready(): Promise<boolean>;
	/** Connections of the pool, and who waits for one. */
	pool(): { total: number; idle: number; waiting: number };
	/** Ends connections, and our own PostgreSQL. May be called twice. */
	close(): Promise<void>;
};

/** How long `ready` waits for an answer; in ms. */
const READY_WITHIN = 2_000;
/** How long `close` waits for queries under way; in ms. */
const DRAIN_WITHIN = 5_000;
const LOCK_FILE = "charla.lock";

/**
 * Opens the database. With a URL nothing is connected yet; without, PostgreSQL runs when this resolves.
 * Errors have a `code` (StorageErrorCode) and a message for the person who started Charla.
 */
export async function openStorage(options: StorageOptions): Promise<Storage> {
	const { databaseUrl } = options;
	if (databaseUrl !== null) {
		return storageOver("served", databaseUrl, { connectionString: databaseUrl }, options, async () => undefined);
	}
	mkdirSync(options.dataDir, { recursive: true });
	const lock = lockData(options.dataDir);
	// Should this process end without `close`, the next one need not wonder whether it lives.
	const atExit = () => lock.release();
	process.once("exit", atExit);
	function release() {
		process.off("exit", atExit);
		lock.release();
	}
	try {
		const embedded = await startEmbedded(options);
		return storageOver("embedded", embedded.url, embedded.connection, options, async () => {
			await embedded.stop();
			release();
		});
	} catch (error) {
		release();
		throw error;
	}
}

function storageOver(
	kind: Storage["kind"],
	url: string,
	connection: Connection,
	{ log, onWaited }: Pick<StorageOptions, "log" | "onWaited">,
	stopServer: () => Promise<void>,
): Storage {
	const pool = openPool(connection, log, onWaited);
	let migrated = false;
	let closed: Promise<void> | null = null;

	async function answers(): Promise<boolean> {
		if (migrated) await pool.sql.query("storage-ready", "select 1");
		else migrated = await isMigrated((text) => pool.sql.query("", text));
		return migrated;
	}

	return {
		sql: pool.sql,
		run: pool.run,
		kind,
		url,
		async migrate() {
			await migrate(connection, log);
			migrated = true;
		},
		pool: pool.stats,
		ready: () => orElse(false, READY_WITHIN, answers()),
		close() {
			closed ??= orElse(undefined, DRAIN_WITHIN, pool.end()).then(stopServer);
			return closed;
		},
	};
}

function lockData(dataDir: string): Lock {
	const taken = takeLock(join(dataDir, LOCK_FILE));
	if ("lock" in taken) return taken.lock;
	throw storageError(
		"DATA_IN_USE",
		`Another Charla (process ${taken.holder.pid}) is running on ${dataDir}. Stop it first, or give this one a data folder or a DATABASE_URL of its own.`,
	);
}

/** What `work` gives, or `otherwise` when it fails or takes longer than `milliseconds`. */
function orElse<T>(otherwise: T, milliseconds: number, work: Promise<T>): Promise<T> {
	return new Promise((resolve) => {
		const timer = setTimeout(resolve, milliseconds, otherwise);
		work
			.catch(() => otherwise)
			.then((value) => {
				clearTimeout(timer);
				resolve(value);
			});
	});
}
