import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Ended, mustRun, runProgram } from "./program.ts";

const namespaces = ["--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--propagation", "private"];

/** Why nothing can be set apart from this machine, or null. Nothing is changed to find out. */
export function whyNotApart(): string | null {
	if (process.platform !== "linux") return "this is no Linux";
	if (process.getuid?.() !== 0) return "namespaces need root";
	const { status, stderr, error } = spawnSync("unshare", [...namespaces, "true"], { encoding: "utf8" });
	return status === 0 ? null : `namespaces cannot be made: ${(error?.message ?? stderr).trim()}`;
}

/**
 * Runs a script in namespaces of its own, where it may make networks and mounts as it likes: processes, mounts and networks are gone
 * whatever way it ends, kill -9 of either process included. The script begins with `settleApart`.
 */
export function runApart(
	script: string,
	args: readonly string[],
	given: Pick<NonNullable<Parameters<typeof runProgram>[2]>, "cwd" | "env" | "hear" | "signal">,
): Promise<Ended> {
	return runProgram("setpriv", ["--pdeathsig", "KILL", "unshare", ...namespaces, process.execPath, script, ...args], given);
}

/** What a script that runs apart does first: its mounts are its own, the names of its networks too. */
export async function settleApart(): Promise<void> {
	await mustRun("mount", ["--make-rprivate", "/"]);
	// Named network namespaces are mounts too; ours are seen by nobody else.
	mkdirSync("/run/netns", { recursive: true });
	await mustRun("mount", ["-t", "tmpfs", "tmpfs", "/run/netns"]);
}

/** A folder of this process for a run, that PostgreSQL's account may enter. Those of runs that were killed are taken away. */
export function ownFolder(what: string): string {
	for (const entry of readdirSync(tmpdir())) {
		const [, whose, pid] = /^charla-(\w+)-(\d+)-/.exec(entry) ?? [];
		if (whose === what && !existsSync(`/proc/${pid}`)) rmSync(join(tmpdir(), entry), { recursive: true, force: true });
	}
	const folder = mkdtempSync(join(tmpdir(), `charla-${what}-${process.pid}-`));
	chmodSync(folder, 0o755);
	return folder;
}
