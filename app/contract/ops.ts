/**
 * What the operators' pages show. Made by the flight recorder (observability/), handed to routes by the load context, and
 * plain data throughout. All times are ms since 1970 on the server's clock, all durations ms.
 */

/** One span of a trace, as the waterfall draws it. */
export type TraceSpan = {
	traceId: string;
	spanId: string;
	parentSpanId: string | null;
	name: string;
	kind: "server" | "client" | "producer" | "consumer" | "internal";
	/** chat-web or chat-browser. */
	service: string;
	/** Instance that recorded it. */
	instance: string;
	start: number;
	duration: number;
	/** Set when its status is ERROR: a constant sentence per kind of error. */
	error: string | null;
	attributes: Record<string, string | number | boolean>;
	links: { traceId: string; spanId: string }[];
};

export type TraceRow = {
	traceId: string;
	/** Name of the span it began with, as far as it is known here. */
	name: string;
	start: number;
	duration: number;
	spans: number;
	errors: number;
	/** Set when it is the trace of a message. */
	messageId: string | null;
	/** Whether it was exported too, or is kept only here. */
	exported: boolean;
};

export type TraceFilter = {
	name?: string;
	minDuration?: number;
	errorsOnly?: boolean;
	/** By how long they took, instead of the newest first. */
	slowestFirst?: boolean;
	limit?: number;
};

export type LogLine = {
	/** Counts up: ask for what came after it. */
	no: number;
	ts: number;
	level: "error" | "warn" | "info" | "debug";
	event: string;
	msg: string;
	traceId: string | null;
	fields: Record<string, string | number | boolean>;
	/** Instance that wrote it, when it is not the one that is asked. */
	instance?: string;
};

/** What one instance kept of a trace. */
export type TracePart = { traceId: string; instance: string; spans: TraceSpan[]; logs: LogLine[] };
/** What the other instances kept of one, and those that did not answer. */
export type TraceParts = { parts: TracePart[]; silent: string[] };
/** From where what is shown of a trace comes: instances that kept something of it, and those that did not answer. */
export type TraceSources = { from: string[]; silent: string[] };
/** A trace as all instances kept it. */
export type WholeTrace = { traceId: string; spans: TraceSpan[]; logs: LogLine[]; links: OpsLinks; sources: TraceSources };
export type LogFilter = {
	level?: LogLine["level"];
	event?: string;
	traceId?: string;
	messageId?: string;
	text?: string;
	after?: number;
	limit?: number;
};

/** One hop of a message, in the order it travelled. */
export type Hop = {
	stage: "clicked" | "accepted" | "validated" | "committed" | "published" | "heard" | "delivered" | "painted";
	at: number;
	/** Since the hop before. */
	took: number;
	instance: string;
	spanId: string | null;
};

export type Journey = {
	messageId: string;
	traceId: string;
	roomId: string | null;
	seq: number | null;
	hops: Hop[];
	/** Members but the author, and how many of them it reached. From the database, so exact whatever was sampled. */
	members: number;
	delivered: number;
	displayed: number;
	spans: TraceSpan[];
	logs: LogLine[];
	links: OpsLinks;
	sources: TraceSources;
};

/** Numbers of five seconds. */
export type Snapshot = {
	at: number;
	messages: number;
	refused: number;
	failed: number;
	/** Percentiles of chat.rpc.duration of message.send within this time, null when nothing was sent. */
	sendP50: number | null;
	sendP99: number | null;
	deliveryP50: number | null;
	deliveryP99: number | null;
	renderP99: number | null;
	/** p50 of each hop, for the stacked chart. */
	stages: Record<"validate" | "persist" | "publish" | "adapter" | "deliver" | "render", number | null>;
	sockets: number;
	connects: number;
	disconnects: Record<string, number>;
	httpRequests: number;
	httpErrors: number;
	httpP99: number | null;
	/** Event loop: 0 to 1, and how late timers run, ms. */
	eventLoop: number;
	eventLoopDelay: number;
	/** Share of the time spent on collecting garbage, 0 to 1. */
	gc: number;
	rssMb: number;
	cpu: number;
	dbInUse: number;
	dbWaiting: number;
	telemetryDropped: number;
	logsDropped: number;
};

export type SloState = {
	slo: string;
	title: string;
	objective: number;
	/** Since this instance began, at most the last hour in `burn`. */
	good: number;
	valid: number;
	/** Share of the allowed failures that is left, 1 to negative; null when nothing happened yet. */
	budgetLeft: number | null;
	/** How many times too fast the budget went in the last 5 minutes and the last hour. */
	burn: { short: number | null; long: number | null };
	/** Slowest or failed examples, worst first. */
	worst: { value: number; at: number; traceId: string }[];
};

export type SocketRow = {
	connId: string;
	userId: string;
	name: string;
	transport: string;
	connectedAt: number;
	rooms: number;
	eventsIn: number;
	/** Bytes and packets that wait for it. */
	backlogBytes: number;
	backlogPackets: number;
	roundTrip: number | null;
};

export type InstanceRow = {
	instance: string;
	version: string;
	startedAt: number;
	sockets: number;
	level: string;
	levelUntil: number | null;
	node: string;
	mode: string;
};

/** Another process on the same database, by its last sign of life. Times are the database's. */
export type PeerRow = {
	/** "<machine>/<pid>". */
	instance: string;
	version: string;
	build: string;
	/** How it hears of the others: memory (not at all, but by the database), workers, redis. */
	adapter: string;
	sockets: number;
	startedAt: number;
	/** Which worker it is, when it is one of this machine's: its own pages are one link away. */
	worker: number | null;
};

/** Telemetry about telemetry. */
export type Trust = {
	exporting: {
		/** `browser`: spans of browsers, which go on their own way. */
		signal: "span" | "browser" | "metric" | "log" | "cloudwatch";
		to: string | null;
		exported: number;
		dropped: number;
		queued: number;
		lastError: string | null;
		lastErrorAt: number | null;
	}[];
	keptTraces: number;
	keptLogs: number;
	fieldsRejected: number;
	beaconsRejected: number;
};

/** Addresses in New Relic and CloudWatch, made from templates; null where none is configured. */
export type OpsLinks = { newRelicTrace: string | null; newRelicLogs: string | null; cloudWatchLogs: string | null };

export type Ops = {
	instance(): InstanceRow;
	/** The others on this database. */
	peers(): PeerRow[];
	trust(): Trust;
	snapshots(): Snapshot[];
	slos(): SloState[];
	/** The same without what only operators may see. */
	publicSlos(): PublicSlo[];
	traces(filter: TraceFilter): TraceRow[];
	/** From all instances; null when none that answered keeps it. `reference` may be the beginning of a trace id, as people quote it. */
	trace(reference: string): Promise<WholeTrace | null>;
	/** OTLP/JSON of a trace, from all instances. */
	exportTrace(traceId: string): Promise<unknown | null>;
	/** What this instance kept of a trace, for another that asks. */
	part(reference: string): TracePart | null;
	logs(filter: LogFilter): LogLine[];
	sockets(): SocketRow[];
	/** What the instances saw of a message; the counts are added by who can ask the database. */
	journey(messageId: string): Promise<Omit<Journey, "members" | "delivered" | "displayed">>;
	/** Raises the log level to debug for 15 minutes; logged as an audit event. Again: starts the time anew. */
	raiseLevel(by: string): void;
	lowerLevel(by: string): void;
};

/** Whether the numbers stand within what is promised; what everybody may see. */
export type PublicSlo = Pick<SloState, "slo" | "title" | "objective" | "good" | "valid" | "budgetLeft">;
