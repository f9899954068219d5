/**
 * `npm run bench [-- --quick] [--json] [--scenario 1x100] [--telemetry]`: Charla, bare Socket.IO and joined-frames ws side by side in one
 * run, alternating. Ends with 1 when a delivery was lost, doubled or out of order, with 2 when it could not measure; a
 * missed goal is printed and no failure, since it may be the machine. With --telemetry: Charla with it off, on, and each part
 * of it alone. With --instances 1 --instances 5: what a message costs in a fleet of one and of five, with Redis. How to read it: docs/performance.md.
 */
import { parseArgs } from "node:util";
import { faultsIn, judge, type Results } from "./goals.ts";
import type { InstancesResult } from "./instances.ts";
import { machine, pinGenerator } from "./pinning.ts";
import { table } from "./report.ts";
import { type ScenarioName, scenarioNames, scenarios } from "./scenarios.ts";
import { stopAll } from "./systems.ts";
import { benchTelemetry, telemetryTable } from "./telemetry.ts";

/** A run takes half of it, of telemetry nine minutes; beyond, the machine is too busy to measure on, ms. */
const atMost = { scenarios: 290_000, telemetry: 900_000 };

const { values } = parseArgs({
	options: {
		json: { type: "boolean", default: false },
		quick: { type: "boolean", default: false },
		scenario: { type: "string", multiple: true },
		telemetry: { type: "boolean", default: false },
		instances: { type: "string", multiple: true },
	},
});

let ending = false;
async function end(code: number): Promise<never> {
	// Whoever ends it first says how: a scenario whose servers are taken from under it comes to an end, too.
	if (ending) return new Promise<never>(() => {});
	ending = true;
	await stopAll();
	process.exit(code);
}
// Servers that end because we end them are no news.
async function giveUp(code: number, why: unknown): Promise<void> {
	if (ending) return;
	console.error(why instanceof Error ? why.message : why);
	await end(code);
}
process.once("SIGINT", () => void giveUp(130, "interrupted"));
process.once("SIGTERM", () => void giveUp(143, "interrupted"));
process.on("uncaughtException", (error) => void giveUp(2, error));

function tell(line: string): void {
	const stream = values.json ? process.stderr : process.stdout;
	stream.write(`${line}\n`);
}

async function main(): Promise<void> {
	if (process.platform !== "linux") return giveUp(2, "The bench reads CPU time from /proc, so it needs Linux.");
	const chosen = (values.scenario ?? scenarioNames) as ScenarioName[];
	const unknown = chosen.filter((name) => !scenarioNames.includes(name));
	if (unknown.length > 0) return giveUp(2, `No scenario ${unknown.join(", ")}; there are ${scenarioNames.join(", ")}.`);
	const within = atMost[values.telemetry ? "telemetry" : "scenarios"];
	setTimeout(() => void giveUp(2, `not done after ${within / 1000} s: this machine is too busy to measure on`), within).unref();
	// What it starts would be pinned with it: a fleet has all cores.
	if (values.instances) return measureInstances(values.instances.map(Number));
	pinGenerator();
	if (values.telemetry) return compareTelemetry(chosen);

	const results: Results = {};
	for (const name of chosen) {
		tell(`${name}: ${scenarios[name].what}`);
		results[name] = await scenarios[name].run(values.quick, (line) => tell(`  ${line}`));
	}
	const goals = judge(results);
	if (values.json) console.log(JSON.stringify({ scenarios: results, goals, machine: machine(), quick: values.quick }));
	else process.stdout.write(table(results, goals, machine()));
	await end(faultsIn(results) === 0 ? 0 : 1);
}

async function compareTelemetry(chosen: ScenarioName[]): Promise<void> {
	const result = await benchTelemetry(values.scenario && chosen[0] === "50x20" ? "50x20" : "1x100", values.quick, tell);
	if (values.json) console.log(JSON.stringify({ telemetry: result, machine: machine(), quick: values.quick }));
	else process.stdout.write(telemetryTable(result));
	await end(result.faults === 0 ? 0 : 1);
}

/** Fleets of so many instances, one after the other, and what a message costs in them. */
async function measureInstances(counts: number[]): Promise<void> {
	// Only now: a fleet brings signal handlers of its own, which would end every other run before its servers are.
	const { benchInstances, costsOf } = await import("./instances.ts");
	const results: InstancesResult[] = [];
	for (const count of counts) results.push(await benchInstances(count, values.quick ? 1500 : 8000, tell));
	const [one, several] = [results[0], results.at(-1)];
	const costs = one && several && several.instances > one.instances ? costsOf(one, several) : null;
	console.log(JSON.stringify({ instances: results, costs, machine: { ...machine(), pinning: "none" } }, null, values.json ? undefined : 2));
	await end(results.every(({ thin, wide }) => [thin, wide].every((load) => load.lost + load.duplicated + load.reordered === 0)) ? 0 : 1);
}

main().catch((error: unknown) => giveUp(2, error));
