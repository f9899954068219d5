import { spawn } from "node:child_process";

export type Ended = { code: number | null; timedOut: boolean };

/** Runs a program in a process group of its own; what it writes is heard line by line. After `timeout` ms the whole group is ended. */
export function runProgram(
	file: string,
	args: string[],
	given: {
		cwd?: string;
		env?: Record<string, string | undefined>;
		timeout?: number;
		hear?: (stream: "stdout" | "stderr", line: string) => void;
		signal?: AbortSignal;
	} = {},
): Promise<Ended> {
	return new Promise((resolve, reject) => {
		const child = spawn(file, args, {
			cwd: given.cwd,
			env: (given.env ?? process.env) as NodeJS.ProcessEnv,
			stdio: ["ignore", "pipe", "pipe"],
			detached: true,
		});
		let timedOut = false;
		const end = (signal: NodeJS.Signals) => {
			try {
				process.kill(-(child.pid as number), signal);
			} catch {
				// It has ended.
			}
		};
		given.signal?.addEventListener("abort", () => end("SIGKILL"), { once: true });
		const timer = given.timeout
			? setTimeout(() => {
					timedOut = true;
					end("SIGTERM");
					setTimeout(end, 2000, "SIGKILL").unref();
				}, given.timeout)
			: undefined;
		for (const stream of ["stdout", "stderr"] as const) {
			let rest = "";
			child[stream].setEncoding("utf8").on("data", (text: string) => {
				const lines = (rest + text).split("\n");
				rest = lines.pop() ?? "";
				for (const line of lines) given.hear?.(stream, line);
			});
			child[stream].on("end", () => rest && given.hear?.(stream, rest));
		}
		child.on("error", (error) => {
			clearTimeout(timer);
			reject(error);
		});
		// Not "close": what a script leaves running may hold its output open for ever.
		child.on("exit", (code) => {
			clearTimeout(timer);
			setTimeout(() => resolve({ code, timedOut }), 20);
		});
	});
}

/** Runs a program that has to succeed; gives what it wrote to standard output. */
export async function mustRun(
	file: string,
	args: string[],
	given: { cwd?: string; timeout?: number; signal?: AbortSignal } = {},
): Promise<string> {
	const out: string[] = [];
	const err: string[] = [];
	const { code, timedOut } = await runProgram(file, args, {
		...given,
		hear: (stream, line) => (stream === "stdout" ? out : err).push(line),
	});
	if (code === 0) return out.join("\n");
	throw new Error(`${file} ${args.join(" ")} ${timedOut ? "took too long" : `ended with ${code}`}: ${err.slice(-5).join(" | ")}`);
}
