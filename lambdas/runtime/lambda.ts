import { type lambdaNames, metrics } from "../../observability/contract.ts";
import { errorFields } from "../../observability/log-line.ts";
import { emfLine } from "./emf.ts";
import { type Log, openLog } from "./log.ts";
import { type Measure, metricsBody, tracesBody } from "./otlp.ts";
import { readSettings, type Settings } from "./settings.ts";
import {
	type Attributes,
	newSpanId,
	newTraceId,
	type Outcome,
	readTraceparent,
	type Span,
	type SpanKind,
	type SpanRef,
	traceparent,
} from "./trace.ts";

export type FunctionName = (typeof lambdaNames)[number];
export type Trigger = "http" | "datasource" | "pubsub";

/** What of AWS's context is used. */
export type Context = {
	awsRequestId: string;
	invokedFunctionArn?: string;
	functionVersion?: string;
	getRemainingTimeInMillis?: () => number;
};

/** What work within a span is given of it. */
export type SpanTools = {
	traceparent: string;
	set(attributes: Attributes): void;
	fail(error: string): void;
	/** What caused it elsewhere, where that is known only now. */
	link(cause: SpanRef): void;
};

/** What a call of a function is given besides its event. */
export type Tools = {
	log: Log;
	/** To be sent along with whatever this call asks others for, so that they continue its trace. */
	traceparent: string;
	/** ms until AWS ends the call. */
	remaining(): number;
	/** Says more of the call on its span; the status of an answer, say. */
	set(attributes: Attributes): void;
	/** How the call went, where it does not throw: told in the log line and counted. */
	outcome(outcome: Outcome, errorType?: string): void;
	/** The same for what nobody expected and the function answers for all the same: logged once, as an exception. */
	failed(error: unknown): void;
	/** What elsewhere made this call possible: its span is linked to it. */
	link(cause: SpanRef): void;
	/** Counts records of a batch; may be called as they are done. */
	records(ok: number, failed: number): void;
	/** A span within the call. What throws is marked as failed and thrown on. `links` are those who caused it elsewhere. */
	span<T>(
		name: string,
		kind: SpanKind,
		attributes: Attributes,
		run: (span: SpanTools) => Promise<T>,
		links?: readonly (SpanRef | null)[],
	): Promise<T>;
};

export type About<Event> = {
	name: FunctionName;
	trigger: Trigger;
	/** The traceparent an event came with: the call's span continues it. Whoever has many sources links them instead. */
	parent?: (event: Event) => string | null | undefined;
};

/** What of the process a function uses; a test hands in its own. */
export type Process = {
	env: Record<string, string | undefined>;
	write(line: string): void;
	send(url: string, init: RequestInit): Promise<Response>;
	random(): number;
};

const ownProcess: Process = {
	env: process.env,
	// Not console.log, which Lambda wraps into JSON of its own: then no field could be queried.
	write: (line) => void process.stdout.write(`${line}\n`),
	send: (url, init) => fetch(url, init),
	random: Math.random,
};

/** Telemetry gets this long, ms, and less when the call has less: then it is lost, and a line says so. */
const exportPatience = 2000;
const reserve = 300;

/**
 * Wraps a function for AWS Lambda: a JSON line, a span and the numbers of the contract for each call. What `run` throws is
 * logged once and thrown on, so that AWS tries again or sets the event aside; telemetry never makes a call fail.
 */
export function lambda<Event, Result>(
	about: About<Event>,
	run: (event: Event, tools: Tools) => Promise<Result>,
	own: Process = ownProcess,
): (event: Event, context: Context) => Promise<Result> {
	const settings = readSettings(own.env);
	const service = `chat-lambda-${about.name}`;
	let isCold = true;

	return async (event, context) => {
		const wasCold = isCold;
		isCold = false;
		const call = openCall(about, settings, own, service, context, event);
		const { log } = call;
		try {
			return await run(event, call.tools);
		} catch (error) {
			call.tools.failed(error);
			throw error;
		} finally {
			await call.end(wasCold).catch((error: unknown) => log.error("telemetry.export_failed", { detail: String(error), count: 1 }));
		}
	};
}

function openCall<Event>(about: About<Event>, settings: Settings, own: Process, service: string, context: Context, event: Event) {
	const now = openClock();
	const parent = parentOf(about, event);
	const isLucky = own.random() < settings.sampleRatio;
	const began = now();
	const spans: Span[] = [];
	const root: Span = {
		traceId: parent?.traceId ?? newTraceId(),
		spanId: newSpanId(),
		parentSpanId: parent?.spanId ?? null,
		name: `lambda ${about.name}`,
		kind: "server",
		start: began,
		end: began,
		attributes: {
			"faas.name": about.name,
			"faas.trigger": about.trigger,
			"faas.invocation_id": context.awsRequestId,
			...(context.invokedFunctionArn ? { "cloud.resource_id": context.invokedFunctionArn } : {}),
		},
		links: [],
		error: null,
	};
	let outcome: Outcome = "ok";
	let errorType: string | null = null;
	let records: { ok: number; failed: number } | null = null;

	const log = openLog(own.write, settings.logLevel, () => ({
		service,
		env: settings.env,
		version: settings.version,
		instance: settings.instance,
		pid: process.pid,
		trace_id: root.traceId,
		span_id: root.spanId,
		trace_flags: isLucky ? "01" : "00",
		request_id: context.awsRequestId,
	}));

	const tools: Tools = {
		log,
		traceparent: traceparent(root, isLucky),
		remaining: () => context.getRemainingTimeInMillis?.() ?? Number.POSITIVE_INFINITY,
		set: (attributes) => void Object.assign(root.attributes, attributes),
		link: (cause) => void root.links.push(cause),
		outcome(how, error) {
			outcome = how;
			errorType = error ?? null;
		},
		failed(error) {
			tools.outcome("failed", "internal");
			log.error("exception", { ...errorFields(error), handled: true, call: about.name });
		},
		records(ok, failed) {
			records = { ok: (records?.ok ?? 0) + ok, failed: (records?.failed ?? 0) + failed };
		},
		async span(name, kind, attributes, work, links = []) {
			const span: Span = {
				traceId: root.traceId,
				spanId: newSpanId(),
				parentSpanId: root.spanId,
				name,
				kind,
				start: now(),
				end: 0,
				attributes: { ...attributes },
				links: links.filter((link) => link !== null),
				error: null,
			};
			try {
				return await work({
					traceparent: traceparent(span, isLucky),
					set: (more) => void Object.assign(span.attributes, more),
					link: (cause) => void span.links.push(cause),
					fail: (error) => {
						span.error = error;
					},
				});
			} catch (error) {
				span.error = error instanceof Error ? error.name : "Error";
				throw error;
			} finally {
				span.end = now();
				spans.push(span);
			}
		},
	};

	async function end(wasCold: boolean): Promise<void> {
		root.end = now();
		const durationMs = Math.round((root.end - root.start) * 100) / 100;
		const said = root.attributes;
		Object.assign(said, { "faas.coldstart": wasCold, outcome, ...(errorType ? { "error.type": errorType } : {}) });
		if (records) Object.assign(said, { "chat.records": records.ok + records.failed, "chat.records.failed": records.failed });
		if (outcome === "failed") root.error = errorType ?? "internal";
		log[outcome === "failed" ? "error" : "info"]("lambda.invoked", {
			function: about.name,
			trigger: about.trigger,
			cold_start: wasCold ? 1 : 0,
			duration_ms: durationMs,
			outcome,
			error_type: errorType,
			method: said["http.request.method"],
			route: said["http.route"],
			status: said["http.response.status_code"],
			records: records ? records.ok + records.failed : null,
			records_failed: records?.failed,
			memory_mb: Math.round(process.memoryUsage.rss() / 1_048_576),
		});
		own.write(
			JSON.stringify(emfLine({ at: Math.round(began), service, env: settings.env, outcome, isCold: wasCold, durationMs, records })),
		);
		await exportAll(durationMs, wasCold);
	}

	async function exportAll(durationMs: number, wasCold: boolean): Promise<void> {
		const { otlp } = settings;
		if (!otlp) return;
		const timeout = Math.min(exportPatience, tools.remaining() - reserve);
		if (timeout <= 0) return;
		const resource = {
			"service.name": service,
			"service.namespace": "chat",
			"service.version": settings.version,
			"service.instance.id": settings.instance,
			"deployment.environment.name": settings.env,
			"faas.name": about.name,
			...(context.invokedFunctionArn ? { "faas.id": context.invokedFunctionArn } : {}),
			...(context.functionVersion ? { "faas.version": context.functionVersion } : {}),
		};
		const isWanted = isLucky || outcome === "failed" || spans.some((span) => span.error !== null);
		const send = async (signal: "span" | "metric", path: string, body: unknown, count: number) => {
			try {
				const response = await own.send(`${otlp.endpoint}${path}`, {
					method: "POST",
					headers: { "content-type": "application/json", ...otlp.headers },
					body: JSON.stringify(body),
					signal: AbortSignal.timeout(timeout),
				});
				await response.body?.cancel();
				if (!response.ok) throw new Error(`answered ${response.status}`);
			} catch (error) {
				log.error("telemetry.export_failed", { signal, count, detail: error instanceof Error ? error.message : String(error) });
			}
		};
		await Promise.all([
			isWanted ? send("span", "/v1/traces", tracesBody([root, ...spans], resource), spans.length + 1) : null,
			send("metric", "/v1/metrics", metricsBody(measures(durationMs, wasCold), root.start, root.end, resource), 1),
		]);
	}

	function measures(durationMs: number, wasCold: boolean): Measure[] {
		const which = { "faas.name": about.name, "faas.trigger": about.trigger } as const;
		const of = (name: keyof typeof metrics) => ({ name, unit: metrics[name].unit });
		const counted = Object.entries(records ?? {}) as ["ok" | "failed", number][];
		return [
			{ ...of("chat.lambda.invocations"), attributes: { ...which, outcome }, count: 1 },
			{
				...of("chat.lambda.duration"),
				attributes: { ...which, outcome },
				value: durationMs / 1000,
				bounds: metrics["chat.lambda.duration"].buckets,
			},
			...(wasCold ? [{ ...of("chat.lambda.coldstarts"), attributes: which, count: 1 }] : []),
			...counted
				.filter(([, count]) => count > 0)
				.map(([how, count]) => ({ ...of("chat.lambda.records"), attributes: { ...which, "chat.record.outcome": how }, count })),
		];
	}

	return { log, tools, end };
}

function parentOf<Event>(about: About<Event>, event: Event): SpanRef | null {
	try {
		return readTraceparent(about.parent?.(event));
	} catch {
		// An event of a shape nobody expects is the function's to refuse, not telemetry's to stumble over.
		return null;
	}
}

/** ms since 1970, finer than Date.now; made anew for each call, since a copy of a function is frozen between two of them. */
function openClock(): () => number {
	const date = Date.now();
	const began = performance.now();
	return () => date + performance.now() - began;
}
