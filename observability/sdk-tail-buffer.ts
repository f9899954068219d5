import { SpanStatusCode } from "@opentelemetry/api";
import type { ReadableSpan, SpanProcessor } from "@opentelemetry/sdk-trace";
import { attributes, slos } from "./contract.ts";
import { change, count } from "./instruments.ts";

/** Traces that may wait for their end, and how long, ms: a call takes far less, and what never ends must not stay. */
const tracesOpen = 5000;
const openAtMost = 30_000;
const sweepEvery = 5000;
/** Decisions remembered for spans that end after their root, such as the bot's. */
const decisionsKept = 5000;
/** Slower than its promise, ms: worth its trace whatever the sampler said. What promises nothing is slow after a second. */
const slowAfter: Record<string, number> = {
	"chat/message.send": slos["send-latency"].threshold,
	"chat/room.history": slos.history.threshold,
	"chat/socket.connect": slos.connect.threshold,
};
const slowOtherwise = 1000;

type Open = { spans: ReadableSpan[]; roots: number; since: number; isWorthIt: boolean };

const isRoot = (span: ReadableSpan) => !span.parentSpanContext || span.parentSpanContext.isRemote === true;
const ms = (span: ReadableSpan) => span.duration[0] * 1000 + span.duration[1] / 1e6;

/**
 * Holds the spans of each local trace until its local root has ended, and then decides: exported when sampled, when anything
 * in it failed, or when the root was slow. All of them are kept for /ops. Bounded in traces and time.
 */
export class TailBuffer implements SpanProcessor {
	#open = new Map<string, Open>();
	#decided = new Map<string, boolean>();
	readonly #keep: (span: ReadableSpan, isExported: boolean) => void;
	readonly #export: ((span: ReadableSpan) => void) | null;
	readonly #onFull: (spans: number) => void;
	readonly #sweeper: NodeJS.Timeout;

	constructor(given: {
		keep: (span: ReadableSpan, isExported: boolean) => void;
		export: ((span: ReadableSpan) => void) | null;
		onFull: (spans: number) => void;
	}) {
		this.#keep = given.keep;
		this.#export = given.export;
		this.#onFull = given.onFull;
		this.#sweeper = setInterval(() => this.#sweep(), sweepEvery);
		this.#sweeper.unref();
	}

	onStart(span: ReadableSpan): void {
		count("otel.sdk.span.started", 1, {});
		change("otel.sdk.span.live", 1, {});
		if (!isRoot(span)) return;
		const { traceId } = span.spanContext();
		const open = this.#open.get(traceId);
		if (open) {
			open.roots++;
			return;
		}
		if (this.#open.size >= tracesOpen) this.#decideOldest();
		this.#open.set(traceId, { spans: [], roots: 1, since: Date.now(), isWorthIt: false });
	}

	/** Never throws: whoever ends a span has done its work, and would take a failure here for its own. */
	onEnd(span: ReadableSpan): void {
		try {
			change("otel.sdk.span.live", -1, {});
			this.#end(span);
		} catch {
			this.#onFull(1);
		}
	}

	#end(span: ReadableSpan): void {
		const { traceId } = span.spanContext();
		clean(span);
		const open = this.#open.get(traceId);
		if (!open) {
			// Its root ended before it, or was let go of.
			const isWorthIt = this.#decided.get(traceId) === true || isSampled(span) || span.status.code === SpanStatusCode.ERROR;
			return this.#tell(span, isWorthIt);
		}
		open.spans.push(span);
		if (isSampled(span) || span.status.code === SpanStatusCode.ERROR) open.isWorthIt = true;
		if (!isRoot(span)) return;
		if (ms(span) > (slowAfter[span.name] ?? slowOtherwise)) open.isWorthIt = true;
		if (--open.roots === 0) this.#decide(traceId, open);
	}

	#decide(traceId: string, open: Open): void {
		this.#open.delete(traceId);
		if (this.#decided.size >= decisionsKept) this.#decided.delete(this.#decided.keys().next().value as string);
		this.#decided.set(traceId, open.isWorthIt);
		for (const span of open.spans) this.#tell(span, open.isWorthIt);
	}

	#tell(span: ReadableSpan, isWorthIt: boolean): void {
		if (isWorthIt) this.#export?.(span);
		this.#keep(span, isWorthIt && this.#export !== null);
	}

	#decideOldest(): void {
		const [traceId, open] = this.#open.entries().next().value as [string, Open];
		this.#onFull(open.spans.length);
		this.#decide(traceId, open);
	}

	#sweep(): void {
		const before = Date.now() - openAtMost;
		for (const [traceId, open] of this.#open) {
			if (open.since > before) break;
			this.#decide(traceId, open);
		}
	}

	/** Traces that wait for their end now; for tests. */
	get waiting(): number {
		return this.#open.size;
	}

	async forceFlush(): Promise<void> {
		for (const [traceId, open] of [...this.#open]) this.#decide(traceId, open);
	}

	async shutdown(): Promise<void> {
		clearInterval(this.#sweeper);
		await this.forceFlush();
	}
}

const isSampled = (span: ReadableSpan) => (span.spanContext().traceFlags & 1) === 1;

/** Instrumentation packages say more than the contract allows: addresses, queries with credentials in them, whole user agents. */
function clean(span: ReadableSpan): void {
	if (span.instrumentationScope.name === "charla") return;
	const given = span.attributes as Record<string, unknown>;
	for (const key of Object.keys(given)) {
		if (!Object.hasOwn(attributes, key)) delete given[key];
		else if (key === "url.full") given[key] = String(given[key]).split("?")[0];
		else if (key === "user_agent.original") given[key] = familyOf(String(given[key]));
	}
}

/** Enough to see that it is slow in one browser only, too little to tell people apart. */
function familyOf(userAgent: string): string {
	const [, name = "other", version = ""] = /(Edg|OPR|Firefox|Chrome|Version)\/(\d+)/.exec(userAgent) ?? [];
	const names: Record<string, string> = { Edg: "Edge", OPR: "Opera", Version: "Safari" };
	return `${names[name] ?? name} ${version}`.trim();
}
