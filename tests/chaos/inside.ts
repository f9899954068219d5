/** A run in namespaces of its own; started by start.ts, never by hand. Lines for whoever watches are on the standard output. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { settleApart } from "../../scripts/rehearse/apart.ts";
import { openCables } from "./network.ts";
import { type ChaosOptions, runChaos } from "./run.ts";

const folder = process.argv[2] as string;
try {
	await settleApart();
	const options = JSON.parse(readFileSync(join(folder, "options.json"), "utf8")) as ChaosOptions;
	const report = await runChaos(options, await openCables(), console.log);
	writeFileSync(join(folder, "report.json"), JSON.stringify(report));
} catch (error) {
	console.error(error instanceof Error ? (error.stack ?? error.message) : error);
	process.exit(1);
}
process.exit(0);
