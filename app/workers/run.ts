import { mkdtempSync, rmSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { workerVariables } from "./own.ts";
import { startWorkers } from "./primary.ts";

type Log = Record<"info" | "warn" | "error", (message: string, fields?: Record<string, unknown>) => void>;

/** What a worker may take to stop beyond its drain, ms: finishing calls, closing connections, sending telemetry. */
const stopMargin = 30_000;

/**
 * The primary process of several workers: keeps them, passes their hints on, and serves nobody itself. Resolves with the port
 * they listen on, or with null when none of them ever could.
 */
export async function runWorkers(given: {
	count: number;
	drain: number;
	log: Log;
	/** The database, which is the primary's to watch over when it is our own. */
	databaseUrl: string;
}): Promise<{ port: number | null; move(): void; stop(): Promise<void> }> {
	const { log, count } = given;
	// Short, as a unix socket's path has to be, and open to this account alone.
	const folder = mkdtempSync(join(tmpdir(), `charla-${hostname().slice(0, 20)}-`));
	let settle: (port: number | null) => void = () => {};
	const listening = new Promise<number | null>((done) => {
		settle = done;
	});
	const workers = startWorkers({
		count,
		log,
		environment: (number) => ({
			DATABASE_URL: given.databaseUrl,
			[workerVariables.number]: String(number),
			[workerVariables.count]: String(count),
			[workerVariables.folder]: folder,
		}),
		onReady: settle,
		onHopeless: () => settle(null),
		stopWithin: given.drain + stopMargin,
	});
	return {
		port: await listening,
		/** Each asks its people to connect anew, and goes on. */
		move: workers.move,
		async stop() {
			await workers.stop();
			rmSync(folder, { recursive: true, force: true });
		},
	};
}
