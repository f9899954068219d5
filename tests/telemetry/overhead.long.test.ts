import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { lobbyId } from "../../app/contract/fixed.ts";
import type { Message } from "../../app/contract/shapes.ts";
import { openRecorder } from "../../observability/recorder.ts";
import { readTelemetry } from "../../observability/settings.ts";
import { startTelemetry } from "../../observability/telemetry.ts";

/** What telemetry may cost a message, microseconds of CPU. `npm run bench -- --telemetry` has what it does cost. */
const budget = 100;
const messages = 2000;
const rounds = 7;

/** A message's way through everything that records it, and nothing else: no socket, no database, no log. */
function path(given: Pick<Parameters<typeof openRecorder>[0], "isSampled" | "onQuiet">) {
	const log = { debug() {}, info() {}, warn() {}, error() {} };
	const recorder = openRecorder({ log, isUnavailable: () => false, ...given });
	const sql = recorder.sql({
		query: async <Row>(_name: string, _text: string, values?: readonly unknown[]) =>
			[{ client_key: (values as string[][])[2]?.[0], fresh: true }] as Row[],
		transaction: () => assert.fail(),
	});
	const { post } = recorder.observe("messages", {
		async post(_me: unknown, input: { clientId: string; roomId: string; body: string }) {
			await sql.query("lane-store", "insert into room_log values ($1)", [[], [], [input.clientId]]);
			const message = { clientId: input.clientId, createdAt: Date.now() } as Message;
			recorder.fanOut({ kind: "message-posted", roomId: lobbyId, seq: 1, message }, 100, { how: "here" }, () => undefined);
			return { id: input.clientId, seq: 1 };
		},
	});
	const me = { id: randomUUID() };
	return (): Promise<unknown> => {
		const input = { roomId: lobbyId, clientId: randomUUID(), body: "hello", replyTo: null };
		return recorder.call({ name: "message:post", input, envelope: {}, userId: me.id, connId: "c", transport: "websocket" }, () =>
			post(me, input),
		);
	};
}

/** Microseconds of CPU a message; of several rounds the least, since what else the machine does only ever adds. */
async function cost(send: () => Promise<unknown>): Promise<number> {
	let least = Number.POSITIVE_INFINITY;
	for (let round = 0; round < rounds; round++) {
		const before = process.cpuUsage();
		for (let i = 0; i < messages; i++) await send();
		const { user, system } = process.cpuUsage(before);
		least = Math.min(least, (user + system) / messages);
	}
	return least;
}

test(`at production settings telemetry adds less than ${budget} microseconds of CPU to a message`, async (t) => {
	const sink = createServer((request, response) => {
		request.resume().once("end", () => response.writeHead(200).end());
	});
	await new Promise<void>((done) => sink.listen(0, "127.0.0.1", done));
	const without = await cost(path({}));
	const { settings } = readTelemetry({
		OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${(sink.address() as AddressInfo).port}`,
		TELEMETRY_SAMPLE_RATIO: "0.1",
	});
	const telemetry = await startTelemetry(settings);
	assert.ok(telemetry);
	const added = (await cost(path({ isSampled: telemetry.isSampled, onQuiet: (message) => telemetry.traces.addQuiet(message) }))) - without;
	await telemetry.stop();
	sink.closeAllConnections();
	sink.close();
	t.diagnostic(`${without.toFixed(1)} without, ${added.toFixed(1)} more with`);
	// Of a burst fifty a second are kept, and the slowest.
	assert.ok(telemetry.traces.stats.traces >= 50, "it was recorded");
	assert.ok(added < budget, `${added.toFixed(1)} microseconds`);
});
