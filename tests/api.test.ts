import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { request as httpRequest } from "node:http";
import { after, before, test } from "node:test";
import { uuidv7 } from "../app/chat/index.server.ts";
import { lobbyId } from "../app/contract/fixed.ts";
import { rates } from "../app/contract/limits.ts";
import type { Cart, Scope } from "../app/contract/orders.ts";
import { openKeys } from "../app/shop/index.server.ts";
import { hashOfKey } from "../app/shop/keys.ts";
import { hashOf } from "../lambdas/shop/api.ts";
import { smallCatalogue } from "../lambdas/shop/catalogue.ts";
import { type TestCharla, testCharla } from "./support/charla.ts";
import { freshDatabase } from "./support/database.ts";

let charla: TestCharla;
/** The same on the same database, as others reach it: keys are asked for, limits hold. */
let strict: TestCharla;
before(async () => {
	charla = await testCharla();
	await charla.shop.put(smallCatalogue);
	strict = await testCharla({ database: charla.database, env: { SHOP_OPEN: "off", RATE_LIMITS: "on" } });
});
after(async () => {
	await strict[Symbol.asyncDispose]();
	await charla[Symbol.asyncDispose]();
});

const two = { items: ["123456", "789012"], user: "me" };
async function ask(path: string, more: { on?: TestCharla; body?: unknown; headers?: Record<string, string>; method?: string } = {}) {
	const { on = charla, body, headers = {}, method = body === undefined ? "GET" : "POST" } = more;
	const response = await fetch(`${on.url}/api${path}`, {
		method,
		headers: { ...(body === undefined ? {} : { "content-type": "application/json" }), ...headers },
		body: body === undefined ? null : typeof body === "string" ? body : JSON.stringify(body),
	});
	const text = await response.text();
	return { status: response.status, headers: response.headers, json: text === "" ? null : JSON.parse(text) };
}
const keyFor = async (ownerId: string, scopes: Scope[], room: string | null = null) =>
	openKeys({ sql: charla.storage.sql, ids: uuidv7 }).create({ name: "a key", ownerId, scopes, room });
const bearer = (secret: string) => ({ authorization: `Bearer ${secret}` });

test("[O7] the server serves the catalogue and takes orders under /api, on a laptop without a key", async () => {
	const items = await ask("/item?limit=2");
	assert.deepEqual([items.status, items.json.items.length, items.json.next], [200, 2, "234567"]);
	const made = await ask("/cart", { body: two });
	assert.equal(made.status, 200);
	assert.deepEqual((await ask(`/cart/${made.json.id}`)).json, made.json.cart);
	assert.ok(made.headers.get("x-request-id"));
	const refused = await ask("/cart", { body: { items: ["000000"], user: "me" } });
	assert.deepEqual([refused.status, refused.json.error.code, refused.json.error.items], [422, "unknown-items", ["000000"]]);
	assert.equal(refused.json.error.request_id, refused.headers.get("x-request-id"), "what people quote is what the log has");
	assert.equal((await ask("/nothing")).status, 404);
});

test("[O7] people are known by name: me, somebody here, and nobody", async () => {
	const { me } = await charla.person("Zoila");
	const { secret } = await keyFor(me.id, ["carts:write", "carts:read"]);
	assert.deepEqual((await ask("/cart", { body: two, headers: bearer(secret) })).json.cart.user, { id: me.id, name: "Zoila" });
	assert.deepEqual((await ask("/cart", { body: { ...two, user: "zoila" } })).json.cart.user, { id: me.id, name: "Zoila" });
	for (const user of ["Nobody at all", "Shoppin", "Chuck"]) {
		const { status, json } = await ask("/cart", { body: { ...two, user } });
		assert.deepEqual([status, json.error.code, json.error.user], [422, "unknown-user", user]);
	}
});

test("[O4] keys are asked for where others reach it; each is somebody's, for what it says, until it is revoked", async () => {
	assert.equal(hashOfKey("a secret"), hashOf("a secret"), "the server and the function know a key by the same hash");
	assert.deepEqual([(await ask("/item", { on: strict })).status, (await ask("/cart", { on: strict, body: two })).status], [401, 401]);
	const { me } = await charla.person("Yago");
	const keys = openKeys({ sql: charla.storage.sql, ids: uuidv7 });
	const made = await keyFor(me.id, ["items:read"]);
	assert.match(made.secret, /^charla_[\w-]{43}$/);
	assert.equal((await ask("/item", { on: strict, headers: bearer(made.secret) })).status, 200);
	assert.equal((await ask("/item", { on: strict, headers: { "x-api-key": made.secret } })).status, 200);
	assert.equal((await ask("/cart", { on: strict, body: two, headers: bearer(made.secret) })).json.error.code, "forbidden");
	const [row] = await charla.storage.sql.query<{ secret_hash: string }>("", "select secret_hash from api_key where id = $1", [made.id]);
	assert.equal(row?.secret_hash, hashOfKey(made.secret));
	assert.ok(!JSON.stringify(await keys.list()).includes(made.secret));
	assert.equal(await keys.revoke(made.id), made.hash);
	assert.equal((await ask("/item", { on: strict, headers: bearer(made.secret) })).status, 401);
	assert.equal(await keys.revoke(uuidv7()), null);
	// A cookie is no key: whoever is signed in to the chat asks the API like anybody.
	const { cookie } = await charla.person("Xenia");
	assert.equal((await ask("/item", { on: strict, headers: { cookie } })).status, 401);
});

test("[O5] no page of another site orders on a laptop; with a key it may, and reads the answer", async () => {
	for (const origin of ["https://evil.example", "http://127.0.0.1.evil.example", "null", "http://localhost.evil.example"]) {
		const refused = await ask("/cart", { body: two, headers: { origin } });
		assert.deepEqual(
			[refused.status, refused.json.error.code, refused.headers.get("access-control-allow-origin")],
			[403, "foreign-origin", null],
			origin,
		);
		assert.equal((await ask("/cart", { body: JSON.stringify(two), headers: { origin, "content-type": "text/plain" } })).status, 403);
	}
	assert.equal((await ask("/cart", { body: two, headers: { origin: "http://localhost:8080" } })).status, 200);
	const { me } = await charla.person("Wanda");
	const { secret } = await keyFor(me.id, ["carts:write"]);
	const allowed = await ask("/cart", { on: strict, body: two, headers: { origin: "https://shop.example", ...bearer(secret) } });
	assert.deepEqual([allowed.status, allowed.headers.get("access-control-allow-origin")], [200, "https://shop.example"]);
	assert.equal(allowed.headers.get("access-control-allow-credentials"), null);
});

test("[O6] an order of the API is a card in the linked room, live, and in no other", async () => {
	const [ana, ben] = [await charla.person("Vera"), await charla.person("Ulises")];
	const room = await charla.chat.rooms.create(ana.me, { name: "Spares", topic: "", kind: "private" });
	await charla.chat.rooms.invite(ana.me, { roomId: room.id, name: "Ulises" });
	const socket = await charla.connect(ben.cookie);
	for (const name of ["Spares", room.id, "No such room", "Lobby", lobbyId])
		assert.deepEqual((await ask("/cart", { body: { ...two, room: name } })).json.error.code, "room-not-linked", name);
	await charla.chat.messages.post(ana.me, { roomId: room.id, clientId: uuidv7(), body: "/cart link", replyTo: null });
	const heard = () => socket.facts.flatMap((fact) => (fact.kind === "message-posted" && fact.message.card ? [fact.message.card.id] : []));
	const made = await ask("/cart", { body: { ...two, room: "spares" }, headers: { "idempotency-key": "1" } });
	assert.deepEqual([made.status, made.json.cart.room], [200, room.id]);
	await socket.until(() => heard().length > 0, 20_000);
	const { secret } = await keyFor(ana.me.id, ["carts:write"], room.id);
	const bound = await ask("/cart", { on: strict, body: two, headers: bearer(secret) });
	// The other instance showed it; this one hears of it by its safety tick.
	await socket.until(() => heard().length > 1, 20_000);
	assert.deepEqual(heard(), [made.json.id, bound.json.id]);
	const again = await ask("/cart", { body: { ...two, room: "spares" }, headers: { "idempotency-key": "1" } });
	assert.deepEqual([again.json.id, again.headers.get("idempotency-replayed")], [made.json.id, "true"]);

	const decided = await (await charla.connect(ana.cookie)).call("cart:decide", {
		roomId: room.id,
		cartId: made.json.id,
		verdict: "approved",
	});
	assert.deepEqual(decided, { ok: true, data: { version: 2 } });
	await socket.until(() => socket.facts.some((fact) => fact.kind === "cart-changed"));
	assert.equal((await ask(`/cart/${made.json.id}`)).json.state, "approved", "and the API says so too");
	for (const input of [
		{},
		{ roomId: room.id, cartId: "x", verdict: "approved" },
		{ roomId: room.id, cartId: made.json.id, verdict: "eaten" },
	])
		assert.partialDeepStrictEqual(await socket.call("cart:decide", input), { ok: false, code: "malformed" });
});

test("[X4] bodies no client sends: endless, cut off, no UTF-8, foreign types; each is answered and the server goes on", async () => {
	const raw = (headers: Record<string, string | number>, chunks: (string | Buffer)[], end = true) =>
		new Promise<number>((resolve) => {
			const request = httpRequest(`${charla.url}/api/cart`, { method: "POST", headers });
			request.on("response", (response) => {
				response.resume();
				resolve(response.statusCode ?? 0);
			});
			request.on("error", () => resolve(0));
			for (const chunk of chunks) request.write(chunk);
			if (end) request.end();
			else setTimeout(() => request.destroy(), 50);
		});
	const json = { "content-type": "application/json" };
	assert.equal(await raw(json, [Buffer.from([0x7b, 0xff, 0xfe])]), 400);
	assert.equal(await raw(json, ["\ufeff", JSON.stringify(two)]), 200, "a mark at the beginning is no harm");
	assert.equal(
		await raw(
			json,
			Array.from({ length: 40 }, () => "x".repeat(10_000)),
		),
		413,
	);
	assert.equal(await raw({ ...json, "content-length": 1000 }, ['{"items":'], false), 0, "who goes away gets no answer");
	assert.equal(await raw({ "content-type": "text/html" }, ["<p>"]), 415);
	assert.equal(await raw(json, [JSON.stringify(two)]), 200);
	const deep = `${"[".repeat(50_000)}${"]".repeat(50_000)}`;
	assert.ok([400, 422].includes((await ask("/cart", { body: `{"items":${deep}}` })).status));
	assert.equal((await ask("/cart", { body: '{"items":["123456"],"user":"me","__proto__":{"x":1}}' })).status, 422);
});

test("[S3] the API has a rate of its own, says when to come back, and counts a made-up key by its address", async () => {
	const { me } = await charla.person("Tito");
	const { secret } = await keyFor(me.id, ["items:read"]);
	const many = (headers: Record<string, string>) =>
		Promise.all(Array.from({ length: rates.api.burst + 30 }, () => ask("/item", { on: strict, headers })));
	const answers = await many(bearer(secret));
	const refused = answers.filter((answer) => answer.status === 429);
	assert.ok(refused.length > 0 && answers.some((answer) => answer.status === 200));
	assert.equal(refused[0]?.json.error.code, "too-fast");
	assert.ok(Number(refused[0]?.headers.get("retry-after")) >= 1);
	const guessed = await Promise.all(
		Array.from({ length: rates.api.burst + 30 }, (_, i) => ask("/item", { on: strict, headers: bearer(`charla_guess-${i}`) })),
	);
	assert.ok(guessed.some((answer) => answer.status === 429) && guessed.every((answer) => [401, 429].includes(answer.status)));
});

test("[O7] npm run api: ShoppinAPI alone, with something in it, for the two lines of the README", async () => {
	await using database = await freshDatabase();
	const child = spawn(process.execPath, ["scripts/api.ts"], {
		env: { ...process.env, DATABASE_URL: database.url, PORT: "0", SESSION_SECRET: "a secret of at least thirty-two characters" },
		stdio: ["ignore", "pipe", "pipe"],
	});
	try {
		let said = "";
		for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (said += chunk));
		const end = Date.now() + 60_000;
		while (!/curl \S+\/item/.test(said)) {
			assert.ok(Date.now() < end && child.exitCode === null, said);
			await new Promise((done) => setTimeout(done, 50));
		}
		const url = /ready at (\S+)/.exec(said)?.[1] as string;
		const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
		const lines = [...readme.matchAll(/^curl localhost:3001(\/\S+)(?:.*? -d '([^']+)')?$/gm)];
		assert.deepEqual(
			lines.map((line) => line[1]),
			["/item", "/cart"],
		);
		const items = (await (await fetch(url + lines[0]?.[1])).json()) as { items: unknown[] };
		assert.equal(items.items.length, smallCatalogue.length);
		assert.ok(readme.includes(JSON.stringify(items.items[0])), "the README shows what is answered");
		const body = lines[1]?.[2] as string;
		assert.deepEqual(JSON.parse(body), two);
		// As curl sends it when nobody says what it is.
		const made = await fetch(url + lines[1]?.[1], {
			method: "POST",
			headers: { "content-type": "application/x-www-form-urlencoded" },
			body,
		});
		assert.equal(made.status, 200);
		const { id, message, cart } = (await made.json()) as { id: string; message: string; cart: Cart };
		assert.deepEqual([cart.id, cart.user.name], [id, "me"]);
		assert.ok(readme.includes(`"message":"${message}"`));
	} finally {
		const ended = new Promise<number | null>((done) => child.once("exit", done));
		child.kill("SIGTERM");
		assert.equal(await ended, 0, "it stops when it is told to");
	}
});

test("[O4] npm run api-key: made for somebody, listed without its secret, and taken back", async () => {
	const run = (...words: string[]) =>
		new Promise<{ code: number | null; said: string }>((done) => {
			const child = spawn(process.execPath, ["scripts/api-key.ts", ...words], {
				env: { ...process.env, DATABASE_URL: charla.database.url, SESSION_SECRET: "a secret of at least thirty-two characters" },
				stdio: ["ignore", "pipe", "pipe"],
			});
			let said = "";
			for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (said += chunk));
			child.once("close", (code) => done({ code, said }));
		});
	await charla.person("Saturnino");
	const made = await run("create", "--name", "stock room", "--owner", "saturnino", "--scopes", "items:read");
	assert.equal(made.code, 0, made.said);
	const [secret] = made.said.split("\n") as [string];
	assert.equal((await ask("/item", { on: strict, headers: bearer(secret) })).status, 200);
	const id = /revoke (\S+)/.exec(made.said)?.[1] as string;
	const listed = await run("list");
	assert.match(listed.said, new RegExp(`${id}  open  stock room  Saturnino  items:read  any room`));
	assert.ok(!listed.said.includes(secret));
	assert.equal((await run("revoke", id)).code, 0);
	assert.equal((await ask("/item", { on: strict, headers: bearer(secret) })).status, 401);
	for (const [words, says] of [
		[["create", "--name", "x", "--owner", "Nobody"], /nobody called Nobody/],
		[["create", "--name", "x", "--owner", "Saturnino", "--scopes", "all"], /no scope all/],
		[["create", "--name", "x", "--owner", "Saturnino", "--room", "Lobby"], /\/cart link/],
		[["revoke", uuidv7()], /no key/],
		[[], /npm run api-key -- create/],
	] as const) {
		const refused = await run(...words);
		assert.equal(refused.code, 1);
		assert.match(refused.said, says);
	}
});
