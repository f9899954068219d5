import { spawnSync } from "node:child_process";
import { mustRun } from "./program.ts";

/** The addresses of the stage. It has a network of its own, so they are in nobody's way. */
export const network = {
	bridge: "rehearse0",
	/** Us: load balancer, database, AWS's services. */
	here: "10.80.0.1",
	/** Where an instance asks who it is. */
	metadata: "169.254.169.254",
	host: (n: number) => `10.80.0.${10 + n}`,
} as const;

/** A cable between here and a machine: the names of its two ends, and the address each has. */
export type Cable = { machine: string; near: string; far: string; here: string; there: string };

const ip = (...args: string[]) => mustRun("ip", args, { timeout: 10_000 });

/** Why this kernel cannot join machines and cut them off, or null; where namespaces can be made (`whyNotApart`). Nothing stays of the attempt. */
export function whyNoCables(): string | null {
	const attempt =
		"ip link add name bridge0 type bridge && ip link add name near0 type veth peer name far0 && tc qdisc replace dev near0 root blackhole";
	const { status, stderr, error } = spawnSync("unshare", ["--net", "sh", "-c", attempt], { encoding: "utf8" });
	return status === 0 ? null : `this kernel has no such network: ${(error?.message ?? stderr).trim()}`;
}

/** Makes the bridge every machine is joined to. Only inside a network namespace made for it. */
export async function openNetwork(): Promise<void> {
	await ip("link", "set", "lo", "up");
	await ip("link", "add", network.bridge, "type", "bridge");
	await ip("addr", "add", `${network.here}/24`, "dev", network.bridge);
	await ip("addr", "add", `${network.metadata}/32`, "dev", network.bridge);
	await ip("link", "set", network.bridge, "up");
}

/** A network namespace for one machine, joined to the bridge; gives its path. */
export async function joinNetwork(name: string, address: string): Promise<string> {
	await ip("netns", "add", name);
	const near = await plug(name, "v", "eth0");
	await ip("link", "set", near, "master", network.bridge, "up");
	await ip("-n", name, "link", "set", "lo", "up");
	await ip("-n", name, "addr", "add", `${address}/24`, "dev", "eth0");
	await ip("-n", name, "link", "set", "eth0", "up");
	await ip("-n", name, "route", "add", "default", "via", network.here);
	return `/run/netns/${name}`;
}

/** A cable of its own from here to the n-th machine, for one thing alone: what is done to it is done to nothing else. `line` is 1 or 2. */
export async function layCable(machine: string, n: number, line: number): Promise<Cable> {
	const far = `line${line}`;
	const cable = { machine, far, near: await plug(machine, String(line), far), here: `10.8${line}.${n}.1`, there: `10.8${line}.${n}.2` };
	await ip("addr", "add", `${cable.here}/24`, "dev", cable.near);
	await ip("link", "set", cable.near, "up");
	await ip("-n", machine, "addr", "add", `${cable.there}/24`, "dev", far);
	await ip("-n", machine, "link", "set", far, "up");
	return cable;
}

/** Joins a machine to us by a cable that is not yet used for anything; gives the name of our end. */
async function plug(machine: string, prefix: string, far: string): Promise<string> {
	// The kernel takes 15 characters.
	const near = `${prefix}-${machine}`.slice(0, 15);
	await ip("link", "add", near, "type", "veth", "peer", "name", far, "netns", machine);
	return near;
}

/** What becomes of packets on a cable, in both directions; a discipline of `tc`, such as `noqueue`, `blackhole` or `netem delay 50ms`. */
export async function discipline({ machine, near, far }: Cable, ...words: string[]): Promise<void> {
	await Promise.all([
		mustRun("tc", ["qdisc", "replace", "dev", near, "root", ...words], { timeout: 10_000 }),
		mustRun("tc", ["-n", machine, "qdisc", "replace", "dev", far, "root", ...words], { timeout: 10_000 }),
	]);
}
