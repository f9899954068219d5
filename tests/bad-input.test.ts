import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { lobbyId } from "../app/contract/fixed.ts";
import { limits } from "../app/contract/limits.ts";
import { openSocket, type TestCharla, type TestSocket, testCharla } from "./support/charla.ts";
import { everything } from "./support/chat.ts";
import { holdClock } from "./support/held-timers.ts";
import { tookAtMost } from "./support/long.ts";

/** A Charla with Ana, who misbehaves, and Ben, who must not notice. After each test nothing of Ben's may be missing. */
async function scene(env: Record<string, string> = {}) {
	const charla = await testCharla({ env });
	const [ana, ben] = [await charla.person("Ana"), await charla.person("Ben")];
	const [a, b] = [await charla.connect(ana.cookie), await charla.connect(ben.cookie)];
	const kept: string[] = [];
	const stored = async () => (await everything(charla.chat, ben.me, lobbyId)).map((m) => m.body);
	return {
		charla,
		ana,
		ben,
		a,
		b,
		stored,
		/** The server lives, serves Ben, and keeps all it ever accepted of him. */
		async isWell() {
			const health = await fetch(`${charla.url}/healthz`);
			assert.equal(health.status, 200);
			const body = `Ben ${kept.length}`;
			const answer = await b.call("message:post", { roomId: lobbyId, clientId: randomUUID(), body });
			assert.ok(answer.ok, JSON.stringify(answer));
			kept.push(body);
			await b.until(() => b.facts.some((f) => f.kind === "message-posted" && f.message.body === body));
			assert.deepEqual(
				(await stored()).filter((text) => /^Ben \d+$/.test(text)),
				kept,
			);
		},
		[Symbol.asyncDispose]: () => charla[Symbol.asyncDispose](),
	};
}

const post = (body: unknown, more: object = {}) => ({ roomId: lobbyId, clientId: randomUUID(), body, ...more });
const codeOf = async (answer: ReturnType<TestSocket["call"]>) => {
	const given = await answer;
	return given.ok ? "accepted" : given.code;
};

test("[X4] calls nobody knows, of any name, are answered and do nothing", async () => {
	await using s = await scene();
	for (const name of ["nope", "", "constructor", "__proto__", "toString", "hasOwnProperty", "message:post ", "x".repeat(10_000), "фу"])
		assert.deepEqual(await s.a.call(name as never, {}), { ok: false, code: "unknown-call", details: {} }, name.slice(0, 20));
	await s.isWell();
});

test("[X4] input of wrong types, missing, or too much of it is answered as malformed", async () => {
	await using s = await scene();
	const inputs: unknown[] = [
		undefined,
		null,
		0,
		1,
		"",
		"text",
		true,
		[],
		[1],
		{},
		post(7),
		post(null),
		post({ a: 1 }),
		post(["x"]),
		post("x", { more: 1 }),
		post("x", { replyTo: "1" }),
		post("x", { roomId: ["x"] }),
		Buffer.from("binary"),
	];
	for (const name of [
		"message:post",
		"message:edit",
		"message:delete",
		"message:stretch",
		"room:since",
		"room:here",
		"pointer:move",
		"typing",
	] as const)
		for (const input of inputs)
			assert.equal(await codeOf(s.a.raw.timeout(30_000).emitWithAck(name, input)), "malformed", `${name} ${JSON.stringify(input)}`);
	assert.equal(
		await codeOf(s.a.raw.timeout(30_000).emitWithAck("message:post", post("x"), "and", { more: 1 })),
		"accepted",
		"what follows the input is not looked at",
	);
	assert.equal(await codeOf(s.a.raw.timeout(30_000).emitWithAck("message:post")), "malformed", "nothing but the acknowledgement");
	assert.deepEqual(await s.stored(), ["x"]);
	await s.isWell();
});

test("[X4] a call without an acknowledgement is carried out or not, and harms nobody", async () => {
	await using s = await scene();
	s.a.raw.emit("message:post", post("without ack"));
	s.a.raw.emit("message:post", { broken: true });
	s.a.raw.emit("nope");
	s.a.raw.emit("message:post", post("not a function"), "ack");
	await s.b.until(() => s.b.facts.filter((f) => f.kind === "message-posted").length >= 2);
	assert.deepEqual((await s.stored()).toSorted(), ["not a function", "without ack"]);
	await s.isWell();
});

test("[M1] over the socket: blank, too long and unstorable texts are refused, exactly 4,000 emoji are not", async () => {
	await using s = await scene();
	for (const body of ["", " ", "\u200b\u2060", "\u202e"])
		assert.equal(await codeOf(s.a.call("message:post", post(body))), "empty", JSON.stringify(body));
	assert.deepEqual(await s.a.call("message:post", post("x".repeat(4001))), {
		ok: false,
		code: "too-long",
		details: { field: "body", limit: 4000 },
	});
	for (const body of ["a\0b", "\ud800", "\udfff x"])
		assert.equal(await codeOf(s.a.call("message:post", post(body))), "malformed", JSON.stringify(body));
	const full = "😀".repeat(limits.body);
	assert.equal(await codeOf(s.a.call("message:post", post(full))), "accepted");
	const hostile = [
		"'; drop table room_log; --",
		"../../../../etc/passwd",
		"<img src=x onerror=alert(1)>",
		"%00",
		"\u0024{process.exit()}",
		'{"$ne":null}',
		"\u2028\u2029",
	];
	for (const body of hostile.slice(0, -1)) assert.equal(await codeOf(s.a.call("message:post", post(body))), "accepted");
	assert.equal(await codeOf(s.a.call("message:post", post(hostile.at(-1)))), "empty");
	assert.deepEqual(await s.stored(), [full, ...hostile.slice(0, -1)], "stored as they were written");
	await s.isWell();
});

test("[X5] a frame of a megabyte closes the connection that sent it and no other", async () => {
	await using s = await scene();
	const closed = s.a.closed();
	s.a.raw.emit("message:post", post("x".repeat(1024 * 1024)));
	assert.match(await closed, /transport/);
	await s.isWell();
	const again = await s.charla.connect(s.ana.cookie);
	assert.equal(await codeOf(again.call("message:post", post("back"))), "accepted");
	const polling = await s.charla.connect(s.ana.cookie, { transports: ["polling"] });
	const gone = polling.closed();
	polling.raw.emit("message:post", post("x".repeat(1024 * 1024)));
	await gone;
	await s.isWell();
});

test("[X4] [C-14] frames that are no Socket.IO, and names it keeps for itself, close that connection at most", async () => {
	await using s = await scene();
	const { WebSocket } = await import("ws");
	const frames = [
		"",
		"4",
		"42",
		"42[",
		"42{}",
		"42[]",
		"42[1]",
		'42["connect"]',
		'42["disconnect"]',
		'42["error",1]',
		'42["disconnecting"]',
		"9",
		"40/admin,",
		'451-["x",{"_placeholder":true,"num":9}]',
		"452-[",
		'42["message:post"]',
		'42["message:post",null]',
		'42["message:post",[]]',
		'42["message:post","x"]',
		'421["message:post",{},{},{},7]',
		'42["message:post",{},{},{},7]',
		'42["error",{}]',
		'42["disconnecting","x"]',
		'42{"a":1}',
		'451-["message:post",{"_placeholder":true,"num":9}]',
		Buffer.alloc(1024 * 1024),
		'459999999-["x"]',
		"43999[1]",
		"41",
		"\u0000",
		"4".repeat(5000),
		Buffer.from([0xff, 0xfe, 0]),
		`42["message:post",${"[".repeat(20_000)}`,
	];
	for (const frame of frames) {
		const socket = new WebSocket(`${s.charla.url.replace("http", "ws")}/socket.io/?EIO=4&transport=websocket`, {
			headers: { cookie: s.ana.cookie },
		});
		socket.on("error", () => undefined);
		await new Promise((done) => socket.once("message", done));
		socket.send("40");
		await new Promise((done) => socket.once("message", done));
		socket.send(frame);
		await sleep(10);
		socket.terminate();
	}
	await s.isWell();
});

test("[R4] forged ids of rooms and messages, and another's message, are refused over the socket", async () => {
	await using s = await scene();
	const secret = await s.charla.chat.rooms.create(s.ben.me, { name: "Plans", topic: "", kind: "private" });
	const theirs = await s.b.call("message:post", post("Ben's own"));
	assert.ok(theirs.ok && theirs.data.seq !== null);
	const seq = theirs.data.seq;
	for (const roomId of [secret.id, randomUUID()]) {
		assert.equal(await codeOf(s.a.call("message:post", post("x", { roomId }))), "not-found");
		assert.equal(await codeOf(s.a.call("message:stretch", { roomId })), "not-found");
		assert.equal(await codeOf(s.a.call("pointer:move", { roomId, read: 1 })), "not-found");
	}
	for (const roomId of ["../../etc/passwd", "1", "", `${lobbyId}'--`, lobbyId.slice(0, -1)])
		assert.equal(await codeOf(s.a.call("message:stretch", { roomId })), "malformed");
	assert.equal(await codeOf(s.a.call("message:edit", { roomId: lobbyId, clientId: randomUUID(), seq, body: "taken" })), "not-yours");
	assert.equal(await codeOf(s.a.call("message:delete", { roomId: lobbyId, clientId: randomUUID(), seq })), "not-yours");
	assert.equal(await codeOf(s.a.call("message:delete", { roomId: lobbyId, clientId: randomUUID(), seq: 1 })), "message-not-found");
	assert.equal(await codeOf(s.a.call("message:post", post("x", { replyTo: 99_999 }))), "message-not-found");
	assert.deepEqual(await s.stored(), ["Ben's own"]);
	await s.isWell();
});

test("[S4] a thousand calls a second are refused with the seconds to wait, and a runaway is closed; others go on", async () => {
	await using s = await scene({ RATE_LIMITS: "on" });
	const closed = s.a.closed();
	const answers: unknown[] = [];
	for (let i = 0; i < 1000; i++) s.a.raw.emit("message:stretch", { roomId: randomUUID() }, (answer: unknown) => void answers.push(answer));
	const startedAt = performance.now();
	await s.isWell();
	tookAtMost(8000, performance.now() - startedAt, "what Ben did beside Ana's flood");
	await closed;
	const fast = answers.filter((x) => (x as { code?: string }).code === "too-fast") as { details: { seconds: number } }[];
	assert.ok(fast.length > 400, `${fast.length} of ${answers.length} were refused as too fast`);
	for (const { details } of fast) assert.ok(details.seconds >= 1 && details.seconds <= 60);
	await s.isWell();
});

test("[S3] a person posts ten messages at once and then one a second, over all their sockets together", async (t) => {
	const time = holdClock(t);
	await using s = await scene({ RATE_LIMITS: "on" });
	const other = await s.charla.connect(s.ana.cookie);
	const codes = await Promise.all(Array.from({ length: 16 }, (_, i) => codeOf((i % 2 ? s.a : other).call("message:post", post(`${i}`)))));
	assert.equal(codes.filter((c) => c === "accepted").length, 10);
	assert.equal(codes.filter((c) => c === "too-fast").length, 6);
	const refused = await s.a.call("message:post", post("again"));
	assert.ok(!refused.ok && refused.details?.seconds === 1);
	time.pass(1000);
	assert.equal(await codeOf(s.a.call("message:post", post("after a rest"))), "accepted");
	assert.equal((await s.stored()).length, 11, "what was accepted is stored, what was refused is not");
	await s.isWell();
});

test("[S3] one room takes 200 messages at once from everybody together; another room is not slowed by it", async (t) => {
	holdClock(t);
	await using s = await scene({ RATE_LIMITS: "on" });
	const people = await Promise.all(Array.from({ length: 23 }, (_, i) => s.charla.person(`Sender ${String.fromCharCode(0x4e00 + i * 7)}`)));
	const sockets = await Promise.all(people.map((p) => s.charla.connect(p.cookie)));
	const codes = await Promise.all(
		sockets.flatMap((socket) => Array.from({ length: 10 }, (_, i) => codeOf(socket.call("message:post", post(`${i}`))))),
	);
	const passed = codes.filter((c) => c === "accepted").length;
	assert.equal(passed, 200);
	assert.equal((await s.stored()).length, passed);
	const books = await s.charla.chat.rooms.create(s.ben.me, { name: "Books", topic: "", kind: "public" });
	assert.equal(await codeOf(s.b.call("message:post", post("elsewhere", { roomId: books.id }))), "accepted");
});

test("[S3] edits, deletions and typing have limits of their own", async () => {
	await using s = await scene({ RATE_LIMITS: "on" });
	const posted = await s.a.call("message:post", post("one"));
	assert.ok(posted.ok && posted.data.seq !== null);
	const { seq } = posted.data;
	const edits = await Promise.all(
		Array.from({ length: 9 }, (_, i) => codeOf(s.a.call("message:edit", { roomId: lobbyId, clientId: randomUUID(), seq, body: `${i}` }))),
	);
	assert.ok(edits.filter((c) => c === "too-fast").length >= 3, String(edits));
	assert.ok(edits.filter((c) => c === "accepted").length >= 5);
	const typing = await Promise.all(Array.from({ length: 5 }, () => codeOf(s.a.call("typing", { roomId: lobbyId }))));
	assert.deepEqual(typing.filter((c) => c === "too-fast").length, 3);
});

async function connects(charla: TestCharla, cookie: string, headers: Record<string, string>, transport: string): Promise<string> {
	const socket = openSocket(charla.url, cookie, { transports: [transport], headers });
	const outcome = await socket.welcomed.then(
		() => "let in",
		(error: Error) => error.message,
	);
	socket.raw.close();
	return outcome;
}

test("[X1] a page of another site connects neither by WebSocket nor by polling", async () => {
	await using s = await scene();
	const host = new URL(s.charla.url).host;
	const foreign: Record<string, string>[] = [
		{ origin: "https://evil.example" },
		{ origin: "null" },
		{ origin: `http://${host}.evil.example` },
		{ origin: "http://127.0.0.1:1" },
		{ origin: `http://evil.example/?${host}` },
		{ origin: "not a url" },
		{ origin: `http://${host}@evil.example` },
		{ "sec-fetch-site": "cross-site" },
		{ "sec-fetch-site": "same-site" },
	];
	for (const headers of foreign) {
		for (const transport of ["websocket", "polling"])
			assert.notEqual(await connects(s.charla, s.ana.cookie, headers, transport), "let in", `${transport} ${JSON.stringify(headers)}`);
		const answer = await fetch(`${s.charla.url}/socket.io/?EIO=4&transport=polling`, { headers: { cookie: s.ana.cookie, ...headers } });
		assert.equal(answer.status, 403, JSON.stringify(headers));
	}
	for (const headers of [
		{ origin: s.charla.url },
		{ origin: s.charla.url, "sec-fetch-site": "same-origin" },
		{ "sec-fetch-site": "same-origin" },
	] as Record<string, string>[])
		for (const transport of ["websocket", "polling"])
			assert.equal(await connects(s.charla, s.ana.cookie, headers, transport), "let in", `${transport} ${JSON.stringify(headers)}`);
	await s.isWell();
});

test("[X2] without a cookie, or with a forged, tampered or stale one, no socket is let in", async () => {
	await using s = await scene();
	const stale = await s.charla.session(s.ana.me);
	const session = await s.charla.auth.whoIs(stale);
	await s.charla.auth.leave(session as NonNullable<typeof session>);
	const good = s.ana.cookie;
	for (const cookie of [
		"",
		"sid=",
		"sid=forged.forged",
		`${good.slice(0, -1)}${good.endsWith("x") ? "y" : "x"}`,
		good.replace("sid=", "sid=x"),
		stale,
		`return=${good.slice(4)}`,
		"sid=%00",
		`sid=${"x".repeat(6000)}`,
	])
		for (const transport of ["websocket", "polling"])
			assert.equal(await connects(s.charla, cookie, {}, transport), "not-signed-in", cookie.slice(0, 30));
	assert.equal(await connects(s.charla, good, {}, "websocket"), "let in");
	await s.isWell();
});
