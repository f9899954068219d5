/**
 * `node deploy/with-config.ts <what node would be given>`: fetches configuration and secrets and becomes that program, with them as
 * its environment. The process stays the same, so systemd sees one; nothing is written to the disk, and no secret is in any file.
 * Without CHAT_ENV_PATH there is nothing to fetch, and the environment is passed on as it is.
 */
import { readFileSync } from "node:fs";
import process from "node:process";
import { aboutInstance } from "./about-instance.ts";
import { fetchConfig } from "./fetch-config.ts";
import { awsStores } from "./stores.ts";

const { CHAT_ENV_PATH: path, AWS_REGION: region } = process.env;
try {
	if (path && !region) throw new Error("CHAT_ENV_PATH is set and AWS_REGION is not. Example: AWS_REGION=eu-west-1");
	const isInstance = path && region;
	const fetched = isInstance ? await fetchConfig(awsStores(region), path) : {};
	const about = isInstance ? await aboutInstance(new URL("../deployment", import.meta.url)) : {};
	process.execve?.(process.execPath, [process.execPath, ...process.argv.slice(2)], { ...process.env, ...version(), ...about, ...fetched });
	throw new Error("This system cannot replace a process by another.");
} catch (error) {
	console.error(error instanceof Error ? error.message : error);
	process.exit(1);
}

/** Which release this is, for telemetry; unknown outside an artefact. */
function version(): Record<string, string> {
	try {
		const { version } = JSON.parse(readFileSync(new URL("../release.json", import.meta.url), "utf8")) as { version: string };
		return { SERVICE_VERSION: version };
	} catch {
		return {};
	}
}
