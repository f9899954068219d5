/** What a line between two places does to bytes in each of its states; by itself, it measures cables in namespaces of its own. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { settleApart } from "../../scripts/rehearse/apart.ts";
import type { Link } from "./links.ts";
import { type Network, openCables } from "./network.ts";

/** How long the line is watched in each state, ms. */
const watched = 1000;
/** How late it is made in each direction, ms. */
export const late = 150;

/** Sends the time every 20 ms, and says what comes back; says when another connection is made or refused. */
const client = `
	const { connect } = require("node:net");
	const [host, port] = process.argv.slice(1);
	const tell = (told) => console.log(JSON.stringify(told));
	const line = connect(Number(port), host, () => setInterval(() => line.write(Date.now() + "\\n"), 20)).setNoDelay(true);
	let rest = "";
	line.on("data", (bytes) => {
		const texts = (rest + bytes).split("\\n");
		rest = texts.pop();
		for (const text of texts) tell({ sent: Number(text), took: Date.now() - text });
	});
	line.on("close", () => tell({ closed: true }));
	process.stdin.on("data", () => connect(Number(port), host).on("connect", () => tell({ another: "made" })).on("error", () => tell({ another: "refused" })));
`;

type Told = { sent?: number; took?: number; closed?: true; another?: "made" | "refused" };
/** What came back while the line was in a state, and what became of the connections. */
export type Measured = { answers: number; fastest: number; slowest: number; inOrder: boolean; closed: boolean; another: string | null };

/** From the place of an instance to an echo outside it: open, late, cut, and put back. */
export async function measure(network: Network): Promise<Record<"open" | "late" | "cut" | "after", Measured>> {
	const echo = createServer(
		(socket) =>
			void socket
				.setNoDelay(true)
				.on("error", () => undefined)
				.pipe(socket),
	);
	echo.listen(0, network.isApart ? "0.0.0.0" : "127.0.0.1");
	await once(echo, "listening");
	const place = await network.join(1);
	const line: Link = await place.line({ port: (echo.address() as { port: number }).port });
	const enter = place.namespace ? ["nsenter", `--net=${place.namespace}`] : [];
	const [file = process.execPath, ...args] = [...enter, process.execPath, "-e", client, line.host, String(line.port)];
	const child = spawn(file, args, { stdio: ["pipe", "pipe", "inherit"] });
	let told: Told[] = [];
	createInterface(child.stdout).on("line", (text) => told.push(JSON.parse(text)));
	const another = () => child.stdin.write("\n");
	/** What is told from the moment that a change begins: an answer may come while it is still being made. */
	async function watch(ms: number, change?: () => Promise<void>): Promise<Measured> {
		told = [];
		await change?.();
		await sleep(ms);
		const answers = told.filter((each): each is Required<Pick<Told, "sent" | "took">> => each.sent !== undefined);
		return {
			answers: answers.length,
			fastest: Math.min(...answers.map(({ took }) => took)),
			slowest: Math.max(...answers.map(({ took }) => took)),
			inOrder: answers.every(({ sent }, i) => i === 0 || sent >= (answers[i - 1]?.sent as number)),
			closed: told.some((each) => each.closed),
			another: told.find((each) => each.another)?.another ?? null,
		};
	}
	try {
		await sleep(500);
		another();
		const open = await watch(watched);
		await line.set({ kind: "delayed", ms: late });
		await sleep(watched);
		another();
		const delayed = await watch(watched);
		await line.set({ kind: "open" });
		await sleep(watched);
		await line.set({ kind: "stalled" });
		await sleep(100);
		another();
		const cut = await watch(watched);
		// The system tries again at intervals that double.
		const after = await watch(watched * 4, () => line.set({ kind: "open" }));
		return { open, late: delayed, cut, after };
	} finally {
		child.kill("SIGKILL");
		echo.close();
		network.close();
	}
}

if (import.meta.main) {
	await settleApart();
	const cables = await openCables();
	console.error(cables.what);
	console.log(JSON.stringify(await measure(cables)));
	process.exit(0);
}
