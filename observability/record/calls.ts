import { context, type Link, ROOT_CONTEXT, SpanKind, trace } from "@opentelemetry/api";
import { readEnvelope } from "../../app/contract/envelope.ts";
import type { Recorder } from "../../app/realtime/recorder.ts";
import { rpcOf, slos, unknownMethod } from "../contract.ts";
import { countSlo, record } from "../instruments.ts";
import { type About, attributesOf, describe } from "./describe.ts";
import { recordMessages } from "./messages.ts";
import type { Shared } from "./shared.ts";
import { endingOf, markEnding, now, remoteParent, tracer, wentWell } from "./spans.ts";

/**
 * Around each call: one SERVER span from accepting it to its answer, and its duration and outcome as metrics. Begins in the
 * root context, since a socket's handler runs in whatever request opened the socket, long ended.
 */
export function recordCalls(shared: Shared): Recorder["call"] & { message: Recorder["call"] } {
	const messages = recordMessages(shared);

	async function call<T>(about: About, run: () => Promise<T>): Promise<T> {
		if (about.name === "message:post") return messages.send(about, [], run);
		const rpc = about.name === "unknown" ? { method: unknownMethod, spans: "never" as const } : rpcOf[about.name];
		return rpc.spans === "always" ? recorded(about, rpc.method, [], run) : counted(about, rpc.method, rpc.spans === "failures", run);
	}

	/** A number, and a span only where it failed. */
	async function counted<T>(about: About, method: string, spanOnFailure: boolean, run: () => Promise<T>): Promise<T> {
		const startedAt = now();
		let ending = wentWell;
		try {
			return await context.with(ROOT_CONTEXT, run);
		} catch (error) {
			ending = endingOf(error, shared.isUnavailable);
			if (ending.outcome === "failed" && spanOnFailure) {
				const parent = remoteParent(readEnvelope(about.envelope).tp);
				const attributes = attributesOf(about, method);
				const span = tracer().startSpan(`chat/${method}`, { kind: SpanKind.SERVER, startTime: startedAt, attributes }, parent);
				markEnding(span, ending, error);
				span.end();
				shared.remember(error, trace.setSpan(parent, span));
			}
			throw error;
		} finally {
			shared.aside(() =>
				record("chat.rpc.duration", (now() - startedAt) / 1000, {
					"rpc.method": method,
					outcome: ending.outcome,
					"error.type": ending.errorType,
				}),
			);
		}
	}

	async function recorded<T>(about: About, method: string, links: Link[], run: () => Promise<T>): Promise<T> {
		const startedAt = now();
		const parent = remoteParent(readEnvelope(about.envelope).tp);
		const span = tracer().startSpan(
			`chat/${method}`,
			{ kind: SpanKind.SERVER, startTime: startedAt, attributes: attributesOf(about, method), links },
			parent,
		);
		const within = trace.setSpan(parent, span);
		let ending = wentWell;
		let failure: unknown;
		let answer: T | undefined;
		try {
			answer = await context.with(within, run);
			return answer;
		} catch (error) {
			failure = error;
			ending = endingOf(error, shared.isUnavailable);
			shared.remember(error, within);
			throw error;
		} finally {
			shared.aside(tell);
		}

		function tell(): void {
			const took = now() - startedAt;
			markEnding(span, ending, failure);
			describe(about.name, span, (about.input ?? {}) as Record<string, unknown>, answer);
			if (about.name === "message:stretch" && ending.outcome !== "refused") {
				const isGood = ending.outcome === "ok" && took <= slos.history.threshold;
				countSlo("history", isGood, { value: took, traceId: span.spanContext().traceId });
			}
			span.end();
			record("chat.rpc.duration", took / 1000, { "rpc.method": method, outcome: ending.outcome, "error.type": ending.errorType });
		}
	}

	return Object.assign(call, { message: messages.within });
}
