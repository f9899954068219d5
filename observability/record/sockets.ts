import { context, ROOT_CONTEXT, type SpanContext, SpanKind, trace } from "@opentelemetry/api";
import type { Recorder } from "../../app/realtime/recorder.ts";
import { disconnectReasons, slos } from "../contract.ts";
import { change, count, countSlo, record } from "../instruments.ts";
import type { Shared } from "./shared.ts";
import { type Ending, markEnding, markError, now, remoteParent, tracer } from "./spans.ts";

type Open = { userId: string; transport: string; began: string; connectedAt: number; span: SpanContext; eventsIn: number };

const rpc = { "rpc.system": "socketio", "rpc.system.name": "socketio", "rpc.service": "chat" } as const;
const knownReasons: readonly string[] = disconnectReasons;
/** The browser's or the network's fault, but worth looking at; the rest are ways connections are meant to end. */
const faults = ["transport error", "parse error"];
/** What the server is to blame for when somebody is not let in. */
const blames = ["unavailable", "failed"];

/**
 * A connection is two short spans, one at each end, and a duration: a span that lasts as long as a socket would hold
 * everything made within it.
 */
export function recordSockets(
	shared: Shared,
): Pick<Recorder, "connecting" | "upgraded" | "disconnected"> & { called(connId: string): void; eventsIn(connId: string): number } {
	const open = new Map<string, Open>();

	return {
		connecting({ auth, transport, connId, addressPrefix }) {
			const startedAt = now();
			const { tp, attempt, recovered } = (typeof auth === "object" && auth !== null ? auth : {}) as Record<string, unknown>;
			return (refused, who) => {
				const parent = remoteParent(tp);
				const span = tracer().startSpan(
					"chat/socket.connect",
					{
						kind: SpanKind.SERVER,
						startTime: startedAt,
						attributes: {
							...rpc,
							"chat.socket.transport": transport,
							"chat.conn.id": connId,
							"chat.socket.recovered": recovered === true,
							...(typeof attempt === "number" && Number.isFinite(attempt) ? { "chat.connect.attempt": attempt } : {}),
							...(who ? { "user.id": who.userId } : {}),
						},
					},
					parent,
				);
				const ending: Ending = {
					outcome: refused === null ? "ok" : blames.includes(refused) ? "failed" : "refused",
					errorType: refused === null ? undefined : refused === "failed" ? "internal" : refused,
				};
				markEnding(span, ending);
				const took = now() - startedAt;
				record("chat.socket.connect.duration", took / 1000, {
					"chat.socket.transport": transport as "websocket",
					outcome: ending.outcome,
					"error.type": ending.errorType,
				});
				const isGood = ending.outcome === "ok" && took <= slos.connect.threshold;
				if (ending.outcome !== "refused") countSlo("connect", isGood, { value: took, traceId: span.spanContext().traceId });
				context.with(trace.setSpan(parent, span), () => {
					if (refused === null)
						shared.log.info("socket.connected", {
							user_id: who?.userId,
							conn_id: connId,
							transport,
							recovered: recovered === true,
							duration_ms: Math.round(took * 10) / 10,
							ip_prefix: addressPrefix,
						});
					else shared.log.warn("socket.refused", { error_code: refused, transport, ip_prefix: addressPrefix });
				});
				span.end();
				if (refused !== null) return;
				change("chat.socket.active", 1, { "chat.socket.transport": transport });
				open.set(connId, {
					userId: who?.userId ?? "",
					transport,
					began: transport,
					connectedAt: startedAt,
					span: span.spanContext(),
					eventsIn: 0,
				});
			};
		},
		upgraded(connId) {
			const socket = open.get(connId);
			count("chat.socket.upgrade", 1, { outcome: "ok" });
			if (!socket || socket.transport === "websocket") return;
			change("chat.socket.active", -1, { "chat.socket.transport": socket.transport });
			change("chat.socket.active", 1, { "chat.socket.transport": "websocket" });
			socket.transport = "websocket";
		},
		disconnected({ connId, reason }) {
			const socket = open.get(connId);
			if (!socket) return;
			open.delete(connId);
			const closed = knownReasons.includes(reason) ? reason : "other";
			const seconds = (now() - socket.connectedAt) / 1000;
			change("chat.socket.active", -1, { "chat.socket.transport": socket.transport });
			count("chat.socket.disconnects", 1, { "chat.disconnect.reason": closed });
			record("chat.socket.connection.duration", seconds, { "chat.socket.transport": socket.transport, "chat.disconnect.reason": closed });
			if (socket.transport === "polling") count("chat.socket.upgrade", 1, { outcome: "refused" });
			const span = tracer().startSpan(
				"chat/socket.disconnect",
				{
					kind: SpanKind.SERVER,
					links: [{ context: socket.span }],
					attributes: {
						...rpc,
						"chat.socket.transport": socket.transport,
						"chat.conn.id": connId,
						"chat.disconnect.reason": closed,
						"chat.conn.duration_s": Math.round(seconds * 10) / 10,
						"chat.conn.events_in": socket.eventsIn,
						"user.id": socket.userId,
					},
				},
				ROOT_CONTEXT,
			);
			if (faults.includes(closed)) markError(span, { outcome: "failed", errorType: "disconnected" });
			context.with(trace.setSpan(ROOT_CONTEXT, span), () =>
				shared.log.info("socket.disconnected", {
					user_id: socket.userId,
					conn_id: connId,
					transport: socket.transport,
					disconnect_reason: closed,
					conn_seconds: Math.round(seconds * 10) / 10,
					events_in: socket.eventsIn,
				}),
			);
			span.end();
		},
		called(connId) {
			const socket = open.get(connId);
			if (socket) socket.eventsIn++;
		},
		eventsIn: (connId) => open.get(connId)?.eventsIn ?? 0,
	};
}
