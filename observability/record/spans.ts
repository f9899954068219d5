import {
	type Attributes,
	type Context,
	createContextKey,
	type Link,
	ROOT_CONTEXT,
	type Span,
	SpanKind,
	SpanStatusCode,
	TraceFlags,
	type Tracer,
	trace,
} from "@opentelemetry/api";
import { isTraceparent, traceOf } from "../../app/contract/envelope.ts";
import { asRefusal } from "../../app/contract/refusals.ts";
import type { errorTypes, outcomes } from "../contract.ts";
import { scope } from "../instruments.ts";

export type Log = Record<"debug" | "info" | "warn" | "error", (event: string, fields?: Record<string, unknown>) => void>;
export type Outcome = (typeof outcomes)[number];

/** ms since 1970 with fractions: what spans and stamps are measured by, so that they compare within a process. */
export const now = (): number => performance.timeOrigin + performance.now();

/** Asked for each time: a provider registered later (a test's, or another test's) is the one that counts. */
export const tracer = (): Tracer => trace.getTracer(scope);

export const kinds = {
	server: SpanKind.SERVER,
	client: SpanKind.CLIENT,
	producer: SpanKind.PRODUCER,
	consumer: SpanKind.CONSUMER,
} as const;

const uuidShape = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
export const isUuid = (text: unknown): text is string => typeof text === "string" && uuidShape.test(text);

/** A parent that lives elsewhere. Its flag is passed on as it is; our sampler does not ask it. */
export function remoteParent(traceparent: unknown, base: Context = ROOT_CONTEXT): Context {
	if (!isTraceparent(traceparent)) return base;
	const [, traceId, spanId, flags] = traceparent.split("-") as [string, string, string, string];
	return trace.setSpanContext(base, { traceId, spanId, traceFlags: Number.parseInt(flags, 16) & TraceFlags.SAMPLED, isRemote: true });
}

/** The root of a message's trace, which its sender's browser reports; every hop hangs on it. */
export function messageParent(clientId: string, isSampled = true): Context {
	const { traceId, rootSpanId } = traceOf(clientId);
	const traceFlags = isSampled ? TraceFlags.SAMPLED : TraceFlags.NONE;
	return trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId: rootSpanId, traceFlags, isRemote: true });
}

/** A link to the span a context leads to; none where it leads nowhere. */
export function linksTo(cause: Context | null): Link[] {
	const context = cause && trace.getSpanContext(cause);
	return context ? [{ context }] : [];
}

/** `00-…` of a span, to be sent along; undefined when nobody will look at it. */
export function traceparentOf(span: Span): string | undefined {
	const { traceId, spanId, traceFlags } = span.spanContext();
	return (traceFlags & TraceFlags.SAMPLED) !== 0 ? `00-${traceId}-${spanId}-01` : undefined;
}

/** How something ended: what `error.type` says on the span and on the metric alike. */
export type Ending = { outcome: Outcome; errorType: string | undefined };
export const wentWell: Ending = { outcome: "ok", errorType: undefined };

/** Sorts what was thrown: a refusal is an answer, everything else is ours to mend. */
export function endingOf(error: unknown, isUnavailable: (error: unknown) => boolean): Ending {
	const refusal = asRefusal(error);
	if (refusal && refusal.code !== "unavailable" && refusal.code !== "failed") return { outcome: "refused", errorType: refusal.code };
	const errorType: (typeof errorTypes)[number] = refusal?.code === "unavailable" || isUnavailable(error) ? "unavailable" : "internal";
	return { outcome: "failed", errorType };
}

/** One sentence per kind of failure: error inboxes group by it, so it holds nothing that varies. */
const sentences: Record<string, string> = {
	unavailable: "the database is away",
	internal: "an unexpected error",
	timeout: "no answer in time",
	adapter: "the announcement failed",
	disconnected: "the connection was lost",
};

/** Writes the ending on a span, and the exception too, which is what New Relic makes its errors from. */
export function markEnding(span: Span, ending: Ending, error?: unknown): void {
	span.setAttribute("outcome", ending.outcome);
	markError(span, ending, error);
}

export function markError(span: Span, ending: Ending, error?: unknown): void {
	if (ending.errorType) span.setAttribute("error.type", ending.errorType);
	if (ending.outcome !== "failed") return;
	const sentence = sentences[ending.errorType ?? "internal"] ?? "an unexpected error";
	span.setStatus({ code: SpanStatusCode.ERROR, message: sentence });
	// The type only: messages of errors quote what people wrote.
	span.addEvent("exception", { "exception.type": error instanceof Error ? error.name : "Error", "exception.message": sentence });
}

/** A span that is over already. */
export function pastSpan(
	name: string,
	given: { kind?: SpanKind; start: number; end: number; parent: Context; attributes: Attributes },
): void {
	tracer()
		.startSpan(name, { kind: given.kind ?? SpanKind.INTERNAL, startTime: given.start, attributes: given.attributes }, given.parent)
		.end(given.end);
}

/** What is known of a message under way; found by the message's key, since one statement serves many. Stamps are 0 until then. */
export type Recorded = {
	/** Null when nobody will look at its trace, unless it fails or is slow: then its spans are made afterwards from the stamps. */
	span: Span | null;
	context: Context;
	startedAt: number;
	/** Click in the browser by the server's clock, 0 when not known. */
	clickedAt: number;
	validatedAt: number;
	storingAt: number;
	committedAt: number;
	/** Messages the same statement stored. */
	batch: number;
	sqlState: string | undefined;
	publishingAt: number;
	publishedAt: number;
	recipients: number;
	/** Instances there were when it was announced. */
	instances: number;
	isFresh: boolean;
};
/** Set in the context of a message being sent. */
export const messageKey = createContextKey("charla message");
