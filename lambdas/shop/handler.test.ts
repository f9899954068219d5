import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";
import { GetItemCommand, ScanCommand } from "@aws-sdk/client-dynamodb";
import type { Context } from "aws-lambda";
import { itemId, orderLimits } from "../../app/contract/orders.ts";
import { events } from "../../observability/contract.ts";
import { bundleLambda, bundleLimit } from "../../scripts/bundle-lambdas.ts";
import { type Dynamo, startDynamo } from "../../tests/support/dynamo.ts";
import { type OtlpReceiver, startOtlpReceiver } from "../../tests/support/otlp-receiver.ts";
import { declaredSpan } from "../../tests/support/recorded.ts";
import { hashOf } from "./api.ts";
import { smallCatalogue } from "./catalogue.ts";
import { openDynamoKeys, openDynamoStore } from "./dynamo-store.ts";
import type { ProxyAnswer, ProxyEvent } from "./event.ts";
import { itemPattern, mostLines, mostOfOne } from "./order-input.ts";

const fixture = (name: string) => JSON.parse(readFileSync(new URL(name, import.meta.url), "utf8")) as ProxyEvent;
const v1 = fixture("./event-v1.json");
const v2 = fixture("./event-v2.json");
const context = {
	awsRequestId: "c6af9ac6-7b61-11e6-9a41-93e8deadbeef",
	invokedFunctionArn: "arn:aws:lambda:eu-west-1:123456789012:function:shop",
	functionVersion: "$LATEST",
	getRemainingTimeInMillis: () => 10_000,
} as Context;

type Handler = (event: unknown, context: unknown) => Promise<ProxyAnswer>;
let dynamo: Dynamo;
let receiver: OtlpReceiver;
let folder: string;
/** The bundled artefact itself, in this process. */
let handler: Handler;
const secrets = { all: "key-for-everything", reader: "key-that-reads", room: "key-of-a-room" };
const room = "01900000-0000-7000-8000-00000000000a";

before(async () => {
	[dynamo, receiver] = await Promise.all([startDynamo(), startOtlpReceiver()]);
	const { client, env } = dynamo;
	await openDynamoStore({ client, itemsTable: env.ITEMS_TABLE, cartsTable: env.CARTS_TABLE }).put([
		...smallCatalogue,
		{ id: "gone", name: "No longer here", price: null, currency: null, present: false },
	]);
	const keys = openDynamoKeys({ client, cartsTable: env.CARTS_TABLE });
	const ana = { id: "01900000-0000-7000-8000-0000000000a1", name: "Ana" };
	await keys.put(hashOf(secrets.all), {
		id: "1",
		name: "all",
		owner: ana,
		scopes: ["items:read", "carts:read", "carts:write"],
		room: null,
	});
	await keys.put(hashOf(secrets.reader), { id: "2", name: "reader", owner: ana, scopes: ["items:read"], room: null });
	await keys.put(hashOf(secrets.room), { id: "3", name: "room", owner: ana, scopes: ["carts:read", "carts:write"], room });
	folder = mkdtempSync(join(tmpdir(), "charla-lambda-"));
	const { file } = await bundleLambda("shop", { folder, whole: true });
	Object.assign(process.env, env, { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, SHOP_OPEN: "on", LOG_LEVEL: "info" });
	({ handler } = (await import(pathToFileURL(file).href)) as { handler: Handler });
});
after(async () => {
	rmSync(folder, { recursive: true, force: true });
	await receiver.close();
	await dynamo[Symbol.asyncDispose]();
});

/** A request as version 2.0 of the events has it. */
const request = (
	method: string,
	path: string,
	more: { body?: unknown; headers?: Record<string, string>; query?: string } = {},
): ProxyEvent =>
	({
		...v2,
		rawPath: path,
		rawQueryString: more.query ?? "",
		headers: { "content-type": "application/json", ...more.headers },
		requestContext: { ...v2.requestContext, stage: "$default", http: { method, path, sourceIp: "203.0.113.10" } },
		body: more.body === undefined ? undefined : typeof more.body === "string" ? more.body : JSON.stringify(more.body),
		isBase64Encoded: false,
	}) as ProxyEvent;
const withKey = (secret: string, more: Record<string, string> = {}) => ({ authorization: `Bearer ${secret}`, ...more });
async function call(event: unknown) {
	const lines: Record<string, unknown>[] = [];
	const { write } = process.stdout;
	// The test runner talks to its parent the same way: what is no line of JSON is passed on.
	process.stdout.write = ((chunk: string | Uint8Array, ...more: []) =>
		typeof chunk === "string" && chunk.startsWith("{")
			? lines.push(JSON.parse(chunk)) > 0
			: write.call(process.stdout, chunk, ...more)) as typeof write;
	try {
		const answer = await handler(event, context);
		return { ...answer, json: answer.body === "" ? null : JSON.parse(answer.body), lines: lines.filter((line) => !line._aws) };
	} finally {
		process.stdout.write = write;
	}
}
const carts = async () =>
	((await dynamo.client.send(new ScanCommand({ TableName: "carts" }))).Items ?? []).filter((row) => row.pk?.S?.startsWith("cart#")).length;

test("the function's figures are the contract's", () => {
	assert.equal(String(itemPattern), String(itemId));
	assert.deepEqual([mostLines, mostOfOne], [orderLimits.lines, orderLimits.quantity]);
});

for (const [version, event, trace] of [
	["1.0", v1, "4bf92f3577b34da6a3ce929d0e0e4736"],
	["2.0", v2, "4bf92f3577b34da6a3ce929d0e0e4737"],
] as const)
	test(`[O2] an order in an event of version ${version}: 200 with its id, stored, in the caller's trace`, async () => {
		const { statusCode, json, headers, lines } = await call(event);
		assert.equal(statusCode, 200);
		assert.match(json.id, /^[0-9a-f-]{36}$/);
		assert.equal(headers["content-type"], "application/json; charset=utf-8");
		assert.deepEqual(
			json.cart.lines.map((line: { id: string; quantity: number }) => [line.id, line.quantity]),
			[
				["123456", 1],
				["789012", 1],
			],
		);
		assert.deepEqual(json.cart.user, { id: null, name: "me" });
		const { Item } = await dynamo.client.send(new GetItemCommand({ TableName: "carts", Key: { pk: { S: `cart#${json.id}` } } }));
		assert.deepEqual(JSON.parse(Item?.cart?.S ?? ""), json.cart);
		assert.deepEqual((await call(request("GET", `/cart/${json.id}`, { headers: withKey(secrets.all) }))).json, json.cart);

		const line = lines.find((each) => each.event === "lambda.invoked");
		assert.deepEqual([line?.method, line?.route, line?.status, line?.outcome, line?.trace_id], ["POST", "/cart", 200, "ok", trace]);
		for (const each of lines) assert.ok(Object.hasOwn(events, String(each.event)));
		const span = receiver.trace(trace).at(-1);
		assert.ok(span);
		assert.deepEqual(declaredSpan({ name: span.name, kind: "server", attributes: span.attributes }, "lambda").problems, []);
		assert.equal(span.parentSpanId, "00f067aa0ba902b7");
		assert.equal(span.attributes["http.route"], "/cart");
	});

test("[O12] an order is linked to the imports of its items and remembers its call; what an item remembers is nobody's to read", async () => {
	const tp = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
	const { client, env } = dynamo;
	const items = ["from-a-file", "from-it-too"].map((id) => ({ id, name: id, price: null, currency: null, present: true, tp }));
	await openDynamoStore({ client, itemsTable: env.ITEMS_TABLE, cartsTable: env.CARTS_TABLE }).put(items);
	const trace = "4bf92f3577b34da6a3ce929d0e0e4738";
	const headers = { traceparent: `00-${trace}-00f067aa0ba902b7-01` };
	const { statusCode, json } = await call(request("POST", "/cart", { body: { items: ["123456", "from-a-file", "from-it-too"] }, headers }));
	assert.equal(statusCode, 200);
	const span = receiver.trace(trace).at(-1);
	assert.deepEqual(
		span?.links.map(({ traceId, spanId }) => ({ traceId, spanId })),
		[{ traceId: tp.slice(3, 35), spanId: tp.slice(36, 52) }],
	);
	assert.equal(json.cart.tp, `00-${trace}-${span?.spanId}-01`);
	const { tp: _tp, ...shown } = items[0] as (typeof items)[0];
	assert.deepEqual((await call(request("GET", "/item/from-a-file"))).json, shown);
	for (const each of items)
		await openDynamoStore({ client, itemsTable: env.ITEMS_TABLE, cartsTable: env.CARTS_TABLE }).put([{ ...each, present: false }]);
});

test("[O1] the items present, by pages, with the way to the next one; one item; none such", async () => {
	const first = await call(request("GET", "/item", { query: "limit=3" }));
	assert.equal(first.statusCode, 200);
	assert.deepEqual(
		first.json.items.map((item: { id: string }) => item.id),
		["123456", "234567", "345678"],
	);
	assert.equal(first.json.next, "345678");
	assert.equal(first.headers.link, '<?limit=3&after=345678>; rel="next"');
	const rest = await call(request("GET", "/item", { query: "limit=200&after=345678" }));
	assert.deepEqual([rest.json.items.length, rest.json.next, rest.headers.link], [4, null, undefined]);
	// The parameters as version 1.0 has them.
	assert.equal(
		(await call({ ...v1, httpMethod: "GET", path: "/item", body: null, queryStringParameters: { limit: "2" } })).json.items.length,
		2,
	);
	assert.equal((await call(request("GET", "/item/123456"))).json.name, "Cuaderno A5 de puntos");
	assert.equal((await call(request("GET", "/item/gone"))).json.present, false);
	for (const path of ["/item/none", "/item/%00", "/item/%E0%A4%A", "/cart/123", `/cart/${room}`, "/", "/items", "/cart/x/y"])
		assert.deepEqual(
			[(await call(request("GET", path))).statusCode, (await call(request("GET", path))).json.error.code],
			[404, "not-found"],
			path,
		);
	for (const query of ["limit=0", "limit=201", "limit=x", "limit=-1", "after=a%20b"])
		assert.equal((await call(request("GET", "/item", { query }))).json.error.code, "invalid-paging", query);
});

test("[O2] whatever is wrong with an order has a name, and nothing of it is stored", async () => {
	const before = await carts();
	const wrong: [why: string, body: unknown, status: number, code: string, more?: object][] = [
		["no body", undefined, 400, "malformed-json"],
		["an empty body", "", 400, "malformed-json"],
		["half a body", '{"items":["123456"', 400, "malformed-json"],
		["no JSON", "items=123456", 400, "malformed-json"],
		["JSON, but a text", '"123456"', 422, "invalid", { fields: [{ path: "", problem: "is not an object" }] }],
		["null", "null", 422, "invalid"],
		["no items", { user: "me" }, 422, "invalid", { fields: [{ path: "items", problem: "is missing" }] }],
		["an empty list", { items: [], user: "me" }, 422, "invalid", { fields: [{ path: "items", problem: "is empty" }] }],
		["items that are no list", { items: "123456" }, 422, "invalid", { fields: [{ path: "items", problem: "is not a list" }] }],
		["an id with a space", { items: ["123456", "a b"] }, 422, "invalid"],
		["an id in another script", { items: ["١٢٣٤٥٦"] }, 422, "invalid"],
		[
			"a quantity of nothing",
			{ items: [{ id: "123456", quantity: 0 }] },
			422,
			"invalid",
			{ fields: [{ path: "items.0.quantity", problem: "is less than 1" }] },
		],
		["a negative quantity", { items: [{ id: "123456", quantity: -1 }] }, 422, "invalid"],
		["half an item", { items: [{ id: "123456", quantity: 1.5 }] }, 422, "invalid"],
		["too many of one", { items: [{ id: "123456", quantity: 1000 }] }, 422, "invalid"],
		["too many of one by repetition", { items: Array(1000).fill("123456") }, 422, "invalid"],
		["10,000 items", { items: Array.from({ length: 10_000 }, (_, i) => `${100_000 + i}`) }, 422, "too-many-items", { limit: 100 }],
		["101 different items", { items: Array.from({ length: 101 }, (_, i) => `${100_000 + i}`) }, 422, "too-many-items", { limit: 100 }],
		["a field nobody knows", { items: ["123456"], price: 1 }, 422, "invalid", { fields: [{ path: "price", problem: "is not known" }] }],
		["a user that is no text", { items: ["123456"], user: 7 }, 422, "invalid"],
		["a user with hidden characters", { items: ["123456"], user: "Ana\u202e" }, 422, "invalid"],
		["half a character", '{"items":["123456"],"user":"\\ud800"}', 422, "invalid"],
		[
			"unknown items, each named",
			{ items: ["123456", "000000", "gone", "999999"] },
			422,
			"unknown-items",
			{ items: ["000000", "gone", "999999"] },
		],
		["a room that is none", { items: ["123456"], room: "Lobby" }, 422, "room-not-linked", { room: "Lobby" }],
		["300 KB", `{"items":["123456"],"user":"${"x".repeat(300_000)}"}`, 413, "too-large"],
	];
	for (const [why, body, status, code, more] of wrong) {
		const { statusCode, json } = await call(request("POST", "/cart", { body }));
		assert.deepEqual([statusCode, json.error.code], [status, code], why);
		if (more) assert.partialDeepStrictEqual(json.error, more, why);
	}
	assert.equal(
		(await call(request("POST", "/cart", { body: "x", headers: { "content-type": "text/xml" } }))).json.error.code,
		"unsupported-media-type",
	);
	for (const method of ["PUT", "DELETE", "PATCH"]) {
		const refused = await call(request(method, "/cart", { body: {} }));
		assert.deepEqual([refused.statusCode, refused.headers.allow], [405, "POST, OPTIONS"]);
	}
	assert.equal(await carts(), before);
	const fine = await call(
		request("POST", "/cart", { body: { items: ["123456", { id: "789012", quantity: 2 }, "789012"], user: "Zoë 漢字" } }),
	);
	assert.equal(fine.statusCode, 200, "the premise: what is right is taken");
	assert.deepEqual(
		fine.json.cart.lines.map((line: { id: string; quantity: number }) => line.quantity),
		[1, 3],
		"named twice is two of it",
	);
	assert.equal(await carts(), before + 1);
});

test("[O3] the same Idempotency-Key is one order, however often and at once; another order under it is refused", async () => {
	const before = await carts();
	const headers = { "idempotency-key": "order-1" };
	const body = { items: ["123456", "789012"], user: "me" };
	const many = await Promise.all(Array.from({ length: 6 }, () => handler(request("POST", "/cart", { body, headers }), context)));
	const ids = new Set(many.map((each) => JSON.parse(each.body).id));
	assert.equal(ids.size, 1);
	assert.equal(await carts(), before + 1);
	const again = await call(request("POST", "/cart", { body: { user: "me", items: ["789012", "123456"] }, headers }));
	assert.deepEqual(
		[again.statusCode, again.json.id, again.headers["idempotency-replayed"]],
		[200, [...ids][0], "true"],
		"the same order in other words",
	);
	const other = await call(request("POST", "/cart", { body: { items: ["123456"], user: "me" }, headers }));
	assert.deepEqual([other.statusCode, other.json.error.code], [422, "key-reused"]);
	const elsewhere = await call(request("POST", "/cart", { body, headers: withKey(secrets.all, headers) }));
	assert.notEqual(elsewhere.json.id, [...ids][0], "another caller's key is another key");
	for (const key of ["", " ", "ñ", "x".repeat(129)])
		assert.equal((await call(request("POST", "/cart", { body, headers: { "idempotency-key": key } }))).json.error.code, "invalid-key", key);
});

test("[O4] keys: whose order it is, what each may, which room it orders for", async () => {
	const body = { items: ["123456"], user: "me" };
	const mine = await call(request("POST", "/cart", { body, headers: { "x-api-key": secrets.all } }));
	assert.equal(mine.json.cart.user.name, "Ana", "me is whom the key belongs to");
	assert.equal((await call(request("GET", "/item", { headers: withKey(secrets.reader) }))).statusCode, 200);
	for (const event of [
		request("POST", "/cart", { body, headers: withKey(secrets.reader) }),
		request("GET", `/cart/${mine.json.id}`, { headers: withKey(secrets.reader) }),
	])
		assert.deepEqual([(await call(event)).statusCode, (await call(event)).json.error.code], [403, "forbidden"]);
	const unknown = await call(request("GET", "/item", { headers: withKey("guessed") }));
	assert.deepEqual([unknown.statusCode, unknown.json.error.code], [401, "unauthorized"]);
	assert.match(unknown.headers["www-authenticate"] ?? "", /^Bearer/);

	const placed = await call(request("POST", "/cart", { body, headers: withKey(secrets.room) }));
	assert.equal(placed.json.cart.room, room);
	assert.equal((await call(request("GET", `/cart/${placed.json.id}`, { headers: withKey(secrets.room) }))).statusCode, 200);
	assert.equal(
		(await call(request("GET", `/cart/${mine.json.id}`, { headers: withKey(secrets.room) }))).statusCode,
		404,
		"no other room's order",
	);
	const elsewhere = { ...body, room: "01900000-0000-7000-8000-00000000000b" };
	assert.equal((await call(request("POST", "/cart", { body: elsewhere, headers: withKey(secrets.room) }))).statusCode, 403);
});

test("[O5] pages of other sites may ask with a key: preflight, and what they may read", async () => {
	const preflight = await call(
		request("OPTIONS", "/cart", { headers: { origin: "https://shop.example", "access-control-request-method": "POST" } }),
	);
	assert.deepEqual([preflight.statusCode, preflight.body, preflight.headers.allow], [204, "", "POST, OPTIONS"]);
	assert.equal(preflight.headers["access-control-allow-origin"], "https://shop.example");
	assert.match(preflight.headers["access-control-allow-headers"] ?? "", /idempotency-key/);
	const refused = await call(request("POST", "/cart", { body: "{", headers: { origin: "https://shop.example" } }));
	assert.equal(refused.headers["access-control-allow-origin"], "https://shop.example", "a page can read why it was refused");
	assert.equal((await call(request("HEAD", "/item"))).statusCode, 200);
});

test("an event of no known shape is refused, and the next one is served", async () => {
	for (const event of [
		null,
		undefined,
		"text",
		7,
		[],
		{},
		{ Records: [] },
		{ httpMethod: 1 },
		{ ...v1, headers: null, multiValueHeaders: null },
	])
		assert.ok([400, 200].includes((await call(event)).statusCode));
	assert.equal((await call(v1)).statusCode, 200);
});

test("DynamoDB away: 503 and a line that says so, and no waiting for ever", async () => {
	const { file } = await bundleLambda("shop", { folder: mkdtempSync(join(folder, "away-")), whole: true });
	const before = process.env.AWS_ENDPOINT_URL_DYNAMODB;
	process.env.AWS_ENDPOINT_URL_DYNAMODB = "http://127.0.0.1:1";
	try {
		const away = (await import(pathToFileURL(file).href)) as { handler: Handler };
		const answer = await away.handler(request("GET", "/item"), context);
		assert.deepEqual([answer.statusCode, JSON.parse(answer.body).error.code], [503, "unavailable"]);
	} finally {
		process.env.AWS_ENDPOINT_URL_DYNAMODB = before;
	}
});

test("the bundle for AWS is small and asks for AWS's clients alone; a cold start in a process of its own", async (t) => {
	const { file, bytes, outside } = await bundleLambda("shop", { folder: mkdtempSync(join(folder, "thin-")) });
	assert.ok(bytes < bundleLimit, `${bytes} bytes`);
	assert.deepEqual(outside, ["@aws-sdk/client-dynamodb"]);
	assert.ok(file.endsWith("index.mjs"));
	const whole = await bundleLambda("shop", { folder: mkdtempSync(join(folder, "whole-")), whole: true });
	assert.ok(whole.bytes < bundleLimit, `with AWS's clients: ${whole.bytes} bytes`);

	const script = `const t0 = performance.now(); const { handler } = await import(${JSON.stringify(pathToFileURL(whole.file).href)});
const t1 = performance.now(); const answer = await handler(${JSON.stringify(request("GET", "/item"))}, { awsRequestId: "1" });
console.error(JSON.stringify({ status: answer.statusCode, start: t1 - t0, first: performance.now() - t1, rss: process.memoryUsage.rss() / 1048576 }));`;
	const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
		env: { ...process.env, ...dynamo.env, SHOP_OPEN: "on", OTEL_EXPORTER_OTLP_ENDPOINT: "" },
		stdio: ["ignore", "ignore", "pipe"],
	});
	let said = "";
	child.stderr.on("data", (chunk) => {
		said += chunk;
	});
	await new Promise((done) => child.once("close", done));
	const cold = JSON.parse(said.trim().split("\n").at(-1) ?? "{}") as { status: number; start: number; first: number; rss: number };
	assert.equal(cold.status, 200, said);
	t.diagnostic(
		`bundle ${(bytes / 1024).toFixed(0)} KiB, with AWS's clients ${(whole.bytes / 1024).toFixed(0)} KiB; start ${cold.start.toFixed(0)} ms, first call ${cold.first.toFixed(0)} ms, ${cold.rss.toFixed(0)} MB`,
	);
});

test("[O3] an order stands though an item of it has left the catalogue since: the same request again gives its cart", async () => {
	const { client, env } = dynamo;
	const store = openDynamoStore({ client, itemsTable: env.ITEMS_TABLE, cartsTable: env.CARTS_TABLE });
	const item = { id: "leaves", name: "Here for a while", price: 100, currency: "EUR", present: true };
	await store.put([item]);
	const asked = { body: { items: ["leaves"], user: "me" }, headers: { "idempotency-key": "before-it-left" } };
	const first = await call(request("POST", "/cart", asked));
	assert.equal(first.statusCode, 200);
	await store.put([{ ...item, present: false }]);
	const again = await call(request("POST", "/cart", asked));
	assert.deepEqual([again.statusCode, again.json.id, again.headers["idempotency-replayed"]], [200, first.json.id, "true"]);
	const other = await call(request("POST", "/cart", { ...asked, body: { items: ["leaves", "123456"], user: "me" } }));
	assert.equal(other.json.error.code, "key-reused");
	const without = await call(request("POST", "/cart", { body: asked.body }));
	assert.equal(without.json.error.code, "unknown-items", "the premise: it has left");
});

test("[O2] a mark before the body is no harm and other encodings are named, whichever way the body comes", async () => {
	const order = JSON.stringify({ items: ["123456"], user: "Zoë" });
	const bytes = (body: Buffer): ProxyEvent =>
		({ ...request("POST", "/cart"), body: body.toString("base64"), isBase64Encoded: true }) as ProxyEvent;
	for (const event of [
		request("POST", "/cart", { body: `\ufeff${order}` }),
		bytes(Buffer.from(`\ufeff${order}`)),
		bytes(Buffer.from(order)),
	]) {
		const { statusCode, json } = await call(event);
		assert.deepEqual([statusCode, json.cart?.user.name], [200, "Zoë"]);
	}
	for (const body of [Buffer.from(order, "latin1"), Buffer.from([0x7b, 0xff, 0xfe]), Buffer.from(`\ufeff${order}`, "utf16le")]) {
		const { statusCode, json } = await call(bytes(body));
		assert.deepEqual([statusCode, json.error.code], [400, "wrong-encoding"]);
	}
});

test("[O2] [C-23] what the body is said to be is believed, paths may end in a slash, and every answer is JSON", async () => {
	const before = await carts();
	const send = (type: string, body: unknown = { items: ["123456"], user: "me" }) =>
		call(request("POST", "/cart", { body, headers: { "content-type": type } }));
	for (const type of [
		"application/json; charset=latin1",
		"application/json;charset=utf-16le",
		"text/plain",
		"multipart/form-data; boundary=x",
	]) {
		const { statusCode, json, headers } = await send(type);
		assert.deepEqual([statusCode, json.error.code], [415, "unsupported-media-type"], type);
		assert.match(headers["content-type"] ?? "", /^application\/json/);
	}
	for (const type of ["application/json", 'Application/JSON; Charset="UTF-8"', "application/ld+json; profile=x; charset=utf8", ""])
		assert.equal((await send(type)).statusCode, 200, type);
	assert.equal(await carts(), before + 4);
	for (const body of [
		{ items: [null], user: "me" },
		{ items: [""], user: "me" },
		{ items: null, user: "me" },
		{ "\u00edtems": ["123456"], user: "me" },
		{ items: ["123456"], user: "" },
		{ items: ["123456"], user: "x".repeat(5000) },
		[],
	]) {
		const { statusCode, json } = await send("application/json", body);
		assert.equal(statusCode, 422, JSON.stringify(body).slice(0, 60));
		assert.ok(json.error.fields.length > 0 && json.error.fields.every((field: { path: unknown }) => typeof field.path === "string"));
	}
	assert.equal((await call(request("POST", "/cart/", { body: { items: ["123456"], user: "me" } }))).statusCode, 200);
	assert.equal((await call(request("GET", "/item/"))).statusCode, 200);
	const refused = await call(request("GET", "/cart"));
	assert.deepEqual([refused.statusCode, refused.headers.allow, refused.json.error.code], [405, "POST, OPTIONS", "method-not-allowed"]);
});

test("[O7] the function knows nobody: a name is taken as it is written, and the cart says that nobody of it is known", async () => {
	const { statusCode, json } = await call(request("POST", "/cart", { body: { items: ["123456"], user: "Nobody Here" } }));
	assert.deepEqual([statusCode, json.cart.user], [200, { id: null, name: "Nobody Here" }]);
});
