import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fixedPort, until } from "../support/crash-charla.ts";
import { bringProgram } from "../support/debian-package.ts";

/** Two files each; below the limit of most machines. */
const mostConnections = 6000;

/** Who is behind it; on this machine unless it says where. */
type Behind = { name: string; address?: string; port: number };

/** A real HAProxy in front of instances, with the configuration that is shipped, only ports and places are ours. */
export async function openBalancer(instances: readonly Behind[]) {
	const program = await bringProgram("haproxy");
	const folder = mkdtempSync(join(tmpdir(), "charla-balancer-"));
	const file = join(folder, "haproxy.cfg");
	const port = await fixedPort();
	writeFileSync(file, configuration(port, instances));
	const child: ChildProcess = spawn(program, ["-db", "-f", file], { stdio: ["ignore", "pipe", "pipe"] });
	let said = "";
	for (const stream of [child.stdout, child.stderr])
		stream?.on("data", (bytes) => {
			said = (said + bytes).slice(-5000);
		});
	const atExit = () => child.kill("SIGKILL");
	process.once("exit", atExit);
	let isUp = false;
	const url = `http://127.0.0.1:${port}`;
	const asking = setInterval(
		() =>
			fetch(`${url}/readyz`).then(
				(answer) => {
					isUp = answer.ok;
				},
				() => undefined,
			),
		200,
	);
	await until(
		() => isUp || child.exitCode !== null,
		30_000,
		() => `HAProxy does not serve:\n${said}`,
	);
	clearInterval(asking);
	if (child.exitCode !== null) throw new Error(`HAProxy ended with ${child.exitCode}:\n${said}`);
	return {
		url,
		port,
		said: () => said,
		async stop() {
			process.off("exit", atExit);
			const ended = once(child, "exit");
			child.kill("SIGKILL");
			await ended;
			rmSync(folder, { recursive: true, force: true });
		},
	};
}

/** What is shipped in deploy/, for these instances: whatever else were changed would not be shown to work. */
function configuration(port: number, instances: readonly Behind[]): string {
	const shipped = readFileSync(new URL("../../deploy/haproxy.cfg", import.meta.url), "utf8");
	const lines = shipped.split("\n").filter((line) => !/^\s*(server|log|option httplog)\b/.test(line));
	const servers = instances.map((each) => `    server ${each.name} ${each.address ?? "127.0.0.1"}:${each.port} cookie ${each.name}`);
	// How many files may be open is the machine's business: a number that fits here. Small buffers, so that who stops reading is felt.
	const ours = `global\n    maxconn ${mostConnections}\n    tune.sndbuf.client 16384\n    tune.rcvbuf.server 16384`;
	return `${lines
		.join("\n")
		.replace(/^global$/m, ours)
		.replace("bind :80", `bind 127.0.0.1:${port}`)}\n${servers.join("\n")}\n`;
}
