import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { fixedPort } from "./crash-charla.ts";
import { bringProgram } from "./debian-package.ts";

/** A Redis of one test's own. */
export type TestRedis = Awaited<ReturnType<typeof testRedis>>;

/** A busy machine takes its time; ms. */
const startWithin = 30_000;

/**
 * Starts a real Redis that keeps nothing, on a port of its own that stays the same when it is killed and started again. It listens
 * on this machine alone, or wherever it is told to.
 */
export async function testRedis(bind = "127.0.0.1") {
	const program = await bringProgram("redis-server");
	const port = await fixedPort();
	let child: ChildProcess | null = null;

	async function start(): Promise<void> {
		const where = ["--port", String(port), "--bind", bind, "--protected-mode", bind === "127.0.0.1" ? "yes" : "no"];
		const args = [...where, "--save", "", "--appendonly", "no", "--loglevel", "warning"];
		child = spawn(program, args, { stdio: "ignore", cwd: "/tmp" });
		const until = Date.now() + startWithin;
		while (!(await answers(port))) {
			if (child.exitCode !== null || Date.now() > until) throw new Error(`redis-server does not start on port ${port}`);
			await sleep(20);
		}
	}
	async function end(signal: NodeJS.Signals): Promise<void> {
		if (!child || child.exitCode !== null || child.signalCode !== null) return;
		const ended = once(child, "exit");
		child.kill(signal);
		await ended;
	}

	await start();
	const atExit = () => child?.kill("SIGKILL");
	process.once("exit", atExit);
	return {
		url: `redis://127.0.0.1:${port}`,
		port,
		pid: () => child?.pid as number,
		/** Killed as by a power cut: what was in it is gone. */
		kill: () => end("SIGKILL"),
		/** Starts again, empty. */
		start,
		/** Frozen: its connections stay open and nothing answers. */
		freeze: () => void child?.kill("SIGSTOP"),
		thaw: () => void child?.kill("SIGCONT"),
		async [Symbol.asyncDispose]() {
			process.off("exit", atExit);
			child?.kill("SIGCONT");
			await end("SIGKILL");
		},
	};
}

function answers(port: number): Promise<boolean> {
	return new Promise((resolve) => {
		const socket = connect(port, "127.0.0.1", () => socket.write("PING\r\n"));
		const done = (value: boolean) => {
			socket.destroy();
			resolve(value);
		};
		socket.setTimeout(1000, () => done(false));
		socket.once("data", (data) => done(data.toString().startsWith("+PONG")));
		socket.once("error", () => done(false));
	});
}
