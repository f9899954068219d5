import assert from "node:assert/strict";
import { test } from "node:test";
import { traceOf } from "../../app/contract/envelope.ts";
import type { Fact } from "../../app/contract/facts.ts";
import { readMeasured } from "../beacon/read-measured.ts";
import { readSpan } from "../beacon/read-span.ts";
import { attributes, beaconPath } from "../contract.ts";
import type { Measured, OtlpSpan } from "./body.ts";
import { openRecorder } from "./recorder.ts";
import { startRecording } from "./start.ts";

const id = (n: number) => `3f2504e0-4f89-41d3-9a0c-${String(n).padStart(12, "0")}`;
const room = id(900);
const tp = `00-${"a".repeat(32)}-${"b".repeat(16)}-01`;
const sessionId = "5".repeat(32);
/** The server's clock in these tests is ahead by a minute. */
const ahead = 60_000;

/** A recorder whose clock stands still unless moved, with what it reported. Every report must pass the server's own checks. */
function recorder({ ratio = 1, random = (): number => 0, isVisible = true, isOnline = true } = {}) {
	const spans: OtlpSpan[] = [];
	const numbers: Measured[] = [];
	const paints: { seq: number; tell: (at: number | null) => void }[] = [];
	let isUp: boolean | null = null;
	let left = 0;
	let ids = 0;
	const page = { now: 1_800_000_000_000 };
	const made = openRecorder({
		sender: {
			span(span) {
				const read = readSpan(span, { now: page.now + ahead, sessionId });
				assert.ok(read, `the server takes ${JSON.stringify(span)}`);
				assert.equal(read.invalid, 0, `${span.name} has an attribute that is not declared`);
				spans.push(span);
			},
			measured(number) {
				assert.deepEqual(readMeasured(number), number);
				numbers.push(number);
			},
			setUp(up) {
				isUp = up;
			},
			flush: () => {},
			leave: () => void left++,
		},
		sessionId,
		ratio,
		now: () => page.now,
		random,
		hex: (bytes) => (++ids).toString(16).padStart(bytes * 2, "0"),
		isVisible: () => isVisible,
		isOnline: () => isOnline,
		painted: (seq, tell) => void paints.push({ seq, tell }),
		afterPaint(run) {
			page.now += 32;
			run();
		},
	});
	made.clock(ahead);
	const take = <T>(list: T[]) => list.splice(0);
	return { made, page, paints, spans: () => take(spans), numbers: () => take(numbers), isUp: () => isUp, left: () => left };
}

const values = (span: OtlpSpan | undefined) =>
	Object.fromEntries((span?.attributes ?? []).map(({ key, value }) => [key, Object.values(value)[0]]));
const millis = (nanos: string | undefined) => Number(nanos?.slice(0, -6));

function posted(n: number, seq = 1): Fact {
	const author = { id: "ben", name: "Ben" };
	const message = {
		roomId: room,
		seq,
		msgNo: seq,
		author,
		clientId: id(n),
		body: "a secret",
		html: null,
		createdAt: 1,
		editedAt: null,
		deletedAt: null,
		replyTo: null,
	};
	return { kind: "message-posted", roomId: room, seq, message };
}
const post = (n: number) => ({ clientId: id(n), roomId: room, body: "a secret", replyTo: null });
const websocket = { transport: "websocket" };
const ok = { ok: true, data: { id: "x", seq: 1 } } as const;

test("a message is one span from the click to the answer, with the ids its key gives, over all attempts", () => {
	const { made, page, spans, numbers } = recorder();
	const clicked = page.now;
	made.clicked(id(1), room, { at: clicked, isReady: true });
	page.now += 3;
	const first = made.calling("message:post", post(1), websocket);
	assert.deepEqual(first, { tp: traceOf(id(1)).traceparent, ts: [clicked + ahead], attempt: 1, queued: 3 });
	page.now += 5000;
	made.answered("message:post", post(1), null);
	made.clicked(id(1), room, { at: clicked, isReady: false });
	assert.equal(made.calling("message:post", post(1), { transport: "polling" })?.attempt, 2);
	page.now += 40;
	made.answered("message:post", post(1), ok);
	made.stored(id(1));

	const [span, ...others] = spans();
	assert.deepEqual(others, []);
	const { traceId, rootSpanId } = traceOf(id(1));
	assert.deepEqual(
		[span?.traceId, span?.spanId, span?.parentSpanId, span?.name, span?.kind],
		[traceId, rootSpanId, undefined, "chat/message.send", 3],
	);
	assert.deepEqual([millis(span?.startTimeUnixNano), millis(span?.endTimeUnixNano)], [clicked + ahead, clicked + 5043 + ahead]);
	assert.deepEqual(values(span), {
		"chat.message.id": id(1),
		"chat.room.id": room,
		"chat.send.attempt": "2",
		"chat.queue.ms": "3",
		"chat.ack.status": "ok",
		"chat.socket.transport": "polling",
		"session.id": sessionId,
	});
	assert.deepEqual(span?.status, {});
	assert.deepEqual(numbers(), [
		{ name: "unsent", trace: traceId },
		{ name: "sent", ms: 5043, trace: traceId },
	]);
});

test("the wait for a connection is no slowness of the answer, and an attempt without a network no failure of the server", () => {
	const { made, page, numbers, spans } = recorder({ isOnline: false });
	made.clicked(id(1), room, { at: page.now, isReady: false });
	page.now += 60_000;
	made.calling("message:post", post(1), websocket);
	made.answered("message:post", post(1), null);
	made.calling("message:post", post(1), websocket);
	page.now += 30;
	made.answered("message:post", post(1), ok);
	assert.deepEqual(numbers(), [{ name: "sent", ms: 30, trace: traceOf(id(1)).traceId }]);
	assert.equal(values(spans()[0])["chat.queue.ms"], "60000");
});

test("a refusal is no error, a failure of ours and giving up are; sent again it hangs on the span it has already", () => {
	const { made, page, spans } = recorder({ ratio: 0 });
	const attempt = (n: number, end: () => void) => {
		made.clicked(id(n), room, { at: page.now, isReady: true });
		made.calling("message:post", post(n), websocket);
		end();
	};
	attempt(1, () => made.failed(id(1), "not-found"));
	assert.deepEqual(spans(), [], "not sampled");
	attempt(2, () => made.failed(id(2), "failed"));
	const [failed] = spans();
	assert.deepEqual(failed?.status, { code: 2, message: "an unexpected error" });
	assert.deepEqual([values(failed)["chat.ack.status"], values(failed)["error.type"]], ["refused", "internal"]);
	attempt(3, () => {
		made.answered("message:post", post(3), null);
		made.failed(id(3), "given-up");
	});
	const [givenUp] = spans();
	assert.deepEqual([givenUp?.status.message, values(givenUp)["chat.ack.status"]], ["no answer in time", "timeout"]);
	attempt(2, () => made.failed(id(2), "failed"));
	const [again] = spans();
	assert.equal(again?.parentSpanId, failed?.spanId);
	assert.notEqual(again?.spanId, failed?.spanId);
	assert.equal(again?.traceId, failed?.traceId);
});

test("the message itself is an answer when the answer is lost; what another tab sent is its to tell", () => {
	const { made, page, spans, numbers } = recorder();
	made.clicked(id(1), room, { at: page.now, isReady: true });
	made.calling("message:post", post(1), websocket);
	made.stored(id(1));
	assert.deepEqual(spans(), [], "the answer is still waited for");
	page.now += 5000;
	made.answered("message:post", post(1), null);
	assert.equal(values(spans()[0])["chat.ack.status"], "ok");
	made.clicked(id(2), room, { at: page.now, isReady: true });
	made.calling("message:post", post(2), websocket);
	made.answered("message:post", post(2), null);
	made.stored(id(2));
	assert.equal(spans().length, 1);
	numbers();
	made.clicked(id(3), room, { at: page.now, isReady: false });
	made.stored(id(3));
	assert.deepEqual([spans(), numbers()], [[], []]);
});

test("whether a message's span is sent follows the server: its fact carries a traceparent, before the answer or after", () => {
	const { made, page, spans, numbers } = recorder({ ratio: 0.1, random: () => 0.5 });
	const send = (n: number, before: boolean, envelope: unknown) => {
		made.clicked(id(n), room, { at: page.now, isReady: true });
		made.calling("message:post", post(n), websocket);
		if (before) made.heard(posted(n), envelope, true);
		made.answered("message:post", post(n), ok);
		if (!before) made.heard(posted(n), envelope, true);
		made.heard(posted(n), envelope, true);
	};
	send(1, true, { tp, ts: [1, 1, 1, 1] });
	assert.equal(spans().length, 1);
	send(2, false, { tp, ts: [1, 1, 1, 1] });
	assert.equal(spans().length, 1);
	send(3, true, { ts: [1, 1, 1, 1] });
	send(4, false, { ts: [1, 1, 1, 1] });
	assert.deepEqual(spans(), []);
	assert.deepEqual(
		numbers().map(({ name }) => name),
		["sent", "sent", "sent", "sent"],
		"one's own message is no delivery; its answer counts always",
	);
});

test("a message heard is measured by the server's clock, and its span hangs on what published it", () => {
	const { made, page, paints, spans, numbers } = recorder();
	const at = page.now + ahead;
	const ts = [at - 300, at - 200, at - 100, at - 50];
	made.heard(posted(1, 7), { tp, ts, sx: 1 }, true);
	const trace = traceOf(id(1)).traceId;
	assert.deepEqual(numbers(), [{ name: "delivered", ms: 200, stage: 50, hop: "local", weight: 1, trace }]);
	assert.equal(paints[0]?.seq, 7);
	assert.deepEqual(spans(), [], "not before it is painted");
	page.now += 30;
	paints[0]?.tell(page.now);
	assert.deepEqual(numbers(), [{ name: "painted", ms: 330, stage: 30, weight: 1, trace }]);
	const [span] = spans();
	assert.deepEqual([span?.traceId, span?.parentSpanId, span?.name, span?.kind], [trace, "b".repeat(16), "render message.created", 5]);
	assert.deepEqual([millis(span?.startTimeUnixNano), millis(span?.endTimeUnixNano)], [at, at + 30]);
	const { "chat.delivery.ms": delivery, "chat.render.ms": render, "document.visibility": visibility } = values(span);
	assert.deepEqual([delivery, render, visibility], ["200", "330", "visible"]);
	assert.ok(!JSON.stringify(span).includes("secret") && !JSON.stringify(span).includes("Ben"));
});

test("a room that is not on screen, a hidden page, a row that never came: delivered and no more", () => {
	for (const [isVisible, isOpen] of [
		[true, false],
		[false, true],
	] as const) {
		const { made, page, paints, spans, numbers } = recorder({ isVisible });
		const at = page.now + ahead;
		made.heard(posted(1), { ts: [at - 300, at - 200, at - 100, at - 50] }, isOpen);
		assert.deepEqual([numbers().map(({ name }) => name), paints.length], [["delivered"], 0]);
		const [span] = spans();
		assert.equal(values(span)["chat.render.ms"], undefined);
		assert.equal(values(span)["document.visibility"], isVisible ? "visible" : "hidden");
		assert.equal(span?.parentSpanId, traceOf(id(1)).rootSpanId, "without an envelope's parent: the root");
	}
	const { made, page, paints, spans, numbers } = recorder();
	made.heard(posted(1), { ts: [0, page.now, page.now, page.now] }, true);
	paints[0]?.tell(null);
	assert.deepEqual([spans().length, numbers().map((number) => "hop" in number && number.hop)], [1, ["remote"]]);
});

test("one in N recipients reports, and says for how many", () => {
	let draw = 0;
	const { made, page, numbers } = recorder({ random: () => draw });
	const at = page.now + ahead;
	for (const [x, reports] of [
		[0.24, 1],
		[0.25, 0],
		[0.99, 0],
	] as const) {
		draw = x;
		made.heard(posted(x * 100), { ts: [at, at, at, at], sx: 4 }, false);
		const found = numbers();
		assert.equal(found.length, reports);
		if (found[0]) assert.equal("weight" in found[0] && found[0].weight, 4);
	}
	draw = 0;
	for (const envelope of [undefined, null, 7, "x", {}, { ts: "x" }, { ts: [0, 0, 0, 0] }, { sx: -1 }])
		made.heard(posted(50), envelope, true);
	assert.deepEqual(numbers(), [], "what has no stamps cannot be measured");
});

test("clocks that disagree give nothing negative, and say by how much; a message that waited is no slow painting", () => {
	const { made, page, paints, spans, numbers } = recorder();
	const at = page.now + ahead;
	made.heard(posted(1), { ts: [at + 90, at + 20, at + 30, at + 40] }, true);
	paints[0]?.tell(page.now + 10);
	for (const number of numbers()) assert.ok(!("ms" in number) || number.ms === 0);
	const { "chat.delivery.ms": delivery, "chat.render.ms": render, "chat.clock.error_ms": wrong } = values(spans()[0]);
	assert.deepEqual([delivery, render, wrong], ["0", "0", "80"]);

	made.heard(posted(2), { ts: [at - 60_000, at - 20, at - 10, at] }, true);
	paints[1]?.tell(page.now + 10);
	const painted = numbers().find(({ name }) => name === "painted");
	assert.equal(painted && "ms" in painted && painted.ms, null);
	assert.equal(values(spans()[0])["chat.render.ms"], "60010", "the span tells the whole story");
});

test("an outage is one span and one number, when it is over or when the person gives up; what was called off is none", () => {
	const { made, page, spans, numbers, isUp, left } = recorder();
	made.lost();
	assert.equal(isUp(), false);
	page.now += 7000;
	made.clock(ahead);
	assert.equal(isUp(), true);
	made.back({ attempts: 3, backfilled: 12, transport: "polling" });
	const [span] = spans();
	assert.deepEqual(values(span), {
		"chat.reconnect.attempts": "3",
		"chat.reconnect.backfilled": "12",
		"chat.socket.transport": "polling",
		outcome: "ok",
		"session.id": sessionId,
	});
	assert.deepEqual(numbers(), [{ name: "reconnect", ms: 7000, ok: true, trace: span?.traceId }]);
	made.back({ attempts: 1, backfilled: 0, transport: "websocket" });
	made.lost();
	made.calledOff();
	made.back({ attempts: 1, backfilled: 0, transport: "websocket" });
	assert.deepEqual([spans(), numbers()], [[], []]);
	made.lost();
	page.now += 400;
	made.leaving();
	const [gaveUp] = spans();
	assert.deepEqual([gaveUp?.status, values(gaveUp).outcome, left()], [{ code: 2, message: "gave up" }, "failed", 1]);
	made.leaving();
	assert.deepEqual([spans().length, left()], [0, 2]);
});

test("a room switch lasts until it is painted; a page load has the parent the page came with", () => {
	const { made, page, spans } = recorder();
	made.switched(room, false);
	assert.deepEqual(spans(), [], "the page's first room is no switch");
	made.switching(id(5));
	made.switching(room);
	page.now += 100;
	made.switched(room, true);
	const [span] = spans();
	assert.deepEqual([millis(span?.endTimeUnixNano) - millis(span?.startTimeUnixNano), values(span)["chat.switch.cached"]], [132, true]);
	made.loaded(page.now - 500, page.now, "/rooms/:roomId", tp);
	made.loaded(page.now - 500, page.now, "/rooms", null);
	const [joined, alone] = spans();
	assert.deepEqual(
		[joined?.traceId, joined?.parentSpanId, values(joined)["http.route"]],
		["a".repeat(32), "b".repeat(16), "/rooms/:roomId"],
	);
	assert.equal(alone?.parentSpanId, undefined);
	const unsampled = recorder({ ratio: 0.1, random: () => 0.5 });
	unsampled.made.loaded(1_800_000_000_000, 1_800_000_000_001, "/", null);
	unsampled.made.switching(room);
	unsampled.made.switched(room, true);
	assert.deepEqual(unsampled.spans(), []);
});

test("a page open for days holds no more than a page open for a minute, and nothing it is told can make it throw", () => {
	const { made, page, spans } = recorder({ ratio: 0 });
	// Messages that never end, and messages whose fact never comes.
	for (let n = 0; n < 1000; n++) {
		made.clicked(id(n), room, { at: page.now, isReady: true });
		made.calling("message:post", post(n), websocket);
		if (n % 2) made.answered("message:post", post(n), ok);
	}
	for (let n = 0; n < 1000; n++) made.heard(posted(n), { tp, ts: [0, 0, 0, 0] }, true);
	assert.equal(spans().length, 100, "only the last are remembered");
	for (const name of Object.keys(made) as (keyof typeof made)[])
		assert.doesNotThrow(() => (made[name] as (...given: unknown[]) => void)(null, undefined, undefined, undefined), name);
	assert.deepEqual(made.calling("typing", { roomId: room }, websocket), undefined, "too frequent, and no span");
	assert.match(made.calling("room:here", { roomId: room }, websocket)?.tp ?? "", /^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
});

test("the browser's part names what the contract names", async () => {
	assert.deepEqual(attributes["chat.ack.status"].values, ["ok", "refused", "timeout"]);
	const source = await import("node:fs/promises").then((fs) => fs.readFile(new URL("start.ts", import.meta.url), "utf8"));
	assert.ok(source.includes(`= "${beaconPath}"`));
	assert.equal(typeof startRecording, "function");
});
