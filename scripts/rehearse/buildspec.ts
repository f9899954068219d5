import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "yaml";

const phases = ["install", "pre_build", "build", "post_build"] as const;
export type PhaseName = (typeof phases)[number];
type Phase = { commands: string[]; finally: string[]; continues: boolean };
export type Buildspec = {
	variables: Record<string, string>;
	phases: Partial<Record<PhaseName, Phase>>;
	artifacts: { base: string; files: string[] } | null;
	cache: string[];
};
export type BuildResult = { succeeded: boolean; phases: { name: PhaseName; succeeded: boolean; seconds: number }[] };

/** Reads a buildspec.yml of version 0.2. Throws with everything in it that CodeBuild would refuse, or ignore. */
export function readBuildspec(text: string): Buildspec {
	const problems: string[] = [];
	const found = (parse(text) ?? {}) as Record<string, unknown>;
	if (String(found.version) !== "0.2") problems.push("version has to be 0.2: older ones run each command in a shell of its own");
	for (const key of Object.keys(found))
		if (!["version", "env", "phases", "reports", "artifacts", "cache"].includes(key)) problems.push(`there is no ${key}`);

	const read: Buildspec["phases"] = {};
	const given = (found.phases ?? {}) as Record<string, Record<string, unknown>>;
	if (Object.keys(given).length === 0) problems.push("it has no phases");
	for (const [name, phase] of Object.entries(given)) {
		if (!(phases as readonly string[]).includes(name)) {
			problems.push(`there is no phase ${name}`);
			continue;
		}
		const list = (key: string) => {
			const commands = (phase?.[key] ?? []) as unknown[];
			if (!Array.isArray(commands) || commands.some((command) => typeof command !== "string"))
				problems.push(`${key} of ${name} is not a list of commands`);
			return Array.isArray(commands) ? commands.map(String) : [];
		};
		const onFailure = phase?.["on-failure"] ?? "ABORT";
		if (onFailure !== "ABORT" && onFailure !== "CONTINUE") problems.push(`on-failure of ${name} is ABORT or CONTINUE`);
		read[name as PhaseName] = { commands: list("commands"), finally: list("finally"), continues: onFailure === "CONTINUE" };
	}

	const artifacts = found.artifacts as { "base-directory"?: string; files?: string[] } | undefined;
	if (artifacts && !Array.isArray(artifacts.files)) problems.push("artifacts name no files");
	const variables = ((found.env as { variables?: Record<string, unknown> } | undefined)?.variables ?? {}) as Record<string, unknown>;
	if (problems.length > 0) throw new Error(`This buildspec.yml cannot be run:\n${problems.map((each) => `  - ${each}`).join("\n")}`);
	return {
		variables: Object.fromEntries(Object.entries(variables).map(([name, value]) => [name, String(value)])),
		phases: read,
		artifacts: artifacts ? { base: artifacts["base-directory"] ?? ".", files: artifacts.files as string[] } : null,
		cache: ((found.cache as { paths?: string[] } | undefined)?.paths ?? []).map(String),
	};
}

/**
 * Runs a buildspec as CodeBuild does: one shell through all phases, so variables and the folder last; a failed command ends its
 * phase, `finally` runs all the same, a failed install or pre_build ends the build, and post_build follows a failed build.
 */
export async function runBuildspec(
	spec: Buildspec,
	given: {
		cwd: string;
		env: Record<string, string | undefined>;
		tell: (line: string) => void;
		/** Only these; CodeBuild always runs all. */
		only?: readonly PhaseName[];
		signal?: AbortSignal;
	},
): Promise<BuildResult> {
	const folder = mkdtempSync(join(tmpdir(), "charla-buildspec-"));
	const state = join(folder, "state");
	// A variable of the buildspec gives way to one the build was started with, as in CodeBuild.
	const env: Record<string, string | undefined> = { ...spec.variables, ...given.env };
	const done: BuildResult["phases"] = [];
	let succeeding = true;
	writeFileSync(state, `cd ${quoted(given.cwd)}\n`);
	try {
		for (const name of phases) {
			const phase = spec.phases[name];
			if (!phase || (given.only && !given.only.includes(name))) continue;
			const began = performance.now();
			given.tell(`Entering phase ${name.toUpperCase()}`);
			env.CODEBUILD_BUILD_SUCCEEDING = succeeding ? "1" : "0";
			const script = join(folder, `${name}.sh`);
			writeFileSync(script, scriptOf(phase, state));
			const succeeded = (await runShell(script, { ...given, env })) === 0;
			const seconds = (performance.now() - began) / 1000;
			done.push({ name, succeeded, seconds });
			given.tell(`Phase ${name.toUpperCase()} ${succeeded ? "SUCCEEDED" : "FAILED"} after ${seconds.toFixed(1)} s`);
			if (succeeded || phase.continues) {
				succeeding &&= succeeded || phase.continues;
				continue;
			}
			succeeding = false;
			if (name === "install" || name === "pre_build") break;
		}
	} finally {
		rmSync(folder, { recursive: true, force: true });
	}
	return { succeeded: succeeding, phases: done };
}

/** The phase as a script that begins where the one before it stopped, and leaves word for the next. */
function scriptOf(phase: Phase, state: string): string {
	const step = (command: string) =>
		`printf 'Running command %s\\n' ${quoted(command)}\n${command}\n_code=$?\n[ $_code -eq 0 ] || _fail $_code\n`;
	return [
		`. ${quoted(state)}`,
		"_result=0",
		// Left in a subshell it would lose what commands set, so the rest of the phase is jumped over by a function that ends it.
		`_leave() { { export -p; printf 'cd %q\\n' "$PWD"; } >${quoted(state)}; exit $_result; }`,
		`_fail() { [ $_result -ne 0 ] || _result=$1; printf 'Command failed with %s\\n' "$1"; _finally; _leave; }`,
		`_finally() { _fail() { [ $_result -ne 0 ] || _result=$1; _leave; }\n${phase.finally.map(step).join("")}:; }`,
		...phase.commands.map(step),
		"_finally",
		"_leave",
	].join("\n");
}

const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

function runShell(
	script: string,
	given: { cwd: string; env: Record<string, string | undefined>; tell: (line: string) => void; signal?: AbortSignal },
): Promise<number> {
	return new Promise((resolve) => {
		const child = spawn("bash", [script], {
			cwd: given.cwd,
			env: given.env as NodeJS.ProcessEnv,
			stdio: ["ignore", "pipe", "pipe"],
			detached: true,
		});
		const end = () => {
			try {
				process.kill(-(child.pid as number), "SIGTERM");
			} catch {
				// It has ended.
			}
		};
		given.signal?.addEventListener("abort", end, { once: true });
		for (const stream of [child.stdout, child.stderr]) {
			let rest = "";
			stream.setEncoding("utf8").on("data", (text: string) => {
				const lines = (rest + text).split("\n");
				rest = lines.pop() ?? "";
				for (const line of lines) given.tell(line);
			});
			stream.on("end", () => rest && given.tell(rest));
		}
		child.on("error", () => resolve(1));
		child.on("close", (code) => {
			given.signal?.removeEventListener("abort", end);
			resolve(code ?? 1);
		});
	});
}
