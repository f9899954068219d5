import { type CloudWatchLogs, CloudWatchLogs as CloudWatchLogsClient, type PutLogEventsRequest } from "@aws-sdk/client-cloudwatch-logs";
import WinstonCloudWatch from "winston-cloudwatch";
import Transport from "winston-transport";
import type { Trust } from "../../app/contract/ops.ts";
import { events } from "../contract.ts";
import { count } from "../instruments.ts";
import { errorFields, type Line } from "../log-line.ts";
import type { TelemetrySettings } from "../settings.ts";
import { Delivery, type LogEvent, sizeOf } from "./delivery.ts";
import { sometimes } from "./sometimes.ts";
import { Spill, type SpilledLine } from "./spill.ts";

type Kind = SpilledLine["to"];
type LossReason = "spill-full" | "spill-failed" | "invalid" | "rejected";
type Tell = (event: "log.ship_failed" | "log.dropped", fields: Record<string, unknown>) => void;

/** How much may wait and how often lines go; tests choose smaller ones. */
export type ShipLimits = {
	/** In memory, bytes; CloudWatch's own batches of a megabyte come on top of it. */
	queueBytes: number;
	/** On disk, bytes: an hour without CloudWatch on a busy instance. */
	spillBytes: number;
	/** Between two batches, ms. A batch is 1 MB at most, so 2 MB a second is what goes at all. */
	uploadRate: number;
	/** A request that takes longer has failed, ms. */
	requestTimeout: number;
	/** Between the first attempt and the second, ms; it doubles from there. */
	firstPause: number;
};
const usual: ShipLimits = { queueBytes: 4_000_000, spillBytes: 256_000_000, uploadRate: 500, requestTimeout: 3000, firstPause: 200 };
/** What goes to disk at once, bytes: small enough that nobody waits for the write. */
const segmentBytes = 256_000;
/** winston-cloudwatch cuts what is longer than 256,000, by characters, and then answers twice. Lines of ours have 8 kB. */
const lineBytes = 250_000;
/** One line in this time says that CloudWatch takes nothing, and one how many were lost, ms. */
const toldEvery = 60_000;
/** winston-cloudwatch turns lines of the same millisecond round, so no two have the same, ms. A power of two: sums stay exact. */
const orderStep = 2 ** -10;
/** Lines that tell of trouble, and would make more of it if their own loss were told. */
const reports = new Set(["log.ship_failed", "log.dropped"]);
/** Troubles that wait for whoever logs them. */
const earlyKept = 20;

/** What winston-cloudwatch does not declare, and this builds on; its version is pinned. */
type Queue = {
	logEvents: LogEvent[];
	intervalId: NodeJS.Timeout | null;
	log(info: { message: string }, done: () => void): void;
	submit(done: (error?: Error) => void): void;
};
type Route = { kind: Kind; queue: Queue; delivery: Delivery; sending: Promise<void> | null; inFlight: readonly LogEvent[] };
type Callback<T> = (error: Error | null, answer: T) => void;

export type Figures = Trust["exporting"][number] & {
	/** Lines this process was given, those of an earlier one on disk among them: exported + dropped + queued. */
	written: number;
	/** Of those queued: on disk. */
	spilled: number;
};
export type Shipping = {
	/** For the logger (`shipping` in openLog). */
	transport: Transport;
	figures(): Figures;
	/** Hears that CloudWatch takes nothing and what was lost; one listener, who logs it. */
	onTrouble(listener: Tell): void;
	/** Sends what waits, for `within` ms at most, and puts the rest on disk. */
	stop(within: number): Promise<void>;
};

/**
 * Ships log lines to CloudWatch by winston-cloudwatch, which batches them, and does itself what that leaves out. As it is, it
 * loses a batch after four attempts, waits for ever on a connection that hangs, keeps what waits without any bound, asks for
 * streams before each batch, reverses lines of one millisecond, and cuts by characters. So it is handed a client that never
 * fails (Delivery), and its queue gives its oldest lines to the disk when it grows (Spill), from where they are sent when
 * CloudWatch is back or at the next start. Lines are lost only when the disk is full too, and each is counted (`log.dropped`).
 *
 * Credentials are found as the AWS SDK does. A batch whose answer got lost is sent again: a line may then be there twice.
 */
export function openShipping(
	settings: Pick<TelemetrySettings, "instance"> & { cloudWatch: NonNullable<TelemetrySettings["cloudWatch"]> },
	given: Partial<ShipLimits> = {},
): Shipping {
	const { cloudWatch } = settings;
	const limits = { ...usual, ...given };
	const client = new CloudWatchLogsClient({
		region: cloudWatch.region,
		...(cloudWatch.endpoint ? { endpoint: cloudWatch.endpoint } : {}),
		// Attempts are counted in one place, and a connection that hangs is a failure like any other.
		maxAttempts: 1,
		requestHandler: { requestTimeout: limits.requestTimeout, connectionTimeout: limits.requestTimeout, throwOnRequestTimeout: true },
	});
	const spill = new Spill({ dir: cloudWatch.spillDir, maxBytes: limits.spillBytes });
	const figures = { written: spill.lines, exported: 0, dropped: 0, lastError: null as string | null, lastErrorAt: null as number | null };
	let queuedBytes = 0;
	let lastAt = 0;
	let isStopping = false;
	let replaying: Promise<void> | null = null;

	const early: Parameters<Tell>[] = [];
	let tell: Tell = (...trouble) => {
		if (early.length < earlyKept) early.push(trouble);
	};
	const failures = sometimes<unknown>(toldEvery, (count, error) => {
		const { exception_type, exception_message } = errorFields(error);
		tell("log.ship_failed", { count, exception_type, exception_message });
	});
	const losses = new Map<LossReason, ReturnType<typeof sometimes<null>>>();

	function onFailure(error: unknown): void {
		const { exception_type, exception_message } = errorFields(error);
		figures.lastError = `${exception_type}: ${exception_message}`.slice(0, 200);
		figures.lastErrorAt = Date.now();
		failures.add(1, error);
	}

	/** `told`: those whose loss is news; lines that report losses are counted and no more. */
	function lose(lines: number, reason: LossReason, told = lines): void {
		if (lines === 0) return;
		figures.dropped += lines;
		count("log.dropped", lines, { reason });
		if (told === 0) return;
		let loss = losses.get(reason);
		if (!loss) {
			loss = sometimes(toldEvery, (count) => tell("log.dropped", { count, reason }));
			losses.set(reason, loss);
		}
		loss.add(told, null);
	}

	function toDisk(lines: readonly SpilledLine[]): void {
		const problem = lines.length > 0 ? spill.write(lines) : null;
		if (problem) lose(lines.length, problem, lines.filter(({ line }) => !isReport(line)).length);
	}

	async function send(route: Route, batch: readonly LogEvent[]): Promise<{ left: SpilledLine[] }> {
		const { taken, rejected, invalid, left } = await route.delivery.put(batch);
		figures.exported += taken;
		lose(rejected, "rejected");
		if (invalid.length > 0) {
			spill.setAside(asSpilled(route.kind, invalid));
			lose(invalid.length, "invalid", invalid.filter(({ message }) => !isReport(message)).length);
		}
		return { left: asSpilled(route.kind, left) };
	}

	function openRoute(kind: Kind, group: string): Route {
		const stream = `${settings.instance}/${kind}`.replace(/[:*]/g, "-");
		const delivery = new Delivery({ client, group, stream, firstPause: limits.firstPause, onFailure });
		async function sendBatch(batch: LogEvent[]): Promise<void> {
			route.inFlight = batch;
			queuedBytes -= bytesOf(batch);
			const { left } = await send(route, batch);
			toDisk(left);
			route.inFlight = [];
			route.sending = null;
			// It takes lines again.
			if (left.length === 0 && spill.lines > 0) replay();
		}
		const cloudWatchLogs = {
			// Asked once for each stream, to learn a token nobody needs any more.
			describeLogStreams: (input: { logStreamNamePrefix: string }, done: Callback<unknown>) =>
				done(null, { logStreams: [{ logStreamName: input.logStreamNamePrefix, uploadSequenceToken: "none" }] }),
			putLogEvents(input: PutLogEventsRequest, done: Callback<unknown>) {
				route.sending = sendBatch(input.logEvents as LogEvent[]);
				void route.sending.then(() => done(null, { nextSequenceToken: "none" }));
			},
		};
		const queue = new WinstonCloudWatch({
			cloudWatchLogs: cloudWatchLogs as unknown as CloudWatchLogs,
			logGroupName: group,
			logStreamName: stream,
			ensureLogGroup: false,
			// The logger has decided already, and its level may be raised.
			level: "debug",
			messageFormatter: (info) => clamp(String(info.message), lineBytes),
			errorHandler: onFailure,
		}) as unknown as Queue;
		// Made here and not by its first line, in whose trace it would run for ever. Nor does it keep the process alive.
		queue.intervalId = setInterval(() => queue.submit(() => undefined), limits.uploadRate).unref();
		const route: Route = { kind, queue, delivery, sending: null, inFlight: [] };
		return route;
	}

	const app = openRoute("app", cloudWatch.group);
	const access = cloudWatch.accessGroup ? openRoute("access", cloudWatch.accessGroup) : app;
	const audit = cloudWatch.auditGroup ? openRoute("audit", cloudWatch.auditGroup) : app;
	const byKind = { app, access, audit };
	const routes = [...new Set([app, access, audit])];

	function routeOf(event: unknown): Route {
		if (event === "http.request") return access;
		return typeof event === "string" && Object.hasOwn(events, event) && "audit" in events[event as keyof typeof events] ? audit : app;
	}

	function take({ line, json }: { line: Line; json: string }): void {
		const { queue } = routeOf(line.event);
		figures.written++;
		queue.log({ message: json }, () => undefined);
		const event = queue.logEvents.at(-1) as LogEvent;
		event.timestamp = lastAt = Math.max(Date.now(), lastAt + orderStep);
		queuedBytes += sizeOf(event);
		while (queuedBytes > limits.queueBytes) makeRoom();
	}

	/** The oldest lines of the longest queue go to disk. */
	function makeRoom(): void {
		const [longest] = routes.toSorted((one, other) => other.queue.logEvents.length - one.queue.logEvents.length);
		const { kind, queue } = longest as Route;
		let bytes = 0;
		let lines = 0;
		while (lines < queue.logEvents.length && bytes < segmentBytes) bytes += sizeOf(queue.logEvents[lines++] as LogEvent);
		queuedBytes -= bytes;
		toDisk(asSpilled(kind, queue.logEvents.splice(0, lines)));
	}

	/** Sends what waits on disk, a file after the other, until nothing is left there or the process stops. */
	function replay(): void {
		replaying ??= replayAll().finally(() => {
			replaying = null;
		});
	}

	async function replayAll(): Promise<void> {
		for (;;) {
			const segment = isStopping ? null : await spill.oldest();
			if (!segment) return;
			const left: SpilledLine[] = [];
			for (const route of routes) {
				const lines = segment.lines.filter(({ to }) => byKind[to] === route);
				left.push(
					...(
						await send(
							route,
							lines.map(({ at, line }) => ({ timestamp: at, message: line })),
						)
					).left,
				);
			}
			const problem = spill.settle(segment.file, left);
			if (problem) lose(left.length, problem);
			lose(segment.lost, "invalid");
		}
	}

	async function drain(route: Route): Promise<void> {
		while (route.sending || route.queue.logEvents.length > 0) {
			await route.sending;
			await new Promise<void>((done) => route.queue.submit(() => done()));
		}
	}

	function tellRest(): void {
		failures.flush();
		for (const loss of losses.values()) loss.flush();
	}

	/** The process ends without a stop: what was sent and not answered is kept too, and may then be in CloudWatch twice. */
	function keepRest(): void {
		for (const { kind, queue, inFlight } of routes) toDisk(asSpilled(kind, [...inFlight, ...queue.logEvents.splice(0)]));
	}

	process.once("exit", keepRest);
	if (spill.lines > 0) replay();
	return {
		transport: new Transport({
			log(info: { line: Line; json: string }, next: () => void) {
				take(info);
				next();
			},
		}),
		figures() {
			const waiting = routes.reduce((sum, route) => sum + route.queue.logEvents.length + route.inFlight.length, 0);
			return { ...figures, signal: "cloudwatch", to: cloudWatch.group, spilled: spill.lines, queued: waiting + spill.lines };
		},
		onTrouble(listener) {
			tell = listener;
			for (const trouble of early.splice(0)) listener(...trouble);
		},
		async stop(within) {
			isStopping = true;
			tellRest();
			for (const { queue, delivery } of routes) {
				if (queue.intervalId) clearInterval(queue.intervalId);
				delivery.hurry();
			}
			// Keeps the process alive until it has fired or everything was sent.
			const late = setTimeout(() => {
				for (const { delivery } of routes) delivery.giveUp();
			}, within);
			await Promise.all([...routes.map(drain), replaying]);
			clearTimeout(late);
			tellRest();
			keepRest();
			client.destroy();
			process.off("exit", keepRest);
		},
	};
}

const asSpilled = (to: Kind, batch: readonly LogEvent[]): SpilledLine[] =>
	batch.map(({ timestamp, message }) => ({ to, at: timestamp, line: message }));

const bytesOf = (batch: readonly LogEvent[]): number => batch.reduce((sum, event) => sum + sizeOf(event), 0);

const isReport = (json: string): boolean => reports.has(/"event":"([a-z_.]+)"/.exec(json)?.[1] ?? "");

/** The beginning of a text, `most` bytes of UTF-8 at most, with no character cut in two. */
function clamp(text: string, most: number): string {
	// No character has more than three bytes for each unit of a string's length.
	if (text.length * 3 <= most) return text;
	const bytes = Buffer.from(text);
	if (bytes.length <= most) return text;
	let end = most;
	while (((bytes[end] as number) & 0xc0) === 0x80) end--;
	return bytes.toString("utf8", 0, end);
}
