import { setMaxListeners } from "node:events";
import type { CloudWatchLogs } from "@aws-sdk/client-cloudwatch-logs";

/** `timestamp` in ms; fractions keep the order of lines of one millisecond, and are not sent. */
export type LogEvent = { timestamp: number; message: string };
/** What became of lines: each stands in exactly one of them. */
export type Delivered = {
	/** Lines CloudWatch took. */
	taken: number;
	/** Lines it left out of what it took, as too old or too new. */
	rejected: number;
	/** Would be refused for ever. */
	invalid: LogEvent[];
	/** Not sent, because of `giveUp`. */
	left: LogEvent[];
};

/** What CloudWatch takes in one request: https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html */
export const batchLimits = { bytes: 1_048_576, bytesPerEvent: 26, events: 10_000, span: 24 * 3_600_000 } as const;
/** Between two attempts at most, ms: pauses double, and half of each is by chance, so that instances do not come back together. */
const longestPause = 10_000;
/** With the process waiting for the end there is no time for more. */
const pauseInHurry = 200;
/** A request that stays the same is refused again: it would hold up every line after it. */
const hopeless = new Set(["InvalidParameterException", "ValidationException", "SerializationException"]);

type Client = Pick<CloudWatchLogs, "putLogEvents" | "createLogStream" | "createLogGroup">;

/**
 * Puts lines into one stream of a log group until CloudWatch has them: whatever fails is tried again, with growing pauses, and
 * told to `onFailure`. The stream is made once, the group only when it is missing; nothing is ever described.
 */
export class Delivery {
	#isMade = false;
	#inHurry = false;
	#wake = new Set<() => void>();
	readonly #end = new AbortController();
	readonly #client: Client;
	readonly #group: string;
	readonly #stream: string;
	readonly #firstPause: number;
	readonly #onFailure: (error: unknown) => void;

	constructor(given: { client: Client; group: string; stream: string; firstPause: number; onFailure: (error: unknown) => void }) {
		this.#client = given.client;
		this.#group = given.group;
		this.#stream = given.stream;
		this.#firstPause = given.firstPause;
		this.#onFailure = given.onFailure;
		// Each request listens to it while it lasts.
		setMaxListeners(0, this.#end.signal);
	}

	/** Resolves when each line was taken, refused for good, or given up. Never rejects. Lines stand in the order of their time. */
	async put(events: readonly LogEvent[]): Promise<Delivered> {
		const done: Delivered = { taken: 0, rejected: 0, invalid: [], left: [] };
		for (const batch of batchesOf(events)) await this.#putBatch(batch, done);
		return done;
	}

	/** Ends every pause and makes none longer than a moment: the process is about to end. */
	hurry(): void {
		this.#inHurry = true;
		for (const wake of this.#wake) wake();
	}

	/** Ends what is under way; lines that were not taken come back as `left`. */
	giveUp(): void {
		this.#end.abort();
		for (const wake of this.#wake) wake();
	}

	async #putBatch(batch: LogEvent[], done: Delivered): Promise<void> {
		for (let attempt = 0; !this.#end.signal.aborted; attempt++) {
			try {
				const rejected = await this.#send(batch);
				done.rejected += rejected;
				done.taken += batch.length - rejected;
				return;
			} catch (error) {
				if (this.#end.signal.aborted) break;
				this.#onFailure(error);
				if (hopeless.has(nameOf(error))) {
					done.invalid.push(...batch);
					return;
				}
				if (nameOf(error) === "ResourceNotFoundException") this.#isMade = false;
				await this.#pause(attempt);
			}
		}
		done.left.push(...batch);
	}

	/** Returns how many of the lines were not taken although the request was. */
	async #send(batch: LogEvent[]): Promise<number> {
		const options = { abortSignal: this.#end.signal };
		if (!this.#isMade) await this.#make();
		const { rejectedLogEventsInfo: rejected } = await this.#client.putLogEvents(
			{
				logGroupName: this.#group,
				logStreamName: this.#stream,
				logEvents: batch.map(({ timestamp, message }) => ({ timestamp: Math.floor(timestamp), message })),
			},
			options,
		);
		if (!rejected) return 0;
		const tooOld = Math.max(rejected.tooOldLogEventEndIndex ?? 0, rejected.expiredLogEventEndIndex ?? 0);
		return tooOld + (batch.length - (rejected.tooNewLogEventStartIndex ?? batch.length));
	}

	async #make(): Promise<void> {
		const stream = { logGroupName: this.#group, logStreamName: this.#stream };
		const options = { abortSignal: this.#end.signal };
		try {
			await unlessThere(this.#client.createLogStream(stream, options));
		} catch (error) {
			if (nameOf(error) !== "ResourceNotFoundException") throw error;
			await unlessThere(this.#client.createLogGroup({ logGroupName: this.#group }, options));
			await unlessThere(this.#client.createLogStream(stream, options));
		}
		this.#isMade = true;
	}

	#pause(attempt: number): Promise<void> {
		const longest = this.#inHurry ? pauseInHurry : Math.min(longestPause, this.#firstPause * 2 ** attempt);
		return new Promise((done) => {
			const wake = () => {
				clearTimeout(timer);
				this.#wake.delete(wake);
				done();
			};
			const timer = setTimeout(wake, longest / 2 + (Math.random() * longest) / 2);
			timer.unref();
			this.#wake.add(wake);
		});
	}
}

/** Bytes a line counts for. */
export const sizeOf = (event: { message: string }): number => Buffer.byteLength(event.message) + batchLimits.bytesPerEvent;

/** Lines in pieces CloudWatch takes: by bytes, by number, and by the time between the first and the last. */
function batchesOf(events: readonly LogEvent[]): LogEvent[][] {
	const batches: LogEvent[][] = [];
	let batch: LogEvent[] = [];
	let bytes = 0;
	for (const event of events) {
		const size = sizeOf(event);
		const isFull =
			bytes + size > batchLimits.bytes ||
			batch.length >= batchLimits.events ||
			event.timestamp - (batch[0] ?? event).timestamp >= batchLimits.span;
		if (batch.length === 0 || isFull) {
			batch = [];
			bytes = 0;
			batches.push(batch);
		}
		batch.push(event);
		bytes += size;
	}
	return batches;
}

async function unlessThere(made: Promise<unknown>): Promise<void> {
	try {
		await made;
	} catch (error) {
		if (nameOf(error) !== "ResourceAlreadyExistsException" && nameOf(error) !== "OperationAbortedException") throw error;
	}
}

const nameOf = (error: unknown): string => (error as { name?: string } | null)?.name ?? "";
