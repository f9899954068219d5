import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Kysely, PostgresDialect, sql } from "kysely";
import { type Migration, Migrator } from "kysely/migration";
import pg from "pg";
import type { Log } from "./log-port.ts";
import type { Connection } from "./pool.ts";
import { codeOf } from "./storage-error.ts";

/** The .sql files of the checkout, applied in the order of their names and never taken back. */
export const MIGRATIONS = fileURLToPath(new URL("../../db/migrations/", import.meta.url));

const UNDEFINED_TABLE = "42P01";

/**
 * Brings the schema up to the files in `folder`, all new ones in one transaction. Several instances may do so at
 * once: one works, the others wait for it. A database ahead of this code (another instance is newer) is left alone.
 */
export async function migrate(connection: Connection, log: Log, folder = MIGRATIONS): Promise<void> {
	// Two connections: one holds the lock. No statement timeout, since an index may take its time.
	const pool = new pg.Pool({ ...connection, max: 2, connectionTimeoutMillis: 10_000, application_name: "charla-migrate" });
	pool.on("error", () => undefined);
	pool.on("connect", (client) => client.on("error", () => undefined));
	const database = new Kysely<unknown>({ dialect: new PostgresDialect({ pool }) });
	try {
		const provider = {
			async getMigrations() {
				const files = await readMigrations(folder);
				const migrations: Record<string, Migration> = {};
				for (const { name, text } of files) migrations[name] = { up: async (db) => void (await sql.raw(text).execute(db)) };
				// Those of newer code, which Kysely would take for lost files.
				const unknown = (await appliedIn(pool)).filter((name) => !(name in migrations));
				for (const name of unknown) migrations[name] = { up: () => Promise.reject(new Error(`${name} is not in ${folder}`)) };
				if (unknown.length > 0) log.warn("db.ahead", { migration: unknown.join(", ") });
				return migrations;
			},
		};
		const { error, results = [] } = await new Migrator({ db: database, provider, allowUnorderedMigrations: true }).migrateToLatest();
		if (error !== undefined) {
			const failed = results.find((each) => each.status === "Error");
			const reason = error instanceof Error ? error.message : String(error);
			const where = failed === undefined ? "The database could not be migrated" : `Migration ${failed.migrationName} failed`;
			throw Object.assign(new Error(`${where}: ${reason}`, { cause: error }), { code: codeOf(error) });
		}
		for (const each of results) log.info("db.migrated", { migration: each.migrationName });
	} finally {
		await database.destroy();
	}
}

/** Whether every file of `folder` has been applied to the database behind `pool`. */
export async function isMigrated(ask: (text: string) => Promise<{ name: string }[]>, folder = MIGRATIONS): Promise<boolean> {
	const names = (await readMigrations(folder)).map((each) => each.name);
	try {
		const applied = new Set((await ask("select name from kysely_migration")).map((row) => row.name));
		return names.every((name) => applied.has(name));
	} catch (error) {
		if (codeOf(error) === UNDEFINED_TABLE) return false;
		throw error;
	}
}

/** The migrations of `folder` in their order. */
export async function readMigrations(folder = MIGRATIONS): Promise<{ name: string; text: string }[]> {
	const files = (await readdir(folder)).filter((file) => file.endsWith(".sql")).sort();
	return Promise.all(
		files.map(async (file) => ({ name: file.slice(0, -".sql".length), text: await readFile(join(folder, file), "utf8") })),
	);
}

async function appliedIn(pool: pg.Pool): Promise<string[]> {
	try {
		return (await pool.query<{ name: string }>("select name from kysely_migration")).rows.map((row) => row.name);
	} catch (error) {
		if (codeOf(error) === UNDEFINED_TABLE) return [];
		throw error;
	}
}
