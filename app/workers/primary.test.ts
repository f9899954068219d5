import assert from "node:assert/strict";
import cluster from "node:cluster";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { startWorkers } from "./primary.ts";

test("[I10] a worker that does not stop is killed after a while, and the log says so", async () => {
	cluster.setupPrimary({ exec: fileURLToPath(new URL("../../tests/support/stubborn-worker.ts", import.meta.url)), execArgv: [] });
	const lines: unknown[] = [];
	const tell = (event: string, fields?: Record<string, unknown>) => void lines.push([event, fields]);
	let workers: ReturnType<typeof startWorkers> | undefined;
	await new Promise<number>((onReady, fail) => {
		workers = startWorkers({
			count: 2,
			environment: () => ({}),
			log: { info: tell, warn: tell, error: tell },
			onReady,
			onHopeless: () => fail(new Error("no worker ever listened")),
			stopWithin: 300,
		});
	});
	const pids = [...(workers?.pids().values() ?? [])];
	assert.equal(pids.length, 2);
	await workers?.stop();
	assert.deepEqual(lines, [
		["worker.killed", { worker: 1 }],
		["worker.killed", { worker: 2 }],
	]);
	for (const pid of pids) assert.throws(() => process.kill(pid, 0), { code: "ESRCH" });
});
