import { spawnSync } from "node:child_process";
import { availableParallelism, cpus } from "node:os";

const canPin = process.platform === "linux" && availableParallelism() > 1 && spawnSync("taskset", ["-p", String(process.pid)]).status === 0;

/** Words to put before a server's command so that it, and what it starts (PostgreSQL), stays on one core. Empty where that is impossible. */
export const serverCore: readonly string[] = canPin ? ["taskset", "-c", "0"] : [];

/** Puts the load generator, every thread of it, on another core than the server. */
export function pinGenerator(): void {
	if (canPin) spawnSync("taskset", ["-a", "-p", "-c", "1", String(process.pid)]);
}

/** What the figures were measured on. */
export function machine() {
	return {
		cores: cpus().length,
		cpu: cpus()[0]?.model ?? "unknown",
		node: process.version,
		pinning: canPin ? "server and its PostgreSQL on core 0, generator on core 1" : "none",
		date: new Date().toISOString().slice(0, 10),
	};
}
