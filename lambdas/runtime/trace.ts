import { randomBytes } from "node:crypto";
import type { AttributeName } from "../../observability/contract.ts";

export type SpanKind = "server" | "client" | "producer" | "consumer" | "internal";
/** How a call went: refused is an expected no, failed is ours to mend. */
export type Outcome = "ok" | "refused" | "failed";
export type Attributes = Partial<Record<AttributeName, string | number | boolean>>;
export type SpanRef = { traceId: string; spanId: string };

/** A span that has ended; times in ms since 1970. */
export type Span = SpanRef & {
	parentSpanId: string | null;
	name: string;
	kind: SpanKind;
	start: number;
	end: number;
	attributes: Attributes;
	links: SpanRef[];
	/** What went wrong, in a word; null when nothing did. */
	error: string | null;
};

const pattern = /^00-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}$/;

/** Reads W3C's traceparent, whoever sent it: null for anything that is none. Whether to record is never left to the sender. */
export function readTraceparent(text: unknown): SpanRef | null {
	const [, traceId, spanId] = (typeof text === "string" && pattern.exec(text)) || [];
	if (!traceId || !spanId || /^0+$/.test(traceId) || /^0+$/.test(spanId)) return null;
	return { traceId, spanId };
}

/** To be handed on: in a header, a record, the metadata of an object. */
export const traceparent = ({ traceId, spanId }: SpanRef, isSampled: boolean): string =>
	`00-${traceId}-${spanId}-${isSampled ? "01" : "00"}`;

export const newTraceId = (): string => randomBytes(16).toString("hex");
export const newSpanId = (): string => randomBytes(8).toString("hex");
