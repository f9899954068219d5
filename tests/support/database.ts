import { createHash, randomBytes } from "node:crypto";
import pg from "pg";
import { openJobs } from "../../app/jobs/index.server.ts";
import { openStorage, type Sql, type Storage } from "../../app/storage/index.server.ts";
import { readMigrations } from "../../app/storage/migrate.ts";
import { codeOf } from "../../app/storage/storage-error.ts";
import packageJson from "../../package.json" with { type: "json" };
import { joinServer } from "./database-server.ts";

export { stopTestDatabase } from "./database-server.ts";

/** A database of one test's own, with the schema of today and nothing else in it. */
export type FreshDatabase = { sql: Sql; storage: Storage; url: string; [Symbol.asyncDispose](): Promise<void> };

const SILENT = { info: () => undefined, warn: () => undefined, error: () => undefined };
/** Any number: it keeps two processes from making the same template at once. */
const TEMPLATE_LOCK = 7_305_421;
const OBJECT_IN_USE = "55006";
const ATTEMPTS = 20;

let prepared: Promise<{ admin: pg.Pool; serverUrl: string; template: string }> | null = null;
let count = 0;

/**
 * A migrated database for one test, in some 50 ms: `await using database = await freshDatabase()`.
 * On the server of TEST_DATABASE_URL (whose role may create databases), else on one of our own that all test
 * processes share.
 */
export async function freshDatabase(): Promise<FreshDatabase> {
	prepared ??= prepare();
	const { admin, serverUrl, template } = await prepared;
	const name = `charla_test_${process.pid}_${++count}_${randomBytes(3).toString("hex")}`;
	await cloneTemplate(admin, name, template);
	const url = withDatabase(serverUrl, name);
	const storage = await openStorage({ databaseUrl: url, dataDir: "", log: SILENT });
	return {
		sql: storage.sql,
		storage,
		url,
		async [Symbol.asyncDispose]() {
			await storage.close();
			await admin.query(`drop database if exists ${name} with (force)`);
		},
	};
}

async function prepare() {
	const given = process.env.TEST_DATABASE_URL;
	const serverUrl = given ?? (await joinServer());
	// Must not keep a test process alive that is done.
	const admin = new pg.Pool({ connectionString: given ?? withDatabase(serverUrl, "postgres"), max: 2, allowExitOnIdle: true });
	admin.on("error", () => undefined);
	admin.on("connect", (client) => client.on("error", () => undefined));
	const template = await makeTemplate(admin, serverUrl, given === undefined);
	return { admin, serverUrl, template };
}

/** Makes the template of these very migrations, unless another process did. It bears its name only once complete. */
async function makeTemplate(admin: pg.Pool, serverUrl: string, isOurs: boolean): Promise<string> {
	const migrations = JSON.stringify([await readMigrations(), packageJson.dependencies["pg-boss"]]);
	const template = `charla_template_${createHash("sha256").update(migrations).digest("hex").slice(0, 12)}`;
	const client = await admin.connect();
	try {
		await client.query("select pg_advisory_lock($1)", [TEMPLATE_LOCK]);
		const { rows } = await client.query<{ datname: string }>("select datname from pg_database where datname like 'charla\\_template\\_%'");
		const existing = rows.map((row) => row.datname);
		if (existing.includes(template)) return template;
		// Those of earlier migrations. On a server that is not ours, other checkouts may be using them.
		const outdated = existing.filter((name) => isOurs || name === `${template}_making`);
		for (const name of outdated) await client.query(`drop database ${name} with (force)`);
		await client.query(`create database ${template}_making`);
		const storage = await openStorage({ databaseUrl: withDatabase(serverUrl, `${template}_making`), dataDir: "", log: SILENT });
		try {
			await storage.migrate();
			// The queue makes its tables at the first start; here once for all tests.
			const jobs = openJobs({ run: storage.run, log: SILENT, around: (_name, work) => work() });
			jobs.start();
			await jobs.stop();
		} finally {
			await storage.close();
		}
		await untilUnused(() => client.query(`alter database ${template}_making rename to ${template}`));
		return template;
	} finally {
		await client.query("select pg_advisory_unlock($1)", [TEMPLATE_LOCK]).catch(() => undefined);
		client.release();
	}
}

async function cloneTemplate(admin: pg.Pool, name: string, template: string): Promise<void> {
	await untilUnused(() => admin.query(`create database ${name} template ${template}`));
}

/** A connection that was just closed may still count as a user of the template for a moment. */
async function untilUnused(work: () => Promise<unknown>): Promise<void> {
	for (let attempt = 1; ; attempt++) {
		try {
			await work();
			return;
		} catch (error) {
			if (codeOf(error) !== OBJECT_IN_USE || attempt === ATTEMPTS) throw error;
			await new Promise((resolve) => setTimeout(resolve, 50));
		}
	}
}

/** The same server, another database. Not by URL, which does not know one without a host (a unix socket). */
function withDatabase(url: string, database: string): string {
	return url.replace(/^(postgres(?:ql)?:\/\/[^/?]*)\/?[^?]*/, `$1/${database}`);
}
