import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { bareSocketIo, charla, type Dialect, rawWs } from "./dialects.ts";
import { serverCore } from "./pinning.ts";
import type { FromServer, Memory, Offered, ToServer, Wanted } from "./servers/parent.ts";

const start = fileURLToPath(new URL("../observability/start.ts", import.meta.url));
const script = (name: string) => fileURLToPath(new URL(`./servers/${name}.ts`, import.meta.url));

/** What is compared. Everything is a ratio to the second; the third is the practical limit of Node. */
export const systems = {
	charla: { dialect: charla, node: ["--import", start], script: script("charla") },
	"bare-socket.io": { dialect: bareSocketIo, node: [], script: script("bare-socket.io") },
	"ws-joined": { dialect: rawWs, node: [], script: script("ws-joined") },
} as const satisfies Record<string, { dialect: Dialect; node: string[]; script: string }>;
export type SystemName = keyof typeof systems;
export const systemNames = Object.keys(systems) as SystemName[];

/** A server under test, in a process of its own. */
export type Running = {
	name: string;
	pid: number;
	port: number;
	dialect: Dialect;
	rooms: Offered[];
	/** What it holds after a collection. */
	memory(): Promise<Memory>;
	stop(): Promise<void>;
};

/** First starts make a database; on a busy machine that takes its time, ms. */
const startWithin = 60_000;
/** How long a server gets to stop, ms. */
const stopWithin = 15_000;

const alive = new Set<ChildProcess>();

/** Starts a system with rooms of so many members, `flags` for Node, more environment; resolves when it listens. Throws with its last words when it does not. */
export async function startSystem(
	name: SystemName,
	wanted: Wanted,
	flags: string[] = [],
	more: Record<string, string> = {},
): Promise<Running> {
	const system = systems[name];
	const command = [...serverCore, process.execPath, "--expose-gc", ...flags, ...system.node, system.script];
	const child = spawn(command[0] as string, command.slice(1), {
		env: { ...process.env, NODE_ENV: "production", BENCH_WANTED: JSON.stringify(wanted), ...more },
		stdio: ["ignore", "ignore", "pipe", "ipc"],
	});
	alive.add(child);
	child.once("exit", () => alive.delete(child));
	let lastWords = "";
	child.stderr?.on("data", (bytes) => {
		lastWords = (lastWords + bytes).slice(-2000);
	});
	const hear = async (within: number): Promise<FromServer> => {
		const signal = AbortSignal.timeout(within);
		const message = once(child, "message", { signal }).then(([heard]) => heard as FromServer);
		const exit = once(child, "exit", { signal }).then(([code]) => Promise.reject(new Error(`${name} ended with ${code}\n${lastWords}`)));
		// Whichever comes second is no news.
		exit.catch(() => undefined);
		return Promise.race([message, exit]);
	};
	const first = await hear(startWithin);
	if (!("ready" in first)) throw new Error(`${name} did not say where it is`);
	return {
		name,
		pid: child.pid as number,
		dialect: system.dialect,
		...first.ready,
		async memory() {
			child.send("memory" satisfies ToServer);
			const answer = await hear(10_000);
			if (!("memory" in answer)) throw new Error(`${name} did not tell its memory`);
			return answer.memory;
		},
		stop: () => end(child),
	};
}

async function end(child: ChildProcess): Promise<void> {
	if (child.exitCode !== null || child.signalCode !== null) return;
	const over = once(child, "exit");
	if (child.connected) child.send("stop" satisfies ToServer);
	const timer = setTimeout(() => child.kill("SIGKILL"), stopWithin);
	await over;
	clearTimeout(timer);
}

/** Ends every server that runs, whatever the bench was doing. */
export async function stopAll(): Promise<void> {
	await Promise.all([...alive].map(end));
}
