import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../", import.meta.url));
/** What two versions side by side have to agree on: the wire, what instances tell each other, and the schema. */
const agreed = ["app/contract", "app/realtime/hints.ts", "db/migrations", ":(exclude)*.test.ts"];

/** Another version of Charla, built and ready to be started in its folder; `why`: what stands against it. */
export type VersionBefore = { root: string; commit: string } | { why: string };

/**
 * The version before the last change of the wire or the schema, by the history of this checkout, built in .cache/ once. Where there is not
 * enough history, or it needs other packages than are installed, that is said.
 */
export function versionBefore(tell: (line: string) => void): VersionBefore {
	const changed = git("log", "-1", "--format=%H", "--", ...agreed);
	if (!changed) return { why: "this is no checkout with a history" };
	const commit = git("rev-parse", "--quiet", "--verify", `${changed}^`);
	if (!commit) return { why: "the history here is too short (git fetch --unshallow)" };
	// The first commits of a history may be parts of a whole.
	if (!git("ls-tree", "--name-only", commit, "scripts/build-if-needed.ts")) return { why: `${commit.slice(0, 12)} cannot be built` };
	if (git("diff", "--name-only", commit, "--", "package-lock.json") !== "")
		return { why: `${commit.slice(0, 12)} needs other packages than are installed here` };
	const folder = join(root, ".cache/versions", commit.slice(0, 12));
	if (!existsSync(folder)) {
		tell(`Building ${commit.slice(0, 12)}, the version before ${changed.slice(0, 12)} changed what versions agree on ...`);
		build(commit, folder);
	}
	return { root: folder, commit: commit.slice(0, 12) };
}

/** Under another name until it is whole. */
function build(commit: string, folder: string): void {
	const making = `${folder}.${process.pid}`;
	mkdirSync(making, { recursive: true });
	try {
		must("sh", ["-c", 'git archive "$1" | tar -x -C "$2"', "sh", commit, making], root);
		symlinkSync(join(root, "node_modules"), join(making, "node_modules"));
		must(process.execPath, ["scripts/build-if-needed.ts"], making);
		if (!existsSync(folder)) renameSync(making, folder);
	} finally {
		rmSync(making, { recursive: true, force: true });
	}
}

/** What git says, or nothing where it cannot. */
function git(...args: string[]): string {
	const { status, stdout } = spawnSync("git", args, { cwd: root, encoding: "utf8" });
	return status === 0 ? stdout.trim() : "";
}

function must(file: string, args: string[], cwd: string): void {
	const { status, stdout, stderr } = spawnSync(file, args, { cwd, encoding: "utf8" });
	if (status !== 0) throw new Error(`${file} ${args.join(" ")} ended with ${status}:\n${(stdout + stderr).slice(-3000)}`);
}
