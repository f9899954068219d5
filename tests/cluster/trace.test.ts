import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import type { TestContext } from "node:test";
import { traceOf } from "../../app/contract/envelope.ts";
import { lobbyId } from "../../app/contract/fixed.ts";
import { openSocket } from "../support/charla.ts";
import { type FreshDatabase, freshDatabase } from "../support/database.ts";
import { type ExportingServer, eventually, startExporting } from "../support/exporting-server.ts";
import { startOtlpReceiver } from "../support/otlp-receiver.ts";
import { withPrograms } from "../support/programs.ts";
import { testRedis } from "../support/redis.ts";

const { test } = await withPrograms("redis-server");

/** Two servers in processes of their own on one database, and an administrator's way to look at either. */
async function twoServers(t: TestContext, env: Record<string, string>) {
	const receiver = await startOtlpReceiver();
	const database: FreshDatabase = await freshDatabase();
	t.after(async () => {
		await database[Symbol.asyncDispose]();
		await receiver.close();
	});
	const start = (name: string) =>
		startExporting(t, { receiver, databaseUrl: database.url, env: { ...env, INSTANCE_ID: name, TELEMETRY_SAMPLE_RATIO: "1" } });
	const a = await start("i-a");
	const b = await start("i-b");
	const cookie = await a.enter("Ada");
	await database.sql.query("", "update app_user set is_admin = true");
	// Each knows of the other by its sign of life in the database.
	const look = async (server: ExportingServer, path: string) => {
		const answer = await fetch(`${server.url}${path}`, { headers: { cookie } });
		const text = await answer.text();
		// What people see: behind it stand the words the page brings along, all of them.
		return { status: answer.status, text: /<main>[\s\S]*<\/main>/.exec(text)?.[0] ?? text };
	};
	const nameOf = (server: ExportingServer) => `${server === a ? "i-a" : "i-b"}/${server.child.pid}`;
	for (const [one, other] of [
		[a, b],
		[b, a],
	] as const)
		await until(async () => (await look(one, "/ops")).text.includes(nameOf(other)), `${nameOf(one)} knows the other`);
	return { a, b, look, nameOf };
}

async function until(condition: () => Promise<boolean>, what: string): Promise<void> {
	for (const end = Date.now() + 60_000; !(await condition()); await new Promise((done) => setTimeout(done, 50)))
		if (Date.now() > end) throw new Error(`not within a minute: ${what}`);
}

/** Ada writes at one server and Ben hears it at the other; the message's id. */
async function talk(t: TestContext, at: ExportingServer, heardAt: ExportingServer): Promise<string> {
	const connect = async (server: ExportingServer, name: string) => {
		const socket = openSocket(server.url, await server.enter(name));
		t.after(() => socket.raw.close());
		await socket.welcomed;
		return socket;
	};
	const [writer, reader] = [
		await connect(at, `Eva ${randomUUID().slice(0, 6)}`),
		await connect(heardAt, `Ben ${randomUUID().slice(0, 6)}`),
	];
	const clientId = randomUUID();
	const answer = await writer.call("message:post", { roomId: lobbyId, clientId, body: "seen from everywhere", replyTo: null });
	assert.ok(answer.ok, JSON.stringify(answer));
	await reader.until(() => reader.facts.some((fact) => fact.kind === "message-posted" && fact.message.clientId === clientId));
	return clientId;
}

test("[I20] /ops of either of two instances shows the whole trace: page, journey, export, found by its beginning; a frozen one is named", async (t) => {
	await using redis = await testRedis();
	const { a, b, look, nameOf } = await twoServers(t, { REDIS_URL: redis.url });
	for (const server of [a, b])
		await eventually(
			() => server.lines().some((line) => line.event === "adapter.open"),
			() => "the way to the other is open",
		);
	const id = await talk(t, a, b);
	const { traceId } = traceOf(id);
	for (const server of [a, b]) {
		// A span that has just ended may be on its way to where it is kept.
		await until(
			async () => {
				const { text } = await look(server, `/ops/traces/${traceId}`);
				return ["chat.message.validate", "publish message.created", "process message.created"].every((name) => text.includes(name));
			},
			`all spans at ${nameOf(server)}`,
		);
		const page = await look(server, `/ops/traces/${traceId.slice(0, 12)}`);
		assert.equal(page.status, 200, "found by what people quote, whoever recorded it");
		assert.match(page.text, /Seen by/);
		for (const each of [a, b]) assert.ok(page.text.includes(nameOf(each)), nameOf(each));
		assert.doesNotMatch(page.text, /Did not answer/);
		const journey = await look(server, `/ops/messages/${id}`);
		assert.match(journey.text, /Heard by another instance/);
		assert.match(journey.text, /message\.sent/);
		const { resourceSpans } = JSON.parse((await look(server, `/ops/traces/${traceId}/otlp.json`)).text) as { resourceSpans: unknown[] };
		assert.equal(resourceSpans.length, 2, "the spans of each under its own name");
	}

	b.child.kill("SIGSTOP");
	try {
		const page = await look(a, `/ops/traces/${traceId}`);
		assert.match(page.text, /Did not answer/);
		assert.ok(page.text.includes(nameOf(b)));
		assert.match(page.text, /publish message\.created/);
		assert.doesNotMatch(page.text, /process message\.created/);
	} finally {
		b.child.kill("SIGCONT");
	}
});

test("[I20] without a way between the instances the page says whose part is missing", async (t) => {
	const { a, b, look, nameOf } = await twoServers(t, {});
	const id = await talk(t, a, b);
	const page = await look(a, `/ops/messages/${id}`);
	assert.match(page.text, /Did not answer/);
	assert.ok(page.text.includes(nameOf(b)));
});
