import { mkdirSync, readdirSync, readFileSync, rmdirSync } from "node:fs";
import { join } from "node:path";

const prefix = "charla-machine-";

/** The hierarchies of control groups a systemd keeps its units in: the unified one, and where the kernel has old ones beside it, its own. */
function hierarchies(): string[] {
	const mounts = readFileSync("/proc/self/mountinfo", "utf8").trim().split("\n");
	return mounts.flatMap((mount) => {
		const [before = "", after = ""] = mount.split(" - ");
		const [type, , options = ""] = after.split(" ");
		const isOne = type === "cgroup2" || (type === "cgroup" && options.split(",").includes("name=systemd"));
		return isOne ? [before.split(" ")[4] as string] : [];
	});
}

/**
 * Makes control groups for a machine of a run and gives their folders: whoever is put in has them for root. Two systemds in one and
 * the same group take each other's units away.
 */
export function makeGroups(run: string, machine: string): string[] {
	return hierarchies().map((at) => {
		const folder = join(at, `${prefix}${run}-${machine}`);
		mkdirSync(folder, { recursive: true });
		return folder;
	});
}

/** Takes away the groups of a run whose machines are gone: namespaces end by themselves, groups stay. */
export function sweepGroups(run: string): void {
	const sweep = (folder: string): void => {
		try {
			for (const entry of readdirSync(folder, { withFileTypes: true })) if (entry.isDirectory()) sweep(join(folder, entry.name));
			rmdirSync(folder);
		} catch {
			// Somebody is in it still, or it went by itself.
		}
	};
	for (const at of hierarchies()) for (const entry of readdirSync(at)) if (entry.startsWith(`${prefix}${run}-`)) sweep(join(at, entry));
}
