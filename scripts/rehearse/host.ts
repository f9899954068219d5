import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, openSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Machine } from "./agent.ts";
import { makeGroups } from "./groups.ts";
import { joinNetwork } from "./network.ts";
import { mustRun, runProgram } from "./program.ts";

/** How long a machine may take to boot, ms. It takes one second; a busy machine makes it more. */
const bootWithin = 60_000;
/** What a program on the machine finds; nothing of ours. */
const environment = { PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", HOME: "/root", LANG: "C.UTF-8" };

export type Host = Machine & {
	name: string;
	address: string;
	/** Runs a shell line there that has to succeed; gives what it wrote. */
	shell(line: string, timeout?: number): Promise<string>;
	isAlive(): boolean;
	/** Every process of it, at once, as when the instance is taken away. */
	kill(): Promise<void>;
};

/**
 * Boots a Debian with a systemd of its own: the base as it is below, what the machine writes in a folder above it, and a network
 * of its own. It lives as long as the mount and process namespaces we are in.
 */
export async function bootHost(given: { name: string; address: string; base: string; folder: string }): Promise<Host> {
	const { name, address, base } = given;
	const at = (part: string) => join(given.folder, name, part);
	for (const part of ["upper", "work", "root"]) mkdirSync(at(part), { recursive: true });
	const layers = `lowerdir=${base},upperdir=${at("upper")},workdir=${at("work")}`;
	await mustRun("mount", ["-t", "overlay", "overlay", "-o", layers, at("root")]);
	writeFileSync(join(at("root"), "etc/hostname"), `${name}\n`);
	const path = await joinNetwork(name, address);
	const console_ = openSync(at("console"), "w");
	const options = ["--boot", "--register=no", "--keep-unit", "--link-journal=no", "--resolv-conf=off", "--timezone=off", "--quiet"];
	const groups = makeGroups(basename(dirname(given.folder)), name).map((folder) => join(folder, "cgroup.procs"));
	const nspawn = spawn(
		"sh",
		[
			...["-c", 'while [ "$1" != -- ]; do echo $$ >"$1"; shift; done; shift; exec systemd-nspawn "$@"', "sh", ...groups, "--"],
			...[...options, `--directory=${at("root")}`, `--machine=${name}`, `--network-namespace-path=${path}`],
		],
		{
			stdio: ["ignore", console_, console_],
			detached: true,
		},
	);
	const leader = await untilBooted(nspawn, () => readFileSync(at("console"), "utf8"));
	const ended = new Promise<void>((resolve) => nspawn.once("exit", () => resolve()));

	// By env, since nsenter would look for the folder before it is there.
	const enter = ["--target", String(leader), "--all", "--", "/usr/bin/env", "--chdir=/"];
	const host: Host = {
		name,
		address,
		root: at("root"),
		run: (file, args, { env, timeout, hear }) =>
			runProgram("nsenter", [...enter, file, ...args], {
				env: { ...environment, ...env },
				...(timeout ? { timeout } : {}),
				...(hear ? { hear } : {}),
			}),
		async shell(line, timeout = 60_000) {
			const said: string[] = [];
			const out: string[] = [];
			const hear = (stream: "stdout" | "stderr", text: string) => {
				said.push(text);
				if (stream === "stdout") out.push(text);
			};
			const { code, timedOut } = await host.run("/bin/bash", ["-c", line], { timeout, hear });
			if (code !== 0)
				throw new Error(`${name}: ${line} ${timedOut ? "took too long" : `ended with ${code}`}: ${said.slice(-8).join(" | ")}`);
			return out.join("\n");
		},
		isAlive: () => nspawn.exitCode === null && nspawn.signalCode === null,
		async kill() {
			process.kill(leader, "SIGKILL");
			await Promise.race([ended, sleep(10_000)]);
			nspawn.kill("SIGKILL");
		},
	};
	return host;
}

/** The number of the machine's first process, once its systemd says that everything it should start is there. */
async function untilBooted(nspawn: ChildProcess, said: () => string): Promise<number> {
	for (const end = Date.now() + bootWithin; Date.now() < end; await sleep(100)) {
		if (nspawn.exitCode !== null) break;
		const leader = childOf(nspawn.pid as number);
		if (leader === null) continue;
		const state: string[] = [];
		const enter = ["--target", String(leader), "--all", "--wd=/", "--", "systemctl", "is-system-running"];
		await runProgram("nsenter", enter, { env: environment, timeout: 5000, hear: (_stream, line) => state.push(line) });
		if (state.includes("running")) return leader;
		if (state.includes("degraded")) break;
	}
	throw new Error(`A machine did not boot. The end of its console:\n${said().split("\n").slice(-25).join("\n")}`);
}

function childOf(pid: number): number | null {
	for (const entry of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
		try {
			const stat = readFileSync(`/proc/${entry}/stat`, "utf8");
			const [, parent] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
			if (Number(parent) === pid) return Number(entry);
		} catch {
			// It ended in between.
		}
	}
	return null;
}
