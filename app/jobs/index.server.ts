import { setTimeout as sleep } from "node:timers/promises";
import { PgBoss } from "pg-boss";
import type { Run } from "../storage/index.server.ts";

type Log = Record<"warn", (message: string, fields?: Record<string, unknown>) => void>;

/** Where the queue keeps what is its own. It is made and brought up to date by pg-boss itself; no code of ours reads it. */
const schema = "charla_jobs";
/** How often each instance looks whether there is something to do, s. Where there are many, the next are looked for at once. */
const lookEvery = 2;
/** Jobs of one name an instance takes at once; each succeeds or fails for itself. */
const atOnce = 10;
/** A job whose instance died is given to another after so long, s. */
const aliveFor = 300;
/** A job that fails is tried again so often, after pauses that double from the first, s. */
const tries = 5;
const firstPause = 10;
/** A start that failed is tried again after so long, ms. */
const startAgainAfter = 2000;
/** A stop waits for jobs under way so long, ms; what is not done is done again by another instance. */
const stopWithin = 5000;

/**
 * What is to be done once, whichever instance does it: at certain times, or because something happened. The queue is in
 * PostgreSQL (docs/decisions/022), so a job is as safe as a message, and an instance that dies in the middle of one leaves it
 * to another. So work may run twice, and has to bear it. A job is a key to what it is about, never the thing itself.
 */
export function openJobs<Name extends string>(given: {
	run: Run;
	log: Log;
	/** Whether an error only says that the database is away: the queue looks again, and that was told already. */
	isUnavailable?: (error: unknown) => boolean;
	/** Runs around each job; what it throws makes the job be tried again. */
	around: (name: Name, work: () => Promise<void>) => Promise<void>;
}) {
	const { log } = given;
	let boss = make();
	let stopped = false;

	function make(): PgBoss {
		const made = new PgBoss({
			db: { executeSql: (text, values) => given.run(text, values) },
			schema,
			// Ours are in app/storage/instances.ts, and what is recorded is said in the telemetry contract.
			registerInstance: false,
			openTelemetry: { enabled: false },
		});
		made.on("error", tell);
		return made;
	}

	function tell(error: unknown): void {
		if (!stopped && !given.isUnavailable?.(error)) log.warn("job.failed", { job: "queue", exception_message: String(error) });
	}

	const setUp: (() => Promise<void>)[] = [];
	let started: Promise<unknown> | null = null;

	async function take<T extends object>(name: Name, work: (data: T) => Promise<void>): Promise<void> {
		await boss.createQueue(name, { retryLimit: tries, retryDelay: firstPause, retryBackoff: true, expireInSeconds: aliveFor });
		const options = { pollingIntervalSeconds: lookEvery, batchSize: atOnce, burstWhenBatchFull: true, perJobResults: true as const };
		await boss.work<T, unknown, typeof options>(name, options, (jobs) =>
			Promise.all(
				jobs.map(async ({ id, data }) => {
					try {
						await given.around(name, () => work(data));
						return { id, status: "completed" as const };
					} catch (error) {
						return { id, status: "failed" as const, output: { message: String(error) } };
					}
				}),
			),
		);
	}

	return {
		/** Does `work` at the times of a cron expression (UTC), once over all instances. */
		every(name: Name, cron: string, work: () => Promise<void>): void {
			setUp.push(async () => {
				await take(name, work);
				await boss.schedule(name, cron);
			});
		},
		/** Does `work` for each job sent under that name. */
		on<T extends object>(name: Name, work: (data: T) => Promise<void>): void {
			setUp.push(() => take(name, work));
		},
		/** Asks for a job. Of several with one `key` that wait at the same time one is kept. */
		async send(name: Name, data: object, options: { key?: string; after?: Date } = {}): Promise<void> {
			await started;
			await boss.send(name, data, {
				...(options.key ? { singletonKey: options.key } : {}),
				...(options.after ? { startAfter: options.after } : {}),
			});
		},
		/** Begins to look for work, in the background: nobody waits for jobs at a start. */
		start(): void {
			started = (async () => {
				while (!stopped) {
					try {
						await boss.start();
						for (const each of setUp) await each();
						return;
					} catch (error) {
						// The database is away, or another instance was making the same tables: begin anew.
						tell(error);
						await boss.stop({ graceful: false, close: false }).catch(() => undefined);
						await sleep(startAgainAfter, undefined, { ref: false });
						boss = make();
					}
				}
			})();
		},
		async stop(): Promise<void> {
			stopped = true;
			await started;
			await boss.stop({ graceful: true, timeout: stopWithin, close: false }).catch(() => undefined);
		},
	};
}

export type Jobs<Name extends string> = ReturnType<typeof openJobs<Name>>;
