import { rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { startEmbedded } from "../../app/storage/embedded.ts";
import { type Lock, takeLock } from "../../app/storage/process-lock.ts";
import { announceServer, FOLDER, hasUsers, isUser, readServer, withDoorClosed, withdrawServer } from "./database-server.ts";

/** How long the server waits for another user: longer than the pause between two test files; in ms. */
const LINGER = 15_000;

/** Fast and forgetful: a power cut may cost the test data. */
const SETTINGS = {
	fsync: "off",
	synchronous_commit: "off",
	full_page_writes: "off",
	autovacuum: "off",
	max_connections: "300",
	checkpoint_timeout: "1h",
};

const log = { info: console.log, warn: console.warn, error: console.error };

/** How long a keeper waits for the one before it to end; in ms. */
const WAIT_FOR_LAST = 30_000;

let told = false;
process.once("SIGTERM", () => {
	told = true;
});

const lock = await becomeTheKeeper();
if (lock !== null) {
	await keep();
	lock.release();
}

/** There is one keeper. Null when another one turned out to be at work. */
async function becomeTheKeeper(): Promise<Lock | null> {
	for (const end = Date.now() + WAIT_FOR_LAST; Date.now() < end; await sleep(100)) {
		const taken = takeLock(join(FOLDER, "keeper.lock"));
		if ("lock" in taken) return taken.lock;
		if (readServer() !== null) return null;
	}
	return null;
}

async function keep(): Promise<void> {
	const options = { dataDir: FOLDER, log, settings: SETTINGS };
	const server = await startEmbedded(options).catch((error) => {
		log.warn("the old test database does not start, making a new one", { reason: error.message });
		rmSync(join(FOLDER, "database"), { recursive: true, force: true });
		return startEmbedded(options);
	});
	await dropLeftOvers(server.connection);

	announceServer(server.url);
	for (let lastUsed = Date.now(); !told; await sleep(100)) {
		if (hasUsers()) lastUsed = Date.now();
		if (Date.now() - lastUsed < LINGER) continue;
		const left = await withDoorClosed(async () => {
			if (hasUsers()) return false;
			withdrawServer();
			await server.stop();
			return true;
		});
		if (left === true) return;
	}
	withdrawServer();
	await server.stop();
}

/** Databases of tests that were killed; those of living ones stay, should the keeper before this one have been killed. */
async function dropLeftOvers(connection: pg.ClientConfig): Promise<void> {
	const client = new pg.Client({ ...connection, database: "postgres" });
	await client.connect();
	const { rows } = await client.query<{ datname: string }>("select datname from pg_database where datname like 'charla\\_test\\_%'");
	const abandoned = rows.filter(({ datname }) => !isUser(datname.split("_")[2] ?? ""));
	for (const { datname } of abandoned) await client.query(`drop database ${datname} with (force)`);
	await client.end();
}
