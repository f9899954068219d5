import type { Server as HttpServer, IncomingMessage, ServerResponse } from "node:http";
import { performance } from "node:perf_hooks";
import { context, ROOT_CONTEXT, SpanKind, trace } from "@opentelemetry/api";
import type { Activity } from "../app/contract/activity.ts";
import type { Adapter, Recorder } from "../app/realtime/recorder.ts";
import type { Sql } from "../app/storage/sql.ts";
import type { attributes } from "./contract.ts";
import { count, countSlo, record } from "./instruments.ts";
import { withinRequest } from "./log.ts";
import { recordCalls } from "./record/calls.ts";
import { recordFanOut } from "./record/fan-out.ts";
import { type Live, recordProcess } from "./record/process.ts";
import { openShared, type QuietMessage } from "./record/shared.ts";
import { recordSockets } from "./record/sockets.ts";
import { endingOf, type Log, linksTo, markError, messageParent, remoteParent, traceparentOf, tracer } from "./record/spans.ts";
import { recordSql } from "./record/sql.ts";
import { recordUseCases } from "./record/use-cases.ts";

export { recordPages } from "./record/routes.ts";

export type JobName = (typeof attributes)["chat.job.name"]["values"][number];

/** Sign of life, ms: an alarm that hears none for three minutes calls somebody. */
const heartbeatEvery = 60_000;
/** The same person against the same limit is worth a line once in this time, ms: a flood must not become a flood of lines. */
const ratelimitLineEvery = 60_000;
const ratelimitLinesKept = 1000;

/**
 * The flight recorder: wraps what server.ts puts together, from outside. Sockets get it as their `Recorder`, the domain is
 * handed a recorded database and its use cases are wrapped; neither knows. Without telemetry started every part of it is
 * OpenTelemetry's no-op, and the log lines remain.
 */
export function openRecorder(given: {
	log: Log;
	isUnavailable: (error: unknown) => boolean;
	/** The sampler's decision on a trace; all, when there is none to ask. */
	isSampled?: ((traceId: string) => boolean) | undefined;
	/** Instances that work on this database, this one included; 1 when not told. */
	instances?: (() => number) | undefined;
	/** The instance in AWS' own words, for New Relic to tell which of its entities it is; null outside of AWS. */
	arn?: string | null | undefined;
	/** Which way other instances are heard. */
	adapter?: (() => Adapter) | undefined;
	/** Hears of messages that went well and are not sampled: no span is made for them. */
	onQuiet?: ((message: QuietMessage) => void) | undefined;
}) {
	const { log, isUnavailable } = given;
	const shared = openShared({
		log,
		isUnavailable,
		isSampled: given.isSampled ?? (() => true),
		instances: given.instances ?? (() => 1),
		onQuiet: given.onQuiet ?? (() => {}),
	});
	const calls = recordCalls(shared);
	const connections = recordSockets(shared);
	const told = new Map<string, number>();
	const stops: (() => void)[] = [];

	/** Runs a job of our own. Only one that fails leaves a span: those that go well every two seconds would push out the rest. */
	async function job<T>(name: JobName, run: () => Promise<T>): Promise<T> {
		const startTime = Date.now();
		try {
			return await context.with(ROOT_CONTEXT, run);
		} catch (error) {
			const span = tracer().startSpan(
				`job ${name}`,
				{ kind: SpanKind.CONSUMER, startTime, attributes: { "chat.job.name": name } },
				ROOT_CONTEXT,
			);
			markError(span, { ...endingOf(error, isUnavailable), outcome: "failed" }, error);
			shared.remember(error, trace.setSpan(ROOT_CONTEXT, span));
			span.end();
			throw error;
		}
	}

	const recorder: Recorder = {
		call(about, run) {
			connections.called(about.connId);
			return calls(about, run);
		},
		...recordFanOut(shared, given.adapter ?? (() => "memory")),
		connecting: connections.connecting,
		upgraded: connections.upgraded,
		disconnected: connections.disconnected,
		job,
	};

	/** The span under way, to be sent along; null when nobody will look at it. */
	function here(): string | null {
		const span = trace.getActiveSpan();
		return (span && traceparentOf(span)) ?? null;
	}

	return {
		...recorder,
		job,
		eventsIn: connections.eventsIn,
		sql: (sql: Sql): Sql => recordSql(sql, shared),
		observe: recordUseCases(shared, calls),
		/** Counts what a limit refused, by the limit's name: the first word of its key. */
		throttle<Given extends [unknown, string]>(throttle: (...given: Given) => void): (...given: Given) => void {
			return (...given) => {
				try {
					throttle(...given);
				} catch (error) {
					const [rule = "", who = ""] = given[1].split(" ");
					count("chat.ratelimit.hits", 1, { rule });
					const seen = told.get(given[1]) ?? 0;
					if (Date.now() - seen >= ratelimitLineEvery) {
						if (told.size >= ratelimitLinesKept) told.clear();
						told.set(given[1], Date.now());
						// Some limits go by address, which has no place in a log.
						log.warn("ratelimit.hit", { rule, ...(/^[0-9a-f-]{36}$/.test(who) && rule !== "room" ? { user_id: who } : {}) });
					}
					throw error;
				}
			};
		},
		/** Runs `tell` where the error happened, and gives the reference people quote: the beginning of its trace id. */
		reference(error: unknown, otherwise: () => string, tell: (reference: string, where: Record<string, string>) => void): string {
			const where = shared.contextOf(error) ?? context.active();
			const span = trace.getSpanContext(where);
			const isKnown = span !== undefined && !/^0+$/.test(span.traceId);
			const reference = isKnown ? span.traceId.slice(0, 12) : otherwise();
			context.with(where, () => tell(reference, isKnown ? { "trace.id": span.traceId, "span.id": span.spanId } : {}));
			return reference;
		},
		/** Counts what was taken out of the room log. */
		relayed(consumer: string, events: readonly Activity[], oldest: number): void {
			// Orders are few, and people ask what became of one: its trace goes on to here.
			for (const { kind, tp, roomId, seq } of events)
				if (kind === "order") {
					const attributes = { "chat.relay.consumer": consumer, "chat.room.id": roomId, "chat.message.seq": seq };
					tracer().startSpan("process order", { kind: SpanKind.CONSUMER, attributes }, remoteParent(tp)).end();
				}
			count("chat.relay.events", events.length, { "chat.relay.consumer": consumer });
			record("chat.relay.lag", oldest / 1000, { "chat.relay.consumer": consumer });
		},
		/**
		 * A file's stretch of work: in the trace it came with, linked to its report's, which its id gives; or in that, when it came
		 * with none. What it asks the database is not part of it.
		 */
		async importing<T>(id: string, stage: "check" | "apply", tp: string | null, work: (tp: string | null) => Promise<T>): Promise<T> {
			const report = messageParent(id);
			const parent = remoteParent(tp, report);
			const attributes = { "chat.message.id": id };
			const span = tracer().startSpan(
				`import ${stage}`,
				{ kind: SpanKind.INTERNAL, attributes, links: linksTo(parent === report ? null : report) },
				parent,
			);
			try {
				return await work(traceparentOf(span) ?? null);
			} catch (error) {
				markError(span, { ...endingOf(error, isUnavailable), outcome: "failed" }, error);
				throw error;
			} finally {
				span.end();
			}
		},
		/** A statement had its connection after so many ms, or never. */
		waited(milliseconds: number, inVain: boolean): void {
			record("db.client.connection.wait_time", milliseconds / 1000, { "db.client.connection.pool.name": "charla" });
			if (inVain) count("db.client.connection.timeouts", 1, { "db.client.connection.pool.name": "charla" });
		},
		/** An order's call: what is ordered remembers it, and it is linked to the imports the items are from. */
		ordering: {
			here,
			link(causes: readonly string[]): void {
				trace.getActiveSpan()?.addLinks(causes.flatMap((cause) => linksTo(remoteParent(cause))));
			},
		},
		/** Runs what answers a request: its lines have the request's id. */
		request: (id: string, run: () => void): void => context.with(withinRequest(id), run),
		/** The request under way, for its page to hang its own spans on; null when nobody will look at them. */
		traceparent: here,
		/** Counts pages and forms as the service level sees them. Polling, health checks and files are not people asking. */
		watch(http: HttpServer): void {
			const hear = (request: IncomingMessage, response: ServerResponse) => {
				if (/^\/(socket\.io|healthz|readyz|assets|telemetry|csp-report)\b/.test(request.url ?? "")) return;
				response.once("finish", () => countSlo("http", response.statusCode < 500));
			};
			http.prependListener("request", hear);
			stops.push(() => http.off("request", hear));
		},
		/** Saturation and sign of life, as long as the server runs. */
		begin(live: Live & { count: () => number }): void {
			stops.push(recordProcess(live));
			let busy = performance.eventLoopUtilization();
			const heartbeat = setInterval(() => {
				const since = performance.eventLoopUtilization(busy);
				busy = performance.eventLoopUtilization();
				log.info("service.heartbeat", {
					sockets: live.count(),
					rss_mb: Math.round(process.memoryUsage.rss() / 1e6),
					elu: Math.round(since.utilization * 1000) / 1000,
					...(given.arn ? { aws_arn: given.arn } : {}),
				});
			}, heartbeatEvery);
			heartbeat.unref();
			stops.push(() => clearInterval(heartbeat));
		},
		end(): void {
			for (const stop of stops) stop();
			stops.length = 0;
		},
	};
}

export type FlightRecorder = ReturnType<typeof openRecorder>;
