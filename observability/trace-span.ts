import { crc32 } from "node:zlib";
import type { ReadableSpan } from "@opentelemetry/sdk-trace";
import { traceOf } from "../app/contract/envelope.ts";
import type { TraceSpan } from "../app/contract/ops.ts";
import { rpcOf, serviceName } from "./contract.ts";
import { sampleOf } from "./record/fan-out.ts";
import type { QuietMessage } from "./record/shared.ts";

/** SpanKind of the API counts from 0 in this order; OTLP counts the same from 1. */
export const spanKinds = ["internal", "server", "client", "producer", "consumer"] as const satisfies TraceSpan["kind"][];
/** SpanStatusCode.ERROR, which the API exports as a value of an enum; a number is all that is needed of it. */
const errorStatus = 2;

/** Whether it failed. Cheap: asked of every span that ends. */
export const isFailed = (span: ReadableSpan): boolean => span.status.code === errorStatus;

/** [seconds, nanoseconds] as ms. */
export const msOf = (time: readonly [number, number]): number => time[0] * 1000 + time[1] / 1e6;

/** A span of the SDK as the operators' pages show it. */
export function toTraceSpan(span: ReadableSpan): TraceSpan {
	const { traceId, spanId } = span.spanContext();
	const resource = span.resource.attributes;
	return {
		traceId,
		spanId,
		parentSpanId: span.parentSpanContext?.spanId ?? null,
		name: span.name,
		kind: spanKinds[span.kind] ?? "internal",
		service: String(resource["service.name"] ?? serviceName),
		instance: String(resource["service.instance.id"] ?? ""),
		start: msOf(span.startTime),
		duration: msOf(span.duration),
		error: isFailed(span) ? (span.status.message ?? "failed") : null,
		attributes: plain(span.attributes),
		links: span.links.map((link) => ({ traceId: link.context.traceId, spanId: link.context.spanId })),
	};
}

function plain(attributes: ReadableSpan["attributes"]): TraceSpan["attributes"] {
	const result: TraceSpan["attributes"] = {};
	for (const [key, value] of Object.entries(attributes)) {
		if (value === undefined || value === null) continue;
		result[key] = typeof value === "string" || typeof value === "number" || typeof value === "boolean" ? value : String(value);
	}
	return result;
}

/**
 * The spans a quiet message would have had, drawn from its stamps: the same names, parents and attributes. Their ids follow
 * from the message's and the instance, so that drawing them again gives the same; `attempt` tells those of a second attempt apart.
 */
export function quietSpans(message: QuietMessage, instance: string, attempt: number): TraceSpan[] {
	const { traceId, rootSpanId } = traceOf(message.messageId);
	// Sent again by another instance, a message has quiet spans there as well: theirs must not have the same ids.
	const own = BigInt(`0x${rootSpanId}`) ^ (BigInt(crc32(instance)) << 16n);
	const idOf = (place: number) =>
		BigInt.asUintN(64, own + BigInt(attempt * 8 + place))
			.toString(16)
			.padStart(16, "0");
	const ids = { "chat.message.id": message.messageId };
	const call = idOf(1);
	const span = (
		given: Pick<TraceSpan, "spanId" | "parentSpanId" | "name" | "kind" | "attributes">,
		start: number,
		end: number,
	): TraceSpan => ({
		traceId,
		service: serviceName,
		instance,
		start,
		duration: Math.max(0, end - start),
		error: null,
		links: [],
		...given,
	});
	const { method } = rpcOf["message:post"];
	const made = [
		span(
			{
				spanId: call,
				parentSpanId: rootSpanId,
				name: `chat/${method}`,
				kind: "server",
				attributes: {
					"rpc.system": "socketio",
					"rpc.system.name": "socketio",
					"rpc.service": "chat",
					"rpc.method": method,
					"chat.client_msg.id": message.messageId,
					"chat.room.id": message.roomId,
					"chat.room.kind": message.roomKind,
					"chat.message.bytes": message.bytes,
					"chat.message.seq": message.seq,
					"chat.dedup": !message.isFresh,
					"chat.socket.transport": message.transport,
					...(message.connId ? { "chat.conn.id": message.connId } : {}),
					"user.id": message.userId,
					outcome: "ok",
					...ids,
				},
			},
			message.startedAt,
			message.endedAt,
		),
	];
	if (message.validatedAt > 0)
		made.push(
			span(
				{
					spanId: idOf(2),
					parentSpanId: call,
					name: "chat.message.validate",
					kind: "internal",
					attributes: { "chat.validation.result": "ok", ...ids },
				},
				message.startedAt,
				message.validatedAt,
			),
		);
	if (message.storingAt > 0 && message.committedAt > 0)
		made.push(
			span(
				{
					spanId: idOf(3),
					parentSpanId: call,
					name: "INSERT room_log",
					kind: "client",
					attributes: {
						"db.system.name": "postgresql",
						"db.operation.name": "INSERT",
						"db.collection.name": "room_log",
						"db.query.summary": "INSERT room_log",
						"chat.db.statement": "lane-store",
						"chat.db.batch": message.batch,
						"server.address": "localhost",
						"server.port": 0,
						...ids,
					},
				},
				message.storingAt,
				message.committedAt,
			),
		);
	if (message.publishingAt > 0)
		made.push(
			span(
				{
					spanId: idOf(4),
					parentSpanId: call,
					name: "publish message.created",
					kind: "producer",
					attributes: {
						"messaging.system": "socketio",
						"messaging.operation.name": "publish",
						"messaging.operation.type": "send",
						"messaging.destination.name": "message.created",
						"messaging.batch.message_count": message.recipients,
						"chat.fanout.local": message.recipients,
						"chat.fanout.instances": message.instances,
						"chat.fanout.sample_n": sampleOf(message.recipients),
						"chat.room.id": message.roomId,
						"chat.message.seq": message.seq,
						...ids,
					},
				},
				message.publishingAt,
				message.publishedAt,
			),
		);
	return made;
}
