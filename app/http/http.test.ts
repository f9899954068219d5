import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { request } from "node:http";
import { connect, createServer as createTcp, type Socket as TcpSocket } from "node:net";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { testCharla } from "../../tests/support/charla.ts";
import { everything } from "../../tests/support/chat.ts";
import { freshDatabase } from "../../tests/support/database.ts";
import { holdClock } from "../../tests/support/held-timers.ts";
import { lobbyId } from "../contract/fixed.ts";
import { rates } from "../contract/limits.ts";
import { openOwnOrigin } from "./index.server.ts";

/** A line to a database that can be cut and mended, as when the database goes away for a while. */
async function line(databaseUrl: string) {
	const url = new URL(databaseUrl.replace("@/", "@localhost/"));
	const directory = url.searchParams.get("host");
	const port = Number(url.searchParams.get("port") ?? (url.port || 5432));
	const open = () => (directory?.startsWith("/") ? connect(`${directory}/.s.PGSQL.${port}`) : connect(port, directory ?? url.hostname));
	const pairs = new Set<TcpSocket>();
	let cut = false;
	const server = createTcp((near) => {
		if (cut) return void near.destroy();
		const far = open();
		for (const [one, other] of [
			[near, far],
			[far, near],
		] as const) {
			pairs.add(one);
			one.pipe(other);
			one.on("error", () => undefined);
			one.on("close", () => {
				pairs.delete(one);
				other.destroy();
			});
		}
	});
	await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
	const { port: listening } = server.address() as { port: number };
	return {
		url: `postgres://${url.username}${url.password ? `:${url.password}` : ""}@127.0.0.1:${listening}${url.pathname}`,
		cut() {
			cut = true;
			for (const socket of pairs) socket.destroy();
		},
		mend() {
			cut = false;
		},
		async [Symbol.asyncDispose]() {
			for (const socket of pairs) socket.destroy();
			await new Promise((done) => server.close(done));
		},
	};
}

test("[N8] /healthz says that the process lives, and /readyz that it can serve people", async () => {
	await using charla = await testCharla();
	const health = await fetch(`${charla.url}/healthz`);
	assert.deepEqual([health.status, (await health.text()).slice(0, 3)], [200, "ok "]);
	const ready = await fetch(`${charla.url}/readyz`);
	assert.equal(ready.status, 200);
	const { ready: is, why, build } = (await ready.json()) as Record<string, unknown>;
	assert.deepEqual([is, why, typeof build], [true, null, "string"]);
});

test("[N8] while the database is away Charla says so, keeps its sockets, and afterwards has lost nothing it accepted", async () => {
	await using database = await freshDatabase();
	await using wire = await line(database.url);
	await using charla = await testCharla({ database: { url: wire.url } });
	const { me, cookie } = await charla.person("Ana");
	const socket = await charla.connect(cookie);
	const post = (clientId: string, body: string) => socket.call("message:post", { roomId: lobbyId, clientId, body });
	assert.equal((await post(randomUUID(), "before")).ok, true);

	wire.cut();
	const clientId = randomUUID();
	const refused = await post(clientId, "during");
	assert.ok(!refused.ok && refused.code === "unavailable", JSON.stringify(refused));
	const away = await fetch(`${charla.url}/readyz`);
	assert.deepEqual([away.status, ((await away.json()) as { why: string }).why], [503, "database"]);
	assert.equal((await fetch(`${charla.url}/healthz`)).status, 200, "the process itself is well");
	assert.equal(socket.raw.connected, true);

	wire.mend();
	for (const end = Date.now() + 10_000; (await fetch(`${charla.url}/readyz`)).status !== 200; await sleep(100))
		assert.ok(Date.now() < end, "does not become ready again");
	let again = await post(clientId, "during");
	for (const end = Date.now() + 10_000; !again.ok && Date.now() < end; again = await post(clientId, "during")) await sleep(100);
	assert.ok(again.ok);
	assert.deepEqual(
		(await everything(charla.chat, me, lobbyId)).map((m) => m.body),
		["before", "during"],
	);
	await socket.until(() => socket.facts.filter((f) => f.kind === "message-posted").length === 2);
});

test("[N7] while it stops Charla is not ready, so that nobody is sent there", async () => {
	await using charla = await testCharla({ env: { DRAIN_SECONDS: "1" } });
	await charla.connect((await charla.person("Ana")).cookie);
	const stopped = charla.stop();
	const answer = await fetch(`${charla.url}/readyz`);
	assert.deepEqual([answer.status, ((await answer.json()) as { why: string }).why], [503, "draining"]);
	await stopped;
	await assert.rejects(fetch(`${charla.url}/healthz`));
});

test("[X5] every answer carries the headers that keep a page to itself, with a nonce of its own", async () => {
	await using charla = await testCharla();
	// Where the pages would be.
	charla.front.use((_request, response) => void response.send("<p>a page</p>"));
	const answers = await Promise.all(["/", "/rooms", "/nowhere", "/leave"].map((path) => fetch(`${charla.url}${path}`)));
	const nonces = new Set<string>();
	for (const answer of answers) {
		const { headers } = answer;
		const policy = headers.get("content-security-policy") ?? "";
		for (const part of [
			"default-src 'none'",
			"base-uri 'none'",
			"object-src 'none'",
			"frame-ancestors 'none'",
			"form-action 'self'",
			"require-trusted-types-for 'script'",
			"'strict-dynamic'",
		])
			assert.ok(policy.includes(part), part);
		assert.doesNotMatch(policy, /unsafe-inline|unsafe-eval|\*/);
		nonces.add(/script-src 'nonce-([^']+)'/.exec(policy)?.[1] ?? "");
		assert.equal(headers.get("x-content-type-options"), "nosniff");
		assert.equal(headers.get("referrer-policy"), "same-origin");
		assert.equal(headers.get("cross-origin-opener-policy"), "same-origin");
		assert.equal(headers.get("cross-origin-resource-policy"), "same-origin");
		assert.match(headers.get("permissions-policy") ?? "", /camera=\(\)/);
		assert.match(headers.get("x-request-id") ?? "", /^[\w-]{36}$/);
		assert.equal(headers.get("x-powered-by"), null);
		assert.equal(headers.get("strict-transport-security"), null, "no https here");
	}
	assert.equal(nonces.size, answers.length);
	assert.ok(!nonces.has(""));
});

test("[X5] behind https the browser is told to stay with it", async () => {
	await using charla = await testCharla({ env: { PUBLIC_URL: "https://chat.example.org" } });
	charla.front.use((_request, response) => void response.send("<p>a page</p>"));
	const answer = await fetch(`${charla.url}/`);
	assert.equal(answer.headers.get("strict-transport-security"), "max-age=31536000; includeSubDomains");
	assert.match(answer.headers.get("content-security-policy") ?? "", /connect-src 'self' wss:/);
});

test("[X6] reports of a violated policy are taken, in any shape a browser sends, and nothing else breaks the endpoint", async () => {
	await using charla = await testCharla();
	const send = (body: string, type = "application/csp-report") =>
		fetch(`${charla.url}/csp-report`, { method: "POST", headers: { "content-type": type }, body });
	assert.equal((await send('{"csp-report":{"blocked-uri":"inline"}}')).status, 204);
	assert.equal((await send('[{"type":"csp-violation","body":{}}]', "application/reports+json")).status, 204);
	for (const broken of ["{", "null", "7", "\u0000", '{"a":', '"x"']) assert.equal((await send(broken)).status, 400, broken);
	assert.equal((await send(JSON.stringify({ x: "y".repeat(40_000) }))).status, 400, "larger than any report");
	assert.equal((await fetch(`${charla.url}/healthz`)).status, 200);
});

test("[X6] reports are limited by address, with the time to wait", async (t) => {
	holdClock(t);
	await using charla = await testCharla({ env: { RATE_LIMITS: "on" } });
	const answers = await Promise.all(
		Array.from({ length: 70 }, () =>
			fetch(`${charla.url}/csp-report`, { method: "POST", headers: { "content-type": "application/csp-report" }, body: "{}" }),
		),
	);
	const refused = answers.filter((a) => a.status === 429);
	assert.equal(refused.length, 70 - rates.call.burst);
	for (const answer of refused) assert.equal(answer.headers.get("retry-after"), "1");
});

test("[X1] a form of another site, or of no site one can name, is refused before anything is read", async () => {
	await using charla = await testCharla();
	const send = (headers: Record<string, string>) =>
		fetch(`${charla.url}/`, {
			method: "POST",
			headers: { "content-type": "application/x-www-form-urlencoded", ...headers },
			body: "name=Eve",
		});
	const foreign: Record<string, string>[] = [
		{ origin: "https://evil.example" },
		{ origin: "null" },
		{ "sec-fetch-site": "cross-site" },
		{ "sec-fetch-site": "same-site" },
		{ origin: "https://evil.example", "sec-fetch-site": "same-origin" },
	];
	for (const headers of foreign) {
		// fetch keeps Sec- headers for browsers; here they are sent by hand.
		const status = await raw(charla.url, "POST", { "content-type": "application/x-www-form-urlencoded", ...headers }, "name=Eve");
		assert.equal(status, 403, JSON.stringify(headers));
	}
	assert.equal(
		(await send({ origin: charla.url })).status,
		404,
		"the premise: our own is let through (to pages, which are not served here)",
	);
	assert.match(await (await send({ origin: "https://evil.example", "accept-language": "es" })).text(), /otro sitio/);
	assert.equal((await fetch(`${charla.url}/healthz`, { headers: { origin: "https://evil.example" } })).status, 200, "reading is harmless");
});

/** The status of an answer to a request with exactly these headers; `body` null sends an endless one in pieces. */
function raw(url: string, method: string, headers: Record<string, string>, body: string | null): Promise<number> {
	return new Promise((resolve, reject) => {
		let timer: NodeJS.Timeout | undefined;
		const sent = request(`${url}/`, { method, headers }, (answer) => {
			clearInterval(timer);
			resolve(answer.statusCode as number);
			sent.destroy();
		});
		sent.on("error", reject);
		if (body !== null) return void sent.end(body);
		timer = setInterval(() => sent.write("x".repeat(1000)), 5);
	});
}

test("[X5] a form of a megabyte, or one without an end, is refused unread", async () => {
	await using charla = await testCharla();
	const form = { "content-type": "application/x-www-form-urlencoded" };
	const large = `name=${"x".repeat(1024 * 1024)}`;
	assert.equal(await raw(charla.url, "POST", { ...form, "content-length": String(large.length) }, large), 422);
	assert.equal(await raw(charla.url, "POST", { ...form, "transfer-encoding": "chunked" }, null), 400);
	assert.equal((await fetch(`${charla.url}/healthz`)).status, 200);
});

test("[X1] which origin is our own follows PUBLIC_URL, else the host the browser asked", () => {
	const asks = (publicUrl: string | null, headers: Record<string, string>) => openOwnOrigin(publicUrl)({ headers } as never);
	assert.equal(asks(null, { host: "a.example:3000", origin: "http://a.example:3000" }), true);
	assert.equal(asks(null, { host: "a.example:3000", origin: "http://a.example" }), false);
	assert.equal(asks("https://chat.example.org", { host: "10.0.0.7:3000", origin: "https://chat.example.org" }), true, "behind a proxy");
	assert.equal(asks("https://chat.example.org", { host: "chat.example.org", origin: "http://chat.example.org" }), false, "not by http");
	assert.equal(asks("https://chat.example.org", { host: "evil.example", origin: "https://evil.example" }), false);
	assert.equal(asks(null, { host: "a.example" }), true, "no browser");
	assert.equal(asks(null, { host: "a.example", "sec-fetch-site": "cross-site" }), false);
});
