import { arch, hostname, type as osType, release } from "node:os";
import { type Context, DiagLogLevel, diag } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { W3CTraceContextPropagator } from "@opentelemetry/core";
import { OTLPLogExporter } from "@opentelemetry/exporter-logs-otlp-proto";
import { OTLPMetricExporter } from "@opentelemetry/exporter-metrics-otlp-proto";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { HttpInstrumentation } from "@opentelemetry/instrumentation-http";
import { RuntimeNodeInstrumentation } from "@opentelemetry/instrumentation-runtime-node";
import { UndiciInstrumentation } from "@opentelemetry/instrumentation-undici";
import { resourceFromAttributes } from "@opentelemetry/resources";
import type { LogRecordProcessor, ReadableLogRecord } from "@opentelemetry/sdk-logs";
import {
	AggregationTemporality,
	AggregationType,
	type IMetricReader,
	InstrumentType,
	PeriodicExportingMetricReader,
	type PushMetricExporter,
} from "@opentelemetry/sdk-metrics";
import { NodeSDK } from "@opentelemetry/sdk-node";
import type { ReadableSpan, SpanProcessor } from "@opentelemetry/sdk-trace";
import type { Trust } from "../app/contract/ops.ts";
import { tellingPath } from "../app/contract/telling-path.ts";
import { serviceName } from "./contract.ts";
import { count, exportHistograms, observed, scope } from "./instruments.ts";
import { Batcher, counted, exportFailed, type Figures, type LossReason } from "./sdk-batcher.ts";
import { recordingSampler } from "./sdk-sampler.ts";
import { TailBuffer } from "./sdk-tail-buffer.ts";
import type { TelemetrySettings } from "./settings.ts";

/** A receiver that does not answer within this, ms, is taken for away. */
const exportWithin = 5000;
/** How long a stop may take, ms: it happens inside the time a deployment allows. */
const stopWithin = 4500;
/** What is no request of a person: sockets are recorded as calls, files and probes would only make the numbers look better. */
const noRequest = /^\/(socket\.io|healthz|readyz|assets|telemetry|csp-report|favicon|apple-touch-icon|manifest|robots)/;

/** What packages measure beside what the contract has: nobody looks at it, and each costs its series. */
const undeclared = [
	"http.client.request.duration",
	"nodejs.eventloop.time",
	"v8js.memory.*",
	"v8js.heap.*",
	"v8js.resource.*",
	...["min", "max", "mean", "stddev", "p50", "p90"].map((figure) => `nodejs.eventloop.delay.${figure}`),
];

export type Sdk = { exporting: () => Trust["exporting"]; stop: () => Promise<void> };

/**
 * Starts OpenTelemetry: everything is recorded for `keep` and, where an endpoint is set, exported. `agentSpans` takes the
 * spans instead of OTLP (New Relic's bridge). Only this file and its siblings know the SDK; all others use its API.
 */
export function startSdk(given: {
	settings: TelemetrySettings;
	isSampled: (traceId: string) => boolean;
	keep: (span: ReadableSpan, isExported: boolean) => void;
	reader: IMetricReader;
	agentSpans: Pick<SpanProcessor, "onStart" | "onEnd" | "forceFlush" | "shutdown"> | null;
	onTrouble: (signal: "span" | "metric" | "log", reason: LossReason, count: number, detail: string) => void;
}): Sdk {
	const { settings, onTrouble } = given;
	const { otlp } = settings;
	// A silent SDK is a broken one; but the same sentence once a minute is enough.
	diag.setLogger(oncePerMinute(), { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true });
	// Nothing but what is set up here: the SDK would export to localhost by itself.
	for (const signal of ["TRACES", "METRICS", "LOGS"]) process.env[`OTEL_${signal}_EXPORTER`] = "none";

	const target = (signal: string) => ({
		url: `${otlp?.endpoint}/v1/${signal}`,
		headers: otlp?.headers ?? {},
		timeoutMillis: exportWithin,
		compression: "gzip" as never,
	});
	const lose = (signal: "span" | "log") => (lost: number, reason: LossReason, detail: string) => {
		count("telemetry.dropped", lost, { signal, reason });
		onTrouble(signal, reason, lost, detail);
	};
	const spans =
		otlp?.traces && !given.agentSpans
			? new Batcher<ReadableSpan>(counted(new OTLPTraceExporter(target("traces")), "span"), lose("span"))
			: null;
	const logs = otlp?.logs ? new Batcher<ReadableLogRecord>(counted(new OTLPLogExporter(target("logs")), "log"), lose("log")) : null;
	const metricFigures: Figures = { exported: 0, dropped: 0, queued: 0, lastError: null, lastErrorAt: null };

	const tail = new TailBuffer({
		keep: given.keep,
		export: spans ? (span) => spans.add(span) : null,
		onFull: (lost) => count("telemetry.dropped", lost, { signal: "span", reason: "tail-full" }),
	});

	const readers: IMetricReader[] = [given.reader];
	if (otlp?.metrics)
		readers.push(
			new PeriodicExportingMetricReader({
				exporter: countedMetrics(
					new OTLPMetricExporter({
						...target("metrics"),
						temporalityPreference: AggregationTemporality.DELTA as never,
						// By the reader: what packages record is kept with fixed bounds as well.
						aggregationPreference: (kind: InstrumentType) =>
							kind === InstrumentType.HISTOGRAM ? { type: AggregationType.EXPONENTIAL_HISTOGRAM } : { type: AggregationType.DEFAULT },
					}),
				),
				exportIntervalMillis: settings.metricsEvery,
				exportTimeoutMillis: Math.min(exportWithin, settings.metricsEvery),
			}),
		);

	function countedMetrics(exporter: OTLPMetricExporter): PushMetricExporter {
		const inner = exporter as unknown as PushMetricExporter;
		return {
			export(batch, done) {
				const points = batch.scopeMetrics.flatMap(({ metrics }) => metrics).reduce((sum, { dataPoints }) => sum + dataPoints.length, 0);
				inner.export(batch, (result) => {
					count("otel.sdk.exporter.metric_data_point.exported", points, result.code === 0 ? {} : { "error.type": exportFailed });
					if (result.code === 0) metricFigures.exported++;
					else {
						metricFigures.dropped++;
						metricFigures.lastError = (result.error?.message ?? "refused").slice(0, 200);
						metricFigures.lastErrorAt = Date.now();
						count("telemetry.dropped", 1, { signal: "metric", reason: exportFailed });
						onTrouble("metric", exportFailed, 1, metricFigures.lastError);
					}
					done(result);
				});
			},
			forceFlush: () => inner.forceFlush(),
			shutdown: () => inner.shutdown(),
			...(inner.selectAggregation ? { selectAggregation: (kind: InstrumentType) => inner.selectAggregation?.(kind) as never } : {}),
			...(inner.selectAggregationTemporality
				? { selectAggregationTemporality: (kind: InstrumentType) => inner.selectAggregationTemporality?.(kind) as never }
				: {}),
		};
	}

	const emitted: LogRecordProcessor = {
		onEmit: (record) => logs?.add(record),
		forceFlush: async () => logs?.flush(),
		shutdown: async () => undefined,
	};
	const sdk = new NodeSDK({
		resource: resourceFromAttributes(resourceOf(settings)),
		autoDetectResources: false,
		contextManager: new AsyncLocalStorageContextManager(),
		textMapPropagator: new W3CTraceContextPropagator(),
		sampler: recordingSampler(given.isSampled),
		spanProcessors: [tail, ...(given.agentSpans ? [asProcessor(given.agentSpans)] : [])],
		spanLimits: { attributeValueLengthLimit: 4095, attributeCountLimit: 64, linkCountLimit: 64, eventCountLimit: 16 },
		metricReaders: readers,
		views: [
			...undeclared.map((instrumentName) => ({ instrumentName, aggregation: { type: AggregationType.DROP } as const })),
			// Once, and not for each reader: of ours the kept numbers are counted in instruments.ts.
			{ meterName: scope, instrumentType: InstrumentType.HISTOGRAM, aggregation: { type: AggregationType.EXPONENTIAL_HISTOGRAM } },
		],
		logRecordProcessors: [emitted],
		instrumentations: [
			new HttpInstrumentation({
				ignoreIncomingRequestHook: (request) => noRequest.test(request.url ?? ""),
				requestHook: (span, request) => {
					if ("url" in request && request.url) span.setAttribute("url.path", tellingPath(request.url));
				},
				// Exports and the agent's harvests are no part of what happens here.
				requireParentforOutgoingSpans: true,
			}),
			new UndiciInstrumentation({ requireParentforSpans: true }),
			new RuntimeNodeInstrumentation({ monitoringPrecision: 50 }),
		],
	});
	exportHistograms(readers.length > 1);
	sdk.start();
	if (spans) observed("otel.sdk.processor.span.queue.size", () => [{ value: spans.figures.queued }]);
	if (logs) observed("otel.sdk.processor.log.queue.size", () => [{ value: logs.figures.queued }]);

	return {
		exporting: () => [
			{ signal: "span", to: spans ? (otlp?.endpoint ?? null) : given.agentSpans ? "New Relic agent" : null, ...(spans?.figures ?? none) },
			{ signal: "metric", to: otlp?.metrics ? otlp.endpoint : null, ...metricFigures },
			{ signal: "log", to: logs ? (otlp?.endpoint ?? null) : null, ...(logs?.figures ?? none) },
		],
		async stop() {
			await tail.forceFlush();
			const late = new Promise<void>((done) => setTimeout(done, stopWithin).unref());
			// The last metrics are collected by the shutdown, so it goes beside the batches and not before them.
			await Promise.race([Promise.all([spans?.close(stopWithin), logs?.close(stopWithin), sdk.shutdown().catch(() => undefined)]), late]);
		},
	};
}

const none: Figures = { exported: 0, dropped: 0, queued: 0, lastError: null, lastErrorAt: null };

const asProcessor = (inner: Pick<SpanProcessor, "onStart" | "onEnd" | "forceFlush" | "shutdown">): SpanProcessor => ({
	onStart: (span, parent: Context) => inner.onStart(span, parent),
	onEnd: (span) => inner.onEnd(span),
	forceFlush: () => inner.forceFlush(),
	shutdown: () => inner.shutdown(),
});

/** Who speaks, on every signal. Cloud attributes come from the environment of an instance, never from the network. */
function resourceOf(settings: TelemetrySettings): Record<string, string | number> {
	const { env } = process;
	const given: Record<string, string | number | undefined> = {
		"service.name": serviceName,
		"service.namespace": "chat",
		"service.version": settings.version,
		"service.instance.id": settings.instance,
		"deployment.environment.name": settings.env,
		"deployment.id": env.DEPLOYMENT_ID,
		"host.id": env.INSTANCE_ID,
		"host.name": hostname(),
		"host.arch": arch(),
		"host.type": env.INSTANCE_TYPE,
		"host.image.id": env.IMAGE_ID,
		"os.type": osType().toLowerCase(),
		"os.version": release(),
		"cloud.provider": env.AWS_REGION ? "aws" : undefined,
		"cloud.platform": env.AWS_REGION && env.INSTANCE_ID ? "aws_ec2" : undefined,
		"cloud.region": env.AWS_REGION,
		"cloud.availability_zone": env.AVAILABILITY_ZONE,
		"cloud.account.id": env.AWS_ACCOUNT_ID,
		"process.pid": process.pid,
		"process.runtime.name": "nodejs",
		"process.runtime.version": process.versions.node,
	};
	return Object.fromEntries(
		Object.entries(given).filter((entry): entry is [string, string | number] => entry[1] !== undefined && entry[1] !== ""),
	);
}

function oncePerMinute() {
	const told = new Map<string, number>();
	const tell = (...words: unknown[]) => {
		const line = words
			.map((word) => (typeof word === "string" ? word : JSON.stringify(word)))
			.join(" ")
			.slice(0, 300);
		const key = line.slice(0, 80);
		if (Date.now() - (told.get(key) ?? 0) < 60_000) return;
		if (told.size > 100) told.clear();
		told.set(key, Date.now());
		process.stderr.write(`telemetry: ${line}\n`);
	};
	const silent = () => undefined;
	return { error: tell, warn: tell, info: silent, debug: silent, verbose: silent };
}
