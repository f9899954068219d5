import { count } from "./instruments.ts";

/** What an exporter answers with; 0 is success. */
type Result = { code: number; error?: Error };
export type Exporter<T> = { export(items: T[], done: (result: Result) => void): void; shutdown(): Promise<void> };

/** Items of one export: far below the megabyte New Relic takes, at 1 kB a span or line. */
const atOnce = 512;
/** Items that may wait: ten exports, a few MB. A collector that hangs costs no more than this. */
const queued = 5120;
/** A batch that is not full goes after this long, ms. */
const every = 2000;

export type LossReason = "queue-full" | "export-failed" | "closing";
type OnLoss = (count: number, reason: LossReason, detail: string) => void;
export type Figures = { exported: number; dropped: number; queued: number; lastError: string | null; lastErrorAt: number | null };

/**
 * Sends items in batches, one at a time, and counts what it could not: the SDK's own processors lose in silence, and leave
 * out what was not sampled. A batch that fails after the exporter's own retries is lost.
 */
export class Batcher<T> {
	readonly figures: Figures = { exported: 0, dropped: 0, queued: 0, lastError: null, lastErrorAt: null };
	#queue: T[] = [];
	#sending: Promise<void> | null = null;
	#timer: NodeJS.Timeout | null = null;
	#closed = false;
	readonly #exporter: Exporter<T>;
	readonly #onLoss: OnLoss;

	constructor(exporter: Exporter<T>, onLoss: OnLoss) {
		this.#exporter = exporter;
		this.#onLoss = onLoss;
	}

	add(item: T): void {
		if (this.#closed) return this.#lose(1, "closing", "stopped");
		if (this.#queue.length >= queued) return this.#lose(1, "queue-full", "the receiver does not keep up");
		this.#queue.push(item);
		this.figures.queued = this.#queue.length;
		if (this.#queue.length >= atOnce) void this.#send();
		else this.#timer ??= this.#later();
	}

	/** Resolves when everything that waits now was sent or lost. */
	async flush(): Promise<void> {
		while (this.#queue.length > 0 || this.#sending) await this.#send();
	}

	/** Sends what is left for as long as `within` allows, ms, and takes nothing more. */
	async close(within: number): Promise<void> {
		this.#closed = true;
		const late = Symbol();
		const timer = new Promise<typeof late>((done) => setTimeout(done, within, late).unref());
		if ((await Promise.race([this.flush(), timer])) === late) {
			this.#lose(this.#queue.length, "closing", "the receiver did not answer in time");
			this.#queue = [];
		}
		if (this.#timer) clearTimeout(this.#timer);
		await Promise.race([this.#exporter.shutdown().catch(() => undefined), timer]);
	}

	#later(): NodeJS.Timeout {
		const timer = setTimeout(() => {
			this.#timer = null;
			void this.#send();
		}, every);
		timer.unref();
		return timer;
	}

	#send(): Promise<void> {
		this.#sending ??= this.#sendOne().finally(() => {
			this.#sending = null;
			if (this.#queue.length >= atOnce) void this.#send();
			else if (this.#queue.length > 0) this.#timer ??= this.#later();
		});
		return this.#sending;
	}

	async #sendOne(): Promise<void> {
		const batch = this.#queue.splice(0, atOnce);
		this.figures.queued = this.#queue.length;
		if (batch.length === 0) return;
		const { code, error } = await new Promise<Result>((done) => {
			try {
				this.#exporter.export(batch, done);
			} catch (error) {
				done({ code: 1, error: error as Error });
			}
		});
		if (code === 0) this.figures.exported += batch.length;
		else this.#lose(batch.length, "export-failed", error?.message ?? "refused");
	}

	/** Counted here whatever becomes of telling it: whoever adds is in the middle of something else. */
	#lose(count: number, reason: LossReason, detail: string): void {
		if (count === 0) return;
		this.figures.dropped += count;
		this.figures.lastError = detail.slice(0, 200);
		this.figures.lastErrorAt = Date.now();
		try {
			this.#onLoss(count, reason, detail);
		} catch {
			// It stands in the figures.
		}
	}
}

/** Why an export came to nothing, on metrics. */
export const exportFailed = "export-failed" satisfies LossReason;

/** Counts what was handed to an exporter by how that ended, by the names OpenTelemetry has for it. */
export function counted<Item>(exporter: Exporter<Item>, signal: "span" | "log"): Exporter<Item> {
	return {
		export(items, done) {
			exporter.export(items, (result) => {
				count(`otel.sdk.exporter.${signal}.exported`, items.length, result.code === 0 ? {} : { "error.type": exportFailed });
				done(result);
			});
		},
		shutdown: () => exporter.shutdown(),
	};
}
