import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import test, { type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { lobbyId } from "../../app/contract/fixed.ts";
import { openSocket } from "../support/charla.ts";
import { type CloudWatchLogs, startCloudWatchLogs } from "../support/cloudwatch-logs.ts";
import { enter, fixedPort, freshDataDir, startServer, untilReady } from "../support/crash-charla.ts";
import { freshDatabase } from "../support/database.ts";
import { long, tookAtMost } from "../support/long.ts";

type Line = Record<string, unknown>;

/** A server as it runs in production, shipping to a CloudWatch that may be told to fail; it and all of its end with the test. */
async function scene(t: TestContext) {
	const cloud = await startCloudWatchLogs({ groups: ["/charla/app", "/charla/access", "/charla/audit"] });
	const database = await freshDatabase();
	const folder = freshDataDir();
	const port = await fixedPort();
	const url = `http://127.0.0.1:${port}`;
	async function start(more: Record<string, string> = {}) {
		const server = startServer({
			DATABASE_URL: database.url,
			DATA_DIR: folder.dataDir,
			PORT: String(port),
			SESSION_SECRET: "a secret of at least thirty-two characters",
			LOG_LEVEL: "info",
			RATE_LIMITS: "off",
			DRAIN_SECONDS: "0",
			AWS_REGION: "eu-west-1",
			AWS_ACCESS_KEY_ID: "test",
			AWS_SECRET_ACCESS_KEY: "canary-of-a-secret",
			LOG_ENDPOINT: cloud.endpoint,
			LOG_GROUP: "/charla/app",
			LOG_GROUP_ACCESS: "/charla/access",
			LOG_GROUP_AUDIT: "/charla/audit",
			...more,
		});
		t.after(() => server.child.kill("SIGKILL"));
		let out = "";
		server.child.stdout?.on("data", (text) => {
			out += text;
		});
		await untilReady(url, server);
		return {
			...server,
			/** What was written to standard output. */
			lines: (): Line[] => parsed(out.split("\n")),
		};
	}
	t.after(async () => {
		await database[Symbol.asyncDispose]();
		await cloud.close();
		folder.remove();
	});
	return { cloud, url, folder, start };
}

const parsed = (lines: string[]): Line[] => lines.filter((line) => line.startsWith("{")).map((line) => JSON.parse(line) as Line);
const shipped = (cloud: CloudWatchLogs): Line[] =>
	["/charla/app", "/charla/access", "/charla/audit"].flatMap((group) => parsed(cloud.lines(group)));
const asSet = (lines: Line[]): string[] => lines.map((line) => JSON.stringify(line)).sort();

/** Twenty messages, two at a time. */
async function talk(url: string): Promise<void> {
	const socket = openSocket(url, await enter(url, `Ana ${randomUUID().slice(0, 4)}`));
	try {
		await socket.welcomed;
		for (let i = 0; i < 10; i++) {
			const posts = Array.from({ length: 2 }, () =>
				socket.call("message:post", { roomId: lobbyId, clientId: randomUUID(), body: "a secret told to nobody", replyTo: null }),
			);
			for (const answer of await Promise.all(posts)) assert.ok(answer.ok, JSON.stringify(answer));
		}
	} finally {
		socket.raw.close();
	}
}

test("a stop loses no line: what was written to standard output is in CloudWatch, each line once", async (t) => {
	const { cloud, url, start } = await scene(t);
	const server = await start();
	await talk(url);
	server.child.kill("SIGTERM");
	assert.equal(await server.ended, 0);

	const written = server.lines();
	assert.equal(written.at(-1)?.event, "service.stopped");
	assert.equal(written.filter(({ event }) => event === "message.sent").length, 20);
	assert.deepEqual(asSet(shipped(cloud)), asSet(written));
	assert.ok(parsed(cloud.lines("/charla/access")).every(({ event }) => event === "http.request"));
	assert.ok(parsed(cloud.lines("/charla/audit")).length > 0);
	for (const secret of ["a secret told to nobody", "canary-of-a-secret", "sid="])
		assert.ok(!JSON.stringify(shipped(cloud)).includes(secret), secret);
});

// One for every commit; each way to fail without a server around it is in ship.test.ts.
for (const mode of ["hang", "unavailable", "reset"] as const)
	(mode === "hang" ? test : long)(
		`the chat does not notice that CloudWatch is away (${mode}), the operator does, and the next start sends what waited`,
		async (t) => {
			const { cloud, url, folder, start } = await scene(t);
			cloud.behave(mode);
			const first = await start();
			await talk(url);
			const said = () => first.lines().find(({ event }) => event === "log.ship_failed");
			for (const end = Date.now() + 60_000; !said() && Date.now() < end; ) await sleep(50);
			assert.ok(said()?.exception_message, "log.ship_failed");
			const began = performance.now();
			first.child.kill("SIGTERM");
			assert.equal(await first.ended, 0);
			tookAtMost(20_000, performance.now() - began, "stopping");
			assert.equal(shipped(cloud).length, 0);
			const spillDir = path.join(folder.dataDir, "log-spill");
			const spilled = readdirSync(spillDir).flatMap((file) => readFileSync(path.join(spillDir, file), "utf8").trim().split("\n"));
			assert.equal(spilled.length, first.lines().length);

			cloud.behave("well");
			const second = await start();
			await talk(url);
			second.child.kill("SIGTERM");
			assert.equal(await second.ended, 0);
			assert.deepEqual(asSet(shipped(cloud)), asSet([...first.lines(), ...second.lines()]));
			assert.deepEqual(readdirSync(spillDir), []);
		},
	);

test("without a group nothing is shipped, and a group without a region is told at the start", async (t) => {
	const { cloud, start } = await scene(t);
	const server = await start({ LOG_GROUP: "" });
	server.child.kill("SIGTERM");
	assert.equal(await server.ended, 0);
	assert.deepEqual(cloud.calls, []);
	await assert.rejects(start({ AWS_REGION: "" }), /LOG_GROUP is set and AWS_REGION is not\. Example: AWS_REGION=eu-west-1/);
});
