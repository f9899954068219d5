import { traceOf } from "../../app/contract/envelope.ts";
import type { TraceSpan } from "../../app/contract/ops.ts";
import { refusals } from "../../app/contract/refusals.ts";
import { kinds } from "../browser/body.ts";
import { pageRoutes } from "../browser/route.ts";
import { type AttributeName, attributes, browserServiceName, errorTypes, type Span, spans } from "../contract.ts";

const browserSpans = Object.entries(spans as Record<string, Span>).filter(([, span]) => span.by === "browser");

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const traceIdShape = /^(?!0{32})[0-9a-f]{32}$/;
const spanIdShape = /^(?!0{16})[0-9a-f]{16}$/;
const nanosShape = /^\d{16,20}$/;
const day = 24 * 3600_000;
/** Attributes of one span: more than any has. */
const attributesAtMost = 32;

const errors: readonly string[] = [...Object.keys(refusals), ...errorTypes];
const routes: readonly string[] = pageRoutes;
/** What strings without a closed list must look like, so that no text of anybody's gets in. Without an entry: none is taken. */
const shapes: Partial<Record<AttributeName, (text: string) => boolean>> = {
	"chat.message.id": (text) => uuid.test(text),
	"chat.room.id": (text) => uuid.test(text),
	"session.id": (text) => /^[0-9a-f]{32}$/.test(text),
	"error.type": (text) => errors.includes(text),
	"http.route": (text) => routes.includes(text),
};

/** Constant sentences the browser's spans fail with. */
const sentences = ["no answer in time", "an unexpected error", "gave up"];

export const isRecord = (given: unknown): given is Record<string, unknown> =>
	typeof given === "object" && given !== null && !Array.isArray(given);

/**
 * Reads one OTLP/JSON span of a browser: a name and kind the contract declares for browsers, ids that are ids, times within a
 * day of ours, and of its attributes those the contract lists, of the right type and shape. A message's spans must carry the
 * ids that follow from the message. Null when it is none of ours; else with how many attributes were left out.
 */
export function readSpan(given: unknown, about: { now: number; sessionId: string }): { span: TraceSpan; invalid: number } | null {
	if (!isRecord(given)) return null;
	const { traceId, spanId, parentSpanId = null, name, kind, startTimeUnixNano, endTimeUnixNano } = given;
	if (typeof name !== "string" || name.length > 60) return null;
	const declared = browserSpans.find(([key, { names }]) => (names ? names.test(name) : key === name))?.[1];
	if (!declared || kind !== kinds[declared.kind as keyof typeof kinds]) return null;
	if (!isId(traceId, traceIdShape) || !isId(spanId, spanIdShape) || (parentSpanId !== null && !isId(parentSpanId, spanIdShape)))
		return null;
	const [began, ended] = [millis(startTimeUnixNano), millis(endTimeUnixNano)];
	if (began === null || ended === null || ended < began || ended - began > day) return null;

	const read = readAttributes(given.attributes, declared.attributes);
	if (!read) return null;
	const messageId = read.attributes["chat.message.id"];
	if (declared.attributes.includes("chat.message.id")) {
		if (typeof messageId !== "string") return null;
		const root = traceOf(messageId);
		if (traceId !== root.traceId) return null;
		// The root is its sender's; nobody else's span may pass for it.
		if (spanId === root.rootSpanId && (name !== "chat/message.send" || parentSpanId !== null)) return null;
	}
	const duration = ended - began;
	return {
		span: {
			traceId,
			spanId,
			parentSpanId,
			name,
			kind: declared.kind,
			service: browserServiceName,
			instance: `browser/${about.sessionId.slice(0, 8)}`,
			start: Math.min(Math.max(began, about.now - day), about.now - Math.min(duration, day)),
			duration,
			error: errorOf(given.status, declared),
			attributes: { ...read.attributes, "session.id": about.sessionId },
			links: [],
		},
		invalid: read.invalid,
	};
}

/** Attributes as OTLP/JSON lists them; what is no attribute is left out. */
export function attributesOf(given: unknown): Map<string, string | number | boolean | null> {
	const found = new Map<string, string | number | boolean | null>();
	for (const each of Array.isArray(given) ? given.slice(0, attributesAtMost) : [])
		if (isRecord(each) && typeof each.key === "string") found.set(each.key, valueIn(each.value));
	return found;
}

function valueIn(given: unknown): string | number | boolean | null {
	if (!isRecord(given)) return null;
	const { stringValue, intValue, doubleValue, boolValue } = given;
	if (typeof stringValue === "string") return stringValue;
	if (typeof intValue === "string" && /^-?\d{1,15}$/.test(intValue)) return Number(intValue);
	if (typeof doubleValue === "number" && Number.isFinite(doubleValue)) return doubleValue;
	return typeof boolValue === "boolean" ? boolValue : null;
}

function readAttributes(given: unknown, allowed: readonly AttributeName[]) {
	if (!Array.isArray(given) || given.length > attributesAtMost) return null;
	const read: Record<string, string | number | boolean> = {};
	let invalid = 0;
	for (const [key, value] of attributesOf(given)) {
		const isAllowed = (allowed as readonly string[]).includes(key) && isRight(key as AttributeName, value);
		if (isAllowed && value !== null) read[key] = value;
		else invalid++;
	}
	return { attributes: read, invalid: invalid + given.length - attributesOf(given).size };
}

function isRight(name: AttributeName, value: unknown): boolean {
	const { type, values } = attributes[name] as { type: string; values?: readonly unknown[] };
	if (typeof value !== type) return false;
	if (values) return values.includes(value);
	if (typeof value === "string") return shapes[name]?.(value) ?? false;
	return typeof value !== "number" || Math.abs(value) <= day;
}

function errorOf(status: unknown, declared: Span): string | null {
	if (!isRecord(status) || status.code !== 2 || declared.error === "never") return null;
	return sentences.find((sentence) => sentence === status.message) ?? "an error in a browser";
}

const isId = (given: unknown, shape: RegExp): given is string => typeof given === "string" && shape.test(given);

function millis(given: unknown): number | null {
	// To the microsecond: a number has no room for nanoseconds since 1970.
	return typeof given === "string" && nanosShape.test(given) ? Number(given.slice(0, -3)) / 1000 : null;
}
