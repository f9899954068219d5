import assert from "node:assert/strict";
import { SpanKind } from "@opentelemetry/api";
import type { ReadableSpan } from "@opentelemetry/sdk-trace";
import { posts, say, testInstances } from "../support/cluster.ts";
import { withPrograms } from "../support/programs.ts";
import { recordInMemory } from "../support/recorded.ts";
import { testRedis } from "../support/redis.ts";

const { test } = await withPrograms("redis-server");

test("[I16] a message heard from another instance is one trace over both, with how it came and how late", async () => {
	const recorded = recordInMemory();
	await using redis = await testRedis();
	await using cluster = await testInstances(2, { REDIS_URL: redis.url });
	const [a, b] = cluster.instances;
	assert.ok(a && b);
	const [ana, ben] = [await a.person("Ana"), await b.person("Ben")];
	const [atA, atB] = [await a.connect(ana.cookie), await b.connect(ben.cookie)];
	// Whichever comes first tells of a message: the other instance, or a look at the log, as while they do not know each other yet.
	let heard: ReadableSpan | undefined;
	for (let n = 0; !heard; n++) {
		await say(atA, `message ${n}`);
		await atB.until(() => posts(atB.facts).includes(`message ${n}`));
		heard = recorded.named("process message.created").find((span) => span.attributes["chat.adapter"] !== "log");
	}
	const { traceId } = heard.spanContext();
	const ofTrace = async (name: string) => (await recorded.until(name, 1, (span) => span.spanContext().traceId === traceId))[0];
	const [sent, published] = [await ofTrace("chat/message.send"), await ofTrace("publish message.created")];
	assert.ok(sent && published);
	assert.equal(heard.kind, SpanKind.CONSUMER);
	assert.equal(heard.attributes["chat.adapter"], "redis");
	assert.ok(Number(heard.attributes["chat.adapter.lag_ms"]) >= 0);
	assert.equal(heard.attributes["messaging.operation.type"], "process");

	const metrics = await recorded.metrics();
	const points = (metrics.get("chat.adapter.messages")?.dataPoints ?? []).map(({ attributes, value }) => [
		attributes.direction,
		attributes["chat.adapter"],
		value,
	]);
	const of = (direction: string) => Number(points.find(([way, adapter]) => way === direction && adapter === "redis")?.[2] ?? 0);
	assert.ok(of("out") >= 1 && of("in") >= 1, JSON.stringify(points));
	const lag = metrics.get("chat.adapter.lag")?.dataPoints.find(({ attributes }) => attributes["chat.adapter"] === "redis");
	assert.ok(lag, "how late it was heard is recorded");
	await recorded.end();
});
