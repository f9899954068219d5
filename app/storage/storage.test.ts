import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { chmod, cp, mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { SIGNPOST } from "./database-place.ts";
import { startEmbedded } from "./embedded.ts";
import { isUnavailable, openStorage, type Storage } from "./index.server.ts";
import { migrate } from "./migrate.ts";
import { chooseAccount } from "./postgres-account.ts";
import { findPackage, usableBinaries } from "./postgres-binaries.ts";
import { takeLock } from "./process-lock.ts";
import { markOf } from "./processes.ts";
import { codeOf } from "./storage-error.ts";

const IS_ROOT = process.getuid?.() === 0;

const said: string[] = [];
const hear = (message: string) => void said.push(message);
const log = { info: hear, warn: hear, error: hear };

/** A folder that anybody may enter, as a checkout usually is. */
const root = await mkdtemp(join(tmpdir(), "charla-storage-"));
await chmod(root, 0o755);
const dataDir = join(root, "data");
const elsewhere: string[] = [];
let storage: Storage;

before(async () => {
	storage = await openStorage({ databaseUrl: null, dataDir, log });
	await storage.sql.query("", "create table kept (id int8 primary key, word text)");
});

after(async () => {
	await storage.close();
	for (const folder of [root, ...elsewhere]) await rm(folder, { recursive: true, force: true });
});

test("int8 arrives as number, alone, counted and in arrays; timestamps as Date", async () => {
	const text = "select 9007199254740991::int8 as big, count(*) as counted, $1::int8[] as list, now() as at from generate_series(1, 3)";
	const [row] = await storage.sql.query<Record<string, unknown>>("storage-test-types", text, [[1, null, 3]]);
	assert.equal(row?.big, Number.MAX_SAFE_INTEGER);
	assert.equal(row?.counted, 3);
	assert.deepEqual(row?.list, [1, null, 3]);
	assert.ok(row?.at instanceof Date);
});

test("a named statement is prepared once per connection; an unnamed one is not", async () => {
	await storage.sql.query("storage-test-named", "select 1 as n");
	const prepared = await storage.sql.query<{ name: string }>("", "select name from pg_prepared_statements");
	assert.ok(prepared.some((row) => row.name === "storage-test-named"));
	assert.ok(prepared.every((row) => row.name !== ""));
});

test("text sorts and folds the same everywhere, accents included, and commits reach the disk", async () => {
	const text =
		"select lower('ÁÑÜ') as low, to_tsvector('simple', 'ÁRBOL')::text as words, current_setting('fsync') as fsync, current_setting('synchronous_commit') as sync";
	assert.deepEqual(await storage.sql.query("", text), [{ low: "áñü", words: "'árbol':1", fsync: "on", sync: "on" }]);
});

test("a wrong statement does not cost its connection", async () => {
	const backend = async () => (await storage.sql.query<{ pid: number }>("", "select pg_backend_pid() as pid"))[0]?.pid;
	const first = await backend();
	await storage.sql.query("", "insert into kept values (-1, 'there')");
	await assert.rejects(storage.sql.query("", "insert into kept values (-1, 'again')"), { code: "23505" });
	assert.equal(await backend(), first);
});

test("what a transaction throws rolls it back, is not retried, and comes out as it was", async () => {
	const refusal = Object.assign(new Error("no"), { code: "room_unknown" });
	let runs = 0;
	const failed = storage.sql.transaction(async (sql) => {
		runs++;
		await sql.query("", "insert into kept values (-2, 'not kept')");
		throw refusal;
	});
	await assert.rejects(failed, (error) => error === refusal);
	assert.equal(runs, 1);
	assert.deepEqual(await storage.sql.query("", "select * from kept where id = -2"), []);
});

test("a transaction that goes on after a failed statement says that nothing was kept", async () => {
	const swallowing = storage.sql.transaction(async (sql) => {
		await sql.query("", "insert into kept values (-3, 'lost')");
		await sql.query("", "select 1 / 0").catch(() => undefined);
	});
	await assert.rejects(swallowing, { code: "25P02" });
});

test("a transaction inside a transaction can fail alone", async () => {
	await storage.sql.transaction(async (sql) => {
		await sql.query("", "insert into kept values (-4, 'outer')");
		const inner = sql.transaction(async (nested) => {
			await nested.query("", "insert into kept values (-5, 'inner')");
			throw new Error("inner");
		});
		await assert.rejects(inner, /inner/);
	});
	assert.deepEqual(await storage.sql.query("", "select id from kept where id in (-4, -5)"), [{ id: -4 }]);
});

test("a transaction takes statements at once in turn, and none after its end", async () => {
	const leaked = await storage.sql.transaction(async (sql) => {
		const answers = await Promise.all([1, 2, 3].map((n) => sql.query<{ n: number }>("", "select $1::int4 as n", [n])));
		assert.deepEqual(answers.flat(), [{ n: 1 }, { n: 2 }, { n: 3 }]);
		return sql;
	});
	await assert.rejects(leaked.query("", "select 1"), /has ended/);
});

test("two transactions in each other's way both succeed: deadlocks are retried", async () => {
	await storage.sql.query("", "insert into kept values (-10, '0'), (-11, '0')");
	let runs = 0;
	const bump = (sql: Storage["sql"], id: number) => sql.query("", "update kept set word = word::int + 1 where id = $1", [id]);
	const crossing = (first: number, second: number) =>
		storage.sql.transaction(async (sql) => {
			runs++;
			await bump(sql, first);
			await sleep(100);
			await bump(sql, second);
		});
	await Promise.all([crossing(-10, -11), crossing(-11, -10)]);
	assert.ok(runs > 2, `${runs} runs: they never met`);
	assert.deepEqual(await storage.sql.query("", "select word from kept where id in (-10, -11)"), [{ word: "2" }, { word: "2" }]);
});

test("a server that is not there is told by code, never by a crash", async () => {
	const nowhere = await openStorage({ databaseUrl: "postgres://charla@127.0.0.1:1/charla", dataDir: join(root, "unused"), log });
	assert.equal(await nowhere.ready(), false);
	await assert.rejects(nowhere.sql.query("", "select 1"), isUnavailable);
	await nowhere.close();
	await nowhere.close();
	assert.equal(existsSync(join(root, "unused")), false);
});

test("storages that migrate at the same moment all succeed, and are ready only then", async () => {
	await storage.sql.query("", "create database together");
	const url = storage.url.replace("/charla?", "/together?");
	const several = await Promise.all([1, 2, 3].map(() => openStorage({ databaseUrl: url, dataDir, log })));
	assert.deepEqual(await Promise.all(several.map((each) => each.ready())), [false, false, false]);
	await Promise.all(several.map((each) => each.migrate()));
	const late = await openStorage({ databaseUrl: url, dataDir, log });
	assert.deepEqual(await Promise.all([...several, late].map((each) => each.ready())), [true, true, true, true]);
	const files = (await readdir(new URL("../../db/migrations/", import.meta.url))).filter((file) => file.endsWith(".sql"));
	const applied = await late.sql.query<{ name: string }>("", "select name from kysely_migration order by name");
	assert.deepEqual(
		applied.map((row) => `${row.name}.sql`),
		files.sort(),
	);
	await Promise.all([...several, late].map((each) => each.close()));
});

test("a migration that fails leaves nothing behind, and older code starts on a newer database", async () => {
	await storage.sql.query("", "create database stepwise");
	const connection = { connectionString: storage.url.replace("/charla?", "/stepwise?") };
	const stepwise = await openStorage({ databaseUrl: connection.connectionString, dataDir, log });
	const older = join(root, "older");
	const newer = join(root, "newer");
	for (const folder of [older, newer]) {
		await mkdir(folder);
		await writeFile(join(folder, "0001_first.sql"), "create table first (id int); insert into first values (1);");
	}
	await writeFile(join(newer, "0002_second.sql"), "create table second (id int); select 1 / 0;");
	await assert.rejects(migrate(connection, log, newer), (error: Error) => /0002_second/.test(error.message) && codeOf(error) === "22012");
	assert.deepEqual(await stepwise.sql.query("", "select to_regclass('first')::text as a, to_regclass('second')::text as b"), [
		{ a: null, b: null },
	]);
	await writeFile(join(newer, "0002_second.sql"), "create table second (id int);");
	await migrate(connection, log, newer);
	await migrate(connection, log, older);
	assert.deepEqual(await stepwise.sql.query("", "select (select count(*) from first) as a, (select count(*) from second) as b"), [
		{ a: 1, b: 0 },
	]);
	await stepwise.close();
});

test("a transaction that does nothing lets go of what it locked, is told so as an outage, and its connection is not used again", async () => {
	await storage.sql.query("", "insert into kept values (-25, 'locked')");
	const [usual] = await storage.sql.query<{ limit: string }>("", "select current_setting('idle_in_transaction_session_timeout') as limit");
	assert.equal(usual?.limit, "5s");
	let hasLocked = () => {};
	const locked = new Promise<void>((done) => {
		hasLocked = done;
	});
	const held = Promise.withResolvers<void>();
	const frozen = storage.sql.transaction(async (tx) => {
		await tx.query("", "set local idle_in_transaction_session_timeout = 300");
		await tx.query("", "select 1 from kept where id = -25 for update");
		hasLocked();
		await held.promise;
		await tx.query("", "update kept set word = 'frozen' where id = -25");
	});
	const outcome = assert.rejects(frozen, (error) => isUnavailable(error));
	await locked;
	// The lock is given back before its holder comes to itself: else this would wait for it, and it for this.
	await storage.sql.query("", "update kept set word = 'went on' where id = -25");
	held.resolve();
	await outcome;
	const words = await Promise.all(
		Array.from({ length: 20 }, () => storage.sql.query<{ word: string }>("", "select word from kept where id = -25")),
	);
	assert.ok(words.every(([row]) => row?.word === "went on"));
});

test("over a network PostgreSQL finds out within a minute that a machine vanished, and lets go of its connections", async () => {
	const folder = await mkdtemp(join(tmpdir(), "charla-network-"));
	elsewhere.push(folder);
	await chmod(folder, 0o755);
	const rules = join(folder, "who-may.conf");
	await writeFile(rules, "local all all trust\nhost all all 127.0.0.0/8 trust\n", { mode: 0o644 });
	await mkdir(join(folder, "data"));
	const settings = { listen_addresses: "127.0.0.77", hba_file: rules };
	const server = await startEmbedded({ dataDir: join(folder, "data"), log, settings });
	const far = await openStorage({ databaseUrl: `postgres://charla@127.0.0.77:${server.connection.port}/charla`, dataDir: "", log });
	try {
		// Not what was asked for: what the connection's own socket has.
		const asked = "select current_setting('tcp_keepalives_' || name)::int as s from unnest(array['idle', 'interval', 'count']) as name";
		const found = (await far.sql.query<{ s: number }>("", asked)).map(({ s }) => s);
		assert.deepEqual(found, [30, 10, 3]);
	} finally {
		await far.close();
		await server.stop();
	}
});

test("a second Charla on the same data is refused, in words", async () => {
	const second = openStorage({ databaseUrl: null, dataDir, log });
	await assert.rejects(second, { code: "DATA_IN_USE", message: new RegExp(`process ${process.pid}.* is running on`) });
	assert.equal(await openInChild(dataDir), "DATA_IN_USE");
	assert.deepEqual(await storage.sql.query("", "select 1 as n"), [{ n: 1 }]);
});

test("a lock outlives neither its holder nor the reuse of the holder's number", async () => {
	const path = join(root, "some.lock");
	await writeFile(path, JSON.stringify({ pid: process.ppid, mark: "of another boot" }));
	const taken = takeLock(path);
	assert.ok("lock" in taken);
	assert.deepEqual(takeLock(path), { holder: { pid: process.pid, mark: markOf(process.pid) } });
	taken.lock.release();
	assert.equal(existsSync(path), false);
	await writeFile(path, "");
	assert.ok("lock" in takeLock(path));
	assert.deepEqual(
		readdirSync(root).filter((name) => name.startsWith("some.lock")),
		["some.lock"],
	);
});

test("kill -9 of PostgreSQL in mid-use: queries work again, and nothing acknowledged is lost", async () => {
	const acknowledged: number[] = [];
	const failures: unknown[] = [];
	let next = 1;
	let writing = true;
	const writer = async () => {
		while (writing) {
			const id = next++;
			try {
				await storage.sql.query("storage-test-write", "insert into kept values ($1, 'written')", [id]);
				acknowledged.push(id);
			} catch (error) {
				failures.push(error);
				await sleep(20);
			}
		}
	};
	const writers = [1, 2, 3, 4].map(writer);
	await until("some writes", () => acknowledged.length > 50);
	process.kill(postmasterOf(dataDir), "SIGKILL");
	await until("a failure", () => failures.length > 0);
	const before = acknowledged.length;
	await until("writes again", () => acknowledged.length > before + 50);
	writing = false;
	await Promise.all(writers);
	for (const failure of failures) assert.ok(isUnavailable(failure), `${codeOf(failure)}: ${failure}`);
	const there = new Set((await storage.sql.query<{ id: number }>("", "select id from kept where id > 0")).map((row) => row.id));
	assert.deepEqual(
		acknowledged.filter((id) => !there.has(id)),
		[],
	);
	assert.ok(said.includes("db.server_lost"));
});

test("close stops PostgreSQL and lets go of the folder; a stale postmaster.pid with a stranger's number is no obstacle", async () => {
	const pid = postmasterOf(dataDir);
	await storage.close();
	assert.equal(markOf(pid), null);
	assert.equal(existsSync(join(dataDir, "charla.lock")), false);
	await assert.rejects(storage.sql.query("", "select 1"));

	const stranger = spawn("sleep", ["60"], chooseAccount(null) ?? {});
	const cluster = join(dataDir, "database", "cluster");
	await writeFile(join(cluster, "postmaster.pid"), `${stranger.pid}\n${cluster}\n1\n5432\n${dirname(cluster)}\n\n1 1\nready   \n`);
	storage = await openStorage({ databaseUrl: null, dataDir, log });
	assert.ok((await storage.sql.query("", "select 1 from kept limit 1")).length === 1);
	stranger.kill();
	await storage.close();
});

test("what a killed Charla leaves running is taken over, watched, and stopped in the end", async () => {
	const child = holdInChild(dataDir);
	await line(child, "open");
	const pid = postmasterOf(dataDir);
	child.kill("SIGKILL");
	await once(child, "exit");
	assert.notEqual(markOf(pid), null);

	storage = await openStorage({ databaseUrl: null, dataDir, log });
	assert.equal(postmasterOf(dataDir), pid);
	assert.deepEqual(await storage.sql.query("", "select id from kept where id = -4"), [{ id: -4 }]);

	process.kill(pid, "SIGKILL");
	await until("queries again", async () => {
		const answer = await storage.sql.query("", "select 1").catch(() => []);
		return answer.length === 1 && postmasterOf(dataDir) !== pid;
	});
	const newer = postmasterOf(dataDir);
	await storage.close();
	assert.equal(markOf(newer), null);
});

test("a Charla that ends without closing takes PostgreSQL with it", async () => {
	const child = holdInChild(dataDir);
	await line(child, "open");
	const pid = postmasterOf(dataDir);
	child.stdin?.end("exit\n");
	await once(child, "exit");
	assert.equal(existsSync(join(dataDir, "charla.lock")), false);
	// Opening while the old one is still on its way out must work too.
	storage = await openStorage({ databaseUrl: null, dataDir, log });
	assert.equal(markOf(pid), null);
	assert.deepEqual(await storage.sql.query("", "select id from kept where id = -4"), [{ id: -4 }]);
	await storage.close();
});

test("data below a folder only root may enter goes where PostgreSQL can reach it, and stays there", async () => {
	const closed = join(root, "closed");
	await mkdir(closed, { mode: 0o700 });
	const data = join(closed, "data");
	const first = await openStorage({ databaseUrl: null, dataDir: data, log });
	await first.sql.query("", "create table stays ()");
	await first.close();
	if (IS_ROOT) {
		const place = readFileSync(join(data, SIGNPOST), "utf8").match(/^\/.+$/m)?.[0] ?? "";
		elsewhere.push(dirname(place));
		assert.ok(existsSync(join(place, "cluster", "PG_VERSION")), place);
		// Somebody opens the folder up: the database must not seem empty all of a sudden.
		await chmod(closed, 0o755);
	}
	assert.equal(existsSync(join(data, "database")), !IS_ROOT);
	const second = await openStorage({ databaseUrl: null, dataDir: data, log });
	assert.deepEqual(await second.sql.query("", "select * from stays"), []);
	await second.close();
	if (IS_ROOT) {
		await rm(elsewhere.at(-1) ?? "", { recursive: true });
		await assert.rejects(openStorage({ databaseUrl: null, dataDir: data, log }), { code: "DATA_MISSING" });
	}
});

test("a first start that was killed half-way is made anew; a path too long for a socket is no obstacle", async () => {
	const data = join(root, "x".repeat(100), "data");
	const child = holdInChild(data);
	const home = join(data, "database");
	const halfMade = () => (existsSync(home) ? readdirSync(home).filter((name) => name.startsWith("cluster.making-")) : []);
	await until("initdb at work", () => halfMade().some((name) => existsSync(join(home, name, "base"))), 5);
	child.kill("SIGKILL");
	await once(child, "exit");
	assert.equal(existsSync(join(home, "cluster")), false);

	const opened = await openStorage({ databaseUrl: null, dataDir: data, log });
	assert.deepEqual(await opened.sql.query("", "select 1 as n"), [{ n: 1 }]);
	const socketDir = decodeURIComponent(opened.url.match(/host=([^&]+)/)?.[1] ?? "");
	assert.ok(!socketDir.startsWith(data) && socketDir.length < 100, socketDir);
	elsewhere.push(socketDir);
	assert.deepEqual(halfMade(), []);
	await opened.close();
});

test("a data folder that is somebody else's is refused and left alone", async () => {
	const data = join(root, "foreign");
	const cluster = join(data, "database", "cluster");
	await mkdir(cluster, { recursive: true });
	await writeFile(join(cluster, "PG_VERSION"), "9\n");
	await assert.rejects(openStorage({ databaseUrl: null, dataDir: data, log }), { code: "DATA_FOREIGN", message: /made by PostgreSQL 9/ });
	await rm(join(cluster, "PG_VERSION"));
	await writeFile(join(cluster, "precious"), "x");
	await assert.rejects(openStorage({ databaseUrl: null, dataDir: data, log }), { code: "DATA_FOREIGN", message: /not empty/ });
	assert.ok(existsSync(join(cluster, "precious")));
	assert.equal(existsSync(join(data, "charla.lock")), false);
});

test("programs that npm left without library links, or that PostgreSQL's account cannot reach, are made to run", async () => {
	const account = chooseAccount(null);
	const closed = join(root, "closed-package");
	await mkdir(closed, { mode: 0o700 });
	const packageDir = join(closed, "package");
	const links = JSON.parse(readFileSync(join(findPackage(), "native", "pg-symlinks.json"), "utf8")) as { target: string }[];
	const isLink = (path: string) => links.some((link) => path.endsWith(link.target));
	await cp(findPackage(), packageDir, { recursive: true, verbatimSymlinks: true, filter: (path) => !isLink(path) });
	const copies = join(root, "copies");
	const binaries = await usableBinaries(packageDir, copies, account);
	assert.equal(existsSync(copies), IS_ROOT);
	assert.ok(binaries.postgres.startsWith(IS_ROOT ? copies : packageDir));
	assert.deepEqual(await usableBinaries(packageDir, copies, account), binaries);
	if (IS_ROOT) assert.equal((await readdir(copies)).length, 1);
});

function postmasterOf(data: string): number {
	try {
		return Number(readFileSync(join(data, "database", "cluster", "postmaster.pid"), "utf8").split("\n")[0]);
	} catch {
		return 0;
	}
}

/** A Charla in a process of its own: says "open", or the code of what went wrong, and ends by itself when told so. */
function holdInChild(data: string): ChildProcess {
	const script = `
		const { openStorage } = await import(${JSON.stringify(new URL("./index.server.ts", import.meta.url).href)});
		const silent = () => undefined;
		try {
			await openStorage({ databaseUrl: null, dataDir: ${JSON.stringify(data)}, log: { info: silent, warn: silent, error: silent } });
			console.log("open");
			process.stdin.on("data", () => process.exit(0));
		} catch (error) {
			console.log(error.code);
		}`;
	return spawn(process.execPath, ["--input-type=module", "-e", script], { stdio: ["pipe", "pipe", "inherit"] });
}

async function openInChild(data: string): Promise<string> {
	const child = holdInChild(data);
	const [said] = (await once(child.stdout ?? child, "data")) as [Buffer];
	child.kill("SIGKILL");
	return said.toString().trim();
}

async function line(child: ChildProcess, expected: string): Promise<void> {
	const [said] = (await once(child.stdout ?? child, "data")) as [Buffer];
	assert.equal(said.toString().trim(), expected);
}

async function until(what: string, holds: () => boolean | Promise<boolean>, every = 20): Promise<void> {
	for (const end = Date.now() + 15_000; Date.now() < end; await sleep(every)) if (await holds()) return;
	assert.fail(`waited 15 s for ${what}`);
}
