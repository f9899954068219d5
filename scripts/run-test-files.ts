import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { TestLine } from "./test-events.ts";

/** How one test file went. `failures` says each in full; a file that gave no results has one of its own. */
export type FileResult = {
	file: string;
	passed: number;
	failed: number;
	/** Names of those that passed. */
	passes: string[];
	skipped: { name: string; reason: string }[];
	failures: { name: string; text: string }[];
	/** What its tests said of themselves: seeds, figures. */
	notes: string[];
	seconds: number;
};

export type RunOptions = {
	/** Files that may run at the same time. */
	concurrency: number;
	/** Of these files only one at a time: they are a crowd by themselves. */
	apart?: (file: string) => boolean;
	/** After this long a file is ended, with all it started; ms. */
	timeout: number;
	/** Names of files are told relative to this folder; each file runs in it. */
	root: string;
	/** When aborted, running files are ended and waiting ones not started; all of them count as failed. */
	signal: AbortSignal;
	/** Told as each file ends, and every minute what still runs. */
	tell: (line: string) => void;
	/** What files write is told as they write it, and their notes when they end: for those that take minutes and measure. */
	aloud?: boolean;
};

const reporter = fileURLToPath(new URL("./test-events.ts", import.meta.url));
/** What a file wrote itself is kept from the end, so many characters: enough for the cause, never the whole memory. */
const KEPT_OUTPUT = 100_000;
/** Between the request to end and the end, ms: a file takes its browser and servers with it in that time. */
const GRACE = 5000;

/** Runs every file as a process of its own and answers in the order given. Never throws because of what a file does. */
export async function runTestFiles(files: string[], options: RunOptions): Promise<FileResult[]> {
	const results: FileResult[] = [];
	const running = new Map<string, number>();
	const waiting = files.map((file, index) => ({ file, index, apart: options.apart?.(file) ?? false }));
	let apartRuns = false;
	let done = 0;
	const stillRunning = setInterval(() => {
		for (const [name, started] of running) options.tell(`      ... ${name} runs since ${secondsSince(started).toFixed(0)} s`);
	}, 60_000);

	async function lane(): Promise<void> {
		for (;;) {
			const place = waiting.findIndex(({ apart }) => !(apart && apartRuns));
			// What still waits then is for the lane that is at one of them.
			if (place === -1) return;
			const [{ file, index, apart }] = waiting.splice(place, 1) as [(typeof waiting)[number]];
			apartRuns ||= apart;
			const name = relative(options.root, file);
			running.set(name, performance.now());
			const result = await runFile(file, name, options);
			running.delete(name);
			if (apart) apartRuns = false;
			results[index] = result;
			options.tell(progressLine(result, ++done, files.length));
			if (options.aloud || result.failed > 0) for (const note of result.notes) options.tell(indent(note));
			for (const failure of result.failures) options.tell(`\n--- ${name}: ${failure.name}\n${indent(failure.text)}\n`);
		}
	}
	await Promise.all(Array.from({ length: Math.max(1, options.concurrency) }, lane));
	clearInterval(stillRunning);
	return results;
}

function progressLine(result: FileResult, done: number, all: number): string {
	const parts = [`${result.passed} passed`];
	if (result.failed > 0) parts.push(`${result.failed} failed`);
	if (result.skipped.length > 0) parts.push(`${result.skipped.length} skipped`);
	return `${result.failed > 0 ? "FAIL" : "ok  "}  ${done}/${all}  ${result.file}  ${parts.join(", ")}  ${result.seconds.toFixed(1)} s`;
}

async function runFile(file: string, name: string, options: RunOptions): Promise<FileResult> {
	const started = performance.now();
	if (options.signal.aborted) return noResults(name, "not run", "The run was ended before this file's turn.", started);
	const folder = mkdtempSync(join(tmpdir(), "charla-test-events-"));
	const events = join(folder, "events");
	try {
		const process = await runProcess(file, events, options);
		return judge(name, readLines(events), process, started);
	} finally {
		rmSync(folder, { recursive: true, force: true });
	}
}

/** Adds up what the file told. It must have come to its end, and its exit code must agree; else that is a failure too. */
function judge(name: string, lines: TestLine[], ended: Ended, started: number): FileResult {
	const end = lines.find((line) => line.kind === "end");
	const failures = lines.filter((line) => line.kind === "fail").map((line) => ({ name: line.name, text: `${line.place}\n${line.error}` }));
	const skipped = lines.filter((line) => line.kind === "skip").map(({ name: test, reason }) => ({ name: test, reason }));
	const passed = end?.passed ?? lines.filter((line) => line.kind === "pass").length;
	let failed = Math.max(end?.failed ?? 0, failures.length);
	const wrong = whatIsWrong(ended, end !== undefined, passed + failed + skipped.length, failed);
	if (wrong) {
		failed++;
		failures.push({ name: "the file itself", text: wrong });
	}
	if (failed > 0 && ended.output.trim() !== "") failures.push({ name: "what it wrote", text: ended.output.trimEnd() });
	const passes = lines.filter((line) => line.kind === "pass").map((line) => line.name);
	const notes = lines.filter((line) => line.kind === "note").map((line) => line.text);
	return { file: name, passed, failed, passes, skipped, failures, notes, seconds: secondsSince(started) };
}

function whatIsWrong(ended: Ended, cameToEnd: boolean, tests: number, failed: number): string | null {
	if (ended.because) return ended.because;
	if (!cameToEnd) return `It gave no results: it ended with ${ended.how} before its tests did.`;
	if (tests === 0) return "It holds no tests.";
	if (ended.how !== "exit code 0" && failed === 0) return `No test failed, but it ended with ${ended.how}.`;
	return null;
}

function noResults(file: string, name: string, text: string, started: number): FileResult {
	return { file, passed: 0, failed: 1, passes: [], skipped: [], failures: [{ name, text }], notes: [], seconds: secondsSince(started) };
}

type Ended = { how: string; because: string | null; output: string };

function runProcess(file: string, events: string, options: RunOptions): Promise<Ended> {
	return new Promise((resolve) => {
		// A group of its own, so that what it started can be ended with it.
		const child = spawn(process.execPath, [`--test-reporter=${reporter}`, `--test-reporter-destination=${events}`, file], {
			cwd: options.root,
			detached: true,
			stdio: ["ignore", "pipe", "pipe"],
			env: childEnvironment(),
		});
		let output = "";
		for (const stream of [child.stdout, child.stderr]) {
			stream.setEncoding("utf8").on("data", (chunk: string) => {
				output = (output + chunk).slice(-KEPT_OUTPUT);
			});
			if (options.aloud) createInterface({ input: stream }).on("line", (line) => options.tell(`      ${line}`));
		}

		let because: string | null = null;
		let forced: NodeJS.Timeout | undefined;
		const end = (reason: string) => {
			if (because) return;
			because = reason;
			child.kill("SIGTERM");
			forced = setTimeout(() => killGroup(child), GRACE);
		};
		const onAbort = () => end("The run was ended while this file was running.");
		options.signal.addEventListener("abort", onAbort, { once: true });
		const timer = setTimeout(() => end(`It did not end within ${Math.round(options.timeout / 1000)} s and was ended.`), options.timeout);
		const settle = (how: string) => {
			clearTimeout(timer);
			clearTimeout(forced);
			options.signal.removeEventListener("abort", onAbort);
			killGroup(child);
			resolve({ how, because, output });
		};
		child.once("error", (error) => settle(error.message));
		// Not "close": a server left behind would hold the pipe open for ever.
		child.once("exit", (code, signal) => setTimeout(() => settle(signal ? `signal ${signal}` : `exit code ${code}`), 50));
	});
}

/** Ends what the file left running. */
function killGroup(child: ChildProcess): void {
	if (child.pid === undefined) return;
	try {
		process.kill(-child.pid, "SIGKILL");
	} catch {
		// Nothing is left of it, as it should be.
	}
}

/** Plain output, and nothing of a test runner that may be running us. */
function childEnvironment(): NodeJS.ProcessEnv {
	const { NODE_TEST_CONTEXT: _context, FORCE_COLOR: _color, ...env } = process.env;
	return { ...env, NO_COLOR: "1" };
}

function readLines(path: string): TestLine[] {
	let text = "";
	try {
		text = readFileSync(path, "utf8");
	} catch {
		// The file died before the reporter wrote a word; the missing end says so.
	}
	// Only whole lines: the last may be cut off where the process was killed.
	return text
		.split("\n")
		.slice(0, -1)
		.map((line) => JSON.parse(line) as TestLine);
}

function secondsSince(started: number): number {
	return (performance.now() - started) / 1000;
}

function indent(text: string): string {
	return text
		.split("\n")
		.filter((line) => !/^\s+at .*\(?node:internal\//.test(line))
		.map((line) => `    ${line}`)
		.join("\n");
}
