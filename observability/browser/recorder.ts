import type { Answer, CallName } from "../../app/contract/calls.ts";
import { type Envelope, readEnvelope, traceOf } from "../../app/contract/envelope.ts";
import type { Fact } from "../../app/contract/facts.ts";
import { type Attributes, kinds, type OtlpSpan, otlpSpan } from "./body.ts";
import type { Sender } from "./sender.ts";

/** A message of this page on its way. */
type Sending = {
	roomId: string;
	clickedAt: number;
	isReady: boolean;
	firstTriedAt: number;
	attempts: number;
	isUnderWay: boolean;
	isStored: boolean;
	wasUnanswered: boolean;
	isSampled: boolean;
	transport: string;
};

/** Messages on their way, and messages of this page that were sent, that are remembered. More wait for nothing. */
const remembered = 100;
/** A message the server got this much later than the click, ms: longer than an attempt may take, so it waited, and counts there. */
const waited = 5000;

export type RecorderNeeds = {
	sender: Sender;
	sessionId: string;
	/** Share of spans that are sent; those of messages follow what the server decided. */
	ratio: number;
	/** This machine's clock, ms since 1970. */
	now(): number;
	random(): number;
	/** So many random bytes in hex. */
	hex(bytes: number): string;
	isVisible(): boolean;
	isOnline(): boolean;
	/** Tells when the row of a message was painted. */
	painted(seq: number, tell: (at: number | null) => void): void;
	/** Runs after what is there now was painted. */
	afterPaint(run: () => void): void;
};

/**
 * The browser's half of the flight recorder: what app/live tells it becomes spans and numbers. Holds nothing of a message
 * but ids and times, and a bounded number of them; nothing here throws into the page.
 */
export function openRecorder(needs: RecorderNeeds) {
	const { sender, now, hex } = needs;
	const session = { "session.id": needs.sessionId };
	const sending = new Map<string, Sending>();
	/** Sent from here. The span waits until the message comes back and shows whether its trace is sampled. */
	const sent = new Map<string, OtlpSpan | null>();
	let offset = 0;
	let lostAt = 0;
	let switching: { roomId: string; at: number } | null = null;

	/** A time of ours on the server's clock. */
	const onServer = (at: number) => Math.round(at + offset);
	const traceparent = () => `00-${hex(16)}-${hex(8)}-01`;

	function root(name: string, kind: number, start: number, end: number, attributes: Attributes, error?: string): string {
		const traceId = hex(16);
		sender.span(
			otlpSpan({
				traceId,
				spanId: hex(8),
				name,
				kind,
				start: onServer(start),
				end: onServer(end),
				attributes: { ...attributes, ...session },
				error,
			}),
		);
		return traceId;
	}

	function ended(clientId: string, status: "ok" | "refused" | "timeout", errorType?: string, error?: string): void {
		const message = sending.get(clientId);
		if (!message) return;
		sending.delete(clientId);
		// Another tab sent it, and tells how it went.
		if (message.attempts === 0) return;
		const at = now();
		const { traceId, rootSpanId } = traceOf(clientId);
		if (status === "ok")
			sender.measured({ name: "sent", ms: Math.max(0, at - (message.isReady ? message.clickedAt : message.firstTriedAt)), trace: traceId });
		// Sent again after it had failed: the root stands already.
		const isAgain = sent.has(clientId);
		const span = otlpSpan({
			traceId,
			spanId: isAgain ? hex(8) : rootSpanId,
			parent: isAgain ? rootSpanId : undefined,
			name: "chat/message.send",
			kind: kinds.client,
			start: onServer(message.clickedAt),
			end: onServer(at),
			attributes: {
				"chat.message.id": clientId,
				"chat.room.id": message.roomId,
				"chat.send.attempt": message.attempts,
				"chat.queue.ms": Math.max(0, message.firstTriedAt - message.clickedAt),
				"chat.ack.status": status,
				"error.type": errorType,
				"chat.socket.transport": message.transport,
				...session,
			},
			error,
		});
		const isWanted = error !== undefined || needs.ratio >= 1 || message.isSampled;
		if (isWanted) sender.span(span);
		remember(sent, clientId, isWanted ? null : span);
	}

	function delivered(fact: Extract<Fact, { kind: "message-posted" }>, envelope: Envelope, isOpen: boolean): void {
		const { tp, ts = [], sx = 1 } = envelope;
		const [clicked = 0, accepted = 0, committed = 0, published = 0] = ts;
		if (!accepted || needs.random() * sx >= 1) return;
		const { clientId, seq, roomId } = fact.message;
		const { traceId, rootSpanId } = traceOf(clientId);
		const arrived = now() + offset;
		const took = arrived - accepted;
		// An instance that has it from the log knows of no call: it was made elsewhere.
		const hop = clicked === 0 && accepted === committed ? "remote" : "local";
		const stage = Math.max(0, arrived - published);
		sender.measured({ name: "delivered", ms: Math.max(0, took), stage, hop, weight: sx, trace: traceId });
		const tell = (paintedAt: number | null) => {
			const painted = paintedAt === null ? null : Math.max(arrived, paintedAt + offset);
			// A click seems to come after what it led to where the two browsers' estimates differ more than the way took.
			const seen = painted !== null && clicked > 0 ? painted - clicked : null;
			if (painted !== null) {
				const isPrompt = seen !== null && accepted - clicked <= waited;
				sender.measured({ name: "painted", ms: isPrompt ? Math.max(0, seen) : null, stage: painted - arrived, weight: sx, trace: traceId });
			}
			if (!tp && needs.ratio < 1) return;
			const below = Math.min(0, took, seen ?? 0);
			sender.span(
				otlpSpan({
					traceId,
					spanId: hex(8),
					parent: tp?.slice(36, 52) ?? rootSpanId,
					name: "render message.created",
					kind: kinds.consumer,
					start: arrived,
					end: painted ?? arrived,
					attributes: {
						"messaging.system": "socketio",
						"messaging.operation.name": "render",
						"messaging.operation.type": "process",
						"messaging.destination.name": "message.created",
						"chat.message.id": clientId,
						"chat.room.id": roomId,
						"chat.message.seq": seq,
						"chat.delivery.ms": Math.max(0, took),
						"chat.render.ms": seen === null ? undefined : Math.max(0, seen),
						"chat.clock.error_ms": below < 0 ? -below : undefined,
						"document.visibility": needs.isVisible() ? "visible" : "hidden",
						"chat.fanout.sample_n": sx,
						...session,
					},
				}),
			);
		};
		if (isOpen && needs.isVisible()) needs.painted(seq, tell);
		else tell(null);
	}

	return guarded({
		connecting: traceparent,
		calling(name: CallName, input: unknown, about: { transport: string | null }): Envelope | undefined {
			// So many, and none of them a span.
			if (name === "typing") return undefined;
			if (name !== "message:post") return { tp: traceparent() };
			const { clientId } = input as { clientId: string };
			const tp = traceOf(clientId).traceparent;
			const message = sending.get(clientId);
			if (!message) return { tp };
			message.firstTriedAt ||= now();
			message.attempts++;
			message.isUnderWay = true;
			message.transport = about.transport ?? "unknown";
			const queued = Math.max(0, message.firstTriedAt - message.clickedAt);
			return { tp, ts: [onServer(message.clickedAt)], attempt: message.attempts, queued };
		},
		answered(name: CallName, input: unknown, answer: Answer<unknown> | null): void {
			if (name !== "message:post") return;
			const { clientId } = input as { clientId: string };
			const message = sending.get(clientId);
			if (!message) return;
			message.isUnderWay = false;
			if (answer ? answer.ok : message.isStored) ended(clientId, "ok");
			else if (!answer && !message.wasUnanswered && needs.isOnline()) {
				message.wasUnanswered = true;
				sender.measured({ name: "unsent", trace: traceOf(clientId).traceId });
			}
		},
		clicked(clientId: string, roomId: string, about: { at: number; isReady: boolean }): void {
			if (sending.has(clientId)) return;
			remember(sending, clientId, {
				roomId,
				clickedAt: about.at,
				isReady: about.isReady,
				firstTriedAt: 0,
				attempts: 0,
				isUnderWay: false,
				isStored: false,
				wasUnanswered: false,
				isSampled: false,
				transport: "unknown",
			});
		},
		failed(clientId: string, code: string): void {
			if (code === "given-up") ended(clientId, "timeout", "timeout", "no answer in time");
			else if (code === "failed") ended(clientId, "refused", "internal", "an unexpected error");
			else ended(clientId, "refused", code);
		},
		stored(clientId: string): void {
			const message = sending.get(clientId);
			if (!message) return;
			message.isStored = true;
			// Its answer may still come, and is what the person waits for.
			if (!message.isUnderWay) ended(clientId, "ok");
		},
		heard(fact: Fact, envelope: unknown, isOpen: boolean): void {
			if (fact.kind !== "message-posted") return;
			const given = readEnvelope(envelope);
			const { clientId } = fact.message;
			const mine = sending.get(clientId);
			if (mine) mine.isSampled ||= given.tp !== undefined;
			else if (!sent.has(clientId)) delivered(fact, given, isOpen);
			else {
				const span = sent.get(clientId);
				if (span && given.tp) sender.span(span);
				sent.set(clientId, null);
			}
		},
		lost(): void {
			lostAt = now();
			sender.setUp(false);
		},
		calledOff(): void {
			lostAt = 0;
		},
		back(about: { attempts: number; backfilled: number; transport: string }): void {
			if (lostAt > 0) reconnected(about, true);
		},
		clock(given: number): void {
			offset = given;
			// Only somebody who was welcomed has a server's clock.
			sender.setUp(true);
		},
		switching(roomId: string): void {
			switching = { roomId, at: now() };
		},
		switched(roomId: string, cached: boolean): void {
			const asked = switching;
			switching = null;
			if (asked?.roomId !== roomId || !needs.isVisible() || needs.random() >= needs.ratio) return;
			needs.afterPaint(() =>
				root("chat.room.switch", kinds.internal, asked.at, now(), { "chat.room.id": roomId, "chat.switch.cached": cached }),
			);
		},
		/** The page is going: a connection that is not back by now is not waited for any longer. */
		leaving(): void {
			if (lostAt > 0) reconnected({}, false);
			sender.leave();
		},
		/** The page was loaded; `parent` is the traceparent it came with. */
		loaded(start: number, end: number, route: string, parent: string | null): void {
			if (!parent && needs.random() >= needs.ratio) return;
			const [, traceId = hex(16), under] = parent?.split("-") ?? [];
			const attributes = { "http.route": route, ...session };
			sender.span(otlpSpan({ traceId, spanId: hex(8), parent: under, name: "documentLoad", kind: kinds.internal, start, end, attributes }));
		},
	});

	function reconnected(about: { attempts?: number; backfilled?: number; transport?: string }, isBack: boolean): void {
		const began = lostAt;
		lostAt = 0;
		const at = now();
		const trace = root(
			"chat.reconnect",
			kinds.client,
			began,
			at,
			{
				"chat.reconnect.attempts": about.attempts,
				"chat.reconnect.backfilled": about.backfilled,
				"chat.socket.transport": about.transport,
				outcome: isBack ? "ok" : "failed",
			},
			isBack ? undefined : "gave up",
		);
		sender.measured({ name: "reconnect", ms: Math.max(0, at - began), ok: isBack, trace });
	}
}

/** Keeps the newest, in a map that keeps order. */
function remember<T>(kept: Map<string, T>, key: string, value: T): void {
	kept.delete(key);
	kept.set(key, value);
	if (kept.size > remembered) kept.delete(kept.keys().next().value as string);
}

/** Whatever goes wrong in here is no business of the chat's. */
function guarded<T extends Record<string, (...given: never[]) => unknown>>(methods: T): T {
	return Object.fromEntries(
		Object.entries(methods).map(([name, run]) => [
			name,
			(...given: never[]) => {
				try {
					return run(...given);
				} catch {
					return undefined;
				}
			},
		]),
	) as T;
}
