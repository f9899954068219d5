import type { Trust } from "../app/contract/ops.ts";
import type { Shipping } from "./cloudwatch/ship.ts";
import { sometimes } from "./cloudwatch/sometimes.ts";
import type { KeptLogs } from "./kept-logs.ts";
import type { KeptMetrics } from "./kept-metrics.ts";
import type { KeptTraces } from "./kept-traces.ts";
import type { PageHeader } from "./newrelic/page-header.ts";
import type { LossReason } from "./sdk-batcher.ts";
import type { TelemetrySettings } from "./settings.ts";

/** What could not be exported. `reason` is why it was lost; the agent only has a sentence. */
export type Trouble = { signal: "span" | "metric" | "log" | "agent"; reason?: LossReason; count: number; detail: string };
type Tell = (trouble: Trouble) => void;

/** Telemetry that runs: what is kept here, and the way to stop it. */
export type Telemetry = {
	settings: TelemetrySettings;
	traces: KeptTraces;
	metrics: KeptMetrics;
	logs: KeptLogs;
	/** Whether the spans of a trace are wanted whatever becomes of it: it is sampled, or the agent counts transactions by them. */
	isSampled: (traceId: string) => boolean;
	/** Into New Relic's errors inbox; nothing without its agent. */
	noticeError(error: unknown, about: Record<string, string>): void;
	/** What New Relic's agent adds to a page; null unless that is configured and New Relic gave it. */
	pageHeader(): PageHeader | null;
	exporting(): Trust["exporting"];
	/** Hears what could not be exported, each signal and reason once a minute at most; one listener, who logs it. */
	onTrouble(listener: Tell): void;
	/** Sends what is left, in 5 s at most, and ends. */
	stop(): Promise<void>;
};

/** Log lines that are not sent by then wait on disk for the next start, ms. */
const shipWithin = 5000;
/** The same trouble is told this often at most, ms: a receiver that is away fails every batch, and a full queue every line. */
const toldEvery = 60_000;
/** Troubles of the start that wait for whoever logs them. */
const earlyKept = 20;

let running: Telemetry | null = null;
let shipping: Shipping | null = null;
let own: TelemetrySettings | null = null;

/** What was started in this process; null when telemetry is off. */
export const telemetry = (): Telemetry | null => running;
/** What this process was started with, whether telemetry is on or off; null before. */
export const ownSettings = (): TelemetrySettings | null => own;
/** The way of log lines to CloudWatch; null when no group is configured. */
export const shippingOfLines = (): Shipping | null => shipping;

/**
 * Starts telemetry as the settings say; null when it is off. Everything that belongs to it is loaded here and not before: off
 * costs nothing. Log lines go to CloudWatch in any case, where a group is configured.
 */
export async function startTelemetry(settings: TelemetrySettings): Promise<Telemetry | null> {
	own = settings;
	if (settings.cloudWatch && !shipping) {
		const { openShipping } = await import("./cloudwatch/ship.ts");
		shipping = openShipping({ instance: settings.instance, cloudWatch: settings.cloudWatch });
	}
	if (!settings.on) return null;
	const troubles = openTroubles();
	// The agent first: it has to be there before what it hooks.
	const agent = settings.newRelic
		? await (await import("./newrelic/agent.ts")).startAgent(settings, (detail) => troubles.add({ signal: "agent", count: 1, detail }))
		: null;
	const [{ startSdk }, { KeptLogs }, { KeptMetrics }, { KeptTraces }, { openSampling }] = await Promise.all([
		import("./sdk.ts"),
		import("./kept-logs.ts"),
		import("./kept-metrics.ts"),
		import("./kept-traces.ts"),
		import("./sdk-sampler.ts"),
	]);
	const traces = new KeptTraces({ instance: settings.instance });
	const metrics = new KeptMetrics({ env: settings.env });
	const isSampled = openSampling(settings.sampleRatio, settings.sampleSalt);
	const sdk = startSdk({
		settings,
		isSampled,
		keep: (span, isExported) => traces.add(span, isExported),
		reader: metrics.reader,
		agentSpans: agent?.spanProcessor ?? null,
		onTrouble: (signal, reason, count, detail) => troubles.add({ signal, reason, count, detail }),
	});
	const started: Telemetry = {
		settings,
		traces,
		metrics,
		logs: new KeptLogs(),
		isSampled: agent?.spanProcessor ? () => true : isSampled,
		noticeError: (error, about) => agent?.noticeError(error, about),
		pageHeader: () => agent?.pageHeader() ?? null,
		exporting: () => [...sdk.exporting(), ...(shipping ? [shipping.figures()] : [])],
		onTrouble: troubles.listen,
		async stop() {
			if (running === started) running = null;
			await Promise.all([sdk.stop(), agent?.stop()]);
			troubles.flush();
		},
	};
	running = started;
	return started;
}

/** Sends what is left, log lines last, in 5 s at most each. The end of a process. */
export async function stopTelemetry(): Promise<void> {
	await running?.stop();
	await shipping?.stop(shipWithin);
	shipping = null;
}

/**
 * Troubles on their way to whoever logs them: each kind at once and then summed up once a minute, since the line that tells of
 * one must not bring about the next.
 */
function openTroubles() {
	const early: Trouble[] = [];
	let tell: Tell = (trouble) => {
		if (early.length < earlyKept) early.push(trouble);
	};
	const kinds = new Map<string, ReturnType<typeof sometimes<Trouble>>>();
	return {
		add(trouble: Trouble): void {
			const kind = `${trouble.signal} ${trouble.reason ?? trouble.detail}`;
			let limited = kinds.get(kind);
			if (!limited) {
				limited = sometimes<Trouble>(toldEvery, (count, latest) => tell({ ...latest, count }));
				kinds.set(kind, limited);
			}
			limited.add(trouble.count, trouble);
		},
		listen(listener: Tell): void {
			tell = listener;
			for (const trouble of early.splice(0)) listener(trouble);
		},
		/** Tells what is left: the end. */
		flush(): void {
			for (const limited of kinds.values()) limited.flush();
		},
	};
}
