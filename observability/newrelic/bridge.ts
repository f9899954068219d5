import { createRequire } from "node:module";
import { type Context, context, diag, propagation, type Span, SpanKind, SpanStatusCode, TraceFlags, trace } from "@opentelemetry/api";

/** What an SDK's tracer provider is given; spelled out, since the SDK itself stays out of this folder. */
export type AgentSpanProcessor = {
	onStart(span: SdkSpan, parent: Context): void;
	onEnd(span: SdkSpan): void;
	forceFlush(): Promise<void>;
	shutdown(): Promise<void>;
	/** Whether the agent has the exception of that trace from its span already. */
	hasErrorOf(traceId: unknown): boolean;
};
type SdkSpan = {
	name: string;
	kind: SpanKind;
	attributes: Record<string, unknown>;
	events: { name: string }[];
	status: { code: SpanStatusCode };
	spanContext: Span["spanContext"];
};

type Transaction = { isActive(): boolean; sampled: boolean | null; priority: number | null };
/** What the agent hangs on a span from its start to its end. */
type Synthesis = { segment?: object; transaction?: Transaction } | undefined;
type AgentContext = { transaction?: Transaction; segment?: object };
type Internals = {
	tracer: { _contextManager: { runInContext(context: AgentContext, run: () => void): void } };
};

/** An error is reported right after its span ended; of earlier traces none is asked for. */
const errorsRemembered = 1000;

const require = createRequire(import.meta.url);

/**
 * Bridge mode: every span goes to the agent, which makes transactions and its own spans of them. Its bridge wants to own
 * OpenTelemetry's globals, and then drops whatever is started under an explicit parent; since all our spans are (a socket's
 * call must not inherit a context), three of four would be missing. So its globals are taken back, the SDK stays the one
 * tracer provider in both modes, and the agent hears of spans here, under the transaction their parent belongs to.
 *
 * To be called once, right after the agent was started, before the SDK registers anything.
 */
export function bridgeSpans(agent: unknown): AgentSpanProcessor {
	trace.disable();
	context.disable();
	propagation.disable();
	diag.disable();
	const Processor = require("newrelic/lib/otel/traces/span-processor.js") as new (
		agent: unknown,
	) => { onStart(span: unknown): void; onEnd(span: unknown): void };
	const Empty = require("newrelic/lib/otel/context.js") as new (given?: AgentContext) => AgentContext;
	const { otelSynthesis } = require("newrelic/lib/symbols.js") as { otelSynthesis: symbol };
	const inner = new Processor(agent);
	const { _contextManager: contexts } = (agent as Internals).tracer;
	const errorsSeen = new Set<string>();
	const synthesisOf = (span: unknown) => (span as Record<symbol, Synthesis>)[otelSynthesis];

	/** The transaction a span is to be part of. What waits for no one, a request or a fact heard of, begins its own. */
	function home(span: SdkSpan, parent: Context): AgentContext {
		// Inside another's transaction the agent would also forget how to name these, for as long as the process lives.
		if (isEntry(span)) return new Empty();
		const above = synthesisOf(trace.getSpan(parent) ?? {});
		return above?.transaction?.isActive() ? new Empty({ transaction: above.transaction, segment: above.segment }) : new Empty();
	}

	return {
		onStart(span, parent) {
			const where = home(span, parent);
			// Without a transaction the agent keeps nothing, and its code is not made for being asked.
			if (!where.transaction && !isEntry(span)) return;
			guarded(() => contexts.runInContext(where, () => inner.onStart(asBegun(span))));
			const begun = isEntry(span) ? synthesisOf(span)?.transaction : undefined;
			if (!begun) return;
			// Our sampler's word, not the agent's reading of an id that a browser chose. All transactions count; these bring spans.
			begun.sampled = (span.spanContext().traceFlags & TraceFlags.SAMPLED) !== 0;
			begun.priority = Math.random() + (begun.sampled ? 1 : 0);
		},
		onEnd(span) {
			if (!synthesisOf(span)) return;
			if (isEntry(span) && span.status.code === SpanStatusCode.ERROR && span.events.some(isException)) {
				errorsSeen.add(span.spanContext().traceId);
				const [oldest] = errorsSeen;
				if (errorsSeen.size > errorsRemembered && oldest) errorsSeen.delete(oldest);
			}
			guarded(() => inner.onEnd(asEnded(span)));
			(span as unknown as Record<symbol, Synthesis>)[otelSynthesis] = undefined;
		},
		forceFlush: async () => {},
		shutdown: async () => {},
		hasErrorOf: (traceId) => typeof traceId === "string" && errorsSeen.has(traceId),
	};
}

/** The agent is a guest: what it throws at a span stays its own. */
function guarded(run: () => void): void {
	try {
		run();
	} catch {
		// That span is missing at New Relic, and nowhere else.
	}
}

const isEntry = (span: SdkSpan): boolean => span.kind === SpanKind.SERVER || span.kind === SpanKind.CONSUMER;
const isException = (event: { name: string }): boolean => event.name === "exception";

/** The same span with something else in places; what the agent hangs on it ends up on the span itself. */
function seenAs(span: SdkSpan, given: Partial<SdkSpan>): SdkSpan {
	return new Proxy(span, { get: (target, key) => (key in given ? given[key as keyof SdkSpan] : Reflect.get(target, key, target)) });
}

/**
 * The agent names a statement by parsing its SQL, which we keep to ourselves: it gets the least SQL that says operation and
 * table. It reads this once, at the start, and is told not to keep any.
 */
function asBegun(span: SdkSpan): SdkSpan {
	const { "db.operation.name": operation, "db.collection.name": table } = span.attributes;
	if (typeof operation !== "string" || typeof table !== "string") return span;
	const texts: Record<string, string> = {
		SELECT: `SELECT * FROM ${table}`,
		INSERT: `INSERT INTO ${table} VALUES ()`,
		UPDATE: `UPDATE ${table} SET x = 1`,
		DELETE: `DELETE FROM ${table}`,
	};
	return texts[operation] ? seenAs(span, { attributes: { ...span.attributes, "db.query.text": texts[operation] } }) : span;
}

/**
 * A call's transaction is named service/method; connecting and leaving are calls in this one respect. And the agent makes an
 * error of every exception on its way up, statement, call and all: it gets the one of the entry.
 */
function asEnded(span: SdkSpan): SdkSpan {
	if (!isEntry(span))
		return span.events.some(isException) ? seenAs(span, { events: span.events.filter((event) => !isException(event)) }) : span;
	// Made of url.query if there is any, and we take that out; named by its path without a route, so anybody could make names.
	if (span.attributes["http.request.method"] !== undefined)
		return seenAs(span, { attributes: { "http.route": "/unmatched", ...span.attributes, "url.query": "?" } });
	if (!span.name.startsWith("chat/") || span.attributes["rpc.method"] !== undefined) return span;
	return seenAs(span, { attributes: { ...span.attributes, "rpc.method": span.name.slice("chat/".length) } });
}
