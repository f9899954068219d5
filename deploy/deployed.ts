/**
 * `node deploy/with-config.ts deploy/deployed.ts`: says that this instance serves a new release, as a log line on standard output (which
 * CodeDeploy's agent puts into its log), and as a marker on New Relic's charts where NEW_RELIC_USER_KEY is configured.
 */
import { readFileSync } from "node:fs";
import { hostname } from "node:os";
import { openLog } from "../observability/log.ts";
import { mark } from "../observability/newrelic/mark.ts";
import { endpoints, openNerdGraph, type Region } from "../observability/newrelic/nerdgraph.ts";

const { env } = process;
const { version, release } = JSON.parse(readFileSync(process.argv[2] ?? new URL("../release.json", import.meta.url), "utf8")) as Record<
	string,
	string
>;
const log = openLog({
	level: "info",
	build: version as string,
	terminal: false,
	env: env.TELEMETRY_ENV,
	instance: env.INSTANCE_ID ?? hostname(),
});
log.info("deploy.finished", { deployment_id: env.DEPLOYMENT_ID ?? "by hand", release, marked: await isMarked() });

/** A chart without a marker is no reason to call a deployment failed. */
async function isMarked(): Promise<boolean> {
	const { NEW_RELIC_USER_KEY: userKey, NEW_RELIC_REGION: region = "us", TELEMETRY: mode, NEW_RELIC_NERDGRAPH_URL: url } = env;
	if (!userKey) return false;
	try {
		const ask = openNerdGraph({ url: url ?? endpoints[region as Region], userKey });
		await mark(ask, mode === "bridge" ? "bridge" : "split", { version: version as string, deployment: env.DEPLOYMENT_ID ?? "by-hand" });
		return true;
	} catch (error) {
		log.warn("deploy.unmarked", { exception_message: (error as Error).message });
		return false;
	}
}
