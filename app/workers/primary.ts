import cluster, { type Worker } from "node:cluster";
import { openRelay } from "../realtime/bus-workers.ts";
import { ipcLine } from "./ipc-line.ts";

type Log = Record<"info" | "warn" | "error", (message: string, fields?: Record<string, unknown>) => void>;

/** A worker that lived for less than this, ms, is started again after a pause that doubles up to the longest one. */
const longEnough = 10_000;
const firstPause = 500;
const longestPause = 30_000;

/**
 * Starts `count` workers of this same program and keeps them: one that dies is replaced, hints go between them. They share
 * the port they listen on. `environment` is each one's, by its number from 1 on.
 */
export function startWorkers(given: {
	count: number;
	environment: (worker: number) => Record<string, string>;
	log: Log;
	/** All of them listen for the first time, on that port. */
	onReady: (port: number) => void;
	/** One ended before any of them ever listened: there is no use in trying again. */
	onHopeless: () => void;
	/** How long a stop may take before what is left is killed, ms. */
	stopWithin: number;
}) {
	const { log } = given;
	const relay = openRelay();
	const workers = new Map<number, Worker>();
	const pauses = new Map<number, number>();
	const listening = new Set<number>();
	let isReady = false;
	let stopping = false;
	let onEmpty = () => {};

	function start(number: number): void {
		const worker = cluster.fork(given.environment(number));
		const startedAt = performance.now();
		workers.set(number, worker);
		const forget = relay.join(ipcLine(worker));
		worker.once("listening", ({ port }) => {
			listening.add(number);
			if (isReady || listening.size < given.count) return;
			isReady = true;
			given.onReady(port);
		});
		worker.once("exit", (code, signal) => {
			forget();
			workers.delete(number);
			if (stopping) {
				if (workers.size === 0) onEmpty();
				return;
			}
			if (listening.size === 0) return given.onHopeless();
			log.error("worker.lost", { worker: number, reason: signal ?? `exit code ${code}` });
			const lived = performance.now() - startedAt;
			const pause = lived >= longEnough ? 0 : Math.min(longestPause, (pauses.get(number) ?? firstPause / 2) * 2);
			pauses.set(number, pause);
			setTimeout(() => {
				if (!stopping) start(number);
			}, pause);
		});
	}

	// Each connection goes to the next worker, and not to whoever is awake first, which piles them up on one.
	cluster.schedulingPolicy = cluster.SCHED_RR;
	for (let number = 1; number <= given.count; number++) start(number);

	return {
		/** Process ids by number, of those that live. */
		pids: (): Map<number, number> => new Map([...workers].map(([number, worker]) => [number, worker.process.pid ?? 0])),
		/** Tells each to ask its people to connect anew. One that is only starting has nobody, and does not know the signal yet. */
		move(): void {
			for (const [number, worker] of workers) if (listening.has(number)) worker.process.kill("SIGUSR2");
		},
		/** Tells each to finish, and waits. */
		async stop(): Promise<void> {
			stopping = true;
			if (workers.size === 0) return;
			const empty = new Promise<void>((done) => {
				onEmpty = done;
			});
			for (const worker of workers.values()) worker.process.kill("SIGTERM");
			const late = setTimeout(() => {
				for (const [number, worker] of workers) {
					log.warn("worker.killed", { worker: number });
					worker.process.kill("SIGKILL");
				}
			}, given.stopWithin);
			await empty;
			clearTimeout(late);
		},
	};
}
