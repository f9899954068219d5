import { once } from "node:events";
import { fixedPort, type ServerProcess, startServer, untilReady } from "../support/crash-charla.ts";
import type { FullDisk } from "./full-disk.ts";
import type { Link } from "./links.ts";
import type { Place } from "./network.ts";
import type { Probed } from "./probe.ts";

/** How an instance is started this time. */
export type StartedHow = {
	/** How far its clock is off, ms. */
	skew?: number;
	/** Where its log goes. */
	disk?: FullDisk;
	/** Another version: the folder it is built in. */
	root?: string;
};

/** How long an instance may take to come up or to go in peace on a busy machine, ms. */
const startWithin = 120_000;
const stopWithin = 60_000;
const answerWithin = 10_000;

/** The same for every version. */
const probe = new URL("./probe.ts", import.meta.url).href;

export type Instance = Awaited<ReturnType<typeof openInstance>>;

/** One server process of several, behind links of its own to everything it needs; on one port however often it is started. */
export async function openInstance(
	given: Pick<Place, "address" | "namespace"> & { name: string; env: Record<string, string>; database: Link; redis: Link },
) {
	const port = await fixedPort();
	const { address, namespace } = given;
	const url = `http://${address}:${port}`;
	let server: ServerProcess | null = null;
	/** Set while its end is our doing. */
	let asked = false;
	/** Ends nobody here asked for, with the last words. */
	const endings: string[] = [];
	/** Lines about errors that are neither a refusal nor something absent. */
	const unexpected: string[] = [];
	let starts = 0;

	async function start(how: StartedHow = {}): Promise<void> {
		starts++;
		asked = false;
		const env = {
			...given.env,
			PORT: String(port),
			...(how.skew ? { CHAOS_CLOCK_SKEW: String(how.skew) } : {}),
			...how.disk?.env,
		};
		const mine = startServer(env, {
			flags: ["--expose-gc", "--import", probe],
			stdout: how.disk?.stdout,
			ipc: true,
			namespace,
			root: how.root,
		});
		server = mine;
		void mine.ended.then((code) => {
			for (const line of mine.said().split("\n")) if (line.includes("unexpected error")) unexpected.push(line);
			if (!asked) endings.push(`${given.name} ended with ${code}: ${mine.said().slice(-2000)}`);
		});
		await untilReady(url, mine, startWithin);
	}

	async function end(signal: NodeJS.Signals): Promise<void> {
		const mine = server;
		if (!mine) return;
		asked = true;
		server = null;
		mine.child.kill(signal);
		const impatient = setTimeout(() => {
			endings.push(`${given.name} did not end within ${stopWithin} ms`);
			mine.child.kill("SIGKILL");
		}, stopWithin);
		await mine.ended;
		clearTimeout(impatient);
	}

	await start();
	return {
		name: given.name,
		address,
		port,
		url,
		/** Of this instance alone. */
		folder: given.env.DATA_DIR as string,
		database: given.database,
		redis: given.redis,
		endings,
		unexpected,
		starts: () => starts,
		/** The process that runs now. */
		pid: (): number => server?.child.pid as number,
		said: () => server?.said() ?? "",
		start,
		/** kill -9; resolves when it is gone. */
		kill: () => end("SIGKILL"),
		/** In peace, as a deploy does. */
		stop: () => end("SIGTERM"),
		freeze: () => void server?.child.kill("SIGSTOP"),
		thaw: () => void server?.child.kill("SIGCONT"),
		/** What it holds after a collection. */
		async probe(): Promise<Probed> {
			if (!server) throw new Error(`${given.name} does not run`);
			const answer = once(server.child, "message", { signal: AbortSignal.timeout(answerWithin) });
			server.child.send("memory");
			return (await answer)[0] as Probed;
		},
	};
}
