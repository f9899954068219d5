import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { ConfigError, readConfig, summaryOf } from "./config.server.ts";

const secret = "a secret of at least thirty-two characters";

function problems(env: Record<string, string>): string {
	try {
		readConfig({ DATA_DIR: "/nonexistent", ...env });
	} catch (error) {
		assert.ok(error instanceof ConfigError, String(error));
		return error.message;
	}
	throw new Error("was accepted");
}

test("[X7] everything that is wrong is told at once, each with an example that works", () => {
	const wrong = {
		PORT: "http",
		PUBLIC_URL: "chat.example.org",
		DATABASE_URL: "mysql://x",
		PROXY_HOPS: "many",
		DRAIN_SECONDS: "-1",
		RATE_LIMITS: "maybe",
		FANOUT: "fast",
		LOG_LEVEL: "loud",
		FACT_URL: "ftp://x",
		SESSION_SECRET: "short",
		SHOP_OPEN: "maybe",
		REDIS_URL: "http://redis",
		WEB_WORKERS: "0",
		MAX_SOCKETS: "none",
		MAX_LAG_MS: "0",
	};
	const told = problems(wrong);
	const lines = told.split("\n").slice(1);
	assert.equal(lines.length, Object.keys(wrong).length, told);
	const examples: Record<string, string> = {};
	for (const line of lines) {
		const [, name, example] = / Example: (\w+)=(.+)$/.exec(line) ?? [];
		assert.ok(name && example, `no example in: ${line}`);
		examples[name] = example;
	}
	assert.deepEqual(Object.keys(examples).sort(), Object.keys(wrong).sort());
	readConfig({ ...examples, SESSION_SECRET: secret });
});

test("[O4] ShoppinAPI is open on a laptop alone, unless somebody says otherwise", () => {
	const isOpen = (env: Record<string, string>) => readConfig({ DATA_DIR: "/nonexistent", SESSION_SECRET: secret, ...env }).shopOpen;
	assert.equal(isOpen({}), true);
	assert.equal(isOpen({ HOST: "localhost" }), true);
	for (const env of [{ HOST: "0.0.0.0" }, { HOST: "::" }, { PUBLIC_URL: "http://chat.example.org" }, { SHOP_OPEN: "off" }] as Record<
		string,
		string
	>[])
		assert.equal(isOpen(env), false, JSON.stringify(env));
	assert.equal(isOpen({ HOST: "0.0.0.0", SHOP_OPEN: "on" }), true);
});

test("[X7] tables come in pairs", () => {
	assert.match(problems({ ITEMS_TABLE: "i" }), /CARTS_TABLE is not\. Example: CARTS_TABLE=/);
	assert.match(problems({ CARTS_TABLE: "c" }), /ITEMS_TABLE is not\. Example: ITEMS_TABLE=/);
	assert.deepEqual(readConfig({ DATA_DIR: "/nonexistent", SESSION_SECRET: secret, ITEMS_TABLE: "i", CARTS_TABLE: "c" }).shopTables, {
		items: "i",
		carts: "c",
	});
});

test("one process on a laptop, one for each core where people come by https, and as many as is said", () => {
	const read = (env: Record<string, string>, dev = false) => readConfig({ SESSION_SECRET: secret, ...env }, { dev }).workers;
	assert.equal(read({}), 1);
	assert.equal(read({ PUBLIC_URL: "https://chat.example.org" }), Math.min(availableParallelism(), 64));
	assert.equal(read({ WEB_WORKERS: "3" }), 3);
	assert.equal(read({ WEB_WORKERS: "3" }, true), 1, "Vite's own server is in one process");
});

test("[X7] no secret is repeated in what is told", () => {
	const told = problems({
		DATABASE_URL: "psql://charla:hunter2@db/charla",
		REDIS_URL: "http://:hunter2@redis",
		PUBLIC_URL: "https//user:hunter2@x",
		FACT_URL: "x hunter2",
		SESSION_SECRET: "hunter2",
	});
	assert.doesNotMatch(told, /hunter2/);
	assert.equal(told.split("\n").length, 6);
});

test("[X7] numbers are whole and within their range", () => {
	for (const PORT of ["-1", "65536", "1.5", "3000x", "NaN", "1e9"]) assert.match(problems({ PORT, SESSION_SECRET: secret }), /PORT=/, PORT);
	assert.equal(readConfig({ PORT: " 8080 ", SESSION_SECRET: secret }).port, 8080);
	assert.equal(readConfig({ PORT: "", SESSION_SECRET: secret }).port, 3000);
	assert.equal(readConfig({ DRAIN_SECONDS: "7", SESSION_SECRET: secret }).drain, 7000);
});

test("[X7] a server reached by https needs a secret of its own", () => {
	assert.match(problems({ PUBLIC_URL: "https://chat.example.org" }), /SESSION_SECRET is missing/);
	const config = readConfig({ PUBLIC_URL: "https://chat.example.org/", SESSION_SECRET: secret });
	assert.deepEqual([config.publicUrl, config.sessionSecret], ["https://chat.example.org", secret]);
});

test("[X7] without any variable Charla runs on this machine alone, with a secret made once and readable by its owner", (t) => {
	const dir = mkdtempSync(path.join(tmpdir(), "charla-config-"));
	t.after(() => rmSync(dir, { recursive: true }));
	const DATA_DIR = path.join(dir, "new", "data");
	const first = readConfig({ DATA_DIR });
	assert.deepEqual(
		[first.port, first.host, first.publicUrl, first.databaseUrl, first.proxyHops, first.rateLimits, first.stockFanOut, first.logLevel],
		[3000, "127.0.0.1", null, null, 0, true, false, "info"],
	);
	assert.equal(readConfig({ DATA_DIR }).sessionSecret, first.sessionSecret);
	const file = path.join(DATA_DIR, "session-secret");
	assert.equal(readFileSync(file, "utf8"), first.sessionSecret);
	assert.ok(first.sessionSecret.length >= 64);
	if (process.platform !== "win32") assert.equal(statSync(file).mode & 0o777, 0o600);
	assert.ok(Object.isFrozen(first));
});

test("[X7] addresses of PostgreSQL may name a unix socket, and FACT_URL may be off", () => {
	const url = "postgres://charla@/charla?host=%2Ftmp&port=5432";
	assert.equal(readConfig({ DATABASE_URL: url, SESSION_SECRET: secret }).databaseUrl, url);
	assert.equal(readConfig({ FACT_URL: "off", SESSION_SECRET: secret }).factUrl, null);
	assert.match(readConfig({ SESSION_SECRET: secret }).factUrl as string, /^https:/);
});

test("what a process was started with is told by a hash that is equal where everything is, and by what is on; no secret counts", () => {
	const given = { DATABASE_URL: "postgres://charla:hunter2@db/charla", SESSION_SECRET: "a".repeat(32), IMPORTS: "off" };
	const { config_hash, features } = summaryOf(readConfig(given));
	assert.match(config_hash, /^[0-9a-f]{12}$/);
	assert.equal(features, "database open-shop");
	const elsewhere = { ...given, DATABASE_URL: "postgres://charla:another@db2/charla", SESSION_SECRET: "b".repeat(32) };
	assert.equal(summaryOf(readConfig(elsewhere)).config_hash, config_hash);
	const other = summaryOf(readConfig({ ...given, MAX_SOCKETS: "20", REDIS_URL: "redis://r:6379", WEB_WORKERS: "3" }));
	assert.notEqual(other.config_hash, config_hash);
	assert.equal(other.features, "database redis workers-3 open-shop");
});
