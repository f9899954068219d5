/**
 * `npm run chaos`: several servers behind HAProxy, hundreds of people who talk, and everything that can break breaks, one
 * after the other; after each fault everything is held against the database. `--seed N` repeats a run's faults.
 */
import { parseArgs } from "node:util";
import { type FaultKind, faultKinds } from "../tests/chaos/faults.ts";
import { startChaos } from "../tests/chaos/start.ts";
import { buildIfNeeded } from "./build-if-needed.ts";

const { values } = parseArgs({
	options: {
		seed: { type: "string", default: String(Date.now() % 1_000_000) },
		instances: { type: "string", default: "4" },
		people: { type: "string", default: "240" },
		rate: { type: "string", default: "10" },
		minutes: { type: "string", default: "15" },
		deliveries: { type: "string" },
		only: { type: "string" },
		once: { type: "boolean", default: false },
		json: { type: "boolean", default: false },
	},
});
const kinds = values.only?.split(",") as FaultKind[] | undefined;
const unknown = kinds?.filter((kind) => !faultKinds.includes(kind)) ?? [];
if (unknown.length > 0) {
	console.error(`There is no fault ${unknown.join(", ")}. There are: ${faultKinds.join(", ")}.`);
	process.exit(2);
}
await buildIfNeeded();
const began = Date.now();
const ending = new AbortController();
// Every time: a terminal and whoever started us may both say so, and the second shall not keep us from clearing up.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => ending.abort());
const report = await startChaos(
	{
		seed: Number(values.seed),
		instances: Number(values.instances),
		people: Number(values.people),
		rate: Number(values.rate),
		minutes: Number(values.minutes),
		once: values.once,
		...(values.deliveries ? { deliveries: Number(values.deliveries) } : {}),
		...(kinds ? { kinds } : {}),
	},
	{
		// What is for machines stays alone on the standard output.
		tell: (line) => console.error(`${String(Math.round((Date.now() - began) / 1000)).padStart(5)} s  ${line}`),
		signal: ending.signal,
	},
).catch((error: unknown) => {
	console.error(error instanceof Error ? error.message : error);
	process.exit(1);
});
if (values.json) console.log(JSON.stringify(report, null, "\t"));
else {
	const { lost, doubled, reordered, miscounted, deliveries, messages, people, instances, minutes, blackout } = report;
	console.log(`
${report.struck.length} faults in ${minutes} minutes, ${people} people (${report.polling} by polling) on ${instances} instances
${report.said} messages written, ${report.acknowledged} acknowledged, ${messages} stored, ${deliveries} deliveries (${report.shown} on an open page)
lost ${lost}, doubled ${doubled}, reordered ${reordered}, unread counts wrong ${miscounted}
nothing new for: p50 ${blackout.p50} ms, p95 ${blackout.p95} ms, at most ${blackout.max} ms, per person and fault
heap per instance: ${report.heap.before.join(", ")} MB before, ${report.heap.after.join(", ")} MB after
told to catch up for being slow: ${report.resyncs}; too far behind to follow by facts: ${report.resets}`);
}
for (const problem of report.problems) console.error(`PROBLEM  ${problem}`);
console.error(report.problems.length === 0 ? "Nothing was found." : `Found something. To repeat: npm run chaos -- --seed ${report.seed}`);
process.exit(report.problems.length === 0 ? 0 : 1);
