import cluster from "node:cluster";
import { createHash } from "node:crypto";
import { hostname } from "node:os";
import type { PeerRow } from "../contract/ops.ts";
import { aloneBus, type OpenBus, redisBus, workersBus } from "../realtime/index.server.ts";
import { ipcLine } from "./ipc-line.ts";

type Peer = { id: string; version: string; build: string; adapter: string; sockets: number; startedAt: number };
type Log = Record<"info" | "warn", (message: string, fields?: Record<string, unknown>) => void>;

/** This process as one of several workers. */
export type OwnWorker = { number: number; count: number; folder: string };

/** Set by the primary for each worker. */
export const workerVariables = { number: "CHARLA_WORKER", count: "CHARLA_WORKERS", folder: "CHARLA_WORKER_FOLDER" } as const;

/** What the primary told this process; null when it is alone. */
export function ownWorker(env: Record<string, string | undefined> = process.env): OwnWorker | null {
	if (!cluster.isWorker) return null;
	return {
		number: Number(env[workerVariables.number]),
		count: Number(env[workerVariables.count]),
		folder: env[workerVariables.folder] ?? "",
	};
}

/** How this process hears of the others. */
export function chooseBus(given: { redisUrl: string | null; secret: string; worker: OwnWorker | null; log: Log }): OpenBus {
	// What differs between two Charlas on one Redis, and is the same for all instances of one.
	const namespace = createHash("sha256").update(`bus ${given.secret}`).digest("base64url").slice(0, 12);
	if (given.redisUrl) return redisBus({ url: given.redisUrl, namespace, log: given.log });
	return given.worker ? workersBus(ipcLine(process)) : aloneBus;
}

/** Another process as operators see it: by its name without what only makes it unique, and as a worker of ours when it is one. */
export function peerRow(other: Peer, worker: OwnWorker | null): PeerRow {
	const [name = "", rest = ""] = other.id.split("#");
	const isOurs = other.adapter === busName("workers", worker) || (worker !== null && name.split("/")[0] === hostname());
	const number = Number(rest.split(".")[1] ?? 0);
	const { version, build, sockets, startedAt } = other;
	const adapter = other.adapter.split(" ")[0] as string;
	return { instance: name, version, build, adapter, sockets, startedAt, worker: isOurs && number > 0 ? number : null };
}

/** The way's name as other instances see it: workers hear of each other where they have the same primary. */
export const busName = (adapter: string, worker: OwnWorker | null): string =>
	adapter === "workers" && worker ? `workers ${worker.folder}` : adapter;
