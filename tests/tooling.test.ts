import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { fingerprint } from "../scripts/build-if-needed.ts";
import { findChromium } from "../scripts/find-chromium.ts";
import { type FileResult, runTestFiles } from "../scripts/run-test-files.ts";

const root = fileURLToPath(new URL("../", import.meta.url));
const config = join(root, ".dependency-cruiser.cjs");

/** One file of the toy tree with nothing wrong in it but these imports: [rule it breaks, file, its source]. */
const broken: [rule: string, file: string, source: string][] = [
	["contract-imports", "app/contract/bad-chat.ts", `import type { Chat } from "../chat/index.server.ts";`],
	["contract-packages", "app/contract/bad-package.ts", `import pg from "pg";`],
	["contract-node", "app/contract/bad-node.ts", `import { join } from "node:path";`],
	["words-imports", "app/words/bad-live.ts", `import { send } from "../live/outbox.ts";`],
	["words-types-only", "app/words/bad-value.ts", `import { limits } from "../contract/limits.ts";`],
	["words-packages", "app/words/bad-package.ts", `import "express";`],
	["words-node", "app/words/bad-node.ts", `import { join } from "node:path";`],
	["components-imports", "app/components/bad-storage.ts", `import type { Sql } from "../storage/sql.ts";`],
	["components-imports", "app/components/bad-live.ts", `import { send } from "../live/outbox.ts";`],
	["components-types-only", "app/components/bad-value.ts", `import { state } from "../live/live-state.ts";`],
	["components-packages", "app/components/bad-package.ts", `import { io } from "socket.io-client";`],
	["components-node", "app/components/bad-node.ts", `import { join } from "node:path";`],
	["live-imports", "app/live/bad-component.ts", `import { button } from "../components/button.ts";`],
	["live-packages", "app/live/bad-package.ts", `import "socket.io";`],
	["live-node", "app/live/bad-node.ts", `import { join } from "node:path";`],
	["pages-imports", "app/routes/bad-config.ts", `import { readConfig } from "../config.server.ts";`],
	["pages-types-only", "app/routes/bad-chat.ts", `import { openChat } from "../chat/index.server.ts";`],
	["pages-types-only", "app/routes/bad-unused.ts", `import { type Chat, openChat } from "../chat/index.server.ts"; export type { Chat };`],
	["pages-types-only", "app/routes/bad-auth.ts", `export { whoIs } from "../auth/index.server.ts";`],
	["pages-types-only", "app/routes/bad-storage.ts", `export const load = () => import("../storage/index.server.ts");`],
	["pages-types-only", "app/routes/bad-realtime.ts", `export * from "../realtime/index.server.ts";`],
	["pages-types-only", "app/root.tsx", `import "./http/index.server.ts";`],
	["pages-packages", "app/entry.server.tsx", `import "winston";`],
	["load-context-types-only", "app/load-context.ts", `import { openChat } from "./chat/index.server.ts";`],
	["load-context-imports", "app/load-context.ts", `import type { Button } from "./components/button.ts";`],
	["load-context-packages", "app/load-context.ts", `import "express";`],
	["load-context-node", "app/load-context.ts", `import { join } from "node:path";`],
	["config-imports", "app/config.server.ts", `import { whoIs } from "./auth/index.server.ts";`],
	["config-packages", "app/config.server.ts", `import "express";`],
	["http-imports", "app/http/bad-storage.ts", `import type { Sql } from "../storage/sql.ts";`],
	["http-types-only", "app/http/bad-chat.ts", `import { openChat } from "../chat/index.server.ts";`],
	["http-packages", "app/http/bad-package.ts", `import "socket.io";`],
	["jobs-imports", "app/jobs/bad-chat.ts", `import type { Chat } from "../chat/index.server.ts";`],
	["jobs-types-only", "app/jobs/bad-storage.ts", `import { openSql } from "../storage/index.server.ts";`],
	["jobs-packages", "app/jobs/bad-package.ts", `import "express";`],
	["workers-imports", "app/workers/bad-chat.ts", `import type { Chat } from "../chat/index.server.ts";`],
	["workers-packages", "app/workers/bad-package.ts", `import "socket.io";`],
	["realtime-imports", "app/realtime/bad-http.ts", `import type { Http } from "../http/index.server.ts";`],
	["realtime-types-only", "app/realtime/bad-auth.ts", `import { whoIs } from "../auth/index.server.ts";`],
	["realtime-packages", "app/realtime/bad-package.ts", `import "express";`],
	["auth-imports", "app/auth/bad-chat.ts", `import type { Chat } from "../chat/index.server.ts";`],
	["auth-types-only", "app/auth/bad-storage.ts", `import { openStorage } from "../storage/index.server.ts";`],
	["auth-packages", "app/auth/bad-package.ts", `import pg from "pg";`],
	["shop-imports", "app/shop/bad-chat.ts", `import type { Chat } from "../chat/index.server.ts";`],
	["shop-types-only", "app/shop/bad-storage.ts", `import { openStorage } from "../storage/index.server.ts";`],
	["shop-packages", "app/shop/bad-package.ts", `import pg from "pg";`],
	["storage-imports", "app/storage/bad-contract.ts", `import { limits } from "../contract/limits.ts";`],
	["storage-packages", "app/storage/bad-package.ts", `import "express";`],
	["chat-imports", "app/chat/bad-auth.ts", `import type { Who } from "../auth/index.server.ts";`],
	["chat-types-only", "app/chat/bad-storage.ts", `import { openStorage } from "../storage/index.server.ts";`],
	["chat-packages", "app/chat/bad-socket.ts", `import "socket.io";`],
	["chat-packages", "app/chat/bad-express.ts", `import type { Request } from "express";`],
	["chat-packages", "app/chat/bad-react.ts", `import "react";`],
	["chat-packages", "app/chat/bad-telemetry.ts", `import "@opentelemetry/api";`],
	["chat-packages", "app/chat/bad-log.ts", `import "winston";`],
	["chat-packages", "app/chat/bad-driver.ts", `import pg from "pg";`],
	["nouns-through-their-contents-page", "app/chat/rooms/bad-rows.ts", `import { rows } from "../members/rows.ts";`],
	["domain-through-contents-pages", "app/chat/bad-rows.ts", `import { rows } from "./members/rows.ts";`],
	["app-without-observability", "app/chat/bad-observe.ts", `import { observe } from "../../observability/observe.ts";`],
	[
		"entry-starts-the-recorder",
		"app/entry.client.tsx",
		`import { record } from "../observability/browser/start.ts"; import { observe } from "../observability/observe.ts";`,
	],
	["browser-part-from-the-entry", "observability/bad-browser.ts", `import { record } from "./browser/start.ts";`],
	["app-without-observability", "app/live/bad-browser.ts", `import { record } from "../../observability/browser/start.ts";`],
	["browser-part-imports", "observability/browser/bad-live.ts", `import { send } from "../../app/live/outbox.ts";`],
	["observability-on-contract", "observability/browser/bad-live.ts", `import "../../app/live/outbox.ts";`],
	["browser-part-packages", "observability/browser/bad-package.ts", `import "winston";`],
	["browser-part-node", "observability/browser/bad-node.ts", `import { join } from "node:path";`],
	["browser-part-apart", "observability/browser/bad-observe.ts", `import { observe } from "../observe.ts";`],
	["browser-part-by-type", "observability/browser/bad-contract.ts", `import { metrics } from "../contract.ts";`],
	["observability-on-contract", "observability/bad-chat.ts", `import type { Chat } from "../app/chat/index.server.ts";`],
	["observability-by-type", "observability/bad-seam.ts", `import { noRecorder } from "../app/realtime/recorder.ts";`],
	["nobody-imports-server", "observability/bad-server.ts", `import { start } from "../server.ts";`],
	["outposts-know-the-contract-alone", "lambdas/digest/bad-chat.ts", `import type { Chat } from "../../app/chat/index.server.ts";`],
	["infra-knows-what-is-watched", "infra/bad-log.ts", `import { observe } from "../observability/observe.ts";`],
	["lambdas-on-their-packages", "lambdas/digest/bad-package.ts", `import "winston";`],
	["handlers-run-in-lambda", "server.ts", `import "./lambdas/digest/handler.ts"; export const start = 1;`],
	["cores-are-handed-in", "app/auth/bad-core.ts", `import type { Digest } from "../../lambdas/digest/core.ts";`],
	["outposts-by-type", "infra/bad-value.ts", `import { limits } from "../app/contract/limits.ts";`],
	["deploy-beside-the-server", "deploy/bad-chat.ts", `import type { Chat } from "../app/chat/index.server.ts";`],
	["deploy-by-type", "deploy/bad-value.ts", `import { limits } from "../app/contract/limits.ts";`],
	["nobody-imports-deploy", "observability/bad-deploy.ts", `import { told } from "../deploy/told.ts";`],
	["no-tools-in-the-application", "deploy/bad-support.ts", `import { fresh } from "../tests/support/database.ts";`],
	["no-development-packages-in-the-application", "deploy/bad-vite.ts", `import "vite";`],
	["no-tools-in-the-application", "app/auth/bad-test.ts", `import { toy } from "./good.test.ts";`],
	["no-tools-in-the-application", "app/auth/bad-support.ts", `import { fresh } from "../../tests/support/database.ts";`],
	["no-development-packages-in-the-application", "app/http/bad-vite.ts", `import "vite";`],
	["no-circles", "app/live/circle-one.ts", `import "./circle-two.ts";`],
	["everything-resolves", "app/live/bad-name.ts", `import "./nowhere.ts";`],
];

/** What must pass: the allowed arrows, and what the others point at. */
const sound: Record<string, string> = {
	"server.ts": `import { openChat } from "./app/chat/index.server.ts"; import { observe } from "./observability/observe.ts"; import { digest } from "./lambdas/digest/core.ts"; export const start = digest;`,
	"vite.config.ts": `import "vite"; export const later = () => import("./server.ts");`,
	"app/contract/limits.ts": `import * as v from "valibot"; export const limits = v; export type Limits = 1;`,
	"app/words/es.ts": `import "react"; import type { Limits } from "../contract/limits.ts"; export type Bounds = Limits; export const es = {};`,
	"app/words/spanish.ts": `import { es } from "./es.ts"; export const spanish = es;`,
	"app/components/button.ts": `import "react"; import "../contract/limits.ts"; import "../words/es.ts"; import type { State } from "../live/live-state.ts"; export type Button = State; export const button = 1;`,
	"app/live/circle-two.ts": `import "./circle-one.ts";`,
	"app/live/live-state.ts": `export type State = 1; export const state = 1;`,
	"app/live/outbox.ts": `import "socket.io-client"; import "react"; import "../contract/limits.ts"; export const send = 1;`,
	"app/routes/room.tsx": `import type { Chat } from "../chat/index.server.ts"; import type { Sql } from "../storage/sql.ts"; import type { Who } from "../auth/index.server.ts"; import type { Http } from "../http/index.server.ts"; import "../components/button.ts"; import "../live/outbox.ts"; import "../words/es.ts"; import "../contract/limits.ts"; import style from "./room.css?url"; export type X = [Chat, Sql, Who, Http, typeof import("../realtime/index.server.ts")];`,
	"app/routes/room.css": "",
	"app/http/index.server.ts": `import "express"; import "../contract/limits.ts"; import type { Chat } from "../chat/index.server.ts"; import type { Who } from "../auth/index.server.ts"; import type { es } from "../words/es.ts"; export type Http = 1; export const vite = () => import("vite");`,
	"app/realtime/index.server.ts": `import "socket.io"; import "../contract/limits.ts"; import type { Chat } from "../chat/index.server.ts"; import type { Who } from "../auth/index.server.ts"; export const attach = 1;`,
	"app/realtime/recorder.ts": `import "../contract/limits.ts"; export const noRecorder = 1; export type Recorder = 1;`,
	"app/auth/index.server.ts": `import { createHmac } from "node:crypto"; import "../contract/limits.ts"; import type { Sql } from "../storage/sql.ts"; export const whoIs = 1; export type Who = 1;`,
	"app/auth/good.test.ts": `import { test } from "node:test"; import { fresh } from "../../tests/support/database.ts"; import { observe } from "../../observability/observe.ts"; export const toy = 1;`,
	"app/storage/sql.ts": `export type Sql = 1;`,
	"app/storage/index.server.ts": `import pg from "pg"; import { join } from "node:path"; import type { Sql } from "./sql.ts"; export const openStorage = 1;`,
	"app/chat/index.server.ts": `import { rooms } from "./rooms/index.ts"; export type Chat = 1; export const openChat = 1;`,
	"app/chat/rooms/index.ts": `import { rows } from "./rows.ts"; import { members } from "../members/index.ts"; import type { Sql } from "../../storage/sql.ts"; import "../../contract/limits.ts"; export const rooms = 1;`,
	"app/chat/rooms/rows.ts": `export const rows = 1;`,
	"app/chat/members/index.ts": `import { rows } from "./rows.ts"; export const members = 1;`,
	"app/chat/members/rows.ts": `export const rows = 1;`,
	"deploy/told.ts": `import type { Limits } from "../app/contract/limits.ts"; import { observe } from "../observability/observe.ts"; export const told = 1;`,
	"observability/observe.ts": `import "winston"; import { limits } from "../app/contract/limits.ts"; import type { Recorder } from "../app/realtime/recorder.ts"; import type { Sql } from "../app/storage/sql.ts"; export const observe = 1;`,
	"observability/contract.ts": `export const metrics = 1; export type Metrics = 1;`,
	"observability/browser/start.ts": `import { body } from "./body.ts"; import "web-vitals"; import "../../app/contract/limits.ts"; export const record = body;`,
	"observability/browser/body.ts": `import type { Metrics } from "../contract.ts"; export const body = 1; export type Body = Metrics;`,
	"observability/beacon.ts": `import { body } from "./browser/body.ts"; export const beacon = body;`,
	"lambdas/digest/core.ts": `import "valibot"; export const digest = 1; export type Digest = 1;`,
	"lambdas/digest/handler.ts": `import type { Limits } from "../../app/contract/limits.ts"; import { digest } from "./core.ts"; import { metrics } from "../../observability/contract.ts"; export const handler = [digest, metrics]; export type L = Limits;`,
	"tests/support/database.ts": `import { openStorage } from "../../app/storage/index.server.ts"; import { start } from "../../server.ts"; export const fresh = 1;`,
	"package.json": JSON.stringify({ name: "toy", type: "module", dependencies: {}, devDependencies: { vite: "1" } }),
};

const installed = [
	"valibot",
	"react",
	"express",
	"socket.io",
	"socket.io-client",
	"winston",
	"pg",
	"vite",
	"web-vitals",
	"@opentelemetry/api",
];

type Violation = { from: string; to: string; rule: { name: string } };

describe("import directions", () => {
	let tree: string;
	let violations: Violation[];

	before(() => {
		tree = mkdtempSync(join(tmpdir(), "charla-toy-tree-"));
		const write = (file: string, source: string) => {
			mkdirSync(dirname(join(tree, file)), { recursive: true });
			writeFileSync(join(tree, file), source);
		};
		for (const [file, source] of Object.entries(sound)) write(file, source);
		const sources = Map.groupBy(broken, ([, file]) => file);
		for (const [file, lines] of sources) write(file, lines.map(([, , source]) => source).join("\n"));
		for (const name of installed) {
			write(`node_modules/${name}/package.json`, JSON.stringify({ name, version: "1.0.0", main: "index.js" }));
			write(`node_modules/${name}/index.js`, "");
		}
		const manifest = JSON.parse(sound["package.json"] ?? "") as { dependencies: Record<string, string> };
		for (const name of installed) if (name !== "vite") manifest.dependencies[name] = "1.0.0";
		write("package.json", JSON.stringify(manifest));
		const run = spawnSync(
			process.execPath,
			[join(root, "node_modules/dependency-cruiser/bin/dependency-cruiser.mjs"), "--config", config, "--output-type", "json", "."],
			{ cwd: tree, encoding: "utf8", maxBuffer: 64 * 1024 * 1024 },
		);
		assert.ok(run.stdout.startsWith("{"), `dependency-cruiser did not run: ${run.stderr}`);
		violations = (JSON.parse(run.stdout) as { summary: { violations: Violation[] } }).summary.violations;
	});

	after(() => rmSync(tree, { recursive: true, force: true }));

	for (const [rule, file, source] of broken) {
		test(`${rule} names ${file}: ${source}`, () => {
			const found = violations.filter((violation) => violation.from === file).map((violation) => violation.rule.name);
			assert.ok(found.includes(rule), `found only ${found.join(", ") || "nothing"}`);
		});
	}

	test("nothing else is named", () => {
		const expected = new Set(broken.map(([rule, file]) => `${file}: ${rule}`));
		const found = violations.map((violation) => `${violation.from}: ${violation.rule.name}`);
		assert.deepEqual(
			found.filter((line) => !expected.has(line)),
			[],
		);
	});

	test("every rule of the configuration is proved here", async () => {
		const { default: rules } = (await import(config)) as { default: { forbidden: { name: string }[] } };
		const proved = new Set(broken.map(([rule]) => rule));
		assert.deepEqual(
			rules.forbidden.map((rule) => rule.name).filter((name) => !proved.has(name)),
			[],
		);
	});
});

test("the repository tells one version of Node everywhere", () => {
	const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { optionalDependencies: Record<string, string> };
	const versions = Object.entries(manifest.optionalDependencies).filter(([name]) => name.startsWith("node-"));
	const pinned = readFileSync(join(root, ".nvmrc"), "utf8").trim();
	assert.ok(versions.length > 0);
	for (const [name, version] of versions) assert.equal(version.split(".")[0], pinned, name);
});

test("the lock file names no host", () => {
	assert.doesNotMatch(readFileSync(join(root, "package-lock.json"), "utf8"), /"resolved": "http/);
});

describe("the test runner", () => {
	const toys: Record<string, string> = {
		"passing.test.mjs": `import { test } from "node:test"; test("one", (t) => t.diagnostic("seed 4711")); test("two", () => {});`,
		"failing.test.mjs": `import { describe, test } from "node:test"; console.log("said before"); describe("sums", () => { test("right", () => {}); test("wrong", () => { throw new Error("1 is not 2"); }); });`,
		"crashing.test.mjs": `import { test } from "node:test"; import "./nowhere.mjs"; test("never", () => {});`,
		"leaving.test.mjs": `import { test } from "node:test"; test("first", () => {}); test("leaves", async () => { await 1; process.exit(0); });`,
		"empty.test.mjs": `export const nothing = 1;`,
		"skipping.test.mjs": `import { test } from "node:test"; test("there", () => {}); test("not there", { skip: "no such machine" }, () => {});`,
		"hanging.test.mjs": `import { spawn } from "node:child_process"; import { test } from "node:test"; test("hangs", async () => { const child = spawn(process.execPath, ["-e", "setInterval(() => fs.appendFileSync('alive', '.'), 20)"]); process.on("SIGTERM", () => {}); await new Promise((resolve) => child.on("exit", resolve)); });`,
		"throwing-late.test.mjs": `import { after, test } from "node:test"; test("fine", () => {}); after(() => { throw new Error("in the clean-up"); });`,
	};
	let folder: string;
	let results: Record<string, FileResult>;
	const told: string[] = [];

	before(async () => {
		folder = mkdtempSync(join(tmpdir(), "charla-toy-tests-"));
		for (const [name, source] of Object.entries(toys)) writeFileSync(join(folder, name), source);
		const files = Object.keys(toys).map((name) => join(folder, name));
		const tell = (line: string) => void told.push(line);
		// Only what hangs has to run into its time-out: the others may take as long as a busy machine needs.
		const run = (some: string[], timeout: number, aloud: boolean) =>
			runTestFiles(some, { concurrency: 2, timeout, root: folder, signal: new AbortController().signal, tell, aloud });
		const hangs = (file: string) => file.includes("hanging");
		const found = [
			...(await run(
				files.filter((file) => !hangs(file)),
				120_000,
				true,
			)),
			...(await run(files.filter(hangs), 4000, false)),
		];
		results = Object.fromEntries(found.map((result) => [result.file, result]));
	});

	after(() => rmSync(folder, { recursive: true, force: true }));

	const counts: [file: string, passed: number, failed: number, skipped: number][] = [
		["passing.test.mjs", 2, 0, 0],
		["failing.test.mjs", 1, 1, 0],
		["crashing.test.mjs", 0, 1, 0],
		["leaving.test.mjs", 0, 1, 0],
		["empty.test.mjs", 0, 1, 0],
		["skipping.test.mjs", 1, 0, 1],
		["hanging.test.mjs", 0, 1, 0],
		["throwing-late.test.mjs", 1, 1, 0],
	];
	for (const [file, passed, failed, skipped] of counts) {
		test(`counts ${file}: ${passed} passed, ${failed} failed, ${skipped} skipped`, () => {
			const result = results[file]!;
			assert.deepEqual([result.passed, result.failed, result.skipped.length], [passed, failed, skipped], JSON.stringify(result));
		});
	}

	test("says a failure in full, with what the file wrote", () => {
		const [wrong, wrote] = results["failing.test.mjs"]!.failures;
		assert.equal(wrong!.name, "sums > wrong");
		assert.match(wrong!.text, /1 is not 2/);
		assert.match(wrote!.text, /said before/);
		assert.match(told.join("\n"), /1 is not 2/);
	});

	test("tells what a test says of itself, and not what Node adds up", () => {
		assert.deepEqual(results["passing.test.mjs"]!.notes, ["seed 4711"]);
		assert.ok(
			told.some((line) => line.trim() === "seed 4711"),
			told.join("\n"),
		);
	});

	test("says why a file gave no results, and why a test was skipped", () => {
		assert.match(results["crashing.test.mjs"]!.failures.map(({ text }) => text).join("\n"), /nowhere\.mjs/);
		assert.deepEqual(results["skipping.test.mjs"]!.skipped, [{ name: "not there", reason: "no such machine" }]);
	});

	test("ends a hung file and what it started", async () => {
		const result = results["hanging.test.mjs"]!;
		assert.match(result.failures[0]!.text, /did not end within 4 s/);
		const alive = () => readFileSync(join(folder, "alive"), "utf8").length;
		const lived = alive();
		assert.ok(lived > 0);
		await sleep(300);
		assert.equal(alive(), lived);
	});

	test("of files that are a crowd by themselves one runs at a time, beside the others, and all are told in the order given", async () => {
		const crowd = ["crowd-1.test.mjs", "crowd-2.test.mjs", "crowd-3.test.mjs"];
		const log = join(folder, "crowd.log");
		const source = `import { test } from "node:test"; import { appendFileSync } from "node:fs"; test("crowd", () => { appendFileSync(${JSON.stringify(log)}, "in "); for (const end = Date.now() + 100; Date.now() < end; ); appendFileSync(${JSON.stringify(log)}, "out "); });`;
		for (const name of crowd) writeFileSync(join(folder, name), source);
		const files = [...crowd, "passing.test.mjs"].map((name) => join(folder, name));
		const found = await runTestFiles(files, {
			concurrency: 3,
			timeout: 60_000,
			root: folder,
			signal: new AbortController().signal,
			tell: () => undefined,
			apart: (file) => file.includes("crowd"),
		});
		assert.deepEqual(
			found.map(({ file, passed }) => [file, passed]),
			[...crowd.map((name) => [name, 1]), ["passing.test.mjs", 2]],
		);
		assert.equal(readFileSync(log, "utf8"), "in out in out in out ");
	});

	test("a run that is ended counts every file it did not finish as failed", async () => {
		writeFileSync(
			join(folder, "waiting.test.mjs"),
			`import { test } from "node:test"; test("waits", () => new Promise((resolve) => setTimeout(resolve, 60_000)));`,
		);
		const signal = AbortSignal.timeout(500);
		const files = ["waiting.test.mjs", "passing.test.mjs"].map((name) => join(folder, name));
		const found = await runTestFiles(files, { concurrency: 1, timeout: 60_000, root: folder, signal, tell: () => undefined });
		assert.deepEqual(
			found.map(({ passed, failed }) => ({ passed, failed })),
			[
				{ passed: 0, failed: 1 },
				{ passed: 0, failed: 1 },
			],
		);
	});
});

test("the build is made again when a source changes, is renamed or goes, and not for a test", () => {
	const folder = mkdtempSync(join(tmpdir(), "charla-toy-build-"));
	try {
		mkdirSync(join(folder, "app/routes"), { recursive: true });
		mkdirSync(join(folder, "docs"));
		writeFileSync(join(folder, "app/root.tsx"), "one");
		writeFileSync(join(folder, "app/routes/home.tsx"), "home");
		const first = fingerprint(folder);
		writeFileSync(join(folder, "docs/map.md"), "a map");
		writeFileSync(join(folder, "app/root.test.ts"), "a test");
		assert.equal(fingerprint(folder), first);
		writeFileSync(join(folder, "app/root.tsx"), "two");
		const changed = fingerprint(folder);
		renameSync(join(folder, "app/routes/home.tsx"), join(folder, "app/routes/start.tsx"));
		const renamed = fingerprint(folder);
		rmSync(join(folder, "app/routes/start.tsx"));
		const without = fingerprint(folder);
		mkdirSync(join(folder, "observability/browser"), { recursive: true });
		writeFileSync(join(folder, "observability/browser/start.ts"), "start");
		const measured = fingerprint(folder);
		writeFileSync(join(folder, "package-lock.json"), "{}");
		assert.equal(new Set([first, changed, renamed, without, measured, fingerprint(folder)]).size, 6);
	} finally {
		rmSync(folder, { recursive: true, force: true });
	}
});

test("Chromium is looked for where CHROMIUM_PATH says first, and only a program counts", () => {
	const folder = mkdtempSync(join(tmpdir(), "charla-toy-browser-"));
	try {
		const program = join(folder, "chromium");
		writeFileSync(program, "#!/bin/sh\n", { mode: 0o755 });
		writeFileSync(join(folder, "notes"), "no program", { mode: 0o644 });
		assert.equal(findChromium({ CHROMIUM_PATH: program, PATH: "" }), program);
		assert.equal(findChromium({ CHROMIUM_PATH: join(folder, "notes"), PATH: folder }), program);
	} finally {
		rmSync(folder, { recursive: true, force: true });
	}
});
