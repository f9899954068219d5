/**
 * A process of its own for newrelic.test.ts, since the agent can be started once only. Loaded after observability/start.ts, as
 * the server is; does what its first argument says and tells it line by line, as JSON.
 *
 * talk: a whole Charla in which two people talk, over a websocket and over polling. serve: nothing but a small http server.
 * Ends when its stdin does.
 */
import { randomUUID } from "node:crypto";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import { traceOf } from "../../app/contract/envelope.ts";
import { lobbyId } from "../../app/contract/fixed.ts";
import { telemetry } from "../../observability/telemetry.ts";

const tell = (what: Record<string, unknown>) => process.stdout.write(`${JSON.stringify(what)}\n`);
const [task = "serve"] = process.argv.slice(2);
const started = telemetry();
if (!started) throw new Error("telemetry is not on");
started.onTrouble(({ signal, detail }) => tell({ trouble: detail, signal }));

const stops: (() => Promise<unknown>)[] = [];
const doing = task === "talk" ? talk() : serve();
await doing;
process.stdin.on("end", end).resume();

async function end(): Promise<void> {
	for (const stop of stops) await stop();
	const at = performance.now();
	await started?.stop();
	const agentLoaded = Object.keys(createRequire(import.meta.url).cache).some((file) => file.includes("/node_modules/newrelic/"));
	tell({ stopped: Math.round(performance.now() - at), agentLoaded });
	process.exit(0);
}

async function serve(): Promise<void> {
	const server = createServer((_request, response) => response.end("hello"));
	await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
	const { port } = server.address() as AddressInfo;
	tell({ ready: Math.round(performance.now()), port });
}

async function talk(): Promise<void> {
	const { testCharla } = await import("../support/charla.ts");
	const charla = await testCharla({ env: { LOG_LEVEL: "info" } });
	stops.push(() => charla[Symbol.asyncDispose]());
	const people = await Promise.all(["Ana", "Ben"].map((name) => charla.person(name)));
	const ids: string[] = [];
	for (const transports of [["websocket"], ["polling"]]) {
		const [ana, ben] = await Promise.all(people.map(({ cookie }) => charla.connect(cookie, { transports })));
		const clientId = randomUUID();
		ids.push(clientId);
		const answer = await ana?.raw
			.timeout(10_000)
			.emitWithAck(
				"message:post",
				{ roomId: lobbyId, clientId, body: "a secret told to nobody", replyTo: null },
				{ tp: traceOf(clientId).traceparent },
			);
		if (!answer?.ok) throw new Error(`not stored: ${JSON.stringify(answer)}`);
		await ben?.until(() => ben.facts.some((fact) => fact.kind === "message-posted"));
		await ana?.call("message:stretch", { roomId: lobbyId });
	}
	await fetch(`${charla.url}/rooms?token=hunter2hunter2hunter2hunter2`).then((response) => response.text());

	// What another instance does with a fact it hears of, and a job that fails: roots of a kind the agent must keep.
	const tracer = trace.getTracer("charla");
	const { traceId, rootSpanId } = traceOf(ids[0] as string);
	const root = trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId: rootSpanId, traceFlags: 1, isRemote: true });
	tracer
		.startSpan(
			"process message.created",
			{
				kind: SpanKind.CONSUMER,
				attributes: {
					"messaging.system": "socketio",
					"messaging.operation.name": "process",
					"messaging.operation.type": "process",
					"messaging.destination.name": "message.created",
					"chat.message.id": ids[0] as string,
				},
			},
			root,
		)
		.end();

	// A statement fails, so does its call, and then whoever catches everything reports it.
	const call = tracer.startSpan("chat/message.edit", {
		kind: SpanKind.SERVER,
		attributes: { "rpc.system": "socketio", "rpc.service": "chat", "rpc.method": "message.edit" },
	});
	const statement = tracer.startSpan("UPDATE room_log", { kind: SpanKind.CLIENT }, trace.setSpan(ROOT_CONTEXT, call));
	const failure = new RangeError("the statement failed");
	for (const span of [statement, call]) {
		span.recordException(failure);
		span.setStatus({ code: SpanStatusCode.ERROR, message: "an unexpected error" });
		span.end();
	}
	const failed = call.spanContext();
	started?.noticeError(failure, { "trace.id": failed.traceId, "span.id": failed.spanId, call: "message:edit" });

	const error = new TypeError('no room for "a secret told to nobody" at ana@example.org');
	started?.noticeError(error, { "trace.id": traceId, "span.id": rootSpanId, call: "message:post" });
	// It measures memory now and then once it is connected, and sends that as it stops.
	const { agent } = createRequire(import.meta.url)("newrelic") as { agent: { metrics: { getMetric(name: string): unknown } } };
	for (const end = Date.now() + 45_000; !agent.metrics.getMetric("Memory/Physical") && Date.now() < end; ) await sleep(100);
	tell({
		ready: Math.round(performance.now()),
		ids,
		failed: failed.traceId,
		kept: ids.map((id) => started?.traces.get(traceOf(id).traceId)?.length ?? 0),
	});
}
