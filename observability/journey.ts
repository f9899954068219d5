import { traceOf } from "../app/contract/envelope.ts";
import type { Hop, LogLine, TraceSpan } from "../app/contract/ops.ts";
import { browserServiceName } from "./contract.ts";

/**
 * How far clocks may disagree, ms, and a stamp still be believed: browsers and other instances are set by the server's clock to
 * within a round trip. A stamp that is wrong by less is moved to where it is possible; one that is wrong by more is left out.
 */
const clockError = 2000;

type Stamp = Pick<Hop, "stage" | "instance" | "spanId"> & { at: number };

/**
 * The hops of a message from what is known of it, in the order it travelled; whatever is not known is left out. Stamps of the
 * spans of the instance that stored it are the measure; those by other clocks come before or after them as they must. Where no span is left
 * the log line still says when it was accepted. Of several recipients it is the first who had it and the first who saw it; the
 * others are in the trace.
 */
export function hopsOf(messageId: string, spans: readonly TraceSpan[], logs: readonly LogLine[], instance: string): Hop[] {
	const { rootSpanId } = traceOf(messageId);
	const own = spans.filter((span) => span.service !== browserServiceName);
	const byBrowsers = spans.filter((span) => span.service === browserServiceName);
	const call = callOf(own, rootSpanId);
	const of = (span: TraceSpan | undefined, stage: Hop["stage"], at: number | undefined): Stamp[] =>
		span && at !== undefined && Number.isFinite(at) ? [{ stage, at, instance: span.instance, spanId: span.spanId }] : [];
	const end = (span: TraceSpan | undefined) => span && span.start + span.duration;

	const server: Stamp[] = call ? of(call, "accepted", call.start) : fromLog(logs, instance);
	const validated = own.find(
		(span) =>
			span.name === "chat.message.validate" &&
			(!call || span.parentSpanId === call.spanId) &&
			span.attributes["chat.validation.result"] === "ok",
	);
	if (validated && !server.some((stamp) => stamp.stage === "validated")) server.push(...of(validated, "validated", end(validated)));
	const stored = own.find((span) => span.attributes["chat.db.statement"] === "lane-store" && span.error === null);
	server.push(...of(stored, "committed", end(stored)));
	const published = own.find((span) => span.name === "publish message.created" && span.error === null);
	server.push(...of(published, "published", end(published)));
	const heard = first(
		own.filter((span) => span.name === "process message.created"),
		(span) => span.start,
	);

	const hops: Stamp[] = [];
	for (const stamp of server) hops.push({ ...stamp, at: Math.max(stamp.at, hops.at(-1)?.at ?? stamp.at) });

	const root = byBrowsers.find((span) => span.spanId === rootSpanId);
	const clicked = of(root, "clicked", root?.start)[0];
	const accepted = hops[0];
	if (clicked && (!accepted || clicked.at - accepted.at <= clockError))
		hops.unshift({ ...clicked, at: Math.min(clicked.at, accepted?.at ?? clicked.at) });

	if (heard) after(hops, { stage: "heard", at: heard.start, instance: heard.instance, spanId: heard.spanId });
	const acceptedAt = hops.find((hop) => hop.stage === "accepted")?.at;
	const deliveredAt = (span: TraceSpan) => {
		const took = span.attributes["chat.delivery.ms"];
		return acceptedAt !== undefined && typeof took === "number" ? acceptedAt + took : span.start;
	};
	const renders = byBrowsers.filter((span) => span.name === "render message.created");
	const delivered = first(renders, deliveredAt);
	if (delivered) after(hops, { stage: "delivered", at: deliveredAt(delivered), instance: delivered.instance, spanId: delivered.spanId });
	const paintedAt = (span: TraceSpan) => span.start + span.duration;
	const painted = first(renders.filter(wasPainted), paintedAt);
	if (painted) after(hops, { stage: "painted", at: paintedAt(painted), instance: painted.instance, spanId: painted.spanId });
	return hops.map((hop, place) => ({ ...hop, took: Math.max(0, hop.at - (hops[place - 1]?.at ?? hop.at)) }));
}

/** The span of a recipient who did not look (another room, a hidden page) ends when the message arrived. */
const wasPainted = (span: TraceSpan): boolean =>
	span.attributes["document.visibility"] !== "hidden" && (span.duration > 0 || typeof span.attributes["chat.render.ms"] === "number");

/** The call that stored it; a second attempt, which was only told so, is another. */
function callOf(own: TraceSpan[], rootSpanId: string): TraceSpan | undefined {
	const calls = own.filter((span) => span.kind === "server" && span.name === "chat/message.send" && span.parentSpanId === rootSpanId);
	return (
		calls.find((span) => span.attributes["chat.dedup"] === false) ?? calls.find((span) => span.attributes.outcome === "ok") ?? calls[0]
	);
}

/** The line is written at the end of the call, and says how long that took and how much of it was spent on looking at it. */
function fromLog(logs: readonly LogLine[], instance: string): Stamp[] {
	const line = logs.find((known) => known.event === "message.sent" && known.fields.dedup !== true);
	if (!line || typeof line.fields.duration_ms !== "number") return [];
	const at = line.ts - line.fields.duration_ms;
	const by = line.instance ?? instance;
	const looked = line.fields.t_validate_ms;
	return [
		{ stage: "accepted", at, instance: by, spanId: null },
		...(typeof looked === "number" ? [{ stage: "validated" as const, at: at + looked, instance: by, spanId: null }] : []),
	];
}

/** Puts a stamp of another clock at the end, unless that cannot be. */
function after(hops: Stamp[], stamp: Stamp): void {
	const before = hops.at(-1)?.at ?? stamp.at;
	if (before - stamp.at <= clockError) hops.push({ ...stamp, at: Math.max(before, stamp.at) });
}

const first = (spans: TraceSpan[], at: (span: TraceSpan) => number): TraceSpan | undefined =>
	spans.reduce<TraceSpan | undefined>((one, other) => (one === undefined || at(other) < at(one) ? other : one), undefined);
