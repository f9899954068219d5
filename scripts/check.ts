import { spawn } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/**
 * `npm run check`: format and lint, types, import directions, all at once; each says what is wrong, none stops another.
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

/** Runs every check, each with its own words on standard output as it ends, and a table at the end. */
export async function check(): Promise<CheckResult[]> {
	console.log(`check: ${steps.map(({ name, what }) => `${name} (${what})`).join(", ")} ...`);
	const results = await Promise.all(
		steps.map(async (step) => {
			const started = performance.now();
			const { code, said } = await run(step);
			if (said.trim() !== "") console.log(`check: ${step.name}:\n${said.trim()}\n`);
			return { name: step.name, passed: code === 0, seconds: (performance.now() - started) / 1000 };
		}),
	);
	for (const { name, passed, seconds } of results) {
		console.log(`${passed ? "passed" : "FAILED"}  ${name.padEnd(20)}${seconds.toFixed(1).padStart(6)} s`);
	}
	return results;
}

/** The step's exit code, and what it said in one piece: others speak meanwhile. A program that cannot be started at all failed too. */
function run(step: Step): Promise<{ code: number; said: string }> {
	return new Promise((resolve) => {
		const child = spawn(process.execPath, [join(root, step.file), ...step.args], {
			cwd: root,
			stdio: ["ignore", "pipe", "pipe"],
			// Plain output reads the same in a terminal, a log and a report.
			env: { ...process.env, NO_COLOR: "1", FORCE_COLOR: "0" },
		});
		let said = "";
		for (const stream of [child.stdout, child.stderr])
			stream.setEncoding("utf8").on("data", (text: string) => {
				said += text;
			});
		child.on("error", (error) => resolve({ code: 1, said: `${step.what} does not start: ${error.message}` }));
		child.on("close", (code) => resolve({ code: code ?? 1, said }));
	});
}

if (import.meta.main) {
	const results = await check();
	process.exitCode = results.every((result) => result.passed) ? 0 : 1;
}
