import { existsSync, globSync, readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath, pathToFileURL } from "node:url";
import { buildIfNeeded } from "./build-if-needed.ts";
import { check } from "./check.ts";
import { bringChromium } from "./find-chromium.ts";
import { writeJunit } from "./junit.ts";
import { type FileResult, type RunOptions, runTestFiles } from "./run-test-files.ts";

/**
 * `npm test`: the checks, what the tests need (Chromium, the built pages), then all tests; the last line is always
 * `N passed, N failed`. `npm test -- app/chat reconnect` runs the files whose path holds one of these words, without the
 * checks, and with Chromium and build only where such a file needs them.
 */

const root = fileURLToPath(new URL("../", import.meta.url));
/** A file that takes longer hangs; ms. */
const FILE_TIMEOUT = 10 * 60_000;
/** The rehearsal gives itself a quarter of an hour; ms. */
const REHEARSAL_TIMEOUT = 17 * 60_000;
/** For the end of the test database, which may be gone already; ms. */
const DATABASE_TIMEOUT = 60_000;
/** A browser, a server and a database each: two such files at once only where there are processors for them. */
const FLOWS_AT_ONCE = availableParallelism() >= 4 ? 2 : 1;

const wanted = process.argv.slice(2);
const total = { passed: 0, failed: 0 };
const failed: string[] = [];
const skipped: string[] = [];
const finished: FileResult[] = [];
const ending = new AbortController();

for (const signal of ["SIGINT", "SIGTERM"] as const) {
	process.on(signal, () => {
		if (!ending.signal.aborted) console.log(`\n${signal}: ending the tests ...`);
		ending.abort();
	});
}

try {
	await main();
} catch (error) {
	note("the test run", false, error);
}
await stopDatabase();
// For whoever shows tests by name, such as CodeBuild (buildspec.yml).
if (process.env.CI) writeJunit(join(root, "test-results/tests.xml"), finished);
summarise();
process.exit(total.failed > 0 ? 1 : 0);

async function main(): Promise<void> {
	const files = findTests();
	if (wanted.length === 0) for (const { name, passed } of await check()) note(`check: ${name}`, passed);
	if (files.all.length === 0) throw new Error(`No test file's path holds ${wanted.join(" or ")}.`);

	const needs = wanted.length === 0 ? { browser: true, pages: true } : whatIsNeeded(files.all);
	if (needs.browser) await prepare("Chromium", provideChromium);
	if (needs.pages) await prepare("the build", buildIfNeeded);

	await run("unit and server tests", files.unit, { concurrency: 2 });
	await run("browser flows", files.flows, { concurrency: FLOWS_AT_ONCE });
	await run("crash tests", files.crash, {});
	await run("rehearsal", files.rehearsal, { timeout: REHEARSAL_TIMEOUT, aloud: true });
}

/** Every *.test.ts there is, so that none can be forgotten by lying in an unexpected folder. */
function findTests() {
	const found = globSync("**/*.test.ts", {
		cwd: root,
		exclude: (path) => /^(node_modules|build|data|shots|\.[^/]*)$/.test(typeof path === "string" ? path : ""),
	});
	const all = found.filter((path) => wanted.length === 0 || wanted.some((word) => path.includes(word.replace(/^\.\//, "")))).sort();
	return {
		all,
		unit: all.filter((path) => !/^tests\/(flows|crash|rehearsal)\//.test(path)),
		flows: all.filter((path) => path.startsWith("tests/flows/")),
		crash: all.filter((path) => path.startsWith("tests/crash/")),
		rehearsal: all.filter((path) => path.startsWith("tests/rehearsal/")),
	};
}

/** Told by what the files import: only those of tests/support start a browser or serve pages. */
function whatIsNeeded(files: string[]) {
	const sources = files.map((file) => readFileSync(join(root, file), "utf8"));
	const whole = files.some((file) => /^tests\/(flows|crash)\//.test(file));
	const browser = whole || sources.some((source) => source.includes("support/browser"));
	return { browser, pages: browser || sources.some((source) => /support\/(?!database)/.test(source)) };
}

/** Told to the test files by the variable, so that they all use the one that was found. */
async function provideChromium(): Promise<void> {
	process.env.CHROMIUM_PATH = await bringChromium();
}

/** A failure here is told and counted; the tests that can do without still run. */
async function prepare(name: string, work: () => Promise<unknown>): Promise<void> {
	if (ending.signal.aborted) return;
	try {
		await work();
	} catch (error) {
		note(name, false, error);
	}
}

async function run(title: string, files: string[], how: Partial<RunOptions>): Promise<void> {
	if (files.length === 0) return;
	console.log(`\n${title}: ${files.length} ${files.length === 1 ? "file" : "files"}`);
	const results = await runTestFiles(
		files.map((file) => join(root, file)),
		{ concurrency: 1, timeout: FILE_TIMEOUT, root, signal: ending.signal, tell: (line) => console.log(line), ...how },
	);
	for (const result of results) add(result);
	finished.push(...results);
}

function add(result: FileResult): void {
	total.passed += result.passed;
	total.failed += result.failed;
	failed.push(...result.failures.filter(({ name }) => name !== "what it wrote").map(({ name }) => `${result.file}: ${name}`));
	skipped.push(...result.skipped.map(({ name, reason }) => `${result.file}: ${name} (${reason})`));
}

/** Counts something that is no test of a file: a check, or what the tests need. */
function note(name: string, passed: boolean, error?: unknown): void {
	if (passed) total.passed++;
	else {
		total.failed++;
		failed.push(name);
	}
	if (error) console.error(`${name}: ${error instanceof Error ? error.message : String(error)}`);
}

async function stopDatabase(): Promise<void> {
	const support = join(root, "tests/support/database.ts");
	if (!existsSync(support)) return;
	try {
		const { stopTestDatabase } = (await import(pathToFileURL(support).href)) as { stopTestDatabase?: () => Promise<void> };
		await Promise.race([stopTestDatabase?.(), sleep(DATABASE_TIMEOUT)]);
	} catch (error) {
		console.error(`The test database was not stopped: ${error instanceof Error ? error.message : error}`);
	}
}

function summarise(): void {
	if (skipped.length > 0) console.log(`\nskipped:\n${skipped.map((line) => `  ${line}`).join("\n")}`);
	if (failed.length > 0) console.log(`\nfailed:\n${failed.map((line) => `  ${line}`).join("\n")}`);
	if (ending.signal.aborted && total.failed === 0) total.failed++;
	console.log(`\n${total.passed} passed, ${total.failed} failed`);
}
