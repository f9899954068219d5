import { readdirSync } from "node:fs";
import { observed } from "../instruments.ts";

/** What only the running server can tell; asked when metrics are collected. */
export type Live = {
	sockets: () => { people: number; rooms: number; backlogBytes: number };
	pool: () => { total: number; idle: number; waiting: number };
};

/** Saturation: what fills up before people notice. Returns what stops it. */
export function recordProcess(live: Live): () => void {
	let cpu = process.cpuUsage();
	let cpuAt = performance.now();
	let lastCpu = 0;
	const pool = { "db.client.connection.pool.name": "charla" } as const;
	const stops = [
		observed("chat.user.online", () => [{ value: live.sockets().people }]),
		observed("chat.room.active", () => [{ value: live.sockets().rooms }]),
		observed("chat.socket.send_buffer", () => [{ value: live.sockets().backlogBytes }]),
		observed("db.client.connection.count", () => {
			const { total, idle } = live.pool();
			return [
				{ value: idle, values: { ...pool, "db.client.connection.state": "idle" } },
				{ value: total - idle, values: { ...pool, "db.client.connection.state": "used" } },
			];
		}),
		observed("db.client.connection.pending_requests", () => [{ value: live.pool().waiting, values: pool }]),
		observed("process.unix.file_descriptor.count", () => {
			const open = openFiles();
			return open === null ? [] : [{ value: open }];
		}),
		observed("process.memory.usage", () => [{ value: process.memoryUsage.rss() }]),
		observed("process.cpu.utilization", () => {
			const used = process.cpuUsage(cpu);
			const passed = performance.now() - cpuAt;
			// Several readers ask one after the other: the second would divide by nothing.
			if (passed < 1000) return [{ value: lastCpu }];
			cpu = process.cpuUsage();
			cpuAt = performance.now();
			lastCpu = (used.user + used.system) / 1000 / passed;
			return [{ value: lastCpu }];
		}),
	];
	return () => {
		for (const stop of stops) stop();
	};
}

/** Files and connections this process has open; null where the system does not say. */
function openFiles(): number | null {
	try {
		return readdirSync("/proc/self/fd").length;
	} catch {
		return null;
	}
}
