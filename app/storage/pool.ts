import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { openWatch } from "./away.ts";
import type { Log } from "./log-port.ts";
import type { Sql } from "./sql.ts";
import { codeOf } from "./storage-error.ts";
import { isUnavailable } from "./unavailable.ts";

/** How a pool reaches its server: what `pg` takes, reduced to what we use. */
export type Connection = Pick<pg.PoolConfig, "connectionString" | "host" | "port" | "user" | "database" | "ssl" | "options">;

/** Connections per instance: more were slower (a room's row lock makes the rest queue up inside PostgreSQL). */
const CONNECTIONS = 10;
/** A statement that takes longer is wrong or stuck; in ms. */
const STATEMENT_TIMEOUT = 10_000;
/** Beyond the server's own limit, for servers that answer nothing at all; in ms. */
const ANSWER_TIMEOUT = 15_000;
/**
 * How long a transaction may do nothing. An instance that vanishes in the middle of one (its machine, its network) hangs up on nobody,
 * and the room it has locked would stay locked for everybody until TCP gives up, which may be hours. Shorter than a statement may
 * take, so that whoever waits for the room gets it; in ms.
 */
const IDLE_TIMEOUT = 5_000;
/** How long a query waits for a connection; in ms. */
const CONNECT_TIMEOUT = 5_000;
/** After so long without an answer the server is asked whether it is there: a network that swallows packets hangs up on nobody; in ms. */
const DOUBT_AFTER = 2_000;
/** How long the server may take to say that it is, twice in a row before it counts as away: it may only be busy; in ms. */
const PROBE_TIMEOUT = 2_500;
/**
 * After so long without a word the server asks whether we are there, and again, three times: connections of a machine that vanished
 * would else be counted for two hours, and there are not many; in s. Says nothing where there is no TCP.
 */
const KEEPALIVE = { idle: 30, interval: 10, count: 3 };
const FOR_EVERY_CONNECTION = [
	"set plan_cache_mode = force_generic_plan",
	"set enable_seqscan = off",
	`set idle_in_transaction_session_timeout = ${IDLE_TIMEOUT}`,
	...Object.entries(KEEPALIVE).map(([name, value]) => `set tcp_keepalives_${name} = ${value}`),
].join("; ");
const ATTEMPTS = 5;
const SERIALIZATION_FAILURE = "40001";
const DEADLOCK_DETECTED = "40P01";
const IN_FAILED_TRANSACTION = "25P02";
const CONNECTION_FAILURE = "08006";
/** A server that was the one and is no longer, after a fail-over. */
const READ_ONLY = "25006";
const IDLE_IN_TRANSACTION = "25P03";

const INT8 = 20;
const INT8_ARRAY = 1016;

const TYPES: pg.CustomTypesConfig = {
	getTypeParser(oid: number, format?: "text" | "binary") {
		if (oid === INT8 && format !== "binary") return Number;
		const parse = pg.types.getTypeParser(oid, format as "text");
		if (oid === INT8_ARRAY && format !== "binary") {
			return (text: string) => (parse(text) as unknown as (string | null)[]).map((each) => (each === null ? null : Number(each)));
		}
		return parse;
	},
};

/** A pool as the domain sees it, and its end. */
export type OpenPool = { sql: Sql; run: Run; end(): Promise<void>; stats(): { total: number; idle: number; waiting: number } };

/** How long a statement waited for its connection, ms, and whether it went away without one. */
export type OnWaited = (milliseconds: number, inVain: boolean) => void;

/**
 * One text of one or several statements, and what each gave: for packages that bring SQL of their own. Ours goes by `Sql`.
 */
export type Run = (text: string, values?: readonly unknown[]) => Promise<{ rows: unknown[] }>;

/**
 * Opens a pool (lazily: nothing is connected before the first query). Losing the server never throws out of here:
 * only the queries under way fail, with a `code`, and the next ones connect anew.
 */
export function openPool(connection: Connection, log: Log, onWaited: OnWaited = () => undefined): OpenPool {
	let pool = newPool();
	/** Connections with a statement under way, and since when. */
	const asked = new Map<pg.PoolClient, number>();
	/** Since when each of those waits that have no connection yet. */
	const waiting = new Map<symbol, number>();
	const watch = openWatch({
		probe,
		onAway(reason) {
			log.warn("db.away", { exception_message: reason });
			// Everything waits in vain, and connections to a server that is gone would fail one by one when it is back.
			const old = pool;
			pool = newPool();
			for (const client of asked.keys()) void client.end().catch(() => undefined);
			old.end().catch(() => undefined);
		},
		onBack: (milliseconds) => log.info("db.back", { duration_ms: milliseconds }),
	});
	const doubt = setInterval(() => {
		const oldest = Math.min(...asked.values(), ...waiting.values());
		if (performance.now() - oldest > DOUBT_AFTER) void watch.suspect();
	}, DOUBT_AFTER / 4);
	doubt.unref();

	function newPool(): pg.Pool {
		const made = new pg.Pool({
			...connection,
			max: CONNECTIONS,
			connectionTimeoutMillis: CONNECT_TIMEOUT,
			idleTimeoutMillis: 60_000,
			keepAlive: true,
			statement_timeout: STATEMENT_TIMEOUT,
			query_timeout: ANSWER_TIMEOUT,
			application_name: "charla",
			types: TYPES,
			// Planning the lane's statement anew each time cost more than running it, and a plan made while a table was small must
			// not scan it for ever (docs/decisions/003). As statements and not as start-up options, which poolers refuse.
			onConnect: async (client) => void (await client.query(FOR_EVERY_CONNECTION)),
		});
		// Without a listener of its own a connection in use that breaks would end the process.
		made.on("connect", (client) => client.on("error", () => undefined));
		made.on("error", (error) => {
			log.warn("db.connection_lost", { exception_message: error.message });
			void watch.suspect();
		});
		return made;
	}

	/** A new connection, since old ones may be to a server that is no longer the one, and none to one that only reads. */
	async function probe(): Promise<void> {
		const client = new pg.Client({ ...connection, connectionTimeoutMillis: PROBE_TIMEOUT, query_timeout: PROBE_TIMEOUT });
		client.on("error", () => undefined);
		try {
			await client.connect();
			const { rows } = await client.query<{ reads: boolean }>("select pg_is_in_recovery() reads");
			if (rows[0]?.reads) throw coded("the database only reads at the moment", "25006");
		} finally {
			await client.end().catch(() => undefined);
		}
	}

	/** One connection for `work`. It goes back into the pool unless it broke: `pool.query` would throw it away at any error. */
	async function borrow<T>(work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
		if (watch.isAway()) throw coded("the database is away", CONNECTION_FAILURE);
		const waitsSince = performance.now();
		const wait = Symbol();
		waiting.set(wait, waitsSince);
		const client = await pool
			.connect()
			.catch(async (error) => {
				giveCode(error);
				onWaited(performance.now() - waitsSince, true);
				// Whoever is told that the database is away shall be the last who waited for it.
				if (isUnavailable(error)) await watch.suspect();
				throw watch.isAway() ? coded("the database is away", CONNECTION_FAILURE) : error;
			})
			.finally(() => waiting.delete(wait));
		// Reused for each: what is borrowed now is asked something now.
		const askedAt = performance.now();
		asked.set(client, askedAt);
		onWaited(askedAt - waitsSince, false);
		try {
			const result = await work(client);
			client.release();
			return result;
		} catch (error) {
			client.release(broken.has(client));
			if (broken.has(client)) void watch.suspect();
			throw error;
		} finally {
			asked.delete(client);
		}
	}

	async function inTransaction<T>(work: (sql: Sql) => Promise<T>): Promise<T> {
		return borrow(async (client) => {
			await send(client, "", "begin");
			const bound = boundTo(client);
			try {
				const result = await work(bound.sql);
				await bound.finish();
				const ended = await send(client, "", "commit");
				// A statement failed and `work` went on regardless: PostgreSQL answers such a commit with a rollback.
				if (ended.command === "ROLLBACK") throw coded("a statement of this transaction failed, so nothing was kept", IN_FAILED_TRANSACTION);
				return result;
			} catch (error) {
				await bound.finish();
				// When this fails the connection is gone, and the transaction with it.
				await send(client, "", "rollback").catch(() => broken.add(client));
				throw error;
			}
		});
	}

	const sql: Sql = {
		query: (name, text, values) => borrow(async (client) => (await send(client, name, text, values)).rows),
		async transaction(work) {
			for (let attempt = 1; ; attempt++) {
				try {
					return await inTransaction(work);
				} catch (error) {
					const code = codeOf(error);
					if ((code !== SERIALIZATION_FAILURE && code !== DEADLOCK_DETECTED) || attempt === ATTEMPTS) throw error;
					// Spread out, or the same two meet again.
					await sleep(Math.random() * 10 * 2 ** attempt);
				}
			}
		},
	};
	return {
		sql,
		run: (text, values) =>
			borrow((client) =>
				send(client, "", text, values).catch((error: unknown) => {
					// A text may have begun a transaction that it did not come to the end of: nobody else may get into it.
					broken.add(client);
					throw error;
				}),
			),
		end() {
			watch.stop();
			clearInterval(doubt);
			return pool.end();
		},
		stats: () => ({ total: pool.totalCount, idle: pool.idleCount, waiting: pool.waitingCount }),
	};
}

/** `Sql` on one connection inside a transaction: one statement after the other, and none after its end. */
function boundTo(client: pg.PoolClient): { sql: Sql; finish(): Promise<void> } {
	let tail: Promise<unknown> = Promise.resolve();
	let open = true;
	let savepoints = 0;

	function inTurn<T>(work: () => Promise<T>): Promise<T> {
		if (!open) return Promise.reject(coded("this transaction has ended", "25000"));
		const turn = tail.then(work);
		tail = turn.catch(() => undefined);
		return turn;
	}

	const sql: Sql = {
		query: (name, text, values) => inTurn(async () => (await send(client, name, text, values)).rows),
		/** A transaction inside another is a savepoint; only the outermost one is retried. */
		async transaction(work) {
			const name = `inner_${++savepoints}`;
			await sql.query("", `savepoint ${name}`);
			try {
				const result = await work(sql);
				await sql.query("", `release savepoint ${name}`);
				return result;
			} catch (error) {
				await sql.query("", `rollback to savepoint ${name}`);
				throw error;
			}
		},
	};
	return {
		sql,
		async finish() {
			open = false;
			await tail;
		},
	};
}

/** Connections that may not go back into the pool. */
const broken = new WeakSet<pg.PoolClient>();

async function send(client: pg.PoolClient, name: string, text: string, values?: readonly unknown[]): Promise<pg.QueryResult> {
	const query: pg.QueryConfig = { text, values: values as unknown[] | undefined };
	if (name !== "") query.name = name;
	try {
		return await client.query(query);
	} catch (error) {
		giveCode(error);
		if (endsConnection(codeOf(error))) broken.add(client);
		throw error;
	}
}

/** Errors of `pg` itself ("Connection terminated", "timeout exceeded") carry no code: give them the SQL one. */
function giveCode(error: unknown): void {
	if (error instanceof Error && codeOf(error) === "" && /terminat|timeout|closed|not queryable|connection error/i.test(error.message)) {
		Object.assign(error, { code: CONNECTION_FAILURE });
	}
}

/** Whether a code is a farewell of PostgreSQL, or of the network and not an answer at all. */
function endsConnection(code: string): boolean {
	return code === READ_ONLY || code === IDLE_IN_TRANSACTION || code.startsWith("08") || code.startsWith("57P") || /^E[A-Z]{3,}/.test(code);
}

function coded(message: string, code: string): Error {
	return Object.assign(new Error(message), { code });
}
