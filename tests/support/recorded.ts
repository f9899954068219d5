import assert from "node:assert/strict";
import { context, metrics as metricsApi, SpanKind, trace } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import {
	AggregationTemporality,
	InMemoryMetricExporter,
	MeterProvider,
	type MetricData,
	PeriodicExportingMetricReader,
} from "@opentelemetry/sdk-metrics";
import { InMemorySpanExporter, type ReadableSpan, SimpleSpanProcessor, TracerProvider } from "@opentelemetry/sdk-trace";
import { attributes, type Metric, metrics, type Span, spans } from "../../observability/contract.ts";

/** OpenTelemetry with everything kept in memory, for tests of what is recorded in this process. Ended by `end`. */
export function recordInMemory() {
	const exporter = new InMemorySpanExporter();
	const provider = new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] });
	const metricExporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
	const reader = new PeriodicExportingMetricReader({ exporter: metricExporter, exportIntervalMillis: 3_600_000 });
	const meters = new MeterProvider({ readers: [reader] });
	trace.setGlobalTracerProvider(provider);
	metricsApi.setGlobalMeterProvider(meters);
	context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());

	return {
		spans: (): ReadableSpan[] => exporter.getFinishedSpans(),
		named: (name: string): ReadableSpan[] => exporter.getFinishedSpans().filter((span) => span.name === name),
		/** Waits until as many spans of that name, and of that kind, have ended; 30 s at most. */
		async until(name: string, count = 1, isMeant = (_span: ReadableSpan) => true): Promise<ReadableSpan[]> {
			const end = Date.now() + 30_000;
			for (;;) {
				const found = this.named(name).filter(isMeant);
				if (found.length >= count) return found;
				assert.ok(
					Date.now() < end,
					`only ${found.length} of ${count} ${name}; there are ${[...new Set(this.spans().map((s) => s.name))].join(", ")}`,
				);
				await new Promise((done) => setTimeout(done, 20));
			}
		},
		reset: () => exporter.reset(),
		/** All metrics so far, by name. */
		async metrics(): Promise<Map<string, MetricData>> {
			metricExporter.reset();
			await reader.forceFlush();
			const found = metricExporter.getMetrics().flatMap((resource) => resource.scopeMetrics.flatMap((scope) => scope.metrics));
			return new Map(found.map((metric) => [metric.descriptor.name, metric]));
		},
		async end(): Promise<void> {
			await provider.shutdown();
			await meters.shutdown();
			trace.disable();
			metricsApi.disable();
			context.disable();
		},
	};
}

const kindNames: Record<SpanKind, Span["kind"]> = {
	[SpanKind.INTERNAL]: "internal",
	[SpanKind.SERVER]: "server",
	[SpanKind.CLIENT]: "client",
	[SpanKind.PRODUCER]: "producer",
	[SpanKind.CONSUMER]: "consumer",
};

type Emitted = { name: string; kind: SpanKind | Span["kind"]; attributes: Record<string, unknown> };

/** The contract's entry for a span, or what is wrong with it. `by` narrows names that both sides use. */
export function declaredSpan(span: Emitted, by?: Span["by"]): { entry: string; problems: string[] } {
	const kind = typeof span.kind === "number" ? kindNames[span.kind] : span.kind;
	const entries = Object.entries(spans as Record<string, Span>);
	const found = entries.find(
		([name, declared]) => (declared.names?.test(span.name) ?? name === span.name) && declared.kind === kind && (!by || declared.by === by),
	);
	if (!found) return { entry: "", problems: [`${kind} span "${span.name}" is not in the contract`] };
	const [entry, declared] = found;
	const problems = Object.entries(span.attributes).flatMap(([key, value]) => {
		if (!(declared.attributes as readonly string[]).includes(key)) return [`${entry}: attribute ${key} is not in the contract`];
		return valueProblems(key, value).map((problem) => `${entry}: ${problem}`);
	});
	return { entry, problems };
}

/** What is wrong with a metric that was emitted, and with each of its attributes. */
export function metricProblems(metric: MetricData): string[] {
	const { name, unit } = metric.descriptor;
	const declared = (metrics as Record<string, Metric>)[name];
	if (!declared) return [`metric ${name} is not in the contract`];
	const problems = unit === declared.unit ? [] : [`${name}: unit ${unit}, not ${declared.unit}`];
	for (const point of metric.dataPoints)
		for (const [key, value] of Object.entries(point.attributes)) {
			if (!(declared.attributes as readonly string[]).includes(key)) problems.push(`${name}: attribute ${key} is not in the contract`);
			else problems.push(...valueProblems(key, value).map((problem) => `${name}: ${problem}`));
		}
	return problems;
}

/** What is wrong with an attribute's value: its type, or that it stands in no closed list. */
export function valueProblems(key: string, value: unknown): string[] {
	const attribute = (attributes as Record<string, { type: string; values?: readonly unknown[] }>)[key];
	if (!attribute) return [`attribute ${key} is not declared`];
	const type = Array.isArray(value) ? "strings" : typeof value;
	if (type !== attribute.type) return [`${key} is a ${type}, not a ${attribute.type}`];
	return attribute.values && !attribute.values.includes(value) ? [`${key}=${String(value)} is not in its list`] : [];
}
