import { parse } from "yaml";

/** What CodeDeploy's service calls on an instance, in this order; the ones in italics of its manual it does itself. */
export const lifecycle = [
	"BeforeBlockTraffic",
	"BlockTraffic",
	"AfterBlockTraffic",
	"ApplicationStop",
	"DownloadBundle",
	"BeforeInstall",
	"Install",
	"AfterInstall",
	"ApplicationStart",
	"ValidateService",
	"BeforeAllowTraffic",
	"AllowTraffic",
	"AfterAllowTraffic",
] as const;
export type LifecycleEvent = (typeof lifecycle)[number];
/** Those no script can be given for. */
const itsOwn: readonly string[] = ["BlockTraffic", "DownloadBundle", "Install", "AllowTraffic"];

export type Hook = { location: string; timeout: number; runas: string | null };
export type Permission = {
	object: string;
	pattern: string;
	owner: string | null;
	group: string | null;
	mode: string | null;
	types: string[];
};
export type Appspec = {
	files: { source: string; destination: string }[];
	fileExists: "DISALLOW" | "OVERWRITE" | "RETAIN";
	permissions: Permission[];
	hooks: Partial<Record<LifecycleEvent, Hook[]>>;
};

/** What the agent takes when a hook names no timeout, s; and what all hooks of one event may take together. */
const timeout = { usual: 3600, most: 3600 };

/** Reads an appspec.yml for EC2. Throws with everything in it the agent would refuse. */
export function readAppspec(text: string): Appspec {
	const found = (parse(text) ?? {}) as Record<string, unknown>;
	const problems: string[] = [];
	if (Number(found.version) !== 0) problems.push("version has to be 0.0");
	if (found.os !== "linux") problems.push("os has to be linux");

	const files = ((found.files ?? []) as { source?: string; destination?: string }[]).map(({ source, destination }) => {
		if (!source || !destination?.startsWith("/")) problems.push(`files: ${source} needs a source, and a destination that begins with /`);
		return { source: source ?? "", destination: destination ?? "/" };
	});
	const fileExists = (found.file_exists_behavior ?? "DISALLOW") as Appspec["fileExists"];
	if (!["DISALLOW", "OVERWRITE", "RETAIN"].includes(fileExists)) problems.push("file_exists_behavior is DISALLOW, OVERWRITE or RETAIN");

	const permissions = ((found.permissions ?? []) as Record<string, unknown>[]).map((given) => {
		const { object, pattern = "**", owner = null, group = null, mode = null, type = ["file", "directory"] } = given;
		if (typeof object !== "string" || !object.startsWith("/")) problems.push(`permissions: object ${object} does not begin with /`);
		if (mode !== null && !/^[0-7]{3,4}$/.test(String(mode))) problems.push(`permissions: mode ${mode} of ${object} is not octal`);
		return { object, pattern, owner, group, mode: mode === null ? null : String(mode), types: type } as Permission;
	});

	const hooks: Appspec["hooks"] = {};
	for (const [event, scripts] of Object.entries((found.hooks ?? {}) as Record<string, Record<string, unknown>[]>)) {
		if (!(lifecycle as readonly string[]).includes(event) || itsOwn.includes(event)) {
			problems.push(`hooks: no script runs at ${event}`);
			continue;
		}
		const read = (scripts ?? []).map(({ location, timeout: seconds = timeout.usual, runas = null }) => {
			if (typeof location !== "string" || location === "") problems.push(`hooks: a script of ${event} has no location`);
			if (!(Number(seconds) > 0)) problems.push(`hooks: timeout of ${location} is not a number of seconds`);
			return { location: String(location), timeout: Number(seconds), runas: runas as string | null };
		});
		if (read.reduce((sum, hook) => sum + hook.timeout, 0) > timeout.most && read.length > 1)
			problems.push(`hooks: the scripts of ${event} may take ${timeout.most} s together`);
		hooks[event as LifecycleEvent] = read;
	}
	if (problems.length > 0) throw new Error(`This appspec.yml is refused:\n${problems.map((each) => `  - ${each}`).join("\n")}`);
	return { files, fileExists, permissions, hooks };
}
