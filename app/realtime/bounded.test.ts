import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { connect } from "node:net";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { testCharla } from "../../tests/support/charla.ts";
import { holdTimers } from "../../tests/support/held-timers.ts";
import { lobbyId } from "../contract/fixed.ts";
import { backlogLimit } from "./joined-frames.ts";

async function until(condition: () => boolean): Promise<void> {
	while (!condition()) await turn();
}

test("[N6] who asks for history again and again and reads none of it is refused before it fills the memory", {
	timeout: 60_000,
}, async (t) => {
	await using charla = await testCharla();
	const { me, cookie } = await charla.person("Ana");
	for (let i = 0; i < 50; i++)
		await charla.chat.messages.post(me, { roomId: lobbyId, clientId: randomUUID(), body: "x".repeat(4000), replyTo: null });
	const { raw } = await charla.connect(cookie);
	const line = (raw.io.engine as unknown as { transport: { ws: { _socket: { pause(): void } } } }).transport.ws._socket;
	line.pause();
	let arrived = 0;
	const there = charla.realtime.io.sockets.sockets.get(raw.id as string);
	there?.onAny(() => arrived++);
	const backlog = () => charla.realtime.table()[0]?.backlogBytes ?? 0;
	// The kernel takes some megabytes before anything waits here.
	for (let asked = 1; backlog() <= backlogLimit; asked++) {
		assert.ok(asked < 1000, "the premise: it reads nothing, so something waits");
		raw.emit("message:stretch", { roomId: lobbyId }, () => undefined);
		await until(() => arrived === asked);
		// Its answer, before the next question.
		await charla.chat.messages.stretch(me, { roomId: lobbyId });
		await turn();
	}
	const full = backlog();
	const before = arrived;
	for (let i = 0; i < 200; i++) raw.emit("message:stretch", { roomId: lobbyId }, () => undefined);
	await until(() => arrived === before + 200);
	assert.ok(backlog() < full + 1_000_000, `${backlog()} bytes wait, after ${full}`);
	// A websocket that is closed waits so long for the other side to agree, which here hears nothing.
	const patience = holdTimers(t, 30_000);
	for (let i = 0; i < 400; i++) raw.emit("server:ping", {}, () => undefined);
	await until(() => {
		patience.pass();
		return charla.realtime.count() === 0;
	});
});

test("[N7] a connection that says nothing, or does not hear, holds up no stop", { timeout: 60_000 }, async () => {
	await using charla = await testCharla();
	const { cookie } = await charla.person("Ana");
	const { raw } = await charla.connect(cookie);
	(raw.io.engine as unknown as { transport: { ws: { _socket: { pause(): void } } } }).transport.ws._socket.pause();
	const silent = connect(Number(new URL(charla.url).port), "127.0.0.1");
	await once(silent, "connect");
	const half = connect(Number(new URL(charla.url).port), "127.0.0.1");
	await once(half, "connect");
	half.write("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc");
	const ended = Promise.all([silent, half].map((line) => once(line.on("error", () => undefined).resume(), "close")));
	const hung = new Promise((_, reject) => setTimeout(reject, 20_000, new Error("it did not stop")).unref());
	await Promise.race([charla.stop(), hung]);
	await ended;
});
