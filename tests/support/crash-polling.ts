import { once } from "node:events";
import { Worker } from "node:worker_threads";

/**
 * A company's proxy that knows no websockets: everything but an upgrade goes through to `port`. Resolves with its address.
 * It keeps what cookies a load balancer sets for each of its people, as their browsers would: the client of Node forgets
 * its own cookies over those it is given.
 */
export async function openPollingOnly(port: number): Promise<{ url: string; close(): void }> {
	const worker = new Worker(new URL("./crash-polling-worker.ts", import.meta.url), { workerData: { port } });
	worker.unref();
	const [own] = (await once(worker, "message")) as [number];
	return { url: `http://127.0.0.1:${own}`, close: () => void worker.terminate() };
}
