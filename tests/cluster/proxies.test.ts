import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { openSocket, type TestCharla } from "../support/charla.ts";
import { assertWhole, posts, say, testInstances } from "../support/cluster.ts";
import { fixedPort } from "../support/crash-charla.ts";
import { bringProgram } from "../support/debian-package.ts";
import { withPrograms } from "../support/programs.ts";
import { type TestRedis, testRedis } from "../support/redis.ts";

const { test, before, after } = await withPrograms("redis-server", "haproxy", "nginx");

/** The shipped configurations, with real proxies in front of two instances; only addresses and ports are put in. */

type Proxy = { name: string; program: "haproxy" | "nginx"; file: string; check(file: string): string[]; run(file: string): string[] };
const proxies: Proxy[] = [
	{
		name: "HAProxy",
		program: "haproxy",
		file: "deploy/haproxy.cfg",
		check: (file) => ["-c", "-f", file],
		run: (file) => ["-db", "-f", file],
	},
	{
		name: "nginx",
		program: "nginx",
		file: "deploy/nginx.conf",
		check: (file) => ["-t", "-c", file],
		run: (file) => ["-c", file],
	},
];

let redis: TestRedis;
let cluster: Awaited<ReturnType<typeof testInstances>>;
const folder = mkdtempSync(join(tmpdir(), "charla-proxies-"));
const lines: string[] = [];

before(async () => {
	redis = await testRedis();
	// The address of every request is in its line.
	const write = process.stdout.write.bind(process.stdout);
	process.stdout.write = ((chunk: unknown, ...rest: never[]) => {
		if (String(chunk).startsWith('{"ts"')) return lines.push(...String(chunk).trim().split("\n")) > 0;
		return write(chunk as string, ...rest);
	}) as typeof process.stdout.write;
	cluster = await testInstances(2, { REDIS_URL: redis.url, PROXY_HOPS: "1", LOG_LEVEL: "info" });
});
after(async () => {
	await cluster[Symbol.asyncDispose]();
	await redis[Symbol.asyncDispose]();
	rmSync(folder, { recursive: true, force: true });
});

for (const proxy of proxies)
	describe(proxy.name, () => {
		let child: ChildProcess;
		let url = "";
		before(async () => {
			const program = await bringProgram(proxy.program);
			const port = await fixedPort();
			const file = join(folder, `${proxy.program}.conf`);
			let text = readFileSync(proxy.file, "utf8")
				.replace("bind :80", `bind 127.0.0.1:${port}`)
				.replace("listen 80;", `listen 127.0.0.1:${port};`);
			for (const [i, instance] of cluster.instances.entries()) text = text.replaceAll(`127.0.0.1:300${i + 1}`, new URL(instance.url).host);
			// Not as a daemon, and with nothing outside of this test's folder.
			if (proxy.program === "nginx")
				text = `daemon off;\npid ${folder}/nginx.pid;\nerror_log ${folder}/nginx.log;\n${text.replace("http {", `http {\n    access_log off;\n    client_body_temp_path ${folder}/body;\n    proxy_temp_path ${folder}/proxy;`)}`;
			writeFileSync(file, text);
			child = spawn(program, proxy.run(file), { stdio: ["ignore", "pipe", "pipe"] });
			let said = "";
			for (const stream of [child.stdout, child.stderr]) stream?.on("data", (data) => (said += data));
			url = `http://127.0.0.1:${port}`;
			for (const end = Date.now() + 30_000; ; await sleep(50)) {
				const answer = await fetch(`${url}/healthz`, { signal: AbortSignal.timeout(5000) }).catch(() => null);
				if (answer?.ok) break;
				assert.ok(Date.now() < end && child.exitCode === null, said);
			}
		});
		after(async () => {
			if (!child || child.exitCode !== null || child.signalCode !== null) return;
			const ended = once(child, "exit");
			child.kill("SIGTERM");
			await ended;
		});

		test("[I13] the shipped configuration is valid as it is", async () => {
			const program = await bringProgram(proxy.program);
			const { status, stderr, stdout } = spawnSync(program, proxy.check(join(process.cwd(), proxy.file)), { encoding: "utf8" });
			assert.equal(status, 0, stderr + stdout);
		});

		test("[I13] websockets, polling and its upgrade work through it, and everybody hears everybody", async () => {
			const [a] = cluster.instances as [TestCharla];
			const transports = [["websocket"], ["polling"], ["polling", "websocket"], ["websocket"], ["polling"], ["polling"]];
			const sockets = [];
			for (const [i, each] of transports.entries()) {
				const { cookie } = await a.person(`${proxy.name} ${i}`);
				sockets.push(await throughProxy(url, cookie, each));
			}
			const [first] = sockets as [(typeof sockets)[number]];
			const from = await say(first, "m0");
			for (let i = 1; i < 24; i++) await say(sockets[i % sockets.length] as typeof first, `m${i}`);
			for (const socket of sockets) {
				await socket.until(() => posts(socket.facts).length >= 24, 20_000);
				assertWhole(socket, from);
				socket.raw.close();
			}
			const counts = cluster.instances.map((instance) => instance.realtime.count());
			assert.ok(counts.length === 2);
		});

		test("[I13] the address that counts is the one the proxy saw, whatever a client claims", async () => {
			const [a] = cluster.instances as [TestCharla];
			const { cookie } = await a.person(`${proxy.name} claims`);
			lines.length = 0;
			const claim = { "x-forwarded-for": "203.0.113.9, 198.51.100.7" };
			await fetch(`${url}/csp-report`, { method: "POST", headers: claim, body: "{}" });
			const socket = await throughProxy(url, cookie, ["websocket"], claim);
			socket.raw.close();
			for (const end = Date.now() + 60_000; !lines.some((line) => line.includes('"socket.connected"')); await sleep(20))
				assert.ok(Date.now() < end);
			const read = lines.map((line) => JSON.parse(line) as { event: string; path?: string; ip_prefix?: string });
			assert.equal(read.find((line) => line.path === "/csp-report")?.ip_prefix, "127.0.0.0/24");
			assert.equal(read.find((line) => line.event === "socket.connected")?.ip_prefix, "127.0.0.0/24");
		});
	});

/** As a browser does it: a polling session brings back the cookies it was given. */
async function throughProxy(url: string, cookie: string, transports: string[], headers: Record<string, string> = {}) {
	const answer = await fetch(`${url}/readyz`, { headers: { cookie } });
	const given = answer.headers.getSetCookie().map((each) => each.split(";")[0]);
	const socket = openSocket(url, [cookie, ...given].join("; "), { transports, headers });
	await socket.welcomed;
	return socket;
}
