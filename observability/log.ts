import { type Context, context, createContextKey, logs, SeverityNumber, trace } from "@opentelemetry/api";
import winston from "winston";
import { events, serviceName } from "./contract.ts";
import type { KeptLogs } from "./kept-logs.ts";
import { eventOf, fieldsOf, type Line, serialise } from "./log-line.ts";
import { formatted, Output } from "./log-output.ts";

export { errorFields } from "./log-line.ts";

type Level = "error" | "warn" | "info" | "debug";
const severities = {
	error: SeverityNumber.ERROR,
	warn: SeverityNumber.WARN,
	info: SeverityNumber.INFO,
	debug: SeverityNumber.DEBUG,
} as const;
const rank = { error: 0, warn: 1, info: 2, debug: 3 } as const;
/** A field outside the contract is told once in this time, ms. */
const rejectedEvery = 60_000;

/** The first argument is an event of observability/contract.ts, which has the sentence; the second its fields. */
export type Log = Record<Level, (event: string, fields?: Record<string, unknown>) => void> & {
	/** What is written: this and everything graver, and always what alarms listen to. May be changed at any time. */
	level: string;
	/** Writes a line as it is, whatever the level: for metrics in CloudWatch's embedded format. */
	raw(line: Record<string, unknown>): void;
	/** Fields that were left out so far. */
	rejected(): number;
	/** Event names nobody declared, for tests. */
	undeclared: Set<string>;
};

/**
 * The one logger: a JSON line per event on standard output, in the trace it happened in; kept for /ops and, where logs are
 * exported, sent there too. On a terminal the same is shown for people. What may stand in a line is a list: see log-line.ts.
 */
export function openLog(given: {
	level: string;
	build: string;
	terminal: boolean;
	env?: string | undefined;
	instance?: string | undefined;
	kept?: KeptLogs | undefined;
	/** Whether somebody takes log records of OpenTelemetry. */
	isExported?: boolean | undefined;
	/** A file that requests are written to instead of standard output. */
	accessLog?: string | null | undefined;
	/** Takes the same lines to CloudWatch: infos with `line`, and `json`, the same as text. */
	shipping?: winston.transport | undefined;
}): Log {
	const { kept, shipping } = given;
	const always = { service: serviceName, env: given.env ?? "dev", version: given.build, instance: given.instance ?? "", pid: process.pid };
	const undeclared = new Set<string>();
	const told = new Map<string, number>();
	let rejected = 0;
	let own = given.level as Level;
	let isExporting = false;
	const asText = winston.format((info) => {
		const line = info.line as Line;
		if (shipping || !given.terminal) info.json = serialise(line);
		info[formatted] = given.terminal ? forPeople(line) : info.json;
		return info;
	});
	const logger = winston.createLogger({
		// Which lines are written is decided below: what alarms listen to is, whatever the level.
		level: "debug",
		format: asText(),
		transports: [
			new Output((count) => write("error", "log.dropped", { count, reason: "output-failed" }), given.accessLog),
			...(shipping ? [shipping] : []),
		],
	});

	/** Never throws: whoever tells of something has done it, and would be taken for having failed. */
	function write(level: Level, name: string, given: Record<string, unknown> | undefined): void {
		try {
			put(level, name, given);
		} catch (error) {
			complain(error);
		}
	}

	function put(level: Level, name: string, given: Record<string, unknown> | undefined): void {
		if (rank[level] > rank[own] && !("always" in (events[name as keyof typeof events] ?? {}))) return;
		const { event, msg } = eventOf(name);
		if (event !== name) undeclared.add(name);
		const fields = fieldsOf(given, reject);
		emit(level, { ts: new Date().toISOString(), level, event, msg, ...always, ...traceFields(), ...fields }, fields);
	}

	function emit(level: Level, line: Line, fields: Line): void {
		logger.log({ level, message: String(line.msg), line });
		kept?.add(line);
		// A line that is told on the way of another says that this way is blocked.
		if (!isExported || isExporting || !isWanted(line)) return;
		isExporting = true;
		try {
			logs.getLogger("charla").emit({
				severityNumber: severities[level],
				severityText: level.toUpperCase(),
				eventName: String(line.event),
				body: String(line.msg),
				attributes: {
					level,
					event: line.event as string,
					...fields,
					// By this name New Relic ties the service to what it knows of the instance from AWS.
					...(fields.aws_arn ? { "newrelic.aws_metric_streams.arn": fields.aws_arn } : {}),
				},
			});
		} finally {
			isExporting = false;
		}
	}
	const { isExported = false } = given;

	function reject(name: string): void {
		rejected++;
		const key = name.slice(0, 40);
		if (Date.now() - (told.get(key) ?? 0) < rejectedEvery) return;
		if (told.size >= 100) told.clear();
		told.set(key, Date.now());
		write("warn", "log.field_rejected", { name: key, count: 1 });
	}

	return {
		error: (event, fields) => write("error", event, fields),
		warn: (event, fields) => write("warn", event, fields),
		info: (event, fields) => write("info", event, fields),
		debug: (event, fields) => write("debug", event, fields),
		raw: (line) => {
			try {
				logger.log({ level: "info", message: "", line });
			} catch (error) {
				complain(error);
			}
		},
		get level() {
			return own;
		},
		set level(level: string) {
			own = level as Level;
		},
		rejected: () => rejected,
		undeclared,
	};
}

/** Of what happens all the time only what has a recorded trace is exported too; the line itself is written in any case. */
function isWanted({ event }: Line): boolean {
	const about = events[event as keyof typeof events];
	return !("apart" in about) && (!("frequent" in about) || trace.getActiveSpan()?.isRecording() !== false);
}

let complainedAt = Number.NEGATIVE_INFINITY;

/** Of a log that fails only standard error can tell, and not for each line. */
function complain(error: unknown): void {
	if (performance.now() - complainedAt < rejectedEvery) return;
	complainedAt = performance.now();
	process.stderr.write(`a log line could not be written whole: ${error instanceof Error ? error.message : "unknown"}\n`);
}

/** What stands in every line, and says nothing on a terminal. */
const usual = new Set(["ts", "level", "event", "msg", "service", "env", "version", "instance", "pid", "span_id", "trace_flags"]);

function forPeople(line: Line): string {
	const rest = Object.entries(line)
		.filter(([name]) => !usual.has(name))
		.map(([name, value]) => `${name}=${typeof value === "object" ? JSON.stringify(value) : value}`)
		.join(" ");
	return `${String(line.ts).slice(11, 19)} ${line.level} ${line.msg}${rest ? `  ${rest}` : ""}`;
}

const requestKey = createContextKey("charla request");

/** What runs in it writes its lines with that request's id. */
export const withinRequest = (id: string): Context => context.active().setValue(requestKey, id);

/** The trace and the request a line was written in. */
function traceFields(): Line {
	const active = context.active();
	const span = trace.getSpanContext(active);
	const id = active.getValue(requestKey);
	return {
		...(span ? { trace_id: span.traceId, span_id: span.spanId, trace_flags: span.traceFlags & 1 ? "01" : "00" } : {}),
		...(typeof id === "string" ? { request_id: id } : {}),
	};
}
