import type { ReadableSpan } from "@opentelemetry/sdk-trace";
import { messageIdOf } from "../app/contract/envelope.ts";
import type { TraceFilter, TraceRow, TraceSpan } from "../app/contract/ops.ts";
import { browserServiceName } from "./contract.ts";
import { count } from "./instruments.ts";
import type { QuietMessage } from "./record/shared.ts";
import { isFailed, msOf, quietSpans, toTraceSpan } from "./trace-span.ts";

/** How much is kept; smaller in tests. */
export type KeptTraceLimits = {
	/** Traces kept because they are new: half an hour of a busy evening. */
	recent: number;
	/** Kept beyond that because they failed. */
	failed: number;
	/** Kept beyond that because none of their name took longer. */
	worstPerName: number;
	/** Names whose worst are kept. We have about 40; more would be somebody making names up. */
	names: number;
	/** Messages that went well and whose spans nobody made, in one second: more than anybody looks at, and a burst leaves room for others. */
	quietPerSecond: number;
	/** Spans of one trace from our side, and from browsers: anybody may send calls under one trace id for ever. */
	spansPerTrace: number;
	browserSpansPerTrace: number;
	/** All together, estimated. */
	bytes: number;
};
const usual: KeptTraceLimits = {
	recent: 2000,
	failed: 500,
	worstPerName: 50,
	names: 64,
	quietPerSecond: 50,
	spansPerTrace: 500,
	browserSpansPerTrace: 500,
	bytes: 32e6,
};

/** What a span costs besides its texts, bytes: measured as heap growth over 10,000 spans of ours, rounded up. */
const spanBytes = 900;
const attributeBytes = 32;
const traceBytes = 400;
/** A quiet message is one flat object of numbers with four texts. */
const quietBytes = 500;

/** The shortest beginning of a trace id that is looked for: 16 million of them, so among thousands it is nearly always one. */
const shortestPrefix = 6;
const listed = { usual: 100, most: 500 };

type Quiet = { quiet: QuietMessage };
type Item = ReadableSpan | TraceSpan | Quiet;

type Kept = {
	traceId: string;
	items: Item[];
	fromBrowser: number;
	bytes: number;
	failed: boolean;
	exported: boolean;
	/** How long the slowest of its local roots took, ms: what the worst are chosen by. */
	took: number;
	/** In how many of the three it is held: it goes when none is left. */
	holds: number;
	isRecent: boolean;
	isFailedHeld: boolean;
	/** The worst ones of a name it is among. */
	worstOf: Worst | null;
	/** What the list shows, until something joins. */
	row: TraceRow | null;
};

/** The slowest of one name; `least` is what a trace has to take longer than to be one of them, ms. */
type Worst = { list: Kept[]; least: number };

/**
 * The traces /ops shows, in bounded memory: the latest, the slowest of each name and those that failed. Spans that come
 * later (another connection, a recipient's browser minutes after) join as long as the trace is kept.
 *
 * It stands in the path of every message, so a span that ends is only put away as it is; what pages show is made from it when
 * somebody looks. What does not fit is counted in `telemetry.dropped`.
 */
export class KeptTraces {
	#limits: KeptTraceLimits;
	#instance: string;
	#traces = new Map<string, Kept>();
	#recent: Set<Kept> = new Set();
	#failed: Set<Kept> = new Set();
	#worst = new Map<string, Worst>();
	#quiet = { second: 0, count: 0 };
	#bytes = 0;
	/** Of those that are held for more than being new. */
	#heldBytes = 0;
	#evicted = 0;
	#dropped = 0;

	/** `instance`: what quiet messages, which have no resource, are said to come from. */
	constructor(given: { instance?: string; limits?: Partial<KeptTraceLimits> } = {}) {
		this.#limits = { ...usual, ...given.limits };
		this.#instance = given.instance ?? "";
	}

	/** Keeps a span that has ended. `exported`: it is sent elsewhere too. Never throws. */
	add(span: ReadableSpan, exported: boolean): void {
		const kept = this.#traceOf(span.spanContext().traceId);
		if (kept.items.length - kept.fromBrowser >= this.#limits.spansPerTrace) return this.#drop();
		if (exported) kept.exported = true;
		this.#put(kept, span, sizeOf(span));
		if (isFailed(span) && !kept.failed) this.#holdFailed(kept);
		// A local root: nothing of this process stands above it.
		if (span.parentSpanContext === undefined || span.parentSpanContext.isRemote) this.#rank(kept, span.name, msOf(span.duration));
		if (this.#bytes > this.#limits.bytes) this.#fit();
	}

	/** Keeps the stamps of a message that went well and whose spans nobody made, unless there were many in its second and it took no longer. */
	addQuiet(quiet: QuietMessage): void {
		const traceId = quiet.messageId.replaceAll("-", "").toLowerCase();
		if (this.#isOneOfMany(quiet) && !this.#traces.has(traceId)) return;
		const kept = this.#traceOf(traceId);
		if (kept.items.length - kept.fromBrowser >= this.#limits.spansPerTrace) return this.#drop();
		this.#put(kept, { quiet }, quietBytes);
		this.#rank(kept, "chat/message.send", quiet.endedAt - quiet.startedAt);
		if (this.#bytes > this.#limits.bytes) this.#fit();
	}

	/** Keeps a span a browser reported, whose form has been checked. The first one with its id stays: reports are sent again. */
	addBrowser(span: TraceSpan): void {
		const kept = this.#traceOf(span.traceId);
		if (kept.items.some((item) => !isSdk(item) && !isQuiet(item) && item.spanId === span.spanId)) return;
		if (kept.fromBrowser >= this.#limits.browserSpansPerTrace) return this.#drop();
		kept.fromBrowser++;
		this.#put(kept, span, sizeOf(span));
		if (span.error !== null && !kept.failed) this.#holdFailed(kept);
		if (span.parentSpanId === null) this.#rank(kept, span.name, span.duration);
		if (this.#bytes > this.#limits.bytes) this.#fit();
	}

	/**
	 * Newest first, or slowest. A row is about its root, or, with `name`, about the span whose name has that part: a page load
	 * is looked for by its own name, and hangs under its request. At most 500, 100 unless told.
	 */
	list(filter: TraceFilter = {}): TraceRow[] {
		const name = filter.name?.toLowerCase();
		const rows: TraceRow[] = [];
		for (const kept of this.#traces.values()) {
			const row = name ? this.#rowAbout(kept, name) : this.#rowOf(kept);
			if (!row) continue;
			if (filter.minDuration !== undefined && row.duration < filter.minDuration) continue;
			if (filter.errorsOnly && row.errors === 0) continue;
			rows.push(row);
		}
		const by = filter.slowestFirst ? (row: TraceRow) => row.duration : (row: TraceRow) => row.start;
		rows.sort((one, other) => by(other) - by(one) || (one.traceId < other.traceId ? -1 : 1));
		return rows.slice(0, Math.min(filter.limit ?? listed.usual, listed.most)).map((row) => ({ ...row }));
	}

	/**
	 * The spans of a trace, by start; null when it is not kept. Takes a trace id, a message's id, or the beginning of one (at
	 * least 6 hex digits); of several that begin so it is the newest.
	 */
	get(reference: string): TraceSpan[] | null {
		const prefix = reference.trim().toLowerCase().replaceAll("-", "");
		if (prefix.length < shortestPrefix || prefix.length > 32 || /[^0-9a-f]/.test(prefix)) return null;
		let found = this.#traces.get(prefix);
		if (!found && prefix.length < 32) for (const kept of this.#traces.values()) if (kept.traceId.startsWith(prefix)) found = kept;
		return found ? this.#spansOf(found) : null;
	}

	/** How full it is; `dropped` spans found no room in their trace, `evicted` traces made room for others. */
	get stats(): { traces: number; recent: number; failed: number; worst: number; bytes: number; evicted: number; dropped: number } {
		let worst = 0;
		for (const { list } of this.#worst.values()) worst += list.length;
		return {
			traces: this.#traces.size,
			recent: this.#recent.size,
			failed: this.#failed.size,
			worst,
			bytes: this.#bytes,
			evicted: this.#evicted,
			dropped: this.#dropped,
		};
	}

	#isOneOfMany({ startedAt, endedAt }: QuietMessage): boolean {
		const second = Math.floor(endedAt / 1000);
		if (second !== this.#quiet.second) this.#quiet = { second, count: 0 };
		const { least } = this.#worst.get("chat/message.send") ?? { least: 0 };
		return ++this.#quiet.count > this.#limits.quietPerSecond && endedAt - startedAt <= least;
	}

	#traceOf(traceId: string): Kept {
		let kept = this.#traces.get(traceId);
		if (kept) return kept;
		kept = {
			traceId,
			items: [],
			fromBrowser: 0,
			bytes: 0,
			failed: false,
			exported: false,
			took: 0,
			holds: 1,
			isRecent: true,
			isFailedHeld: false,
			worstOf: null,
			row: null,
		};
		this.#traces.set(traceId, kept);
		this.#grow(kept, traceBytes);
		this.#recent.add(kept);
		if (this.#recent.size > this.#limits.recent) this.#letRecentGo(first(this.#recent));
		return kept;
	}

	#put(kept: Kept, item: Item, bytes: number): void {
		kept.items.push(item);
		kept.row = null;
		this.#grow(kept, bytes);
	}

	#grow(kept: Kept, bytes: number): void {
		kept.bytes += bytes;
		this.#bytes += bytes;
		if (isHeld(kept)) this.#heldBytes += bytes;
	}

	#drop(): void {
		this.#dropped++;
		count("telemetry.dropped", 1, { signal: "span", reason: "too-large" });
	}

	#holdFailed(kept: Kept): void {
		kept.failed = true;
		if (!isHeld(kept)) this.#heldBytes += kept.bytes;
		kept.isFailedHeld = true;
		kept.holds++;
		this.#failed.add(kept);
		if (this.#failed.size > this.#limits.failed) this.#letFailedGo(first(this.#failed));
	}

	/** Among the worst of its name, if it took longer than one of those. */
	#rank(kept: Kept, name: string, took: number): void {
		const before = kept.took;
		if (took > before) kept.took = took;
		if (kept.worstOf) {
			if (before === kept.worstOf.least) kept.worstOf.least = leastOf(kept.worstOf.list).took;
			return;
		}
		let worst = this.#worst.get(name);
		if (!worst) {
			if (this.#worst.size >= this.#limits.names) return;
			worst = { list: [], least: Number.NEGATIVE_INFINITY };
			this.#worst.set(name, worst);
		}
		if (kept.took <= worst.least) return;
		if (worst.list.length >= this.#limits.worstPerName) this.#letWorstGo(leastOf(worst.list));
		if (!isHeld(kept)) this.#heldBytes += kept.bytes;
		worst.list.push(kept);
		if (worst.list.length >= this.#limits.worstPerName) worst.least = leastOf(worst.list).took;
		kept.worstOf = worst;
		kept.holds++;
	}

	#letRecentGo(kept: Kept): void {
		this.#recent.delete(kept);
		kept.isRecent = false;
		this.#release(kept);
	}

	#letFailedGo(kept: Kept): void {
		this.#failed.delete(kept);
		kept.isFailedHeld = false;
		if (!isHeld(kept)) this.#heldBytes -= kept.bytes;
		this.#release(kept);
	}

	#letWorstGo(kept: Kept): void {
		const worst = kept.worstOf as Worst;
		worst.list.splice(worst.list.indexOf(kept), 1);
		worst.least = Number.NEGATIVE_INFINITY;
		kept.worstOf = null;
		if (!isHeld(kept)) this.#heldBytes -= kept.bytes;
		this.#release(kept);
	}

	#release(kept: Kept): void {
		kept.holds--;
		if (kept.holds > 0) return;
		this.#traces.delete(kept.traceId);
		this.#bytes -= kept.bytes;
		this.#evicted++;
	}

	/** Down to what may be used. Half of it stays for new traces, or the worst of last week would leave no room for today. */
	#fit(): void {
		if (this.#heldBytes > this.#limits.bytes / 2)
			for (const kept of this.#traces.values()) {
				if (kept.isFailedHeld) this.#letFailedGo(kept);
				if (kept.worstOf) this.#letWorstGo(kept);
				if (this.#heldBytes <= this.#limits.bytes / 2) break;
			}
		for (const kept of this.#recent) {
			if (this.#bytes <= this.#limits.bytes) break;
			this.#letRecentGo(kept);
		}
	}

	#spansOf(kept: Kept): TraceSpan[] {
		const spans = new Map<string, TraceSpan>();
		let attempt = 0;
		for (const item of kept.items) {
			if (isSdk(item)) spans.set(item.spanContext().spanId, toTraceSpan(item));
			else if (isQuiet(item)) for (const span of quietSpans(item.quiet, this.#instance, attempt++)) spans.set(span.spanId, span);
		}
		// After ours: a browser may claim any id, and what we saw ourselves is not for it to replace.
		for (const item of kept.items) if (!isSdk(item) && !isQuiet(item) && !spans.has(item.spanId)) spans.set(item.spanId, item);
		return [...spans.values()].sort((one, other) => one.start - other.start || other.duration - one.duration);
	}

	/** The row as it is about the span of that name; null when it has none. */
	#rowAbout(kept: Kept, name: string): TraceRow | null {
		const row = this.#rowOf(kept);
		const isIt = (given: { name: string }) => given.name.toLowerCase().includes(name);
		if (isIt(row)) return row;
		// Looked at before they are drawn: there may be thousands. A quiet message is known by its root alone.
		if (!kept.items.some((item) => !isQuiet(item) && isIt(item))) return null;
		const span = this.#spansOf(kept).find(isIt);
		return span ? { ...row, name: titleOf(span), start: span.start, duration: span.duration } : null;
	}

	#rowOf(kept: Kept): TraceRow {
		if (kept.row) return kept.row;
		const spans = this.#spansOf(kept);
		const ids = new Set(spans.map((span) => span.spanId));
		const rootId = kept.traceId.slice(16);
		const messageId = messageIdOf(kept.traceId);
		const isMessage = spans.some(
			(span) => span.parentSpanId === rootId || span.spanId === rootId || span.attributes["chat.message.id"] === messageId,
		);
		const isOurs = (span: TraceSpan) => span.service !== browserServiceName;
		// The root itself, or whatever of ours is the first to hang on something we have not. A browser's word for being the root
		// counts where the message says so, and where there is nothing but its word.
		const began =
			spans.find((span) => span.parentSpanId === null && (isOurs(span) || span.spanId === rootId)) ??
			spans.find((span) => isOurs(span) && !ids.has(span.parentSpanId as string)) ??
			spans.find((span) => span.parentSpanId === null) ??
			spans[0];
		kept.row = {
			traceId: kept.traceId,
			name: began ? titleOf(began) : "",
			start: began?.start ?? 0,
			duration: began?.duration ?? 0,
			spans: spans.length,
			errors: spans.filter((span) => span.error !== null).length,
			messageId: isMessage ? messageId : null,
			exported: kept.exported,
		};
		return kept.row;
	}
}

/** Of a page load the page too: that is what one looks for in a list of them. */
const titleOf = ({ name, attributes }: TraceSpan): string =>
	name === "documentLoad" && attributes["http.route"] ? `${name} ${attributes["http.route"]}` : name;

const leastOf = (list: Kept[]): Kept => list.reduce((one, other) => (other.took < one.took ? other : one));
const isHeld = (kept: Kept): boolean => kept.isFailedHeld || kept.worstOf !== null;
const isSdk = (item: Item): item is ReadableSpan => "spanContext" in item;
const isQuiet = (item: Item): item is Quiet => "quiet" in item;
const first = <T>(set: Set<T>): T => set.values().next().value as T;

function sizeOf(span: ReadableSpan | TraceSpan): number {
	let bytes = spanBytes;
	for (const key in span.attributes) {
		const value = span.attributes[key];
		// Texts of ours are Latin letters and digits: a byte each; two at worst.
		bytes += attributeBytes + (typeof value === "string" ? value.length * 2 : 0);
	}
	return bytes;
}
