import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** Another apt-get may be at work; so often, a few seconds apart, it is tried again. */
const attempts = 30;

/** Programs tests need that are not of npm: the names they go by, and what brings them. `amazon` is of Amazon Linux (buildspec.yml). */
export const programs = {
	"redis-server": { names: ["redis-server", "redis6-server", "valkey-server"], debian: "redis-server", amazon: "redis6", brew: "redis" },
	haproxy: { names: ["haproxy"], debian: "haproxy", amazon: "haproxy", brew: "haproxy" },
	nginx: { names: ["nginx"], debian: "nginx-light", amazon: "nginx", brew: "nginx" },
	// Of the chaos run alone, which CodeBuild does not hold.
	tc: { names: ["tc"], debian: "iproute2", amazon: null, brew: null },
} as const satisfies Record<string, { names: string[]; debian: string; amazon: string | null; brew: string | null }>;
export type Program = keyof typeof programs;

/**
 * The path of a program that tests need, brought by apt-get where that is ours to do: on Debian and its kin, as root.
 * Elsewhere, when it is not there, an error that says what to install.
 */
export async function bringProgram(program: Program): Promise<string> {
	const { names, debian, amazon, brew } = programs[program];
	const found = findProgram(names);
	if (found) return found;
	if (!isDebian() || process.getuid?.() !== 0) {
		const how = [
			`Debian: sudo apt-get install ${debian}`,
			amazon && `Amazon Linux: sudo dnf install ${amazon}`,
			brew && `macOS: brew install ${brew}`,
		];
		throw new Error(`This test needs ${program}: install it (${how.filter(Boolean).join("; ")}).`);
	}
	let said = "";
	for (let attempt = 1; attempt <= attempts; attempt++) {
		for (const args of [["update"], ["install", "-y", "--no-install-recommends", debian]]) {
			const { status, stderr } = spawnSync("apt-get", args, {
				encoding: "utf8",
				// What is installed must not begin to serve on this machine: tests start their own.
				env: { ...process.env, DEBIAN_FRONTEND: "noninteractive", RUNLEVEL: "1" },
			});
			if (status !== 0) said = stderr;
		}
		const installed = findProgram(names);
		if (installed) return installed;
		if (!/lock/i.test(said)) break;
		await sleep(5000);
	}
	throw new Error(`apt-get brought no ${program}: ${said.slice(-500)}`);
}

function findProgram(names: readonly string[]): string | null {
	const folders = [
		...(process.env.PATH ?? "").split(delimiter).filter(Boolean),
		"/usr/bin",
		"/usr/sbin",
		"/usr/local/bin",
		"/opt/homebrew/bin",
	];
	return names.flatMap((name) => folders.map((folder) => join(folder, name))).find((path) => existsSync(path)) ?? null;
}

function isDebian(): boolean {
	return existsSync("/etc/os-release") && /^ID(_LIKE)?=.*\b(debian|ubuntu)\b/m.test(readFileSync("/etc/os-release", "utf8"));
}
