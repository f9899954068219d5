import assert from "node:assert/strict";
import { test } from "node:test";
import { freshDatabase } from "../support/database.ts";
import { startExporting } from "../support/exporting-server.ts";
import { startCollector } from "../support/newrelic-collector.ts";
import { startOtlpReceiver } from "../support/otlp-receiver.ts";

test("a page that fails unexpectedly is one line, one exception and one error at New Relic, and none of them has the owner's token", async (t) => {
	const receiver = await startOtlpReceiver();
	const collector = await startCollector();
	const database = await freshDatabase();
	t.after(async () => {
		await database[Symbol.asyncDispose]();
		await receiver.close();
		await collector.close();
	});
	const env = { ...collector.env, NEW_RELIC_LICENSE_KEY: "0123456789abcdef0123456789abcdef01234567" };
	const server = await startExporting(t, { receiver, databaseUrl: database.url, env });
	const cookie = await server.enter("Ana");
	const session = cookie.split("=")[1] as string;
	await database.sql.query("", "alter table session rename to session_away");
	// Shorter than what is taken for a token wherever it stands.
	const token = "a-token-of-an-owner";
	const references: string[] = [];
	for (const path of [`/owner/${token}`, `/Owner/${token}?from=${token}`, `/owner/${token}.data`]) {
		const answer = await fetch(`${server.url}${path}`, { headers: { cookie } });
		assert.equal(answer.status, 500, path);
		references.push(/(?:<code>|"reference",")([0-9a-f]{12})/.exec(await answer.text())?.[1] ?? path);
	}
	// Which leads nowhere, and is told all the same.
	await fetch(`${server.url}//owner/${token}`, { headers: { cookie } });
	await collector.called("agent_settings");
	assert.equal(await server.stop(), 0);

	const exceptions = server.lines().filter((line) => line.event === "exception");
	assert.deepEqual(
		exceptions.map((line) => [line.path, line.reference]),
		references.map((reference) => ["/owner/:token", reference]),
	);
	assert.deepEqual(
		receiver.logs.filter((log) => log.eventName === "exception").map((log) => log.attributes.reference),
		references,
	);
	const noticed = (collector.events("error_event_data") as Record<string, unknown>[][]).map(([, user]) => [user?.path, user?.reference]);
	assert.deepEqual(noticed.sort(), references.map((reference) => ["/owner/:token", reference]).sort());
	const entered = server.lines().find((line) => line.event === "http.request" && line.method === "POST");
	assert.ok(entered?.request_id);
	assert.equal(
		server.lines().find((line) => line.event === "auth.login.succeeded")?.request_id,
		entered.request_id,
		"lines of a request have its id",
	);
	const sinks = {
		output: server.out(),
		OTLP: receiver.requests.map((request) => request.text).join("\n"),
		"New Relic": JSON.stringify(collector.received.map((one) => one.body)),
	};
	for (const [sink, text] of Object.entries(sinks))
		for (const secret of [token, session]) assert.ok(!text.includes(secret), `${secret} in ${sink}`);
});
