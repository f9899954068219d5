import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { ROOT_CONTEXT, SpanKind, TraceFlags, trace } from "@opentelemetry/api";
import { SamplingDecision } from "@opentelemetry/sdk-trace";
import { openSampling, recordingSampler } from "./sdk-sampler.ts";

const ids = (count: number) => Array.from({ length: count }, () => randomBytes(16).toString("hex"));

test("a tenth is a tenth, decided by the id alone and alike everywhere with the same salt", () => {
	let at = 0;
	// Slowly enough for no limit to be reached.
	const clock = () => (at += 100);
	const [here, there] = [openSampling(0.1, "salt", clock), openSampling(0.1, "salt", clock)];
	const traces = ids(5000);
	const taken = traces.filter(here);
	assert.ok(taken.length > 350 && taken.length < 650, `${taken.length} of 5000`);
	assert.deepEqual(traces.filter(there), taken);
	assert.notDeepEqual(traces.filter(openSampling(0.1, "another salt", clock)), taken);
});

test("a busy instance takes about twenty a second, of those a calm one takes; and its share again once it is calm", () => {
	let at = 0;
	const busy = openSampling(0.1, "salt", () => at);
	const calm = openSampling(0.1, "salt", () => 0);
	const perSecond: number[] = [];
	for (let second = 0; second < 10; second++) {
		const traces = ids(4000);
		let taken = 0;
		for (const traceId of traces) {
			at += 0.25;
			if (!busy(traceId)) continue;
			taken++;
			assert.ok(calm(traceId), "a trace only the busy one would export has holes");
		}
		perSecond.push(taken);
	}
	assert.ok((perSecond[0] as number) > 200, "the first second could not know");
	for (const taken of perSecond.slice(2)) assert.ok(taken >= 2 && taken <= 60, `${perSecond}`);

	let taken = 0;
	for (const traceId of ids(3000)) {
		at += 50;
		if (busy(traceId)) taken++;
	}
	assert.ok(taken > 200, `${taken} of 3000 once it is calm`);
});

test("all and none need no deciding", () => {
	assert.ok(ids(5000).every(openSampling(1, "salt")));
	assert.ok(!ids(5000).some(openSampling(0, "salt")));
});

test("whatever another process says of its trace is not followed, and a trace within this one is taken as a whole", () => {
	const asked: string[] = [];
	const sampler = recordingSampler((traceId) => {
		asked.push(traceId);
		return traceId.startsWith("a");
	});
	const parent = (traceId: string, traceFlags: TraceFlags, isRemote: boolean) =>
		trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId: "b".repeat(16), traceFlags, isRemote });
	const decide = (context: typeof ROOT_CONTEXT, traceId: string) =>
		sampler.shouldSample(context, traceId, "a span", SpanKind.SERVER, {}, []).decision;
	const [wanted, other] = ["a".repeat(32), "c".repeat(32)];
	assert.equal(decide(ROOT_CONTEXT, wanted), SamplingDecision.RECORD_AND_SAMPLED);
	assert.equal(decide(ROOT_CONTEXT, other), SamplingDecision.RECORD);
	assert.equal(decide(parent(other, TraceFlags.SAMPLED, true), other), SamplingDecision.RECORD, "forced from outside");
	assert.equal(decide(parent(wanted, TraceFlags.NONE, true), wanted), SamplingDecision.RECORD_AND_SAMPLED);
	asked.length = 0;
	assert.equal(decide(parent(other, TraceFlags.SAMPLED, false), other), SamplingDecision.RECORD_AND_SAMPLED);
	assert.equal(decide(parent(wanted, TraceFlags.NONE, false), wanted), SamplingDecision.RECORD);
	assert.deepEqual(asked, []);
});
