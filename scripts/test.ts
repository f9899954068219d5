import { existsSync, globSync, readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join, relative } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { buildIfNeeded } from "./build-if-needed.ts";
import { check } from "./check.ts";
import { bringChromium } from "./find-chromium.ts";
import { writeJunit } from "./junit.ts";
import { type FileResult, type RunOptions, runTestFiles } from "./run-test-files.ts";

/**
 * `npm test`: the checks, what the tests need (Chromium, the built pages), then every test of a commit; the last line is
 * always `N passed, N failed`. What takes longer is a run of its own: files named `*.long.test.ts`, and what test files
 * register by `long` (tests/support/long.ts). `npm run test:browser` is all flows, `npm run test:kill` everything about
 * crashes, `npm run test:long` the rest of the long ones. `npm test -- app/chat reconnect` runs the files whose path holds
 * one of these words, whole, without the checks, and with Chromium and build only where such a file needs them.
 */

const root = fileURLToPath(new URL("../", import.meta.url));
/** A file that takes longer hangs; ms. Those of a commit take seconds, a minute where the machine is busy. */
const FILE_TIMEOUT = 8 * 60_000;
const LONG_FILE_TIMEOUT = 15 * 60_000;
/** For the end of the test database, which may be gone already; ms. */
const DATABASE_TIMEOUT = 60_000;
/** Files that are run once more when they failed: one in twenty. Chance has made four of them red at once. */
const AGAIN_AT_MOST = 8;
/** More than two processors can take: most files wait half their time, for a start, an answer or a timer. */
const FILES_AT_ONCE = Math.max(3, Math.min(4, Math.floor(availableParallelism() / 2)));

const isLong = (path: string) => path.endsWith(".long.test.ts");
const isFlow = (path: string) => path.startsWith("tests/flows/");
const isCrash = (path: string) => path.startsWith("tests/crash/");
/** A browser, a server and a database each, or several of them. */
const isCrowd = (path: string) => isFlow(path) || isCrash(path);
const registersLong = (path: string) => readFileSync(join(root, path), "utf8").includes("support/long.ts");

/** The runs there are, and which files are theirs. */
const runs = {
	commit: (path: string) => !isLong(path),
	browser: isFlow,
	kill: isCrash,
	long: (path: string) => !isCrowd(path) && (isLong(path) || registersLong(path)),
	/** By words, whatever they name. */
	named: () => true,
} satisfies Record<string, (path: string) => boolean>;

const { positionals: wanted, values } = parseArgs({ allowPositionals: true, options: { run: { type: "string" } } });
const ownRun = nameOfRun();
if (ownRun !== "commit") process.env.CHARLA_TESTS = "long";
// Node keeps what it compiled and stripped of types there, for a hundred processes that all load the same.
process.env.NODE_COMPILE_CACHE ||= join(root, ".cache/compile");
/** Runs with no other of its kind beside it. The starts could: one server after the other, of which nobody asks much. */
const isApart = (path: string) => isCrowd(path) && !(ownRun === "commit" && path === "tests/crash/start.test.ts");
const total = { passed: 0, failed: 0 };
const failed: string[] = [];
const skipped: string[] = [];
const flaky: string[] = [];
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
for (const result of finished) add(result);
// For whoever shows tests by name, such as CodeBuild (buildspec.yml).
if (process.env.CI) writeJunit(join(root, "test-results/tests.xml"), finished);
summarise();
process.exit(total.failed > 0 ? 1 : 0);

function nameOfRun(): keyof typeof runs {
	const name = values.run ?? (wanted.length > 0 ? "named" : "commit");
	if (name in runs) return name as keyof typeof runs;
	console.error(`There is no run ${name}, but: ${Object.keys(runs).join(", ")}`);
	process.exit(2);
}

async function main(): Promise<void> {
	const files = findTests();
	if (files.length === 0) throw new Error(`No test file's path holds ${wanted.join(" or ")}.`);

	const isCommit = ownRun === "commit";
	const needs = isCommit ? { browser: true, pages: true } : whatIsNeeded(files);
	// None needs another, and each keeps one processor busy at most for most of its time.
	await Promise.all([
		isCommit && prepare("the checks", runChecks),
		needs.browser && prepare("Chromium", provideChromium),
		needs.pages && prepare("the build", buildIfNeeded),
	]);

	await run(files, { concurrency: FILES_AT_ONCE, apart: (path) => isApart(relative(root, path)) });
	await againAlone();
}

/** Every *.test.ts there is, so that none can be forgotten by lying in an unexpected folder. */
function findTests(): string[] {
	const found = globSync("**/*.test.ts", {
		cwd: root,
		exclude: (path) => /^(node_modules|build|data|shots|\.[^/]*)$/.test(typeof path === "string" ? path : ""),
	});
	const files = found
		.filter(runs[ownRun])
		.filter((path) => wanted.length === 0 || wanted.some((word) => path.includes(word.replace(/^\.\//, ""))))
		.sort();
	// The crowds go one after the other beside all the rest, so they begin. Next come the folders of what takes long: what is left for
	// the end is waited for with nothing beside it.
	const rank = (path: string) => (isApart(path) ? 0 : /^(tests|infra)\//.test(path) ? 1 : 2);
	return files.sort((a, b) => rank(a) - rank(b));
}

/** Told by what the files import: only those of tests/support start a browser or serve pages. */
function whatIsNeeded(files: string[]) {
	const sources = files.map((file) => readFileSync(join(root, file), "utf8"));
	const whole = files.some(isCrowd);
	const browser = whole || sources.some((source) => source.includes("support/browser"));
	return { browser, pages: browser || sources.some((source) => /support\/(?!database)/.test(source)) };
}

async function runChecks(): Promise<void> {
	for (const { name, passed } of await check()) note(`check: ${name}`, passed);
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

async function run(files: string[], how: Partial<RunOptions>): Promise<void> {
	console.log(`\n${files.length} ${files.length === 1 ? "file" : "files"}`);
	const timeout = ownRun === "commit" ? FILE_TIMEOUT : LONG_FILE_TIMEOUT;
	const results = await runTestFiles(
		files.map((file) => join(root, file)),
		{ concurrency: 1, timeout, root, signal: ending.signal, tell: (line) => console.log(line), aloud: ownRun !== "commit", ...how },
	);
	finished.push(...results);
}

/**
 * In CI a file that failed is run once more, with nothing beside it. What passes then is named as flaky: to be mended, in
 * the test or in the product, before anything else. Where more failed, the change is at fault and not chance.
 */
async function againAlone(): Promise<void> {
	const red = finished.filter((result) => result.failed > 0);
	if (!process.env.CI || ending.signal.aborted || red.length === 0 || red.length > AGAIN_AT_MOST) return;
	const first = new Map(red.map((result) => [result.file, result]));
	console.log("\nOnce more, with nothing beside it:");
	await run(
		red.map(({ file }) => file),
		{},
	);
	for (const second of finished.splice(-red.length)) {
		const before = first.get(second.file) as FileResult;
		if (second.failed > 0) continue;
		flaky.push(...failuresOf(before));
		finished[finished.indexOf(before)] = second;
	}
}

function failuresOf({ file, failures }: FileResult): string[] {
	return failures.filter(({ name }) => name !== "what it wrote").map(({ name }) => `${file}: ${name}`);
}

function add(result: FileResult): void {
	total.passed += result.passed;
	total.failed += result.failed;
	failed.push(...failuresOf(result));
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
	if (flaky.length > 0) console.log(`\nflaky, passed only when run again:\n${flaky.map((line) => `  flaky: ${line}`).join("\n")}`);
	if (failed.length > 0) console.log(`\nfailed:\n${failed.map((line) => `  ${line}`).join("\n")}`);
	if (ending.signal.aborted && total.failed === 0) total.failed++;
	console.log(`\n${total.passed} passed, ${total.failed} failed`);
}
