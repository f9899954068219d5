import { spawn } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/**
 * `npm run check`: format and lint, types, import directions; each says what is wrong, none stops the next.
 * To put format and import order right: `npx biome check --write .`
 */

export const root = fileURLToPath(new URL("../", import.meta.url));

type Step = { name: string; what: string; file: string; args: string[] };

const steps: Step[] = [
	{
		name: "format and lint",
		what: "biome ci",
		file: "node_modules/@biomejs/biome/bin/biome",
		args: ["ci", "--error-on-warnings", "--colors=off", "--max-diagnostics=60", "."],
	},
	{ name: "types", what: "tsc --noEmit", file: "node_modules/typescript/bin/tsc", args: ["--noEmit", "--pretty", "false"] },
	{
		name: "import directions",
		what: "dependency-cruiser",
		file: "node_modules/dependency-cruiser/bin/dependency-cruiser.mjs",
		args: ["--config", ".dependency-cruiser.cjs", "--output-type", "err-long", "."],
	},
];

export type CheckResult = { name: string; passed: boolean; seconds: number };

/** Runs every check in turn, each with its own words on standard output, and a table at the end. */
export async function check(): Promise<CheckResult[]> {
	const results: CheckResult[] = [];
	for (const step of steps) {
		console.log(`check: ${step.name} (${step.what}) ...`);
		const started = performance.now();
		const passed = (await run(step)) === 0;
		results.push({ name: step.name, passed, seconds: (performance.now() - started) / 1000 });
	}
	console.log("");
	for (const { name, passed, seconds } of results) {
		console.log(`${passed ? "passed" : "FAILED"}  ${name.padEnd(20)}${seconds.toFixed(1).padStart(6)} s`);
	}
	return results;
}

/** The step's exit code; a program that cannot be started at all counts as failed too. */
function run(step: Step): Promise<number> {
	return new Promise((resolve) => {
		const child = spawn(process.execPath, [join(root, step.file), ...step.args], {
			cwd: root,
			stdio: ["ignore", "inherit", "inherit"],
			// Plain output reads the same in a terminal, a log and a report.
			env: { ...process.env, NO_COLOR: "1", FORCE_COLOR: "0" },
		});
		child.on("error", (error) => {
			console.error(`check: ${step.what} does not start: ${error.message}`);
			resolve(1);
		});
		child.on("close", (code) => resolve(code ?? 1));
	});
}

if (import.meta.main) {
	const results = await check();
	process.exitCode = results.every((result) => result.passed) ? 0 : 1;
}
