import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { whyNotApart } from "./apart.ts";
import { mustRun, runProgram } from "./program.ts";

/** What a machine of ours has in common with Amazon Linux as far as a release can tell: systemd, coreutils, rsyslog, logrotate. No Node. */
const packages = ["systemd", "systemd-sysv", "dbus", "iproute2", "logrotate", "procps", "rsyslog", "util-linux", "libstdc++6"];
const suite = "bookworm";
const tools = {
	"systemd-nspawn": "systemd-container",
	mmdebstrap: "mmdebstrap",
	ip: "iproute2",
	unshare: "util-linux",
	git: "git",
	"redis-server": "redis-server",
} as const;
/** Another may hold apt's lock, ms. */
const aptWithin = 5 * 60_000;
const bootstrapWithin = 10 * 60_000;

/** Why machines cannot be booted here, or null. Nothing is installed or changed to find out. */
export function whyNot(): string | null {
	if (process.platform !== "linux") return "machines are booted by systemd-nspawn, and this is no Linux";
	if (process.getuid?.() !== 0) return "machines are booted by systemd-nspawn, which needs root";
	if (process.arch !== "x64") return "the artefact is for x86-64, and this is another processor";
	const missing = Object.keys(tools).filter((tool) => !isHere(tool));
	if (missing.length > 0 && !isHere("apt-get")) return `${missing.join(", ")} is missing, and there is no apt-get to bring it`;
	return isHere("unshare") ? whyNotApart() : null;
}

/** Installs by apt what is missing of the tools. Throws when apt cannot, as without a network. */
export async function bringTools(tell: (line: string) => void): Promise<void> {
	const wanted = Object.entries(tools).flatMap(([tool, name]) => (isHere(tool) ? [] : [name]));
	if (wanted.length === 0) return;
	tell(`Installing ${wanted.join(", ")} with apt-get ...`);
	// What is installed must not begin to serve on this machine: ours runs on the stage.
	const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive", RUNLEVEL: "1" };
	const apt = async (...args: string[]) => {
		const said: string[] = [];
		const { code } = await runProgram("apt-get", ["-o", "DPkg::Lock::Timeout=240", ...args], {
			env,
			timeout: aptWithin,
			hear: (_s, line) => said.push(line),
		});
		if (code !== 0) throw new Error(`apt-get ${args.join(" ")} ended with ${code}: ${said.slice(-5).join(" | ")}`);
	};
	await apt("update");
	await apt("install", "-y", "--no-install-recommends", ...wanted);
}

/**
 * The folder every machine's disk begins as: a small Debian, made once by apt's own sources and kept in the cache. What is half made
 * has another name, so that it is never taken for one.
 */
export async function bringBase(cache: string, tell: (line: string) => void, signal: AbortSignal): Promise<string> {
	const name = `debian-${suite}-${createHash("sha256").update(packages.join()).digest("hex").slice(0, 8)}`;
	const base = join(cache, name);
	if (existsSync(base)) return base;
	mkdirSync(cache, { recursive: true });
	for (const entry of readdirSync(cache)) if (entry.startsWith("making-")) rmSync(join(cache, entry), { recursive: true, force: true });
	const making = join(cache, `making-${process.pid}`);
	const began = performance.now();
	tell("Making the machines' Debian, once (a hundred megabytes) ...");
	const args = ["--variant=minbase", "--quiet", `--include=${packages.join(",")}`, suite, making];
	await mustRun("mmdebstrap", args, { timeout: bootstrapWithin, signal });
	// A machine is told its name as it boots, and shall not take this one's.
	rmSync(join(making, "etc/machine-id"), { force: true });
	renameSync(making, base);
	tell(`The machines' Debian is in ${base}, after ${((performance.now() - began) / 1000).toFixed(0)} s`);
	return base;
}

function isHere(tool: string): boolean {
	return `${process.env.PATH ?? ""}:/usr/sbin:/sbin`.split(":").some((folder) => folder !== "" && existsSync(join(folder, tool)));
}
