import { closeSync, mkdirSync, openSync, readFileSync, statfsSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { mustRun } from "../../scripts/rehearse/program.ts";

/** Where a server writes its log, and cannot. */
export type FullDisk = {
	/** Its standard output. */
	stdout: number;
	env: Record<string, string>;
	/** Whether nothing more can be written. */
	isFull(): boolean;
	/** Makes room again, as logrotate does. */
	makeRoom(): void;
	/** When the server has ended. Gives what was not as it should be: it was full, and what was lost is told once there is room. */
	close(): Promise<string[]>;
};

// Requests are told of, too.
const talkative = { LOG_LEVEL: "info" };

/**
 * A disk of its own with room for some hundred lines, on which a server writes app.log and access.log as deploy/chat.service has it,
 * mounted at `folder`. Only where mounts are ours; else `folder` is null and all that is written fails.
 */
export async function openFullDisk(folder: string | null): Promise<FullDisk> {
	if (folder === null) {
		const stdout = openSync("/dev/full", "w");
		return {
			stdout,
			env: talkative,
			isFull: () => true,
			makeRoom: () => undefined,
			async close() {
				closeSync(stdout);
				return [];
			},
		};
	}
	mkdirSync(folder, { recursive: true });
	await mustRun("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", folder]);
	const [app, access] = [join(folder, "app.log"), join(folder, "access.log")];
	const stdout = openSync(app, "a");
	const wrong: string[] = [];
	const isFull = () => statfsSync(folder).bavail === 0;
	return {
		stdout,
		env: { ...talkative, ACCESS_LOG: access },
		isFull,
		makeRoom() {
			if (!isFull()) wrong.push("the disk of its log had room all the time");
			for (const file of [app, access]) truncateSync(file);
		},
		async close() {
			if (!readFileSync(app, "utf8").includes('"event":"log.dropped"')) wrong.push("nothing was said of lines that were lost");
			closeSync(stdout);
			await mustRun("umount", [folder]);
			return wrong;
		},
	};
}
