import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { request } from "node:http";
import { test } from "node:test";
import { WebSocket } from "ws";
import { testCharla } from "../../tests/support/charla.ts";
import { everything } from "../../tests/support/chat.ts";
import { holdClock } from "../../tests/support/held-timers.ts";
import { lobbyId } from "../contract/fixed.ts";
import { rates } from "../contract/limits.ts";

/** The answer to a request that names its host by hand; with a body it is a POST. */
function ask(url: string, path: string, headers: Record<string, string>, body?: string) {
	return new Promise<{ status: number; headers: Record<string, unknown>; text: string }>((resolve, reject) => {
		const { hostname, port } = new URL(url);
		const method = body === undefined ? "GET" : "POST";
		const length: Record<string, string> = body === undefined ? {} : { "content-length": String(Buffer.byteLength(body)) };
		const sent = request({ hostname, port, path, method, headers: { ...headers, ...length } }, (answer) => {
			let text = "";
			answer.setEncoding("utf8").on("data", (part) => {
				text += part;
			});
			answer.on("end", () => resolve({ status: answer.statusCode as number, headers: answer.headers, text }));
		});
		sent.on("error", reject).end(body);
	});
}

test("[X8] [C-16] a host that is none is refused, and what a client says of a proxy counts for nothing where there is none", async () => {
	await using charla = await testCharla({ pages: true });
	for (const host of ["x:99999", "x:y", "a b", "x/../y", "x@y", "[::1", "x:80:80"])
		assert.equal((await ask(charla.url, "/", { host })).status, 400, host);
	for (const host of ["x:8080", "10.0.1.23:3000", "chat.example.org", "[::1]:3000"])
		assert.equal((await ask(charla.url, "/", { host })).status, 200, host);
	assert.equal((await ask(charla.url, "/", { host: "x", "x-forwarded-host": "x:99999" })).status, 200);
	await using behind = await testCharla({ pages: true, env: { PROXY_HOPS: "1" } });
	assert.equal((await ask(behind.url, "/", { host: "x", "x-forwarded-host": "x:99999" })).status, 400);
});

/** What a balancer that ends TLS makes of a request to https://charla.example. */
const balanced = { host: "10.0.1.5:3000", "x-forwarded-proto": "https", "x-forwarded-for": "198.51.100.7" };
const home = "https://charla.example";
const foreign = [
	"null",
	"https://charla.example.evil.test",
	"https://evilcharla.example",
	"https://charla.exampl",
	"https://charla.example:8443",
	"http://charla.example",
	"https://charla.example@evil.test",
	"https://10.0.1.5:3000",
	"",
];

test("[X1] [C-16] a foreign origin is refused at every door of a socket, compared whole: at the handshake, in an open session, and at its upgrade", async () => {
	await using charla = await testCharla({ env: { PUBLIC_URL: home, PROXY_HOPS: "1" } });
	const { cookie } = await charla.person("Ana");
	const polling = "/socket.io/?EIO=4&transport=polling";
	const by = (origin: string) => ({ ...balanced, cookie, origin });
	const upgrade = (path: string, origin: string) =>
		new Promise<string>((done) => {
			const socket = new WebSocket(`${charla.url.replace("http", "ws")}${path}`, { headers: by(origin) });
			socket.on("open", () => done("let in")).on("error", () => done("refused"));
			socket.on("open", () => socket.terminate());
		});
	const opened = await ask(charla.url, polling, by(home));
	assert.equal(opened.status, 200);
	const { sid } = JSON.parse(opened.text.slice(1)) as { sid: string };
	for (const origin of foreign) {
		for (const path of [polling, `${polling}&sid=${sid}`]) assert.equal((await ask(charla.url, path, by(origin))).status, 403, origin);
		assert.equal((await ask(charla.url, `${polling}&sid=${sid}`, by(origin), "40")).status, 403, origin);
		const websocket = polling.replace("=polling", "=websocket");
		for (const path of [websocket, `${websocket}&sid=${sid}`]) assert.equal(await upgrade(path, origin), "refused", origin);
	}
	assert.equal(charla.realtime.count(), 0);
	// Whose session it is goes on undisturbed.
	assert.equal((await ask(charla.url, `${polling}&sid=${sid}`, by(home), "40")).status, 200);
	assert.match((await ask(charla.url, `${polling}&sid=${sid}`, by(home))).text, /^40\{/);
	assert.equal(await upgrade(polling.replace("=polling", "=websocket"), home), "let in");
});

test("[X2] [C-16] behind a balancer that ends TLS people enter and post, with cookies for https alone", async () => {
	await using charla = await testCharla({ pages: true, env: { PUBLIC_URL: home, PROXY_HOPS: "1" } });
	const form = { ...balanced, "content-type": "application/x-www-form-urlencoded" };
	const entered = await ask(charla.url, "/?index", { ...form, origin: home }, "name=Ana");
	assert.equal(entered.status, 302);
	assert.match(String(entered.headers.location), /^(?:https:\/\/charla\.example)?\/rooms\//);
	const cookies = (entered.headers["set-cookie"] as string[]).filter((set) => !set.includes("Max-Age=0"));
	assert.ok(cookies.length > 0);
	for (const set of cookies) assert.match(set, /^__Host-.*; Secure/);
	const cookie = cookies.map((set) => set.split(";")[0]).join("; ");
	const message = (body: string) => new URLSearchParams({ intent: "post", clientId: randomUUID(), body }).toString();
	const posted = await ask(charla.url, `/rooms/${lobbyId}`, { ...form, cookie, origin: home }, message("hello"));
	assert.equal(posted.status, 302);
	for (const origin of foreign)
		assert.equal((await ask(charla.url, `/rooms/${lobbyId}`, { ...form, cookie, origin }, message("forged"))).status, 403, origin);
	const me = (await charla.auth.whoIs(cookie))?.me;
	assert.ok(me);
	assert.deepEqual(
		(await everything(charla.chat, me, lobbyId)).map((each) => each.body),
		["hello"],
	);
});

test("[S3] [C-16] limits count the address the outermost proxy of ours saw, with none, one and two of them, and never one a client wrote", async (t) => {
	holdClock(t);
	for (const [hops, seen] of [
		["0", (real: string) => real],
		["1", (real: string) => real],
		["2", (real: string) => `${real}, 10.0.0.2`],
	] as const) {
		await using charla = await testCharla({ env: { RATE_LIMITS: "on", PROXY_HOPS: hops } });
		const report = async (written: string, real: string) =>
			(await ask(charla.url, "/csp-report", { host: "x", "x-forwarded-for": `${written}, ${seen(real)}` }, "{}")).status;
		for (let i = 0; i < rates.call.burst; i++) assert.equal(await report(`1.2.3.${i}`, "198.51.100.7"), 204);
		assert.equal(await report("1.2.3.250", "198.51.100.7"), 429, `${hops} proxies: another address written, the same one counted`);
		assert.equal(await report("1.2.3.251", "198.51.100.8"), hops === "0" ? 429 : 204, `${hops} proxies: somebody else`);
	}
});

test("[N8] [C-17] a load balancer that asks for health by its own address is answered at once: no redirect, no cookie, no session, no trace", async () => {
	await using charla = await testCharla({ env: { PUBLIC_URL: home, PROXY_HOPS: "1" } });
	for (const path of ["/healthz", "/readyz"]) {
		const { status, headers } = await ask(charla.url, path, { host: "10.0.1.23:3000", "user-agent": "ELB-HealthChecker/2.0" });
		assert.equal(status, 200);
		for (const name of ["location", "set-cookie", "server-timing"]) assert.equal(headers[name], undefined, name);
	}
	assert.deepEqual(await charla.storage.sql.query("", "select 1 from session"), []);
});

test("[W3] [C-17] a missing file of the page is not found, and is kept by no cache", async () => {
	await using charla = await testCharla({ pages: true });
	const answer = await ask(charla.url, "/assets/x-OLDHASH.js", {});
	assert.deepEqual([answer.status, answer.headers["cache-control"]], [404, "no-store"]);
});
