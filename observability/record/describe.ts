import type { Span } from "@opentelemetry/api";
import type { CallName } from "../../app/contract/calls.ts";
import type { Recorder } from "../../app/realtime/recorder.ts";
import { isUuid } from "./spans.ts";

export type About = Parameters<Recorder["call"]>[0];

/** Where a stretch of history was asked from. */
export const directionOf = (input: object) =>
	(["before", "after", "around"] as const).find((key) => (input as Record<string, unknown>)[key] !== undefined) ?? "newest";

/** What only some calls have to say. */
export function describe(name: CallName | "unknown", span: Span, input: Record<string, unknown>, answer: unknown): void {
	const given = (answer ?? {}) as { messages?: unknown[]; rooms?: { facts: unknown[] }[] };
	if (name === "message:edit" || name === "message:delete" || name === "message:journey") {
		if (typeof input.seq === "number") span.setAttribute("chat.message.seq", input.seq);
		if (name !== "message:journey" && isUuid(input.clientId)) span.setAttribute("chat.client_msg.id", input.clientId);
	}
	if (name === "message:stretch") {
		span.setAttribute("chat.page.direction", directionOf(input));
		if (given.messages) span.setAttribute("chat.page.returned", given.messages.length);
	}
	if (name === "room:since") {
		if (Array.isArray(input.cursors)) span.setAttribute("chat.catchup.rooms", input.cursors.length);
		if (given.rooms)
			span.setAttribute(
				"chat.catchup.facts",
				given.rooms.reduce((sum, room) => sum + room.facts.length, 0),
			);
	}
}

/** What every call's span says. */
export function attributesOf(about: About, method: string) {
	const { roomId } = (about.input ?? {}) as { roomId?: unknown };
	return {
		"rpc.system": "socketio",
		"rpc.system.name": "socketio",
		"rpc.service": "chat",
		"rpc.method": method,
		"chat.socket.transport": about.transport,
		...(about.connId ? { "chat.conn.id": about.connId } : {}),
		"user.id": about.userId,
		// Anything may have been sent; only what can be a room's id is one.
		...(typeof roomId === "string" && roomId.length === 36 ? { "chat.room.id": roomId } : {}),
	};
}
