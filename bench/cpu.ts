import { readdirSync, readFileSync } from "node:fs";

/** Clock ticks in a second, as /proc counts CPU time; 100 on every Linux Node runs on. */
const ticks = 100;

/** CPU seconds used so far by a process and by everything below it (its PostgreSQL). */
export type CpuTime = { server: number; store: number };

type Stat = { pid: number; parent: number; seconds: number };

/** One process: what its threads used, and children of it that have ended and were collected. */
function readStat(pid: string): Stat | null {
	try {
		const text = readFileSync(`/proc/${pid}/stat`, "utf8");
		// The name in brackets may hold spaces and brackets: count from the last one.
		const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
		const used = (places: number[]) => places.reduce((sum, i) => sum + Number(fields[i]), 0) / ticks;
		return { pid: Number(pid), parent: Number(fields[1]), seconds: (threadSeconds(pid) || used([11, 12])) + used([13, 14]) };
	} catch {
		// It ended while we looked; its time is its parent's now.
		return null;
	}
}

/** To the nanosecond, where the kernel keeps it: ticks are too coarse for a short round. 0 where it does not. */
function threadSeconds(pid: string): number {
	let nanoseconds = 0;
	for (const thread of readdirSync(`/proc/${pid}/task`))
		try {
			nanoseconds += Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8").split(" ")[0]);
		} catch {
			// A thread that ended.
		}
	return nanoseconds / 1e9;
}

/** CPU time of a process and all its descendants. Throws when the process is gone. */
export function cpuTime(root: number): CpuTime {
	const all = readdirSync("/proc").flatMap((name) => (/^\d+$/.test(name) ? (readStat(name) ?? []) : []));
	const byParent = Map.groupBy(all, (stat) => stat.parent);
	const server = all.find((stat) => stat.pid === root);
	if (!server) throw new Error(`process ${root} is gone`);
	const below = (pid: number): number => (byParent.get(pid) ?? []).reduce((sum, stat) => sum + stat.seconds + below(stat.pid), 0);
	return { server: server.seconds, store: below(root) };
}

export function cpuBetween(from: CpuTime, to: CpuTime): CpuTime {
	return { server: to.server - from.server, store: to.store - from.store };
}
