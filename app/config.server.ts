import { createHash, randomBytes } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import path from "node:path";

export type Config = Readonly<{
	port: number;
	host: string;
	/** The address people use, without a slash at the end. Decides about secure cookies and which origin is our own. */
	publicUrl: string | null;
	/** null: the embedded PostgreSQL in `dataDir`. */
	databaseUrl: string | null;
	dataDir: string;
	/** How instances hear of each other at once; null: by the database alone. May hold a password. */
	redisUrl: string | null;
	sessionSecret: string;
	/** Processes that share the port: one core each. */
	workers: number;
	/** Proxies in front of us whose X-Forwarded-For is believed. */
	proxyHops: number;
	/** Where facts come from; null: only the bundled ones. */
	factUrl: string | null;
	rateLimits: boolean;
	/** Whether ShoppinAPI serves callers without a key. */
	shopOpen: boolean;
	/** DynamoDB's tables that keep the catalogue and the carts; null: our own database does. */
	shopTables: { items: string; carts: string } | null;
	/** Where events of rooms go: a stream of Kinesis whose functions count them into a table, or the counting in process (null). */
	activity: { stream: string; table: string } | null;
	/** Whether events are archived in `dataDir` where no function does it. */
	archive: boolean;
	/** Words an administrator wants to be told of; messages with them are flagged, and nothing else happens. */
	flaggedWords: readonly string[];
	/** Files to import: watched for in `dataDir`, in a bucket with its queue, or not at all (null). */
	imports: "folder" | { bucket: string; queueUrl: string } | null;
	stockFanOut: boolean;
	/** Sockets one process takes; who comes beyond that waits. */
	maxSockets: number;
	/** While half of all timers run later than this, ms, newcomers wait. */
	maxLag: number;
	/** How long clients get to move to another server on a stop, ms. */
	drain: number;
	logLevel: "error" | "warn" | "info" | "debug";
	/** A file that takes the lines about requests, instead of standard output. */
	accessLog: string | null;
	dev: boolean;
}>;

/** Beyond this many processes on one machine the database is what is waited for. */
const mostWorkers = 64;

type Env = Record<string, string | undefined>;

/** Everything wrong with the configuration at once, one line each, with an example that works. */
export class ConfigError extends Error {
	constructor(problems: readonly string[]) {
		super(`Charla cannot start with this configuration:\n${problems.map((problem) => `  - ${problem}`).join("\n")}`);
		this.name = "ConfigError";
	}
}

/**
 * Reads the environment, once. Throws a ConfigError that lists every problem. Without any variable set, Charla runs on a
 * laptop: port 3000, its own database, and a secret made on the first start and kept in `data/`.
 */
export function readConfig(env: Env, options: { dev?: boolean; problems?: readonly string[] } = {}): Config {
	// What others found wrong comes first: all of it is told at once.
	const problems: string[] = [...(options.problems ?? [])];

	function integer(name: string, fallback: number, min: number, max: number): number {
		const text = env[name]?.trim();
		if (!text) return fallback;
		const value = Number(text);
		if (Number.isInteger(value) && value >= min && value <= max) return value;
		problems.push(`${name}=${text} is not a whole number from ${min} to ${max}. Example: ${name}=${fallback}`);
		return fallback;
	}
	function oneOf<T extends string>(name: string, choices: readonly T[], fallback: T): T {
		const text = env[name]?.trim();
		if (!text) return fallback;
		if ((choices as readonly string[]).includes(text)) return text as T;
		problems.push(`${name}=${text} is none of ${choices.join(", ")}. Example: ${name}=${fallback}`);
		return fallback;
	}
	function url(name: string, protocols: readonly string[], example: string): string | null {
		const text = env[name]?.trim();
		if (!text) return null;
		// PostgreSQL's addresses may name a unix socket where URLs have a host, so only web addresses are parsed as one.
		const web = !protocols.includes("postgres:");
		const valid = protocols.some((protocol) => text.startsWith(`${protocol}//`)) && !/\s/.test(text) && (!web || URL.canParse(text));
		// The value is not repeated: an address may hold a password.
		if (!valid)
			problems.push(`${name} is not an address beginning with ${protocols.map((p) => `${p}//`).join(" or ")}. Example: ${name}=${example}`);
		return valid ? text.replace(/\/+$/, "") : null;
	}

	const port = integer("PORT", 3000, 0, 65_535);
	const publicUrl = url("PUBLIC_URL", ["http:", "https:"], "https://chat.example.org");
	const databaseUrl = url("DATABASE_URL", ["postgres:", "postgresql:"], "postgres://charla:secret@db.example.org:5432/charla");
	const redisUrl = url("REDIS_URL", ["redis:", "rediss:"], "redis://redis.example.org:6379");
	const dataDir = path.resolve(env.DATA_DIR?.trim() || "data");
	const proxyHops = integer("PROXY_HOPS", 0, 0, 5);
	const drain = integer("DRAIN_SECONDS", 2, 0, 300) * 1000;
	const rateLimits = oneOf("RATE_LIMITS", ["on", "off"], "on") === "on";
	const stockFanOut = oneOf("FANOUT", ["joined", "stock"], "joined") === "stock";
	const maxSockets = integer("MAX_SOCKETS", 10_000, 1, 1_000_000);
	const maxLag = integer("MAX_LAG_MS", 1000, 20, 60_000);
	const logLevel = oneOf("LOG_LEVEL", ["error", "warn", "info", "debug"], "info");
	const factUrl =
		env.FACT_URL?.trim() === "off" ? null : (url("FACT_URL", ["http:", "https:"], "off") ?? "https://api.chucknorris.io/jokes/random");

	const host = env.HOST?.trim() || "127.0.0.1";
	// A laptop is its owner's; what others reach asks for keys.
	const isLaptop = publicUrl === null && ["127.0.0.1", "localhost", "::1"].includes(host);
	const shopOpen = oneOf("SHOP_OPEN", ["on", "off"], isLaptop ? "on" : "off") === "on";
	const [items, carts] = [env.ITEMS_TABLE?.trim(), env.CARTS_TABLE?.trim()];
	if (items && !carts) problems.push("ITEMS_TABLE is set and CARTS_TABLE is not. Example: CARTS_TABLE=charla-carts");
	if (carts && !items) problems.push("CARTS_TABLE is set and ITEMS_TABLE is not. Example: ITEMS_TABLE=charla-items");
	const shopTables = items && carts ? { items, carts } : null;

	const [stream, table] = [env.KINESIS_STREAM?.trim(), env.ACTIVITY_TABLE?.trim()];
	if (Boolean(stream) !== Boolean(table))
		problems.push(
			"Of KINESIS_STREAM and ACTIVITY_TABLE one is missing. Example: KINESIS_STREAM=charla-activity ACTIVITY_TABLE=charla-activity",
		);
	const activity = stream && table ? { stream, table } : null;
	const archive = oneOf("ACTIVITY_ARCHIVE", ["on", "off"], "on") === "on";
	const flaggedWords = (env.FLAGGED_WORDS ?? "").split(",").flatMap((word) => word.trim() || []);
	const [bucket, queueUrl] = [
		env.IMPORT_BUCKET?.trim(),
		url("IMPORT_QUEUE_URL", ["http:", "https:"], "https://sqs.eu-west-1.amazonaws.com/1/imports"),
	];
	if (Boolean(bucket) !== Boolean(queueUrl))
		problems.push("Of IMPORT_BUCKET and IMPORT_QUEUE_URL one is missing. Example: IMPORT_BUCKET=charla-imports");
	const isImporting = oneOf("IMPORTS", ["on", "off"], "on") === "on";
	const imports = !isImporting ? null : bucket && queueUrl ? { bucket, queueUrl } : ("folder" as const);

	const secure = publicUrl?.startsWith("https:") ?? false;
	const given = env.SESSION_SECRET?.trim();
	if (given && given.length < 32)
		problems.push("SESSION_SECRET is shorter than 32 characters. Example: SESSION_SECRET=$(openssl rand -hex 32)");
	if (!given && secure)
		problems.push(
			"SESSION_SECRET is missing, and a server people reach by https needs one that is the same on every instance. Example: SESSION_SECRET=$(openssl rand -hex 32)",
		);
	// A laptop is not served faster by several processes, and each takes memory; a server people reach by https uses its cores.
	const workers = integer("WEB_WORKERS", secure ? Math.min(availableParallelism(), mostWorkers) : 1, 1, mostWorkers);
	if (problems.length > 0) throw new ConfigError(problems);

	return Object.freeze({
		port,
		host,
		publicUrl,
		databaseUrl,
		dataDir,
		redisUrl,
		sessionSecret: given ?? keptSecret(dataDir),
		// Vite's own server is in one process.
		workers: options.dev ? 1 : workers,
		proxyHops,
		factUrl,
		rateLimits,
		shopOpen,
		shopTables,
		activity,
		archive,
		flaggedWords,
		imports,
		stockFanOut,
		maxSockets,
		maxLag,
		drain,
		logLevel,
		accessLog: env.ACCESS_LOG?.trim() || null,
		dev: options.dev ?? false,
	});
}

/**
 * What a process was started with, for its first line in the log: a hash that is equal where everything is, so that two instances
 * that behave differently can be compared, and what is switched on. Nothing secret goes into it, not even hashed.
 */
export function summaryOf(config: Config): { config_hash: string; features: string } {
	// An address may hold a password.
	const { databaseUrl, redisUrl, factUrl, sessionSecret: _, ...open } = config;
	const told = JSON.stringify({ ...open, database: databaseUrl !== null, redis: redisUrl !== null, facts: factUrl !== null });
	const features = {
		[databaseUrl ? "database" : "embedded-database"]: true,
		redis: redisUrl !== null,
		[`workers-${config.workers}`]: config.workers > 1,
		"stock-fan-out": config.stockFanOut,
		"no-rate-limits": !config.rateLimits,
		"open-shop": config.shopOpen,
		dynamodb: config.shopTables !== null,
		kinesis: config.activity !== null,
		[config.imports === "folder" ? "import-folder" : "import-bucket"]: config.imports !== null,
		dev: config.dev,
	};
	return {
		config_hash: createHash("sha256").update(told).digest("hex").slice(0, 12),
		features: Object.keys(features)
			.filter((name) => features[name as keyof typeof features])
			.join(" "),
	};
}

/** The secret of a laptop: made once, readable by its owner only, so that sessions survive a restart. */
function keptSecret(dataDir: string): string {
	const file = path.join(dataDir, "session-secret");
	mkdirSync(dataDir, { recursive: true });
	try {
		// "wx" fails when the file is there: of two first starts one makes it and both read it.
		writeFileSync(file, randomBytes(32).toString("hex"), { flag: "wx", mode: 0o600 });
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
	}
	return readFileSync(file, "utf8").trim();
}
