import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { context, createContextKey, ROOT_CONTEXT } from "@opentelemetry/api";
import type { TraceSpan, Trust } from "../app/contract/ops.ts";
import { count } from "./instruments.ts";
import { otlpJson } from "./otlp-json.ts";

/** What waits for the collector, spans: some 10 MB at most. */
const queueAtMost = 5000;
/** Spans of one request: with the longest of them it stays below the megabyte a collector takes. */
const batchAtMost = 500;
/** How long spans wait for company, ms. */
const sendEvery = 5000;
/** One request, ms. */
const answerWithin = 10_000;
/** How long stopping may take, ms. */
const stopWithin = 5000;
/** Tries of a request, and the time between two, ms. */
const tries = 3;
const tryAgainAfter = 1000;

/** The API gives equal keys for equal names: under this one instrumentation leaves our own request alone. */
const suppressed = createContextKey("OpenTelemetry SDK Context Key SUPPRESS_TRACING");
const compress = promisify(gzip);

export type BrowserExport = {
	/** Takes spans the beacon accepted. Never blocks; what finds no place is counted. */
	add(spans: readonly TraceSpan[]): void;
	/** How it goes, as operators see it. */
	stats(): Trust["exporting"][number];
	/** Sends what waits, within 5 s; what is left then is counted as lost. */
	stop(): Promise<void>;
};

/**
 * Sends browsers' spans on to `<endpoint>/v1/traces` as OTLP/JSON, gzipped, as a service of their own beside the server's:
 * the SDK makes spans and cannot take finished ones. `resource` is what theirs has in common with the server's (environment,
 * namespace). Bounded, retried on 429, 5xx and no answer; losses are counted in `telemetry.dropped`, signal span.
 */
export function openBrowserExport(given: {
	endpoint: string;
	headers: Record<string, string>;
	resource: Record<string, string>;
	clock?: () => number;
	/** Between two tries, ms. */
	pause?: number;
}): BrowserExport {
	const { clock = Date.now, pause = tryAgainAfter } = given;
	const address = `${given.endpoint.replace(/\/+$/, "")}/v1/traces`;
	const queue: TraceSpan[] = [];
	const closing = new AbortController();
	let sending: Promise<void> | null = null;
	let timer: NodeJS.Timeout | null = null;
	let exported = 0;
	let dropped = 0;
	let lastError: string | null = null;
	let lastErrorAt: number | null = null;

	function lose(spans: number, reason: "queue-full" | "export-failed" | "closing"): void {
		if (spans === 0) return;
		dropped += spans;
		count("telemetry.dropped", spans, { signal: "span", reason });
	}

	function wait(): void {
		if (timer || closing.signal.aborted) return;
		timer = setTimeout(() => {
			timer = null;
			void flush();
		}, sendEvery);
		timer.unref();
	}

	function flush(): Promise<void> {
		sending ??= context
			.with(ROOT_CONTEXT.setValue(suppressed, true), sendAll)
			.catch(() => {})
			.finally(() => {
				sending = null;
				if (queue.length > 0) wait();
			});
		return sending;
	}

	async function sendAll(): Promise<void> {
		while (queue.length > 0 && !closing.signal.aborted) {
			const batch = queue.splice(0, batchAtMost);
			const isSent = await send(batch).catch((error: unknown) => failed(error instanceof Error ? error.name : "Error"));
			if (isSent) exported += batch.length;
			else lose(batch.length, closing.signal.aborted ? "closing" : "export-failed");
		}
	}

	async function send(batch: TraceSpan[]): Promise<boolean> {
		const body = await compress(JSON.stringify(otlpJson(batch, given.resource)));
		for (let tried = 1; ; tried++) {
			const status = await post(body);
			if (status !== null && status < 300) return true;
			const mayPass = status === null || status === 429 || status >= 500;
			failed(status === null ? "no answer" : `status ${status}`);
			if (!mayPass || tried === tries) return false;
			await sleep(pause * tried, undefined, { signal: closing.signal, ref: false });
		}
	}

	/** The status, or null when there was no answer. */
	async function post(body: Buffer): Promise<number | null> {
		try {
			const answer = await fetch(address, {
				method: "POST",
				headers: { ...given.headers, "content-type": "application/json", "content-encoding": "gzip" },
				body: new Uint8Array(body),
				signal: AbortSignal.any([closing.signal, AbortSignal.timeout(answerWithin)]),
			});
			// Unread answers keep their connection.
			await answer.arrayBuffer();
			return answer.status;
		} catch {
			return null;
		}
	}

	function failed(why: string): false {
		lastError = why;
		lastErrorAt = clock();
		return false;
	}

	return {
		add(spans) {
			const taken = closing.signal.aborted ? 0 : Math.min(spans.length, queueAtMost - queue.length);
			queue.push(...spans.slice(0, taken));
			lose(spans.length - taken, closing.signal.aborted ? "closing" : "queue-full");
			if (queue.length >= batchAtMost) void flush();
			else if (taken > 0) wait();
		},
		stats: () => ({ signal: "browser", to: given.endpoint, exported, dropped, queued: queue.length, lastError, lastErrorAt }),
		async stop() {
			if (timer) clearTimeout(timer);
			timer = null;
			const late = setTimeout(() => closing.abort(), stopWithin);
			await flush();
			// A send that was under way ended; what came during it goes now.
			await flush();
			clearTimeout(late);
			closing.abort();
			lose(queue.splice(0).length, "closing");
		},
	};
}
