import { setTimeout as sleep } from "node:timers/promises";
import { fixedPort, freshDataDir, postmasterOf, type ServerProcess, startServer, until, untilReady } from "./crash-charla.ts";

/** A server that is started again at once whenever it ends, as systemd would, on one port and one data folder. */
export async function supervise() {
	const data = freshDataDir();
	const { dataDir } = data;
	const port = await fixedPort();
	const url = `http://127.0.0.1:${port}`;
	const env = { PORT: String(port), DATA_DIR: dataDir, RATE_LIMITS: "off", DRAIN_SECONDS: "0" };
	let stopping = false;
	let killed = false;
	let starts = 0;
	let current: ServerProcess;
	const errors: string[] = [];
	/** Ends nobody here asked for. */
	const endings: string[] = [];

	function start(): void {
		starts++;
		killed = false;
		const server = startServer(env);
		current = server;
		void server.ended.then(async (how) => {
			errors.push(
				...server
					.said()
					.split("\n")
					.filter((line) => line.includes("unexpected error")),
			);
			if (stopping) return;
			if (!killed) {
				endings.push(`${how}: ${server.said().slice(-2000)}`);
				// Not in a tight loop when it cannot start at all.
				await sleep(200);
			}
			if (!stopping) start();
		});
	}
	start();
	await untilReady(url, current! as ServerProcess);

	return {
		url,
		dataDir,
		endings,
		starts: () => starts,
		/** Lines about errors that are neither a refusal nor an absent database, of every process so far. */
		unexpected: () => [
			...errors,
			...current
				.said()
				.split("\n")
				.filter((line) => line.includes("unexpected error")),
		],
		said: () => current.said(),
		/** kill -9 of Node; the next one is started as soon as the system says that it is gone. */
		killNode(): void {
			killed = true;
			current.child.kill("SIGKILL");
		},
		/** kill -9 of the postmaster that runs. */
		async killPostgres(): Promise<void> {
			await until(
				() => postmasterOf(dataDir) !== null,
				30_000,
				() => `no PostgreSQL to kill:\n${current.said()}`,
			);
			const postmaster = postmasterOf(dataDir);
			if (postmaster) process.kill(postmaster.pid, "SIGKILL");
		},
		/** Ends it in peace; the exit code. */
		async stop(): Promise<number | NodeJS.Signals> {
			stopping = true;
			const server = current;
			server.child.kill("SIGTERM");
			const impatient = setTimeout(() => server.child.kill("SIGKILL"), 20_000);
			const how = await server.ended;
			clearTimeout(impatient);
			const left = postmasterOf(dataDir);
			if (left) process.kill(left.pid, "SIGQUIT");
			return how;
		},
		remove: data.remove,
	};
}
