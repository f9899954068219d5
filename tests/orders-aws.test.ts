import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";
import { uuidv7 } from "../app/chat/index.server.ts";
import type { Cart } from "../app/contract/orders.ts";
import { smallCatalogue } from "../lambdas/shop/catalogue.ts";
import type { ProxyAnswer, ProxyEvent } from "../lambdas/shop/event.ts";
import { bundleLambda } from "../scripts/bundle-lambdas.ts";
import { type TestCharla, testCharla } from "./support/charla.ts";
import { type Dynamo, startDynamo } from "./support/dynamo.ts";

// As in AWS: the function and the server share two tables, and neither can reach the other.
let dynamo: Dynamo;
let charla: TestCharla;
let folder: string;
let ask: (method: string, path: string, body?: unknown) => Promise<{ status: number; json: { id: string; cart: Cart } & Cart }>;
before(async () => {
	dynamo = await startDynamo();
	Object.assign(process.env, dynamo.env, { SHOP_OPEN: "on", LOG_LEVEL: "error", OTEL_EXPORTER_OTLP_ENDPOINT: "" });
	const { ITEMS_TABLE, CARTS_TABLE } = dynamo.env;
	charla = await testCharla({ env: { ITEMS_TABLE, CARTS_TABLE } });
	folder = mkdtempSync(join(tmpdir(), "charla-orders-aws-"));
	const { file } = await bundleLambda("shop", { folder, whole: true });
	const { handler } = (await import(pathToFileURL(file).href)) as { handler: (event: unknown, context: unknown) => Promise<ProxyAnswer> };
	const event = JSON.parse(readFileSync(new URL("../lambdas/shop/event-v1.json", import.meta.url), "utf8")) as ProxyEvent;
	ask = async (httpMethod, path, body) => {
		const answer = await handler(
			{ ...event, httpMethod, path, body: body === undefined ? null : JSON.stringify(body) },
			{ awsRequestId: uuidv7() },
		);
		return { status: answer.statusCode, json: JSON.parse(answer.body) };
	};
});
after(async () => {
	rmSync(folder, { recursive: true, force: true });
	await charla[Symbol.asyncDispose]();
	await dynamo[Symbol.asyncDispose]();
});

test("[O6] an order of the function is a card in its room, decided there, and the function says so; one catalogue for both", async () => {
	await charla.shop.put(smallCatalogue);
	const [ana, ben] = [await charla.person("Ana"), await charla.person("Ben")];
	const room = await charla.chat.rooms.create(ana.me, { name: "Spares", topic: "", kind: "private" });
	await charla.chat.rooms.invite(ana.me, { roomId: room.id, name: "Ben" });
	await charla.chat.messages.post(ana.me, { roomId: room.id, clientId: uuidv7(), body: "/cart link", replyTo: null });
	const [socket, other] = [await charla.connect(ben.cookie), await charla.connect(ana.cookie)];
	const cards = () => socket.facts.flatMap((fact) => (fact.kind === "message-posted" && fact.message.card ? [fact.message.card] : []));

	const made = await ask("POST", "/cart", { items: ["123456", "789012"], user: "me", room: room.id });
	assert.equal(made.status, 200);
	await socket.until(() => cards().length > 0, 30_000);
	assert.deepEqual(cards(), [made.json.cart]);
	const decided = await other.call("cart:decide", { roomId: room.id, cartId: made.json.id, verdict: "approved" });
	assert.deepEqual(decided, { ok: true, data: { version: 2 } });
	await socket.until(() => socket.facts.some((fact) => fact.kind === "cart-changed" && fact.cart.state === "approved"), 30_000);
	const { json } = await ask("GET", `/cart/${made.json.id}`);
	assert.deepEqual([json.state, json.history.at(-1)?.by.name], ["approved", "Ana"]);

	// And the other way round.
	await charla.chat.messages.post(ben.me, { roomId: room.id, clientId: uuidv7(), body: "/cart add 234567*3", replyTo: null });
	await socket.until(() => cards().length > 1, 30_000);
	assert.equal((await ask("GET", `/cart/${cards()[1]?.id}`)).json.lines[0]?.quantity, 3);
	assert.equal((await charla.chat.orders.ofRoom(ana.me, { roomId: room.id, before: null })).carts.length, 2);
	const [row] = await charla.storage.sql.query<{ n: number }>("", "select count(*) n from shop_cart");
	assert.equal(row?.n, 0, "the premise: our own database keeps no carts");

	// A room that has not agreed sees nothing, and what it does not see waits for nobody.
	const quiet = await charla.chat.rooms.create(ana.me, { name: "Quiet", topic: "", kind: "private" });
	assert.equal((await ask("POST", "/cart", { items: ["123456"], user: "me", room: quiet.id })).status, 200);
	for (let waits = 1; waits > 0; ) waits = await charla.chat.orders.showWaiting();
	assert.deepEqual((await charla.chat.messages.stretch(ana.me, { roomId: quiet.id })).messages, []);
});
