import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { context, trace } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { traceOf } from "../app/contract/envelope.ts";
import { events } from "./contract.ts";
import { countSlo } from "./instruments.ts";
import { openWorst } from "./worst.ts";

const traceId = (no: number) => no.toString(16).padStart(32, "a");
const messageId = "0193a7b2-1111-7000-8abc-000000000001";
let stop = () => {};
afterEach(() => stop());

function open(log?: Parameters<typeof openWorst>[0]["log"]) {
	const state = { now: 60_000 * 1000 };
	const worst = openWorst({ log, clock: () => state.now });
	stop = worst.stop;
	return { ...worst, state };
}

test("the twenty worst of each level are kept: what broke it first, then the slowest", () => {
	const here = open();
	for (let no = 1; no <= 50; no++) countSlo("history", true, { value: no, traceId: traceId(no) });
	countSlo("history", false, { value: 3, traceId: traceId(100) });
	countSlo("history", false, { value: 900, traceId: traceId(101) });
	countSlo("connect", true, { value: 9999, traceId: traceId(102) });
	assert.deepEqual(
		here.worst("history").map((example) => example.value),
		[900, 3, ...Array.from({ length: 18 }, (_, place) => 50 - place)],
	);
	assert.deepEqual(here.worst("history")[0], { value: 900, at: 60_000_000, traceId: traceId(101) });
	assert.deepEqual(
		here.worst("connect").map((example) => example.value),
		[9999],
	);
	assert.deepEqual(here.worst("render"), []);
});

test("what is an hour old makes room for what happens now", () => {
	const here = open();
	for (let no = 1; no <= 20; no++) countSlo("send", false, { value: 1000 + no, traceId: traceId(no) });
	here.state.now += 3_600_000;
	assert.deepEqual(here.worst("send"), []);
	countSlo("send", true, { value: 5, traceId: traceId(30) });
	assert.deepEqual(
		here.worst("send").map((example) => example.value),
		[5],
	);
});

test("an example without a trace leads nowhere and is left out", () => {
	const here = open();
	for (const id of ["", "0".repeat(32), "A".repeat(32), "abc"]) countSlo("send", false, { value: 9, traceId: id });
	countSlo("send", false, { value: 1, traceId: traceId(1) });
	assert.equal(here.worst("send").length, 1);
});

test("what breaks a level is written down, ten times a minute and level, with fields of the contract", () => {
	const lines: Record<string, unknown>[] = [];
	const here = open((event, fields) => lines.push({ event, ...fields }));
	for (let no = 1; no <= 30; no++) countSlo("history", false, { value: 400 + no / 1000, traceId: traceId(no) });
	countSlo("history", true, { value: 1, traceId: traceId(40) });
	countSlo("send", false, { value: 700, traceId: traceOf(messageId).traceId, messageId });
	assert.equal(lines.length, 11);
	assert.deepEqual(lines[0], { event: "slo.exemplar", metric: "history", value: 400, reference: traceId(1).slice(0, 12) });
	assert.deepEqual(lines[10], {
		event: "slo.exemplar",
		metric: "send",
		value: 700,
		reference: "0193a7b21111",
		message_id: messageId,
	});
	for (const { event, ...fields } of lines)
		for (const field of Object.keys(fields)) assert.ok((events["slo.exemplar"].fields as readonly string[]).includes(field), field);
	here.state.now += 60_000;
	countSlo("history", false, { value: 500, traceId: traceId(1) });
	assert.equal(lines.length, 12);
});

test("the line about a message belongs to its trace, and one that cannot be written harms nobody", () => {
	context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
	const seen: unknown[] = [];
	const here = open(() => {
		seen.push(trace.getSpanContext(context.active())?.traceId);
		throw new Error("full");
	});
	const example = { value: 700, traceId: traceOf(messageId).traceId, messageId };
	countSlo("send", false, example);
	assert.deepEqual(seen, [example.traceId]);
	assert.equal(here.worst("send").length, 1);
	context.disable();
});

test("after its end it hears nothing", () => {
	const lines: unknown[] = [];
	const here = open(() => lines.push(1));
	countSlo("send", false, { value: 1, traceId: traceId(1) });
	here.stop();
	countSlo("send", false, { value: 2, traceId: traceId(2) });
	assert.equal(lines.length, 1);
	assert.equal(here.worst("send").length, 1);
});
