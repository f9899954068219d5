import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** Another apt-get may be at work; so often, a few seconds apart, it is tried again. */
const attempts = 30;

/**
 * The path of a program that tests need, brought by apt-get where that is ours to do: on Debian and its kin, as root.
 * Elsewhere, when it is not there, an error that says what to install.
 */
export async function bringProgram(program: string, debianPackage: string): Promise<string> {
	const found = findProgram(program);
	if (found) return found;
	if (!isDebian() || process.getuid?.() !== 0)
		throw new Error(
			`This test needs ${program}: install it (Debian: sudo apt-get install ${debianPackage}; macOS: brew install ${program}).`,
		);
	let said = "";
	for (let attempt = 1; attempt <= attempts; attempt++) {
		for (const args of [["update"], ["install", "-y", "--no-install-recommends", debianPackage]]) {
			const { status, stderr } = spawnSync("apt-get", args, {
				encoding: "utf8",
				// What is installed must not begin to serve on this machine: tests start their own.
				env: { ...process.env, DEBIAN_FRONTEND: "noninteractive", RUNLEVEL: "1" },
			});
			if (status !== 0) said = stderr;
		}
		const installed = findProgram(program);
		if (installed) return installed;
		if (!/lock/i.test(said)) break;
		await sleep(5000);
	}
	throw new Error(`apt-get brought no ${program}: ${said.slice(-500)}`);
}

function findProgram(program: string): string | null {
	const folders = [
		...(process.env.PATH ?? "").split(delimiter).filter(Boolean),
		"/usr/bin",
		"/usr/sbin",
		"/usr/local/bin",
		"/opt/homebrew/bin",
	];
	return folders.map((folder) => join(folder, program)).find((path) => existsSync(path)) ?? null;
}

function isDebian(): boolean {
	return existsSync("/etc/os-release") && /^ID(_LIKE)?=.*\b(debian|ubuntu)\b/m.test(readFileSync("/etc/os-release", "utf8"));
}
