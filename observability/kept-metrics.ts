import { diag } from "@opentelemetry/api";
import {
	AggregationTemporality,
	type DataPoint,
	DataPointType,
	type Histogram,
	InstrumentType,
	type MetricData,
	MetricReader,
} from "@opentelemetry/sdk-metrics";
import type { SloState, Snapshot } from "../app/contract/ops.ts";
import { type Buckets, mergeBuckets, quantile } from "./buckets.ts";
import { attributes, exportedSignals, type MetricName, rpcOf, type SloName, serviceName } from "./contract.ts";
import { type EmfDuration, emfLine, type Minute } from "./emf.ts";
import { type Recorded, scope, takeRecorded } from "./instruments.ts";
import { SloStates, sloNames, type Tally } from "./slo-state.ts";

/** How often numbers are taken, ms: what an operator watches while something goes wrong. */
const every = 5000;
/** An hour of them. */
const snapshotsKept = 720;
const minute = 60_000;

const stages = attributes.stage.values;
type Stage = (typeof stages)[number];

/**
 * The numbers /ops shows and CloudWatch gets, taken from the metrics themselves every 5 s: an hour of snapshots, how each
 * service level stands, and a line of metrics a minute. Nothing here is sampled, and nothing has an id.
 */
export class KeptMetrics {
	/** To be given to the MeterProvider. Counters and histograms come as what was added since the last time. */
	readonly reader: MetricReader;
	#clock: () => number;
	#about: { service: string; env: string };
	#snapshots: Snapshot[] = [];
	#slos = new SloStates();
	#gauges = new Map<string, number>();
	#dropped = new Map<string, number>();
	#minute: Collected;
	#listeners = new Set<(line: Record<string, unknown>) => void>();
	#taking: Promise<void> = Promise.resolve();
	#takeRecorded = takeRecorded();

	constructor(given: { env?: string; service?: string; clock?: () => number } = {}) {
		this.#clock = given.clock ?? Date.now;
		this.#about = { service: given.service ?? serviceName, env: given.env ?? "dev" };
		this.#minute = new Collected(this.#clock());
		this.reader = new Reader(
			() => this.collect(),
			() => this.#end(),
		);
	}

	/** Of the last hour, the oldest first. */
	snapshots(): Snapshot[] {
		return [...this.#snapshots];
	}

	/** How the service levels stand; `worst` is known to whoever listens to examples. */
	slos(): SloState[] {
		const at = this.#clock();
		return sloNames.map((slo) => ({ ...this.#slos.state(slo, at), worst: [] }));
	}

	/** Telemetry lost since the start, by signal (span, metric, log, beacon). */
	dropped(): Record<string, number> {
		return Object.fromEntries(this.#dropped);
	}

	/** Hears a line in CloudWatch's embedded metric format after each minute. Returns what stops it. */
	onMinute(listener: (line: Record<string, unknown>) => void): () => void {
		this.#listeners.add(listener);
		return () => this.#listeners.delete(listener);
	}

	/** Takes the numbers now; done every 5 s by itself. Never throws. */
	collect(): Promise<void> {
		// One after the other: two at once would share one interval's numbers among them.
		this.#taking = this.#taking.then(() => this.#take()).catch((error: unknown) => diag.error("metrics could not be collected", error));
		return this.#taking;
	}

	async #take(): Promise<void> {
		const { resourceMetrics } = await this.reader.collect();
		const at = this.#clock();
		if (Math.floor(at / minute) !== Math.floor(this.#minute.at / minute)) this.#tellMinute(at);
		const found = new Found(
			resourceMetrics.scopeMetrics.flatMap(({ scope: { name }, metrics }) =>
				metrics.map((metric) => ({ ...metric, isOurs: name === scope })),
			),
			this.#takeRecorded(),
		);
		const tallies = new Map(
			sloNames.map((slo): [SloName, Tally] => {
				const isIt = (values: Values) => values.slo === slo;
				return [slo, { good: found.sum("slo.good", isIt), valid: found.sum("slo.valid", isIt) }];
			}),
		);
		this.#slos.add(at, tallies);
		for (const { attributes: values, value } of found.numbers("telemetry.dropped"))
			this.#dropped.set(String(values.signal), (this.#dropped.get(String(values.signal)) ?? 0) + value);

		const durations = durationsOf(found);
		const snapshot = this.#snapshotOf(at, found, durations);
		this.#snapshots.push(snapshot);
		if (this.#snapshots.length > snapshotsKept) this.#snapshots.shift();
		this.#minute.add(snapshot, tallies, durations);
	}

	#snapshotOf(at: number, found: Found, durations: Durations): Snapshot {
		const ms = (name: EmfDuration, share: number) => {
			const buckets = durations[name];
			return buckets ? Math.round(quantile(buckets, share) * 1e5) / 100 : null;
		};
		const ending = (outcome: string) => found.sum("chat.message.sent", (values) => values.outcome === outcome);
		const disconnects: Record<string, number> = {};
		for (const { attributes: values, value } of found.numbers("chat.socket.disconnects")) {
			// A series that was there before is told again, as nothing.
			if (value === 0) continue;
			const reason = String(values["chat.disconnect.reason"]);
			disconnects[reason] = (disconnects[reason] ?? 0) + value;
		}
		const isError = (values: Values) => Number(values["http.response.status_code"]) >= 500;
		return {
			at,
			messages: ending("ok"),
			refused: ending("refused"),
			failed: ending("failed"),
			sendP50: ms("SendMs", 0.5),
			sendP99: ms("SendMs", 0.99),
			deliveryP50: ms("DeliveryMs", 0.5),
			deliveryP99: ms("DeliveryMs", 0.99),
			renderP99: ms("RenderMs", 0.99),
			stages: Object.fromEntries(stages.map((stage) => [stage, ms(stageMetric(stage), 0.5)])) as Snapshot["stages"],
			sockets: this.#gauge(found, "chat.socket.active"),
			connects: found.occurrences("chat.socket.connect.duration", (values) => values.outcome === "ok"),
			disconnects,
			httpRequests: found.occurrences("http.server.request.duration"),
			httpErrors: found.occurrences("http.server.request.duration", isError),
			httpP99: ms("HttpMs", 0.99),
			eventLoop: this.#gauge(found, "nodejs.eventloop.utilization"),
			eventLoopDelay: this.#gauge(found, "nodejs.eventloop.delay.p99") * 1000,
			gc: found.spent("v8js.gc.duration") / (every / 1000),
			rssMb: Math.round(this.#gauge(found, "process.memory.usage") / 1e4) / 100,
			cpu: this.#gauge(found, "process.cpu.utilization"),
			dbInUse: this.#gauge(found, "db.client.connection.count", (values) => values["db.client.connection.state"] === "used"),
			dbWaiting: this.#gauge(found, "db.client.connection.pending_requests"),
			// Anybody may send a beacon that is refused: that is no loss of ours.
			telemetryDropped: found.sum("telemetry.dropped", ({ signal }) => exportedSignals.some((one) => one === signal)),
			logsDropped: found.sum("log.dropped"),
		};
	}

	/** What it is now; some are not told each time (the event loop's delay needs five turns), and are then what they were. */
	#gauge(found: Found, name: MetricName, which?: (values: Values) => boolean): number {
		const told = found.numbers(name).filter((point) => which?.(point.attributes) ?? true);
		if (told.length > 0)
			this.#gauges.set(
				name,
				told.reduce((sum, point) => sum + point.value, 0),
			);
		return this.#gauges.get(name) ?? 0;
	}

	#tellMinute(next: number): void {
		const ended = this.#minute;
		this.#minute = new Collected(next);
		if (ended.isEmpty) return;
		const line = emfLine(ended.minute(), this.#about);
		for (const hear of this.#listeners)
			try {
				hear(line);
			} catch (error) {
				diag.error("the metrics of a minute could not be told", error);
			}
	}

	/** The last numbers, and the minute that was under way: a deploy would lose them otherwise. */
	async #end(): Promise<void> {
		await this.collect();
		this.#tellMinute(this.#clock());
	}
}

type Values = Record<string, unknown>;
type Durations = Partial<Record<EmfDuration, Buckets | null>>;

const stageMetric = (stage: Stage): EmfDuration => `Stage${(stage[0] as string).toUpperCase()}${stage.slice(1)}Ms` as EmfDuration;

function durationsOf(found: Found): Durations {
	const { method } = rpcOf["message:post"];
	return {
		// A refusal was no sending.
		SendMs: found.buckets("chat.rpc.duration", (values) => values["rpc.method"] === method && values.outcome !== "refused"),
		DeliveryMs: found.buckets("chat.message.delivery.duration"),
		// A page nobody looks at is painted when somebody does.
		RenderMs: found.buckets("chat.message.render.duration", (values) => values["document.visibility"] !== "hidden"),
		HttpMs: found.buckets("http.server.request.duration"),
		...Object.fromEntries(
			stages.map((stage) => [stageMetric(stage), found.buckets("chat.message.stage.duration", (values) => values.stage === stage)]),
		),
	};
}

/** What one collection brought, by the names of the contract. */
class Found {
	#points = new Map<string, DataPoint<number | Histogram>[]>();

	/** Of our own histograms what was counted beside OpenTelemetry: it keeps them for whom they are exported to. */
	constructor(metrics: (MetricData & { isOurs: boolean })[], recorded: ReadonlyMap<MetricName, Iterable<Recorded>>) {
		for (const [name, points] of recorded) this.#points.set(name, [...points] as unknown as DataPoint<Histogram>[]);
		for (const { descriptor, dataPoints, dataPointType, isOurs } of metrics) {
			if (isOurs && dataPointType !== DataPointType.SUM && dataPointType !== DataPointType.GAUGE) continue;
			const known = this.#points.get(descriptor.name);
			const points = dataPoints as DataPoint<number | Histogram>[];
			if (known) known.push(...points);
			else this.#points.set(descriptor.name, [...points]);
		}
	}

	numbers(name: MetricName): DataPoint<number>[] {
		return (this.#points.get(name) ?? []).filter((point): point is DataPoint<number> => typeof point.value === "number");
	}

	sum(name: MetricName, which: (values: Values) => boolean = () => true): number {
		return this.numbers(name).reduce((sum, point) => (which(point.attributes) ? sum + point.value : sum), 0);
	}

	buckets(name: MetricName, which: (values: Values) => boolean = () => true): Buckets | null {
		return mergeBuckets(this.#histograms(name, which));
	}

	/** How often something was recorded. */
	occurrences(name: MetricName, which: (values: Values) => boolean = () => true): number {
		return this.#histograms(name, which).reduce((sum, histogram) => sum + histogram.count, 0);
	}

	/** All that was recorded, added up: of durations the time they took together. */
	spent(name: MetricName): number {
		return this.#histograms(name, () => true).reduce((sum, histogram) => sum + (histogram.sum ?? 0), 0);
	}

	#histograms(name: MetricName, which: (values: Values) => boolean): Histogram[] {
		return (this.#points.get(name) ?? [])
			.filter((point): point is DataPoint<Histogram> => typeof point.value === "object" && "buckets" in point.value)
			.filter((point) => which(point.attributes))
			.map((point) => point.value);
	}
}

/** The minute under way. */
class Collected {
	readonly at: number;
	#snapshots: Snapshot[] = [];
	#slos = new Map<SloName, Tally>();
	#durations: Durations = {};

	constructor(at: number) {
		this.at = Math.floor(at / minute) * minute;
	}

	get isEmpty(): boolean {
		return this.#snapshots.length === 0;
	}

	add(snapshot: Snapshot, tallies: ReadonlyMap<SloName, Tally>, durations: Durations): void {
		this.#snapshots.push(snapshot);
		for (const [slo, { good, valid }] of tallies) {
			const known = this.#slos.get(slo) ?? { good: 0, valid: 0 };
			this.#slos.set(slo, { good: known.good + good, valid: known.valid + valid });
		}
		for (const [name, buckets] of Object.entries(durations) as [EmfDuration, Buckets | null][])
			this.#durations[name] = mergeBuckets([this.#durations[name], buckets].filter((given) => given != null));
	}

	/** Counts added up; of what fills up the highest, since that is what overflows. */
	minute(): Minute {
		const sum = (read: (snapshot: Snapshot) => number) => this.#snapshots.reduce((total, snapshot) => total + read(snapshot), 0);
		const most = (read: (snapshot: Snapshot) => number) => Math.max(...this.#snapshots.map(read));
		return {
			at: this.at,
			slos: this.#slos,
			durations: this.#durations,
			numbers: {
				Messages: sum((snapshot) => snapshot.messages),
				MessagesRefused: sum((snapshot) => snapshot.refused),
				MessagesFailed: sum((snapshot) => snapshot.failed),
				// How many there are, not how many there were at most: the sum over instances is to be right.
				Sockets: this.#snapshots.at(-1)?.sockets ?? 0,
				Connects: sum((snapshot) => snapshot.connects),
				Disconnects: sum((snapshot) => Object.values(snapshot.disconnects).reduce((total, some) => total + some, 0)),
				HttpRequests: sum((snapshot) => snapshot.httpRequests),
				HttpErrors: sum((snapshot) => snapshot.httpErrors),
				EventLoop: most((snapshot) => snapshot.eventLoop) * 100,
				EventLoopDelay: most((snapshot) => snapshot.eventLoopDelay),
				Cpu: most((snapshot) => snapshot.cpu) * 100,
				Rss: most((snapshot) => snapshot.rssMb),
				DbInUse: most((snapshot) => snapshot.dbInUse),
				DbWaiting: most((snapshot) => snapshot.dbWaiting),
				TelemetryDropped: sum((snapshot) => snapshot.telemetryDropped),
				LogsDropped: sum((snapshot) => snapshot.logsDropped),
			},
		};
	}
}

class Reader extends MetricReader {
	#take: () => Promise<void>;
	#last: () => Promise<void>;
	#timer: NodeJS.Timeout | undefined;

	constructor(take: () => Promise<void>, last: () => Promise<void>) {
		super({
			// A sum that may fall is how many there are now; whatever only grows is told as what was added.
			aggregationTemporalitySelector: (type) =>
				type === InstrumentType.UP_DOWN_COUNTER || type === InstrumentType.OBSERVABLE_UP_DOWN_COUNTER
					? AggregationTemporality.CUMULATIVE
					: AggregationTemporality.DELTA,
		});
		this.#take = take;
		this.#last = last;
	}

	protected override onInitialized(): void {
		this.#timer = setInterval(this.#take, every);
		this.#timer.unref();
	}

	protected override async onForceFlush(): Promise<void> {
		await this.#take();
	}

	protected override async onShutdown(): Promise<void> {
		clearInterval(this.#timer);
		await this.#last();
	}
}
