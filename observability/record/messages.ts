import { context, type Link, ROOT_CONTEXT, type Span, SpanKind, trace } from "@opentelemetry/api";
import type { Posted } from "../../app/contract/calls.ts";
import { readEnvelope, traceOf } from "../../app/contract/envelope.ts";
import { rpcOf, slos } from "../contract.ts";
import { count, countSlo, record } from "../instruments.ts";
import { type About, attributesOf } from "./describe.ts";
import { fanOutSpan, sampleOf } from "./fan-out.ts";
import type { Shared } from "./shared.ts";
import {
	type Ending,
	endingOf,
	isUuid,
	markEnding,
	messageKey,
	messageParent,
	now,
	pastSpan,
	type Recorded,
	tracer,
	wentWell,
} from "./spans.ts";
import { statementSpan } from "./sql.ts";

const { method } = rpcOf["message:post"];
/** Stamps of a browser whose clock is off by more than this, ms, are no stamps. */
const believable = 24 * 3600_000;
/** A message slower than this, ms, is worth its trace whatever the sampler said. */
const slow = slos["send-latency"].threshold;

/**
 * Sending a message, whichever door it came by. What the sampler takes gets its spans as it happens. Of all others only the
 * stamps are kept: when one fails or is slow the same spans are made from them afterwards, and when it goes well, as nearly
 * all do, nobody pays for spans that would be thrown away.
 */
export function recordMessages(shared: Shared) {
	/** The message whose call is just beginning: between a call and its use case nothing waits, so no other can come between. */
	let beginning: Recorded | null = null;

	async function send<T>(about: About, links: Link[], run: () => Promise<T>): Promise<T> {
		const startedAt = now();
		const envelope = readEnvelope(about.envelope);
		const input = (about.input ?? {}) as Record<string, unknown>;
		const clientId = isUuid(input.clientId) ? input.clientId.toLowerCase() : null;
		const isSampled = !clientId || shared.isSampled(traceOf(clientId).traceId);
		const parent = clientId ? messageParent(clientId, isSampled) : ROOT_CONTEXT;
		const span = isSampled ? openSpan(about, clientId, startedAt, links) : null;
		const clicked = envelope.ts?.[0] ?? 0;
		const recorded: Recorded = {
			span,
			context: span ? trace.setSpan(parent, span) : parent,
			startedAt,
			clickedAt: Math.abs(clicked - startedAt) < believable ? clicked : 0,
			validatedAt: 0,
			storingAt: 0,
			committedAt: 0,
			batch: 0,
			sqlState: undefined,
			publishingAt: 0,
			publishedAt: 0,
			recipients: 0,
			instances: 0,
			isFresh: false,
		};
		if (clientId) shared.sending.set(clientId, recorded);
		let ending = wentWell;
		let failure: unknown;
		let answer: T | undefined;
		try {
			answer = await begin(recorded, run);
			return answer;
		} catch (error) {
			failure = error;
			ending = endingOf(error, shared.isUnavailable);
			throw error;
		} finally {
			const endedAt = now();
			// Another attempt may have taken the place meanwhile.
			if (clientId && shared.sending.get(clientId) === recorded) shared.sending.delete(clientId);
			shared.aside(() => tell(about, recorded, clientId, input, answer as Posted | undefined, ending, failure, endedAt, links));
		}
	}

	function begin<T>(recorded: Recorded, run: () => Promise<T>): Promise<T> {
		beginning = recorded;
		try {
			return context.with(recorded.span ? recorded.context.setValue(messageKey, true) : ROOT_CONTEXT, run);
		} finally {
			beginning = null;
		}
	}

	function openSpan(about: About, clientId: string | null, startTime: number, links: Link[]): Span {
		const ids = clientId ? { "chat.message.id": clientId, "chat.client_msg.id": clientId } : {};
		const options = { kind: SpanKind.SERVER, startTime, attributes: { ...attributesOf(about, method), ...ids }, links };
		return tracer().startSpan(`chat/${method}`, options, clientId ? messageParent(clientId) : ROOT_CONTEXT);
	}

	function tell(
		about: About,
		recorded: Recorded,
		clientId: string | null,
		input: Record<string, unknown>,
		answer: Posted | undefined,
		ending: Ending,
		failure: unknown,
		endedAt: number,
		links: Link[],
	): void {
		const took = endedAt - recorded.startedAt;
		const roomId = typeof input.roomId === "string" ? input.roomId.slice(0, 36) : undefined;
		const kind = shared.kindOf(roomId);
		const seq = answer?.seq ?? null;
		const bytes = typeof input.body === "string" ? Buffer.byteLength(input.body) : 0;
		if (recorded.validatedAt === 0) validated(recorded, clientId, ending.errorType ?? "ok", endedAt);
		if (!recorded.span && (ending.outcome === "failed" || took > slow)) makeSpans();
		const { span } = recorded;
		const traceId = span?.spanContext().traceId ?? (clientId ? traceOf(clientId).traceId : "");
		if (failure) shared.remember(failure, recorded.context);

		record("chat.rpc.duration", took / 1000, { "rpc.method": method, outcome: ending.outcome, "error.type": ending.errorType });
		count("chat.message.sent", 1, { "chat.room.kind": kind, outcome: ending.outcome, "error.type": ending.errorType });
		if (ending.outcome !== "refused") {
			const example = { value: took, traceId, ...(clientId ? { messageId: clientId } : {}) };
			countSlo("send", ending.outcome === "ok", example);
		}
		if (span) {
			if (ending.outcome === "ok") span.setAttributes({ "chat.room.kind": kind, "chat.message.bytes": bytes });
			if (seq !== null) span.setAttributes({ "chat.message.seq": seq, "chat.dedup": !recorded.isFresh });
			markEnding(span, ending, failure);
		}
		context.with(recorded.context, () => logLine(traceId));
		span?.end(endedAt);
		if (!span && clientId && seq !== null && roomId)
			shared.onQuiet({
				...recorded,
				messageId: clientId,
				roomId,
				roomKind: kind,
				bytes,
				userId: about.userId,
				transport: about.transport,
				connId: about.connId,
				seq,
				endedAt,
			});

		function makeSpans(): void {
			const made = openSpan(about, clientId, recorded.startedAt, links);
			recorded.span = made;
			recorded.context = trace.setSpan(messageParent(clientId as string), made);
			validateSpan(recorded, clientId, ending.outcome === "refused" ? (ending.errorType ?? "ok") : "ok");
			if (recorded.storingAt > 0) {
				const failed = recorded.sqlState !== undefined;
				statementSpan({
					statement: "INSERT room_log",
					name: "lane-store",
					parent: recorded.context,
					more: {
						"db.operation.name": "INSERT",
						"db.collection.name": "room_log",
						"chat.message.id": clientId as string,
						"chat.db.batch": recorded.batch,
					},
					start: recorded.storingAt,
					end: recorded.committedAt,
					ending: failed ? ending : wentWell,
					failure,
					sqlState: recorded.sqlState,
				});
			}
			if (recorded.publishingAt > 0 && seq !== null && roomId) {
				const fact = { kind: "message-posted" as const, roomId, seq, message: { clientId: clientId as string } };
				fanOutSpan({
					fact,
					heardBy: null,
					recipients: recorded.recipients,
					instances: recorded.instances,
					sampleN: sampleOf(recorded.recipients),
					startedAt: recorded.publishingAt,
					under: recorded.context,
				}).end(recorded.publishedAt);
			}
		}

		function logLine(traceId: string): void {
			const ids = { message_id: clientId ?? undefined, room_id: roomId, user_id: about.userId };
			const spent = { duration_ms: rounded(took), outcome: ending.outcome };
			if (ending.outcome === "refused") return shared.log.warn("message.rejected", { ...ids, error_code: ending.errorType, ...spent });
			if (ending.outcome === "failed")
				return shared.log.error("message.failed", { ...ids, error_type: ending.errorType, ...spent, reference: traceId.slice(0, 12) });
			// A command is carried out, not stored.
			if (seq === null) return;
			shared.log.info("message.sent", {
				...ids,
				room_kind: kind,
				seq,
				bytes,
				recipients: recorded.recipients,
				instances: recorded.instances,
				t_validate_ms: rounded(recorded.validatedAt - recorded.startedAt),
				t_persist_ms: rounded(recorded.committedAt - recorded.storingAt),
				t_publish_ms: rounded(Math.max(0, recorded.publishedAt - recorded.committedAt)),
				...spent,
				dedup: !recorded.isFresh,
			});
		}
	}

	/** The use case begins where limits and parsing end: the step before it is over now. */
	function validated(recorded: Recorded, clientId: string | null, result: string, at = now()): void {
		recorded.validatedAt = at;
		record("chat.message.stage.duration", (at - recorded.startedAt) / 1000, { stage: "validate" });
		if (recorded.span) validateSpan(recorded, clientId, result);
	}

	/** The use case of a message: a call of the socket is known here already, a form's post becomes one, linked to its request. */
	async function within<T>(about: About, run: () => Promise<T>): Promise<T> {
		const { clientId } = about.input as { clientId: string };
		if (beginning) {
			validated(beginning, clientId, "ok");
			return run();
		}
		const request = trace.getActiveSpan();
		return send(about, request ? [{ context: request.spanContext() }] : [], () => {
			if (beginning) validated(beginning, clientId, "ok");
			return run();
		});
	}

	return { send, within };
}

function validateSpan(recorded: Recorded, clientId: string | null, result: string): void {
	pastSpan("chat.message.validate", {
		start: recorded.startedAt,
		end: recorded.validatedAt,
		parent: recorded.context,
		attributes: { ...(clientId ? { "chat.message.id": clientId } : {}), "chat.validation.result": result },
	});
}

const rounded = (ms: number): number => Math.round(ms * 100) / 100;
