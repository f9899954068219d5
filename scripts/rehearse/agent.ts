import {
	appendFileSync,
	chmodSync,
	cpSync,
	existsSync,
	mkdirSync,
	readdirSync,
	readFileSync,
	rmdirSync,
	rmSync,
	statSync,
	writeFileSync,
} from "node:fs";
import { basename, dirname, join, matchesGlob } from "node:path";
import { type Hook, type LifecycleEvent, type Permission, readAppspec } from "./appspec.ts";

/** A machine the agent works on: its disk as we see it, and a way to run something there. */
export type Machine = {
	/** Where its / is for us. */
	root: string;
	/** Runs a program there, in a process group of its own that is ended after `timeout` ms. */
	run(
		file: string,
		args: string[],
		options: { env?: Record<string, string>; timeout?: number; hear?: (stream: "stdout" | "stderr", line: string) => void },
	): Promise<{ code: number | null; timedOut: boolean }>;
};
export type Revision = { deploymentId: string; bundle: string };

/** What the script's last words may hold in the service's answer, characters. */
const logTail = 2048;
/** Revisions kept on the disk. */
const archivesKept = 5;
const HOME = "/opt/codedeploy-agent/deployment-root";

/** A hook that failed, with what it said last. */
export class HookFailure extends Error {
	readonly event: LifecycleEvent;
	constructor(event: LifecycleEvent, reason: string, said: string) {
		super(`${event}: ${reason}${said ? `\n${said}` : ""}`);
		this.name = "HookFailure";
		this.event = event;
	}
}

export type Agent = ReturnType<typeof openAgent>;

/**
 * CodeDeploy's agent as far as it touches the machine, after its source (github.com/aws/aws-codedeploy-agent): which revision a hook is run
 * from, what is copied, cleaned up and kept, how long a script may take, and which log it writes. Not the agent itself: that is Ruby
 * and talks to AWS.
 *
 * Worth knowing: a revision counts as the last successful one as soon as its files are installed, whatever its later hooks say. So the
 * stop hook of a broken release is what the rollback runs.
 */
export function openAgent(machine: Machine, group: { application: string; name: string; id: string }) {
	const at = (path: string) => join(machine.root, path);
	const folderOf = (deploymentId: string) => join(HOME, group.id, deploymentId);
	const archiveOf = (folder: string) => join(folder, "deployment-archive");
	const instructions = join(HOME, "deployment-instructions");
	const cleanup = at(join(instructions, `${group.id}-cleanup`));
	const lastSuccessful = at(join(instructions, `${group.id}_last_successful_install`));
	const mostRecent = at(join(instructions, `${group.id}_most_recent_install`));
	const log = at(join(HOME, "deployment-logs/codedeploy-agent-deployments.log"));

	function write(deploymentId: string, text: string): void {
		mkdirSync(dirname(log), { recursive: true });
		appendFileSync(log, `[${new Date().toISOString().slice(0, 23).replace("T", " ")}] [${deploymentId}]${text}\n`);
	}

	/** The folder a hook is run from, or null when there is nothing to run it from. */
	function folderFor(event: LifecycleEvent, deploymentId: string): string | null {
		const current = folderOf(deploymentId);
		const before = event === "BeforeBlockTraffic" || event === "AfterBlockTraffic" || event === "ApplicationStop";
		if (!before || existsSync(at(archiveOf(current)))) return current;
		const last = existsSync(lastSuccessful) ? readFileSync(lastSuccessful, "utf8").trim() : null;
		return last && existsSync(at(archiveOf(last))) ? last : null;
	}

	async function runHooks(event: LifecycleEvent, deploymentId: string): Promise<void> {
		const folder = folderFor(event, deploymentId);
		if (!folder) return;
		const archive = archiveOf(folder);
		const hooks = readAppspec(readFileSync(at(join(archive, "appspec.yml")), "utf8")).hooks[event] ?? [];
		if (hooks.length > 0) write(deploymentId, `LifecycleEvent - ${event}`);
		for (const hook of hooks) await runHook(event, hook, join(archive, hook.location), deploymentId);
	}

	async function runHook(event: LifecycleEvent, hook: Hook, script: string, deploymentId: string): Promise<void> {
		if (!existsSync(at(script))) throw new HookFailure(event, `Script does not exist at specified location: ${hook.location}`, "");
		if (!(statSync(at(script)).mode & 0o100)) chmodSync(at(script), statSync(at(script)).mode | 0o111);
		write(deploymentId, `Script - ${hook.location}`);
		let said = "";
		const { code, timedOut } = await machine.run(
			...((hook.runas && hook.runas !== "root" ? ["su", [hook.runas, "-c", script]] : [script, []]) as [string, string[]]),
			{
				env: {
					LIFECYCLE_EVENT: event,
					DEPLOYMENT_ID: deploymentId,
					APPLICATION_NAME: group.application,
					DEPLOYMENT_GROUP_NAME: group.name,
				},
				timeout: hook.timeout * 1000,
				hear(stream, line) {
					write(deploymentId, `[${stream}]${line}`);
					said = `${said}[${stream}]${line}\n`.slice(-logTail);
				},
			},
		);
		if (timedOut) throw new HookFailure(event, `${hook.location} failed to complete in ${hook.timeout} seconds`, said);
		if (code !== 0) throw new HookFailure(event, `${hook.location} failed with exit code ${code}`, said);
	}

	function download({ deploymentId, bundle }: Revision): void {
		forgetOldArchives();
		const archive = at(archiveOf(folderOf(deploymentId)));
		rmSync(archive, { recursive: true, force: true });
		mkdirSync(dirname(archive), { recursive: true });
		cpSync(bundle, archive, { recursive: true });
		mkdirSync(at(instructions), { recursive: true });
		writeFileSync(mostRecent, folderOf(deploymentId));
	}

	/** The oldest go, the new one counted, but never the one whose stop hooks may be needed. */
	function forgetOldArchives(): void {
		const home = at(join(HOME, group.id));
		if (!existsSync(home)) return;
		const last = existsSync(lastSuccessful) ? readFileSync(lastSuccessful, "utf8").trim() : "";
		const old = readdirSync(home)
			.map((name) => ({ name, at: statSync(join(home, name)).mtimeMs }))
			.sort((a, b) => a.at - b.at);
		for (const { name } of old.slice(0, Math.max(0, old.length - archivesKept + 1)))
			if (join(HOME, group.id, name) !== last) rmSync(join(home, name), { recursive: true, force: true });
	}

	/** Takes away what the group's last revision installed, copies this one's files, sets permissions, and remembers what it made. */
	async function install(deploymentId: string): Promise<void> {
		const archive = at(archiveOf(folderOf(deploymentId)));
		const spec = readAppspec(readFileSync(join(archive, "appspec.yml"), "utf8"));
		if (existsSync(cleanup)) {
			for (const path of readFileSync(cleanup, "utf8").split("\n").filter(Boolean).reverse()) remove(at(path));
			rmSync(cleanup);
		}
		const copies = spec.files.flatMap(({ source, destination }) => copiesOf(archive, source, destination));
		if (spec.fileExists === "DISALLOW") {
			const there = copies.find(({ to }) => existsSync(at(to)));
			if (there) throw new Error(`Install: a specified file already exists at this location: ${there.to}`);
		}
		mkdirSync(dirname(cleanup), { recursive: true });
		const remember = (path: string) => appendFileSync(cleanup, `${path}\n`);
		for (const { from, to } of copies) {
			if (spec.fileExists === "RETAIN" && existsSync(at(to))) continue;
			for (const folder of missingAbove(to)) {
				mkdirSync(at(folder));
				remember(folder);
			}
			remember(to);
			cpSync(from, at(to));
		}
		const copied = copies.map(({ to }) => to);
		for (const permission of spec.permissions) await setPermissions(permission, copied);
		writeFileSync(lastSuccessful, folderOf(deploymentId));
	}

	function missingAbove(path: string): string[] {
		const missing: string[] = [];
		for (let folder = dirname(path); folder !== "/" && !existsSync(at(folder)); folder = dirname(folder)) missing.unshift(folder);
		return missing;
	}

	async function setPermissions({ object, pattern, owner, group, mode, types }: Permission, copied: string[]): Promise<void> {
		if (!types.includes("file")) return;
		for (const file of copied.filter((to) => to === object || (to.startsWith(`${object}/`) && matchesGlob(basename(to), pattern)))) {
			// There, by the names its accounts have.
			if (owner || group) await mustRun("chown", [`${owner ?? ""}${group ? `:${group}` : ""}`, file]);
			if (mode) chmodSync(at(file), Number.parseInt(mode, 8));
		}
	}

	async function mustRun(file: string, args: string[]): Promise<void> {
		const { code } = await machine.run(file, args, {});
		if (code !== 0) throw new Error(`Install: ${file} ${args.join(" ")} failed with ${code}`);
	}

	return {
		/** One lifecycle event of a deployment. Throws a HookFailure, or what kept the files from being installed. */
		async execute(event: Exclude<LifecycleEvent, "BlockTraffic" | "AllowTraffic">, revision: Revision): Promise<void> {
			if (event === "DownloadBundle") return download(revision);
			if (event === "Install") return install(revision.deploymentId);
			return runHooks(event, revision.deploymentId);
		},
		/** The agent's log on the machine. */
		log: () => (existsSync(log) ? readFileSync(log, "utf8") : ""),
	};
}

function copiesOf(archive: string, source: string, destination: string): { from: string; to: string }[] {
	const from = join(archive, source);
	if (!existsSync(from)) throw new Error(`Install: there is no ${source} in the bundle`);
	if (!statSync(from).isDirectory()) return [{ from, to: join(destination, basename(from)) }];
	return readdirSync(from).flatMap((entry) => {
		const path = join(from, entry);
		return statSync(path).isDirectory()
			? copiesOf(archive, join(source, entry), join(destination, entry))
			: [{ from: path, to: join(destination, entry) }];
	});
}

/** A file that is there, and a folder that is empty. */
function remove(path: string): void {
	try {
		if (statSync(path).isDirectory()) rmdirSync(path);
		else rmSync(path);
	} catch {
		// Gone already, or somebody else has put something into it.
	}
}
