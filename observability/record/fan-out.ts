import { type Context, ROOT_CONTEXT, type Span, SpanKind, trace } from "@opentelemetry/api";
import { type Envelope, traceOf } from "../../app/contract/envelope.ts";
import type { Fact } from "../../app/contract/facts.ts";
import type { Adapter, Recorder } from "../../app/realtime/recorder.ts";
import { factNames } from "../contract.ts";
import { count, countSlo, record } from "../instruments.ts";
import type { Shared } from "./shared.ts";
import { linksTo, markError, messageParent, now, remoteParent, traceparentOf, tracer } from "./spans.ts";

/** Recipients of one message that report when it arrived and was painted: enough for a percentile, few enough to cost nothing. */
const reporters = 10;
/** One in how many recipients reports. */
export const sampleOf = (recipients: number): number => Math.max(1, Math.ceil(recipients / reporters));
/** Heard from another instance later than this after its commit, ms, is worth a line. */
const late = 1000;

/** How a fact of another instance got here: told by one, or read from the log as no hint came. */
export type HeardBy = Adapter | "log";

/**
 * Around the announcement of a fact: one span however many hear it, and the envelope its browsers go on with. A fact of this
 * instance is published; one that was told by another, or came from the log, was made elsewhere (or its announcement was lost),
 * and is processed. `adapter` tells which way hints come.
 */
export function recordFanOut(shared: Shared, adapter: () => Adapter): Pick<Recorder, "fanOut" | "telling" | "gap"> {
	return {
		telling(fact, over) {
			count("chat.adapter.messages", 1, { direction: "out", "chat.adapter": over });
			const recorded = fact.kind === "message-posted" ? shared.sending.get(fact.message.clientId) : undefined;
			return recorded && [recorded.clickedAt, recorded.startedAt, recorded.committedAt, now()].map(Math.round);
		},
		fanOut(fact, recipients, source, send) {
			const message = fact.kind === "message-posted" ? fact.message : null;
			const heardBy: HeardBy | null = source.how === "here" ? null : source.how === "heard" ? adapter() : "log";
			const recorded = message && !heardBy ? shared.sending.get(message.clientId) : undefined;
			const startedAt = now();
			const sampleN = sampleOf(recipients);
			const instances = shared.instances();
			const isUnwanted = recorded
				? !recorded.span
				: source.how === "heard" && message !== null && !shared.isSampled(traceOf(message.clientId).traceId);
			const span = isUnwanted ? null : openSpan();
			if (heardBy) tellHeard(heardBy);
			try {
				send(message ? envelopeOf(message.createdAt) : undefined);
				countSlo("loss", true);
			} catch (error) {
				countSlo("loss", false);
				if (span) {
					markError(span, { outcome: "failed", errorType: "adapter" }, error);
					shared.remember(error, trace.setSpan(ROOT_CONTEXT, span));
				}
				throw error;
			} finally {
				const endedAt = now();
				shared.aside(() => {
					span?.end(endedAt);
					if (message) tellFanOut(endedAt);
				});
			}

			function openSpan(): Span {
				// Undefined: whatever call is under way; an edit or a join has no message of its own to hang on.
				const under = recorded ? recorded.context : message ? messageParent(message.clientId) : heardBy ? ROOT_CONTEXT : undefined;
				return fanOutSpan({ fact, heardBy, recipients, instances, sampleN, startedAt, under });
			}

			function envelopeOf(createdAt: number): Envelope {
				const tp = span ? traceparentOf(span) : undefined;
				const stamp = (at: number) => Math.round(at);
				const ts = recorded
					? [stamp(recorded.clickedAt), stamp(recorded.startedAt), stamp(recorded.committedAt), stamp(startedAt)]
					: source.how === "heard" && source.ts?.length === 4
						? [...source.ts.slice(0, 3), stamp(startedAt)]
						: [0, createdAt, createdAt, stamp(startedAt)];
				return { ...(tp ? { tp } : {}), ts, sx: sampleN };
			}

			function tellHeard(by: HeardBy): void {
				count("chat.adapter.messages", 1, { direction: "in", "chat.adapter": by });
				if (!message) return;
				const lag = Math.max(0, startedAt - message.createdAt);
				span?.setAttribute("chat.adapter.lag_ms", Math.round(lag));
				record("chat.adapter.lag", lag / 1000, { "chat.adapter": by });
				if (lag > late) shared.log.warn("adapter.lag", { adapter: by, lag_ms: Math.round(lag) });
			}

			function tellFanOut(endedAt: number): void {
				const from = recorded?.committedAt || startedAt;
				record("chat.message.fanout", recipients, { "chat.room.kind": shared.kindOf(fact.roomId) });
				record("chat.message.stage.duration", Math.max(0, endedAt - from) / 1000, { stage: heardBy ? "adapter" : "publish" });
				if (!recorded) return;
				recorded.publishingAt = startedAt;
				recorded.publishedAt = endedAt;
				recorded.recipients = recipients;
				recorded.instances = instances;
			}
		},
		gap(roomId, from, to) {
			count("chat.message.gap", to - from + 1, {});
			shared.log.warn("message.gap_detected", { room_id: roomId, from_seq: from, to_seq: to });
		},
	};
}

type FanOut = {
	fact: Pick<Fact, "kind" | "roomId" | "seq"> & { message?: { clientId: string; card?: { tp?: string } | null | undefined } };
	heardBy: HeardBy | null;
	recipients: number;
	instances: number;
	sampleN: number;
	startedAt: number;
	under: Context | undefined;
};

/** Publishing a fact of ours, or processing one from elsewhere: begun, and the caller's to end. */
export function fanOutSpan({ fact, heardBy, recipients, instances, sampleN, startedAt, under }: FanOut): Span {
	const name = factNames[fact.kind];
	const verb = heardBy ? "process" : "publish";
	const attributes = {
		"messaging.system": "socketio",
		"messaging.operation.name": verb,
		"messaging.operation.type": heardBy ? "process" : "send",
		"messaging.destination.name": name,
		"messaging.batch.message_count": recipients,
		...(fact.message ? { "chat.message.id": fact.message.clientId } : {}),
		"chat.room.id": fact.roomId,
		"chat.message.seq": fact.seq,
		"chat.fanout.local": recipients,
		"chat.fanout.sample_n": sampleN,
		...(heardBy ? { "chat.adapter": heardBy } : { "chat.fanout.instances": instances }),
	};
	return tracer().startSpan(
		`${verb} ${name}`,
		{
			kind: heardBy ? SpanKind.CONSUMER : SpanKind.PRODUCER,
			startTime: startedAt,
			attributes,
			// A card is a message with a trace of its own; this leads to what it was ordered by.
			links: linksTo(remoteParent(fact.message?.card?.tp)),
		},
		under,
	);
}
