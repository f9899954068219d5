import { type Buckets, valuesOf } from "./buckets.ts";
import { type SloName, slos } from "./contract.ts";
import { sloNames, type Tally } from "./slo-state.ts";

/** CloudWatch takes this many values of one metric in one line, and this many metrics. */
const valuesPerMetric = 100;
export const metricsPerLine = 100;
export const emfNamespace = "Chat";
/** One set only: each further set would be billed as metrics of its own. */
export const emfDimensions = ["service", "env"] as const;

type Unit = "Count" | "Milliseconds" | "Percent" | "Megabytes";

/** The single numbers of a line. */
export const emfNumbers = {
	Messages: "Count",
	MessagesRefused: "Count",
	MessagesFailed: "Count",
	Sockets: "Count",
	Connects: "Count",
	Disconnects: "Count",
	HttpRequests: "Count",
	HttpErrors: "Count",
	EventLoop: "Percent",
	EventLoopDelay: "Milliseconds",
	Cpu: "Percent",
	Rss: "Megabytes",
	DbInUse: "Count",
	DbWaiting: "Count",
	TelemetryDropped: "Count",
	LogsDropped: "Count",
} as const satisfies Record<string, Unit>;
export type EmfNumber = keyof typeof emfNumbers;

/** Those CloudWatch makes percentiles of, ms. */
export const emfDurations = [
	"SendMs",
	"DeliveryMs",
	"RenderMs",
	"HttpMs",
	"StageValidateMs",
	"StagePersistMs",
	"StagePublishMs",
	"StageAdapterMs",
	"StageDeliverMs",
	"StageRenderMs",
] as const;
export type EmfDuration = (typeof emfDurations)[number];

export type Minute = {
	/** When it began, ms. */
	at: number;
	slos: ReadonlyMap<SloName, Tally>;
	numbers: Record<EmfNumber, number>;
	/** Recorded in seconds. */
	durations: Partial<Record<EmfDuration, Buckets | null>>;
};

/**
 * One minute of this instance as a log line CloudWatch makes metrics of (embedded metric format). Good and valid are there in
 * every line, if only as zero, so that an alarm can tell "nobody sent" from "nobody reported". Durations are left out when
 * there were none; of more than 100 it has 100, spread as all of them were.
 */
export function emfLine(minute: Minute, about: { service: string; env: string }): Record<string, unknown> {
	const metrics: { Name: string; Unit: Unit }[] = [];
	const values: Record<string, number | number[]> = {};
	const put = (Name: string, Unit: Unit, value: number | number[]) => {
		metrics.push({ Name, Unit });
		values[Name] = value;
	};
	for (const slo of sloNames) {
		const { good, valid } = minute.slos.get(slo) ?? { good: 0, valid: 0 };
		put(`${slos[slo].emf}Good`, "Count", good);
		put(`${slos[slo].emf}Valid`, "Count", valid);
	}
	for (const [name, unit] of Object.entries(emfNumbers)) put(name, unit, rounded(minute.numbers[name as EmfNumber]));
	for (const name of emfDurations) {
		const buckets = minute.durations[name];
		if (buckets)
			put(
				name,
				"Milliseconds",
				valuesOf(buckets, valuesPerMetric).map((seconds) => rounded(seconds * 1000)),
			);
	}
	return {
		_aws: {
			Timestamp: minute.at,
			CloudWatchMetrics: [{ Namespace: emfNamespace, Dimensions: [[...emfDimensions]], Metrics: metrics }],
		},
		service: about.service,
		env: about.env,
		event: "metrics.emf",
		...values,
	};
}

const rounded = (value: number): number => Math.round(value * 100) / 100;
