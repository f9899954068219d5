/**
 * `npm run bench -- --telemetry`: the same Charla with telemetry off, off a second time, kept for /ops only (a laptop), as in
 * production, and with each part of that alone, in one run. Each is compared with off in pairs of short rounds, one right after the
 * other, so that what else the machine does meets both; the second off says how far to believe the rest.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import { fileURLToPath } from "node:url";
import { Audience } from "./audience.ts";
import { closedLoop, paced } from "./load.ts";
import { serverCore } from "./pinning.ts";
import { median, percentile, rounded } from "./statistics.ts";
import { type Running, startSystem } from "./systems.ts";

/** What production, and an installation without a key, pay for telemetry at most (docs/performance.md). */
const budget = { throughputRatio: 0.95, p99Ratio: 1.1, rssMb: 40, startMs: 400 };

const senders = 4;
const calm = { perSecond: 100, senders };
/** As in the scenarios of these names. In the second a message is a smaller thing, so that what is added to it shows more. */
const shapes = {
	"1x100": { wanted: { rooms: 1, members: 100 }, closed: { outstanding: 8, senders } },
	"50x20": { wanted: { rooms: 50, members: 20 }, closed: { outstanding: 1, senders } },
} as const;
export type ShapeName = keyof typeof shapes;

type Variant = { what: string; env: (sink: string) => Record<string, string> };
const quiet = { OTEL_TRACES_EXPORTER: "none", OTEL_METRICS_EXPORTER: "none", OTEL_LOGS_EXPORTER: "none" };
const exporting = (sink: string) => ({ TELEMETRY: "split", OTEL_EXPORTER_OTLP_ENDPOINT: sink, TELEMETRY_SAMPLE_RATIO: "0.1" });

/** Off comes first: all others are compared with it. */
const variants = {
	off: { what: "no telemetry at all", env: () => ({ TELEMETRY: "off" }) },
	again: { what: "no telemetry at all, once more: how far apart two of the same are", env: () => ({ TELEMETRY: "off" }) },
	on: { what: "production: a tenth of the traces, all metrics and logs exported", env: exporting },
	kept: { what: "everything kept for /ops, nothing exported: a laptop", env: () => ({ TELEMETRY: "kept" }) },
	traces: { what: "production, traces alone", env: (sink) => ({ ...exporting(sink), ...quiet, OTEL_TRACES_EXPORTER: "otlp" }) },
	metrics: { what: "production, metrics alone", env: (sink) => ({ ...exporting(sink), ...quiet, OTEL_METRICS_EXPORTER: "otlp" }) },
	logs: { what: "production, logs alone", env: (sink) => ({ ...exporting(sink), ...quiet, OTEL_LOGS_EXPORTER: "otlp" }) },
	agent: {
		what: "production with the New Relic agent beside it, its collector out of reach",
		env: (sink) => ({ ...exporting(sink), NEW_RELIC_LICENSE_KEY: "0".repeat(40), NEW_RELIC_HOST: "127.0.0.1", NEW_RELIC_PORT: "9" }),
	},
} as const satisfies Record<string, Variant>;
type Name = keyof typeof variants;
const names = Object.keys(variants) as Name[];
/**
 * How often a variant and off are started to be compared, and in how many pairs of rounds each time: what is promised about more than
 * what only explains it. A process has luck of its own, with its memory and with what is compiled when: two of the same were up to
 * 7 % and 55 MB apart in a run in which each was started once.
 */
const startsOf: Partial<Record<Name, number>> = { on: 4, kept: 4, again: 4 };
const pairsOf: Partial<Record<Name, number>> = { on: 5, kept: 5, again: 5 };
/** What is judged: how it runs in production, and without a key. */
const judged = ["on", "kept"] as const satisfies Name[];
const pairsOfParts = 4;
/** Before each round that counts, ms. */
const warmIn = 200;
/** A machine on which the messages of a warm-up take longer is too slow to wait for, ms. */
const warmUpAtMost = 20_000;

export type TelemetryFigures = { throughputRatio: number; p99Ratio: number; rssMb: number; startMs: number; cpuMicroseconds: number };
export type TelemetryResult = TelemetryFigures & {
	met: boolean;
	/** Those of what is judged that were not within the budget. */
	missed: string[];
	shape: ShapeName;
	parts: Record<string, TelemetryFigures>;
	faults: number;
};

type Started = { running: Running; audience: Audience };
type Slice = { perCpuSecond: number; tail: number };

/** Compares all variants; `tell` hears of each. Resolves with production's figures and those of each part. */
export async function benchTelemetry(shape: ShapeName, quick: boolean, tell: (line: string) => void): Promise<TelemetryResult> {
	const [milliseconds, warmUp, starts] = quick ? [300, 300, 1] : [700, 6000, 7];
	const chosen: Name[] = quick ? ["off", ...judged] : names;
	const { wanted, closed } = shapes[shape];
	const sink = await openSink();
	const running = new Set<Started>();
	const memory = new Map<Name, number[]>();
	let faults = 0;
	/** Only when its turn comes: a server that waits for minutes is paged out, and pays for it when it is asked. */
	const start = async (name: Name): Promise<Started> => {
		const server = await startSystem("charla", wanted, [], variants[name].env(sink.url));
		const started = { running: server, audience: await Audience.gather(server, senders) };
		running.add(started);
		// As many messages for each, or code that is compiled already would be compared with code that is not.
		const from = performance.now();
		for (let sent = 0; sent < warmUp && performance.now() - from < warmUpAtMost; )
			sent += (await closedLoop(started.audience, server.pid, { ...closed, milliseconds: 500 })).messages;
		return started;
	};
	const stop = async (started: Started) => {
		running.delete(started);
		faults += Object.values(started.audience.faults()).reduce((a, b) => a + b, 0);
		started.audience.leave();
		await started.running.stop();
	};
	try {
		const slice = async ({ audience, running }: Started): Promise<Slice> => {
			// A server that slept has cold caches, and there telemetry weighs several times what it does on one that is busy.
			await closedLoop(audience, running.pid, { ...closed, milliseconds: warmIn });
			const burst = await closedLoop(audience, running.pid, { ...closed, milliseconds });
			const heard = await paced(audience, running.pid, { ...calm, milliseconds });
			return { perCpuSecond: burst.messages / (burst.cpu.server + burst.cpu.store), tail: percentile(heard.delivery, 0.99) };
		};
		const compared = new Map<Name, [own: Slice, off: Slice][]>();
		for (const name of chosen.slice(1)) {
			tell(`${name}: ${variants[name].what}`);
			const pairs: [own: Slice, off: Slice][] = [];
			const count = quick ? 2 : (pairsOf[name] ?? pairsOfParts);
			for (let times = quick ? 1 : (startsOf[name] ?? 1); times > 0; times--) {
				// As old as what it is compared with: one that has served for minutes is compiled further, and looks a twentieth faster.
				const [first, second] = times % 2 === 0 ? [await start("off"), await start(name)] : [await start(name), await start("off")];
				const [off, each] = times % 2 === 0 ? [first, second] : [second, first];
				// The first warms up what has waited, and counts for nothing. Who begins changes each time.
				for (let i = -1; i < count; i++) {
					const one = await slice(i % 2 === 0 ? each : off);
					const other = await slice(i % 2 === 0 ? off : each);
					if (i >= 0) pairs.push(i % 2 === 0 ? [one, other] : [other, one]);
				}
				// After the same rounds: a heap that has just been filled holds whatever the last collection left.
				for (const [of, { running }] of [
					[name, each],
					["off", off],
				] as const)
					memory.set(of, [...(memory.get(of) ?? []), (await running.memory()).resident / 1e6]);
				await stop(each);
				await stop(off);
			}
			compared.set(name, pairs);
			const ratios = pairs.map(([own, without]) => own.perCpuSecond / without.perCpuSecond);
			const [low, high] = [percentile(ratios, 0.25), percentile(ratios, 0.75)];
			tell(
				`  ${median(ratios).toFixed(3)} of the throughput of off, half of ${pairs.length} pairs from ${low.toFixed(3)} to ${high.toFixed(3)}`,
			);
		}
		const begins = await measureStarts(chosen, sink.url, starts);

		const figuresOf = (name: Name): TelemetryFigures => {
			const paired = (compare: (own: Slice, off: Slice) => number, places: number) =>
				rounded(median((compared.get(name) ?? []).map(([own, without]) => compare(own, without))), places);
			return {
				throughputRatio: paired((own, without) => own.perCpuSecond / without.perCpuSecond, 3),
				p99Ratio: paired((own, without) => own.tail / without.tail, 3),
				rssMb: rounded(median(memory.get(name) as number[]) - median(memory.get("off") as number[]), 1),
				startMs: Math.round(median(begins.get(name) as number[]) - median(begins.get("off") as number[])),
				cpuMicroseconds: paired((own, without) => 1e6 / own.perCpuSecond - 1e6 / without.perCpuSecond, 1),
			};
		};
		const parts = Object.fromEntries(chosen.slice(1).map((name) => [name, figuresOf(name)]));
		const on = parts.on as TelemetryFigures;
		const missed = judged.filter((name) => {
			const { throughputRatio, p99Ratio, rssMb, startMs } = parts[name] as TelemetryFigures;
			return throughputRatio < budget.throughputRatio || p99Ratio > budget.p99Ratio || rssMb > budget.rssMb || startMs > budget.startMs;
		});
		return { ...on, met: missed.length === 0, missed, shape, parts, faults };
	} finally {
		await Promise.all([...running].map(stop));
		sink.close();
	}
}

/** The figures for people: a line per variant, then the budget. */
export function telemetryTable(result: TelemetryResult): string {
	const line = (cells: (string | number)[]) =>
		`  ${String(cells[0]).padEnd(10)}${cells
			.slice(1)
			.map((cell) => String(cell).padStart(14))
			.join("")}`;
	const head = line(["", "throughput", "p99", "memory MB", "start ms", "µs a message"]);
	const lines = Object.entries(result.parts).map(([name, part]) =>
		line([name, part.throughputRatio, part.p99Ratio, part.rssMb, part.startMs, part.cpuMicroseconds]),
	);
	const goal = line(["budget", `>= ${budget.throughputRatio}`, `<= ${budget.p99Ratio}`, `<= ${budget.rssMb}`, `<= ${budget.startMs}`, ""]);
	return `\ntelemetry in ${result.shape}, as ratios to "off" (memory, start and CPU: what is added)\n${head}\n${lines.join("\n")}\n${goal}   ${result.met ? `met by ${judged.join(" and ")}` : `MISSED by ${result.missed.join(" and ")}`}\n`;
}

/** Takes whatever is exported and says it is fine; costs the generator's core, not the server's. */
async function openSink(): Promise<{ url: string; close(): void }> {
	const server = createServer((request, response) => {
		request.resume();
		request.once("end", () => response.writeHead(200, { "content-type": "application/x-protobuf" }).end());
	});
	server.listen(0, "127.0.0.1");
	await once(server, "listening");
	return { url: `http://127.0.0.1:${(server.address() as { port: number }).port}`, close: () => server.closeAllConnections() };
}

/** ms from starting Node until telemetry is loaded and the next module would run, several times each in turn. */
async function measureStarts(chosen: Name[], sink: string, times: number): Promise<Map<Name, number[]>> {
	const start = fileURLToPath(new URL("../observability/start.ts", import.meta.url));
	const took = new Map<Name, number[]>(chosen.map((name) => [name, []]));
	// The first one fills the system's file cache for all.
	for (let i = -1; i < times; i++)
		for (const name of chosen) {
			const command = [...serverCore, process.execPath, "--import", start, "--eval", "process.exit(0)"];
			const at = performance.now();
			const child = spawn(command[0] as string, command.slice(1), {
				env: { ...process.env, NODE_ENV: "production", ...variants[name].env(sink) },
				stdio: "ignore",
			});
			await once(child, "exit");
			if (i >= 0) took.get(name)?.push(performance.now() - at);
		}
	return took;
}
