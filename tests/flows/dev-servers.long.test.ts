import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { rmSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { newPerson } from "../support/browser.ts";
import { freshDatabase } from "../support/database.ts";
import { isAlive } from "../support/flow-a-people.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const ways = {
	"npm run dev": (_port: number) => ["--import", "./observability/start.ts", "server.ts", "--dev"],
	"npx remix vite:dev": (port: number) => [
		"node_modules/@remix-run/dev/dist/cli.js",
		"vite:dev",
		"--port",
		String(port),
		"--host",
		"127.0.0.1",
	],
};

async function freePort(): Promise<number> {
	const server = createServer().listen(0, "127.0.0.1");
	await once(server, "listening");
	const { port } = server.address() as { port: number };
	server.close();
	await once(server, "close");
	return port;
}

for (const [way, argumentsOf] of Object.entries(ways))
	test(`${way} serves the chat from an empty cache, with live sockets and hot replacement on one port, and stops when told to`, {
		timeout: 240_000,
	}, async () => {
		// As after a clone: what Vite finds only with the page costs a second React, and the page never comes alive.
		rmSync(join(root, "node_modules/.vite"), { recursive: true, force: true });
		await using database = await freshDatabase();
		const port = await freePort();
		const url = `http://127.0.0.1:${port}`;
		const env: NodeJS.ProcessEnv = {
			...process.env,
			PORT: String(port),
			DATABASE_URL: database.url,
			RATE_LIMITS: "off",
			FACT_URL: "off",
			NODE_ENV: "development",
		};
		const server = spawn(process.execPath, argumentsOf(port), { cwd: root, env, stdio: ["ignore", "pipe", "pipe"] });
		let said = "";
		for (const stream of [server.stdout, server.stderr]) stream.on("data", (chunk: Buffer) => (said += chunk.toString()));
		const ended = once(server, "exit");
		try {
			for (let tries = 0; ; tries++) {
				const answer = await fetch(`${url}/readyz`).catch(() => null);
				if (answer?.status === 200) break;
				assert.ok(tries < 600 && server.exitCode === null, `it is not ready:\n${said}`);
				await sleep(200);
			}
			await using bruno = await newPerson(url, { name: "Bruno" });
			await using ana = await newPerson(url, { name: "Ana" });
			await isAlive(bruno.page);
			await isAlive(ana.page);
			await ana.page.locator("textarea[name=body]").fill("Said while it was being built");
			await ana.page.keyboard.press("Enter");
			await bruno.page.getByText("Said while it was being built").first().waitFor();
			assert.doesNotMatch(said, /new dependencies optimized/);
			const hot = bruno.page.waitForEvent("console", { predicate: (message) => message.text().includes("[vite] connected") });
			await bruno.page.reload();
			await hot;
		} finally {
			server.kill("SIGTERM");
			const late = setTimeout(() => server.kill("SIGKILL"), 15_000);
			const [, signal] = await ended;
			clearTimeout(late);
			assert.notEqual(signal, "SIGKILL", `it did not stop:\n${said.slice(-2000)}`);
		}
	});
