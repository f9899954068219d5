import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";

/**
 * What tells a process from another one that got the same number later: boot and start time. Null when no such
 * process lives; one that is dead and only waits to be collected does not.
 */
export function markOf(pid: number): string | null {
	if (process.platform === "linux") {
		const stat = read(`/proc/${pid}/stat`);
		if (stat === null) return null;
		// The name in brackets may itself hold brackets and spaces: count from the last one. State is field 3, start time 22.
		const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
		if (fields[0] === "Z" || fields[0] === "X") return null;
		return `${read("/proc/sys/kernel/random/boot_id")?.trim() ?? ""}:${fields[19]}`;
	}
	const line = ps("state=,lstart=", pid);
	return line === null || line.startsWith("Z") ? null : line.slice(line.indexOf(" ")).trim();
}

/** The command line of a process, or "" when it cannot be seen. */
export function commandOf(pid: number): string {
	if (process.platform === "linux") return (read(`/proc/${pid}/cmdline`) ?? "").replaceAll("\0", " ").trim();
	return ps("args=", pid) ?? "";
}

/** Whether any process works inside `folder` (PostgreSQL's do in their data folder), as far as can be seen. */
export function isWorkedIn(folder: string): boolean {
	if (process.platform !== "linux") return ps("args=", null)?.includes("postgres: ") ?? true;
	return readdirSync("/proc").some((entry) => {
		if (!/^\d+$/.test(entry) || markOf(Number(entry)) === null) return false;
		try {
			return readlinkSync(`/proc/${entry}/cwd`) === folder;
		} catch {
			return false;
		}
	});
}

function read(path: string): string | null {
	try {
		return readFileSync(path, "utf8");
	} catch {
		return null;
	}
}

function ps(columns: string, pid: number | null): string | null {
	try {
		const which = pid === null ? ["-A"] : ["-p", String(pid)];
		const output = execFileSync("ps", [...which, "-o", columns], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
		return output.trim() === "" ? null : output.trim();
	} catch {
		return null;
	}
}
