import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { gunzipSync } from "node:zlib";
import protobuf from "protobufjs";
import { receiving } from "./receiving.ts";

/** How the receiver behaves; `hang` never answers, `unauthorized` is what a wrong key gets. */
export type ReceiverMode = "well" | "hang" | "unavailable" | "unauthorized";

export type Attributes = Record<string, unknown>;
export type ReceivedSpan = {
	traceId: string;
	spanId: string;
	parentSpanId: string;
	name: string;
	kind: "internal" | "server" | "client" | "producer" | "consumer" | "unspecified";
	/** ms since 1970, with fractions. */
	start: number;
	end: number;
	attributes: Attributes;
	links: { traceId: string; spanId: string }[];
	status: "unset" | "ok" | "error";
	resource: Attributes;
};
export type ReceivedMetric = {
	name: string;
	unit: string;
	type: "gauge" | "sum" | "histogram" | "exponentialHistogram";
	temporality: "unspecified" | "delta" | "cumulative";
	isMonotonic: boolean;
	points: { attributes: Attributes; value: number }[];
	resource: Attributes;
};
export type ReceivedLog = {
	eventName: string;
	body: unknown;
	severity: string;
	traceId: string;
	spanId: string;
	attributes: Attributes;
	resource: Attributes;
};

/** The part of OTLP that is sent: field numbers of https://github.com/open-telemetry/opentelemetry-proto, v1. */
const { root } = protobuf.parse(`
syntax = "proto3";
message AnyValue { oneof value { string string_value = 1; bool bool_value = 2; int64 int_value = 3; double double_value = 4; ArrayValue array_value = 5; } }
message ArrayValue { repeated AnyValue values = 1; }
message KeyValue { string key = 1; AnyValue value = 2; }
message Resource { repeated KeyValue attributes = 1; }
message Link { bytes trace_id = 1; bytes span_id = 2; }
message Status { string message = 2; int32 code = 3; }
message Span { bytes trace_id = 1; bytes span_id = 2; bytes parent_span_id = 4; string name = 5; int32 kind = 6; fixed64 start_time_unix_nano = 7; fixed64 end_time_unix_nano = 8;
  repeated KeyValue attributes = 9; repeated Link links = 13; Status status = 15; }
message ScopeSpans { repeated Span spans = 2; }
message ResourceSpans { Resource resource = 1; repeated ScopeSpans scope_spans = 2; }
message Traces { repeated ResourceSpans resource_spans = 1; }
message NumberPoint { double as_double = 4; sfixed64 as_int = 6; repeated KeyValue attributes = 7; }
message HistogramPoint { fixed64 count = 4; repeated KeyValue attributes = 9; }
message ExponentialPoint { repeated KeyValue attributes = 1; fixed64 count = 4; }
message Gauge { repeated NumberPoint points = 1; }
message Sum { repeated NumberPoint points = 1; int32 temporality = 2; bool is_monotonic = 3; }
message Histogram { repeated HistogramPoint points = 1; int32 temporality = 2; }
message Exponential { repeated ExponentialPoint points = 1; int32 temporality = 2; }
message Metric { string name = 1; string unit = 3; Gauge gauge = 5; Sum sum = 7; Histogram histogram = 9; Exponential exponential_histogram = 10; }
message ScopeMetrics { repeated Metric metrics = 2; }
message ResourceMetrics { Resource resource = 1; repeated ScopeMetrics scope_metrics = 2; }
message Metrics { repeated ResourceMetrics resource_metrics = 1; }
message LogRecord { string severity_text = 3; AnyValue body = 5; repeated KeyValue attributes = 6; bytes trace_id = 9; bytes span_id = 10; string event_name = 12; }
message ScopeLogs { repeated LogRecord log_records = 2; }
message ResourceLogs { Resource resource = 1; repeated ScopeLogs scope_logs = 2; }
message Logs { repeated ResourceLogs resource_logs = 1; }
`);

type Any = {
	value?: string;
	stringValue?: string;
	boolValue?: boolean;
	intValue?: number;
	doubleValue?: number;
	arrayValue?: { values: Any[] };
};
type KeyValues = { key: string; value?: Any }[];
type Raw = Record<string, never> & { [key: string]: never };

const plain = (any: Any | undefined): unknown => {
	const kind = any && (any.value ?? Object.keys(any)[0]);
	if (!any || kind === undefined) return undefined;
	if (kind === "arrayValue") return any.arrayValue?.values.map(plain);
	return kind === "intValue" ? Number(any.intValue) : any[kind as keyof Any];
};
const toObject = (pairs: KeyValues = []): Attributes => Object.fromEntries(pairs.map(({ key, value }) => [key, plain(value)]));
/** Ids are bytes in protobuf, and hex as they are in JSON. */
const hex = (id: string | undefined): string =>
	/^([0-9a-f]{16}){0,2}$/.test(id ?? "") ? (id ?? "") : Buffer.from(id as string, "base64").toString("hex");

/** JSON has the names of the specification, protobuf those above. */
const withNames = (data: Record<string, unknown>) => ({
	points: (data.points ?? data.dataPoints) as Record<string, unknown>[],
	temporality: (data.temporality ?? data.aggregationTemporality) as number | undefined,
	isMonotonic: data.isMonotonic === true,
});

const kinds = ["unspecified", "internal", "server", "client", "producer", "consumer"] as const;
const statuses = ["unset", "ok", "error"] as const;
const temporalities = ["unspecified", "delta", "cumulative"] as const;
const metricTypes = ["gauge", "sum", "histogram", "exponentialHistogram"] as const;

function decode(type: string, body: Buffer): Raw {
	if (body[0] === 0x7b) return JSON.parse(String(body)) as Raw;
	const message = root.lookupType(type);
	// Nanoseconds since 1970 do not fit a number: as text. `defaults` makes what is empty be there.
	return message.toObject(message.decode(body), { longs: Number, bytes: String, defaults: true, oneofs: true }) as Raw;
}

/** Stands in for whatever takes OTLP over http: reads protobuf, remembers what came and how, and can be told to fail. */
export async function startOtlpReceiver() {
	const requests: { path: string; headers: IncomingHttpHeaders; bytes: number; text: string; answered: ReceiverMode }[] = [];
	const spans: ReceivedSpan[] = [];
	const metrics: ReceivedMetric[] = [];
	const logs: ReceivedLog[] = [];
	const held = new Set<Socket>();
	let mode: ReceiverMode = "well";

	function keep(path: string, body: Buffer): void {
		if (path === "/v1/traces") {
			const traces = decode("Traces", body) as unknown as {
				resourceSpans: { resource: { attributes: KeyValues }; scopeSpans: { spans: Raw[] }[] }[];
			};
			for (const { resource, scopeSpans } of traces.resourceSpans)
				for (const span of scopeSpans.flatMap((scope) => scope.spans as unknown as Record<string, unknown>[]))
					spans.push({
						traceId: hex(span.traceId as string),
						spanId: hex(span.spanId as string),
						parentSpanId: hex(span.parentSpanId as string),
						name: span.name as string,
						kind: kinds[span.kind as number] ?? "unspecified",
						start: Number(span.startTimeUnixNano) / 1e6,
						end: Number(span.endTimeUnixNano) / 1e6,
						attributes: toObject(span.attributes as KeyValues),
						links: ((span.links ?? []) as { traceId: string; spanId: string }[]).map((link) => ({
							traceId: hex(link.traceId),
							spanId: hex(link.spanId),
						})),
						status: statuses[(span.status as { code: number } | null)?.code ?? 0] ?? "unset",
						resource: toObject(resource.attributes),
					});
		} else if (path === "/v1/metrics") {
			const all = decode("Metrics", body) as unknown as {
				resourceMetrics: { resource: { attributes: KeyValues }; scopeMetrics: { metrics: Record<string, unknown>[] }[] }[];
			};
			for (const { resource, scopeMetrics } of all.resourceMetrics)
				for (const metric of scopeMetrics.flatMap((scope) => scope.metrics)) {
					const type = metricTypes.find((name) => metric[name]) ?? "gauge";
					const data = withNames(metric[type] as Record<string, unknown>);
					metrics.push({
						name: metric.name as string,
						unit: metric.unit as string,
						type,
						temporality: temporalities[data.temporality ?? 0] ?? "unspecified",
						isMonotonic: data.isMonotonic === true,
						points: data.points.map((point) => ({
							attributes: toObject(point.attributes as KeyValues),
							value: Number(point.count ?? (point.asDouble || point.asInt || 0)),
						})),
						resource: toObject(resource.attributes),
					});
				}
		} else if (path === "/v1/logs") {
			const all = decode("Logs", body) as unknown as {
				resourceLogs: { resource: { attributes: KeyValues }; scopeLogs: { logRecords: Record<string, unknown>[] }[] }[];
			};
			for (const { resource, scopeLogs } of all.resourceLogs)
				for (const record of scopeLogs.flatMap((scope) => scope.logRecords))
					logs.push({
						eventName: record.eventName as string,
						body: plain(record.body as Any),
						severity: record.severityText as string,
						traceId: hex(record.traceId as string),
						spanId: hex(record.spanId as string),
						attributes: toObject(record.attributes as KeyValues),
						resource: toObject(resource.attributes),
					});
		}
	}

	const server = createServer(
		receiving((request, response, raw) => {
			const body = request.headers["content-encoding"] === "gzip" ? gunzipSync(raw) : raw;
			const path = request.url ?? "";
			requests.push({ path, headers: request.headers, bytes: raw.length, text: body.toString("latin1"), answered: mode });
			if (mode === "hang") return void held.add(request.socket);
			if (mode === "unavailable") return void response.writeHead(503, { "retry-after": "1" }).end();
			if (mode === "unauthorized") return void response.writeHead(403).end();
			keep(path, body);
			response.writeHead(200, { "content-type": "application/x-protobuf" }).end();
		}),
	);
	await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
	const { port } = server.address() as AddressInfo;
	return {
		url: `http://127.0.0.1:${port}`,
		requests,
		spans,
		metrics,
		logs,
		/** Spans of a trace, in the order they began. */
		trace: (traceId: string): ReceivedSpan[] => spans.filter((span) => span.traceId === traceId).sort((a, b) => a.start - b.start),
		behave(as: ReceiverMode): void {
			mode = as;
		},
		async close(): Promise<void> {
			for (const socket of held) socket.destroy();
			server.closeAllConnections();
			await new Promise((done) => server.close(done));
		},
	};
}
export type OtlpReceiver = Awaited<ReturnType<typeof startOtlpReceiver>>;
