import { messageIdOf, traceOf } from "../app/contract/envelope.ts";
import type {
	InstanceRow,
	LogFilter,
	LogLine,
	Ops,
	OpsLinks,
	PeerRow,
	SloState,
	Snapshot,
	SocketRow,
	TraceFilter,
	TracePart,
	TraceParts,
	TraceRow,
	TraceSources,
	TraceSpan,
	Trust,
} from "../app/contract/ops.ts";
import { browserServiceName } from "./contract.ts";
import { hopsOf } from "./journey.ts";
import type { LevelSwitch } from "./level.ts";
import { linksOf } from "./links.ts";
import { otlpJson } from "./otlp-json.ts";
import { isSlo, openWorst } from "./worst.ts";

/** What was kept, as far as it is read here. */
export type KeptForOps = {
	settings: {
		instance: string;
		version: string;
		otlp: unknown;
		newRelic: { mode: "split" | "bridge" } | null;
		cloudWatch: { group: string; region: string } | null;
		links: OpsLinks;
	};
	traces: { list(filter: TraceFilter): TraceRow[]; get(reference: string): TraceSpan[] | null; stats: { traces: number } };
	metrics: { snapshots(): Snapshot[]; slos(): SloState[]; dropped(): Record<string, number> };
	logs: { list(filter: LogFilter): LogLine[] };
	exporting(): Trust["exporting"];
};

/** Lines of one trace or message that are shown: a page of them; nothing that goes well writes more. */
const linesShown = 200;
/** What is looked at elsewhere begins so much before it and ends so much after, ms: ingestion is late and clocks differ. */
const around = 5 * 60_000;

/**
 * What the operators' pages ask, answered from what this instance kept, and of a trace from what all did: `askOthers` asks
 * them. `log` writes the examples of what breaks a service level; `counts` says what only the log knows of itself. `stop` ends
 * listening to examples.
 */
export function openOps(given: {
	telemetry: KeptForOps;
	sockets: () => SocketRow[];
	peers?: (() => PeerRow[]) | undefined;
	askOthers?: ((reference: string) => Promise<TraceParts>) | undefined;
	level: LevelSwitch;
	log?: ((event: "slo.exemplar", fields: Record<string, string | number>) => void) | undefined;
	counts?: (() => { keptLogs: number; fieldsRejected: number }) | undefined;
	clock?: () => number;
}): Ops & { stop(): void } {
	const { telemetry, level } = given;
	const { settings, traces, metrics, logs } = telemetry;
	const clock = given.clock ?? Date.now;
	const worst = openWorst({ log: given.log, clock });

	function linksTo(traceId: string, messageId: string | null, spans: readonly TraceSpan[], lines: readonly LogLine[]): OpsLinks {
		const starts = [...spans.map((span) => span.start), ...lines.map((line) => line.ts)];
		const ends = [...spans.map((span) => span.start + span.duration), ...lines.map((line) => line.ts)];
		return linksOf(settings.links, {
			traceId,
			messageId,
			from: (starts.length > 0 ? Math.min(...starts) : clock()) - around,
			to: (ends.length > 0 ? Math.max(...ends) : clock()) + around,
			region: settings.cloudWatch?.region,
			group: settings.cloudWatch?.group,
		});
	}

	/** A trace's lines, or a message's, or both: each once, as they were written. */
	function linesOf(...filters: LogFilter[]): LogLine[] {
		const lines = new Map<number, LogLine>();
		for (const filter of filters) for (const line of logs.list({ ...filter, limit: linesShown })) lines.set(line.no, line);
		return [...lines.values()].sort((one, other) => one.no - other.no);
	}

	/** The whole trace id: of what is kept as spans, else of what lines tell. */
	function find(wanted: string): { traceId: string; spans: TraceSpan[] } | null {
		const spans = traces.get(wanted);
		if (spans?.[0]) return { traceId: spans[0].traceId, spans };
		const line = logs.list({ traceId: wanted, limit: 1 })[0];
		if (line?.traceId?.startsWith(wanted)) return { traceId: line.traceId, spans: [] };
		return logs.list({ messageId: messageIdOf(wanted), limit: 1 }).length > 0 ? { traceId: wanted, spans: [] } : null;
	}

	/** What this instance kept of a trace; of a message's also the lines that only name the message. */
	function part(reference: string): TracePart | null {
		const wanted = idOf(reference);
		const found = wanted === null ? null : find(wanted);
		if (!found) return null;
		const { traceId, spans } = found;
		return { traceId, instance: settings.instance, spans, logs: linesOf({ traceId }, { messageId: messageIdOf(traceId) }) };
	}

	/** What all instances kept of it. */
	async function gather(
		reference: string,
	): Promise<Omit<TracePart, "instance" | "traceId"> & { traceId: string | null; sources: TraceSources }> {
		const own = part(reference);
		const wanted = own?.traceId ?? idOf(reference);
		const { parts, silent } = wanted !== null && given.askOthers ? await given.askOthers(wanted) : { parts: [], silent: [] };
		const traceId = own?.traceId ?? parts[0]?.traceId ?? null;
		const all = [...(own ? [own] : []), ...parts.filter((each) => each.traceId === traceId)];
		return { traceId, spans: joined(all), logs: linesIn(all), sources: { from: all.map(({ instance }) => instance), silent } };
	}

	/** Lines in the order they were written; those of others say whose they are. */
	function linesIn(parts: readonly TracePart[]): LogLine[] {
		const lines = parts.flatMap(({ instance, logs }) =>
			instance === settings.instance ? logs : logs.map((line) => ({ ...line, instance })),
		);
		return lines.sort((one, other) => one.ts - other.ts || one.no - other.no);
	}

	return {
		instance: (): InstanceRow => ({
			instance: settings.instance,
			version: settings.version,
			startedAt: Math.round(performance.timeOrigin),
			sockets: given.sockets().length,
			level: level.level(),
			levelUntil: level.until(),
			node: process.version,
			mode: settings.newRelic?.mode ?? (settings.otlp ? "otlp" : "local"),
		}),
		peers: () => given.peers?.() ?? [],
		trust: (): Trust => ({
			exporting: telemetry.exporting(),
			keptTraces: traces.stats.traces,
			keptLogs: given.counts?.().keptLogs ?? 0,
			fieldsRejected: given.counts?.().fieldsRejected ?? 0,
			beaconsRejected: metrics.dropped().beacon ?? 0,
		}),
		snapshots: () => metrics.snapshots(),
		publicSlos: () =>
			metrics.slos().map(({ slo, title, objective, good, valid, budgetLeft }) => ({ slo, title, objective, good, valid, budgetLeft })),
		slos: () => metrics.slos().map((state) => ({ ...state, worst: isSlo(state.slo) ? worst.worst(state.slo) : [] })),
		traces: (filter) => traces.list(filter),
		part,
		async trace(reference) {
			const { traceId, spans, logs, sources } = await gather(reference);
			if (traceId === null) return null;
			const messageId = messageIdOf(traceId);
			const isMessage = spans.some((span) => span.attributes["chat.message.id"] === messageId);
			return { traceId, spans, logs, links: linksTo(traceId, isMessage ? messageId : null, spans, logs), sources };
		},
		async exportTrace(traceId) {
			const { spans } = await gather(traceId);
			return spans.length > 0 ? otlpJson(spans) : null;
		},
		logs: (filter) => logs.list(filter),
		sockets: () => given.sockets(),
		async journey(given) {
			const messageId = given.trim().toLowerCase();
			const { traceId } = traceOf(messageId);
			const { spans, logs: lines, sources } = await gather(traceId);
			const attribute = (name: string) => spans.map((span) => span.attributes[name]).find((value) => value !== undefined);
			const field = (name: string) =>
				lines
					.filter((line) => line.fields.message_id === messageId)
					.map((line) => line.fields[name])
					.find((value) => value !== undefined);
			const roomId = attribute("chat.room.id") ?? field("room_id");
			const seq = attribute("chat.message.seq") ?? field("seq");
			return {
				messageId,
				traceId,
				roomId: typeof roomId === "string" ? roomId : null,
				seq: typeof seq === "number" ? seq : null,
				hops: hopsOf(messageId, spans, lines, settings.instance),
				spans,
				logs: lines,
				links: linksTo(traceId, messageId, spans, lines),
				sources,
			};
		},
		raiseLevel: (by) => level.raise(by),
		lowerLevel: (by) => level.lower(by),
		stop: () => worst.stop(),
	};
}

/** What may be a trace's id or the beginning of one, in what somebody pasted. */
function idOf(reference: string): string | null {
	const id = reference.trim().toLowerCase().replaceAll("-", "");
	return /^[0-9a-f]{6,32}$/.test(id) ? id : null;
}

/** The spans of all parts, each once and by start. What a browser reported never takes the place of what an instance saw itself. */
function joined(parts: readonly TracePart[]): TraceSpan[] {
	const isOurs = (span: TraceSpan) => span.service !== browserServiceName;
	const spans = new Map<string, TraceSpan>();
	for (const span of parts.flatMap((part) => part.spans)) {
		const known = spans.get(span.spanId);
		if (!known || (isOurs(span) && !isOurs(known))) spans.set(span.spanId, span);
	}
	return [...spans.values()].sort((one, other) => one.start - other.start || other.duration - one.duration);
}
