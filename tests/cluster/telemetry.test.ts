import assert from "node:assert/strict";
import { SpanKind } from "@opentelemetry/api";
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
	// Only what happens once everybody hears everybody.
	await say(atA, "warm up");
	await atB.until(() => posts(atB.facts).includes("warm up"));
	recorded.reset();
	await say(atA, "traced");
	await atB.until(() => posts(atB.facts).includes("traced"));
	const [sent] = await recorded.until("chat/message.send");
	const [published] = await recorded.until("publish message.created");
	const [heard] = await recorded.until("process message.created");
	assert.ok(sent && published && heard);
	assert.equal(heard.kind, SpanKind.CONSUMER);
	assert.equal(heard.attributes["chat.adapter"], "redis");
	assert.ok(Number(heard.attributes["chat.adapter.lag_ms"]) >= 0);
	assert.equal(heard.attributes["messaging.operation.type"], "process");
	for (const span of [sent, published, heard]) assert.equal(span.spanContext().traceId, sent.spanContext().traceId);

	const metrics = await recorded.metrics();
	const points = (metrics.get("chat.adapter.messages")?.dataPoints ?? []).map(({ attributes, value }) => [
		attributes.direction,
		attributes["chat.adapter"],
		value,
	]);
	const of = (direction: string) => Number(points.find(([way, adapter]) => way === direction && adapter === "redis")?.[2] ?? 0);
	assert.ok(of("out") >= 2 && of("in") >= 2, JSON.stringify(points));
	const lag = metrics.get("chat.adapter.lag")?.dataPoints.find(({ attributes }) => attributes["chat.adapter"] === "redis");
	assert.ok(lag, "how late it was heard is recorded");
	await recorded.end();
});
