import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { smallCatalogue } from "../../../lambdas/shop/catalogue.ts";
import { everything, refusalOf, testChat } from "../../../tests/support/chat.ts";
import { lobbyId, shopBotId } from "../../contract/fixed.ts";
import type { Message, Person } from "../../contract/shapes.ts";
import { cartsCsv, cell } from "./csv.ts";

// One database: each test has people and a room of its own.
const t = await testChat();
after(() => t[Symbol.asyncDispose]());
await t.shop.put([...smallCatalogue, { id: "gone", name: "Gone", price: null, currency: null, present: false }]);
let scenes = 0;

async function scene() {
	const n = `${++scenes}`;
	const [ana, ben, eva] = [await t.person(`Ana ${n}x`), await t.person(`Ben ${n}x`), await t.person(`Eva ${n}x`)];
	const { id } = await t.chat.rooms.create(ana, { name: `Lunch ${n}`, topic: "", kind: "private" });
	await t.chat.rooms.invite(ana, { roomId: id, name: ben.name });
	return { ana, ben, eva, id };
}
const command = (me: Person, roomId: string, body: string, clientId = randomUUID(), language: "en" | "es" = "en") =>
	t.chat.messages.post(me, { roomId, clientId, body, replyTo: null }, language);
const cards = async (me: Person, roomId: string): Promise<Message[]> =>
	(await everything(t.chat, me, roomId)).filter((message) => message.card);

test("[O9] /cart add: an order with its card in the room, once, whoever sends it twice or fifty times at once", async () => {
	const { ben, id } = await scene();
	const key = randomUUID();
	const posted = await command(ben, id, "/cart add 123456 789012*2, 123456", key);
	assert.deepEqual(posted, { id: key, seq: null, notice: "cart-ordered" });
	await Promise.all(Array.from({ length: 20 }, () => command(ben, id, "/cart add 123456 789012*2, 123456", key)));
	const [card, ...more] = await cards(ben, id);
	assert.deepEqual(more, []);
	assert.deepEqual(card?.author, { id: shopBotId, name: "Shoppin", bot: true });
	assert.deepEqual(
		card?.card?.lines.map((line) => [line.id, line.quantity, line.price]),
		[
			["123456", 2, 450],
			["789012", 2, 120],
		],
	);
	assert.deepEqual(
		[card?.card?.user, card?.card?.room, card?.card?.via, card?.card?.state],
		[{ id: ben.id, name: ben.name }, id, "chat", "open"],
	);
	assert.match(
		card?.body ?? "",
		/^Order by Ben \w+: 2 × Cuaderno A5 de puntos, 2 × Lápiz de grafito 2B\. Total €11\.40\. Waiting for approval\.$/,
	);
	const facts = t.facts(id).filter((fact) => fact.kind === "message-posted");
	assert.equal(facts.length, 1, "announced once, and the command itself is nobody's message");
	assert.equal(await t.chat.orders.showWaiting(), 0, "nothing waits");
});

test("[O9] what cannot be ordered is refused by name, and nothing is stored", async () => {
	const { ben, id, eva } = await scene();
	for (const [body, code] of [
		["/cart", "command-incomplete"],
		["/cart add", "command-incomplete"],
		["/cart add 123456*0", "command-incomplete"],
		["/cart buy 123456", "command-incomplete"],
		["/cart add 123456 000000", "unknown-items"],
		["/cart add gone", "unknown-items"],
		["/cart add ١٢٣٤٥٦", "unknown-items"],
		["/cart add 123456*1000", "too-many-items"],
		["/cart add 123456*-1", "unknown-items"],
		[`/cart add ${Array.from({ length: 101 }, (_, i) => 100_000 + i).join(" ")}`, "too-many-items"],
	] as const)
		assert.equal(await refusalOf(command(ben, id, body)), code, body);
	const refused = await command(ben, id, "/cart add 123456 000000 999999").catch((error: unknown) => error as { details: object });
	assert.deepEqual((refused as { details: object }).details, { items: "000000, 999999" });
	assert.equal(await refusalOf(command(eva, id, "/cart add 123456")), "not-found", "a stranger orders nothing");
	assert.deepEqual(await everything(t.chat, ben, id), []);
	assert.deepEqual((await t.chat.orders.ofRoom(ben, { roomId: id, before: null })).carts, []);
});

test("[O10] an owner approves or rejects, whoever ordered withdraws, nobody else does anything", async () => {
	const { ana, ben, eva, id } = await scene();
	const cartId = await t.order(ben, id);
	const decide = (me: Person, verdict: "approved" | "rejected" | "withdrawn", roomId = id, cart = cartId) =>
		t.chat.orders.decide(me, { roomId, cartId: cart, verdict });
	assert.equal(await refusalOf(decide(ben, "approved")), "not-decider", "not one's own, as a member");
	assert.equal(await refusalOf(decide(ana, "withdrawn")), "not-decider", "an owner rejects; withdrawing is for who ordered");
	assert.equal(await refusalOf(decide(eva, "approved")), "not-found", "a stranger learns nothing");
	assert.equal(await refusalOf(decide(ana, "approved", id, randomUUID())), "order-not-found");
	const other = await t.chat.rooms.create(eva, { name: "Elsewhere", topic: "", kind: "public" });
	assert.equal(await refusalOf(decide(eva, "approved", other.id)), "order-not-found", "no order of another room");

	assert.deepEqual(await decide(ana, "approved"), { version: 2 });
	assert.deepEqual(await decide(ana, "approved"), { version: 2 }, "asked again, the same answer");
	for (const verdict of ["rejected", "withdrawn"] as const)
		assert.equal(await refusalOf(decide(verdict === "rejected" ? ana : ben, verdict)), "order-decided");
	const [card] = await cards(ben, id);
	assert.deepEqual(
		card?.card?.history.map((event) => [event.what, event.by.name]),
		[
			["created", ben.name],
			["approved", ana.name],
		],
	);
	assert.match(card?.body ?? "", /Approved by Ana/);
	assert.deepEqual(
		t
			.facts(id)
			.filter((fact) => fact.kind === "cart-changed")
			.map((fact) => [fact.target, fact.cart.state]),
		[[card?.seq, "approved"]],
		"announced once",
	);
	const second = await t.order(ben, id);
	assert.deepEqual(await decide(ben, "withdrawn", id, second), { version: 2 });
});

test("[O10] of two who decide at the same moment one does, and both rooms' logs agree", async () => {
	const { ana, ben, id } = await scene();
	await t.sql.query("", "update member set role = 1 where room_id = $1 and user_id = $2", [id, ben.id]);
	const cartId = await t.order(ben, id);
	const outcomes = await Promise.allSettled([
		t.chat.orders.decide(ana, { roomId: id, cartId, verdict: "approved" }),
		t.chat.orders.decide(ben, { roomId: id, cartId, verdict: "rejected" }),
	]);
	assert.equal(outcomes.filter((outcome) => outcome.status === "fulfilled").length, 1);
	const cart = await t.shop.cart(cartId);
	const [card] = await cards(ana, id);
	assert.deepEqual(card?.card, cart);
	assert.equal(cart.history.length, 2);
});

test("[O10] in the lobby, which nobody owns, administrators decide; between two, the other one", async () => {
	const { ana, ben } = await scene();
	const inLobby = await t.order(ben, lobbyId);
	assert.equal(await refusalOf(t.chat.orders.decide(ana, { roomId: lobbyId, cartId: inLobby, verdict: "approved" })), "not-decider");
	await t.sql.query("", "update app_user set is_admin = true where id = $1", [ana.id]);
	assert.deepEqual(await t.chat.orders.decide(ana, { roomId: lobbyId, cartId: inLobby, verdict: "approved" }), { version: 2 });
	const direct = await t.chat.rooms.direct(ben, { userId: ana.id });
	const between = await t.order(ana, direct.id);
	assert.equal(await refusalOf(t.chat.orders.decide(ana, { roomId: direct.id, cartId: between, verdict: "approved" })), "not-decider");
	assert.deepEqual(await t.chat.orders.decide(ben, { roomId: direct.id, cartId: between, verdict: "rejected" }), { version: 2 });
});

test("[O11] /item answers with the catalogue, /item 123456 with that one, once, in the asker's language", async () => {
	const { ben, id } = await scene();
	const key = randomUUID();
	for (let i = 0; i < 3; i++) await command(ben, id, "/item", key, "es");
	await command(ben, id, "/item 123456", randomUUID(), "en");
	await command(ben, id, "/item <b>*x*", randomUUID(), "en");
	const answers = async () => (await everything(t.chat, ben, id)).filter((message) => message.author.id === shopBotId);
	for (const end = Date.now() + 20_000; (await answers()).length < 3; await sleep(20)) assert.ok(Date.now() < end, "three answers");
	const bodies = (await answers()).map((message) => message.body);
	assert.equal(bodies.length, 3);
	const catalogue = bodies.find((body) => body.startsWith("En el catálogo:")) ?? "";
	for (const item of smallCatalogue) assert.ok(catalogue.includes(item.id) && catalogue.includes(item.name), item.id);
	assert.ok(!catalogue.includes("Gone"));
	assert.ok(bodies.includes("`123456` Cuaderno A5 de puntos · €4.50"), bodies.join("\n"));
	assert.ok(bodies.some((body) => body.startsWith("There is no item")));
	assert.ok((await answers()).every((message) => message.replyTo !== null));
});

test("[O6] an order of the API appears in the room it is linked to, and in no other; a restart in between loses none", async () => {
	const { ana, ben, id } = await scene();
	const { name } = (await t.chat.rooms.open(ana, { roomId: id })).room;
	assert.equal(await refusalOf(command(ben, id, "/cart link")), "not-owner");
	assert.equal(await t.chat.orders.linkedRoom(name), null);
	await command(ana, id, "/cart link");
	assert.equal(await t.chat.orders.linkedRoom(name.toUpperCase()), id);
	assert.equal(await t.chat.orders.linkedRoom(id), id);
	assert.equal(await t.chat.orders.linkedRoom("%"), null);

	const order = (key: string) =>
		t.shop.order({
			lines: [{ id: "123456", quantity: 1 }],
			user: { id: null, name: "a script" },
			room: id,
			via: "api",
			once: { scope: "test", key: `${id} ${key}` },
		});
	const { cart } = await order("1");
	assert.deepEqual(await cards(ana, id), [], "the premise: it waits");
	// Two instances look at the same time, and one of them ended before it had said that it showed the card.
	await Promise.all([t.chat.orders.showWaiting(), t.chat.orders.showWaiting()]);
	await t.sql.query("", "update shop_cart set waiting = true where id = $1", [cart.id]);
	await t.chat.orders.showWaiting();
	assert.deepEqual(
		(await cards(ana, id)).map((message) => message.card?.id),
		[cart.id],
	);
	await t.chat.orders.decide(ana, { roomId: id, cartId: cart.id, verdict: "rejected" });
	// Decided elsewhere, by an instance that ended before it told the room.
	const second = (await order("2")).cart;
	await t.chat.orders.showWaiting();
	await t.shop.decide(second.id, "approved", { by: { id: ana.id, name: ana.name }, mayDecide: true });
	await t.chat.orders.showWaiting();
	assert.deepEqual(
		(await cards(ana, id)).map((message) => message.card?.state),
		["rejected", "approved"],
	);

	await command(ana, id, "/cart unlink");
	await order("3");
	await t.chat.orders.showWaiting();
	assert.equal((await cards(ana, id)).length, 2);
	assert.equal(await t.chat.orders.showWaiting(), 0, "and it waits no longer");
});

test("[O9] an order whose instance ended before it was shown is shown by another one, in a room that is not linked too", async () => {
	const { ben, id } = await scene();
	const { cart } = await t.shop.order({
		lines: [{ id: "123456", quantity: 1 }],
		user: { id: ben.id, name: ben.name },
		room: id,
		via: "chat",
		once: null,
	});
	assert.deepEqual(await cards(ben, id), []);
	await t.chat.orders.showWaiting();
	assert.deepEqual(
		(await cards(ben, id)).map((message) => message.card?.id),
		[cart.id],
	);
});

test("[O8] the orders of a room by pages, for its members only, and as a table", async () => {
	const { ana, ben, eva, id } = await scene();
	for (let i = 0; i < 23; i++) await t.order(ben, id, `123456*${i + 1}`);
	const first = await t.chat.orders.ofRoom(ana, { roomId: id, before: null });
	assert.deepEqual([first.carts.length, first.hasMore], [20, true]);
	const rest = await t.chat.orders.ofRoom(ana, { roomId: id, before: first.carts.at(-1)?.id ?? null });
	assert.deepEqual([rest.carts.length, rest.hasMore], [3, false]);
	assert.deepEqual(
		[...first.carts, ...rest.carts].map((cart) => cart.lines[0]?.quantity),
		Array.from({ length: 23 }, (_, i) => 23 - i),
	);
	assert.equal(await refusalOf(t.chat.orders.ofRoom(eva, { roomId: id, before: null })), "not-found");
	assert.equal(await refusalOf(t.chat.orders.csv(eva, { roomId: id })), "not-found");
	const elsewhere = await t.order(eva, lobbyId);
	assert.equal(await refusalOf(t.chat.orders.ofRoom(ana, { roomId: id, before: elsewhere })), "order-not-found");
	assert.equal((await t.chat.orders.csv(ana, { roomId: id })).split("\r\n").length, 25);
});

test("[O8] a table holds no formula, whatever people are called", () => {
	for (const bad of ["=1+1", "+1", "-1", "@sum", " =1", "\t=1", "\r=1", "\n=1", "\u00a0=1", "＝1", "＋1"])
		assert.match(cell(bad), /^"?'/, JSON.stringify(bad));
	assert.deepEqual(["Ana", 'say "x"', "a,b", "a;b", "a\nb", "", "1-2"].map(cell), [
		"Ana",
		'"say ""x"""',
		'"a,b"',
		'"a;b"',
		'"a\nb"',
		"",
		"1-2",
	]);
	const csv = cartsCsv([
		{
			id: "c",
			lines: [{ id: "1", name: '=HYPERLINK("http://evil")', price: 450, currency: "EUR", quantity: 2 }],
			user: { id: null, name: "@me" },
			room: null,
			via: "api",
			state: "approved",
			version: 2,
			createdAt: 0,
			history: [
				{ at: 0, by: { id: null, name: "@me" }, what: "created" },
				{ at: 1000, by: { id: null, name: "Ana" }, what: "approved" },
			],
		},
	]);
	assert.equal(
		csv,
		`\ufefforder,ordered_at,ordered_by,via,state,decided_at,decided_by,item,name,quantity,price,currency\r
c,1970-01-01T00:00:00.000Z,'@me,api,approved,1970-01-01T00:00:01.000Z,Ana,1,"'=HYPERLINK(""http://evil"")",2,4.50,EUR\r
`,
	);
});
