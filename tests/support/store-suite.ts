import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import type { Cart, Item } from "../../app/contract/orders.ts";
import type { Store } from "../../lambdas/shop/store.ts";

const item = (id: string, more: Partial<Item> = {}): Item => ({
	id,
	name: `Item ${id}`,
	price: 100,
	currency: "EUR",
	present: true,
	...more,
});
let clock = 1_700_000_000_000;
const cart = (more: Partial<Cart> = {}): Cart => ({
	id: randomUUID(),
	lines: [{ id: "1", name: "One «ñ» 漢字 🧺", price: null, currency: null, quantity: 2 }],
	user: { id: null, name: "Añá" },
	room: null,
	via: "api",
	state: "open",
	version: 1,
	createdAt: clock++,
	history: [{ at: 1, by: { id: null, name: "Añá" }, what: "created" }],
	...more,
});
const next = (before: Cart, more: Partial<Cart> = {}): Cart => ({ ...before, version: before.version + 1, ...more });

/** What every store of the shop does, whichever engine keeps it. `open` gives an empty one. */
export function storeSuite(engine: string, open: () => Promise<{ store: Store } & AsyncDisposable>): void {
	test(`[O1] ${engine}: items come by id, a page at a time, and what is not present is left out`, async () => {
		await using opened = await open();
		const { store } = opened;
		assert.deepEqual(await store.items(null, 10), []);
		const many = Array.from({ length: 60 }, (_, i) => item(`A-${String(i).padStart(3, "0")}`));
		await store.put([...many].reverse());
		await store.put([item("A-010", { present: false }), item("B", { price: null, currency: null, name: "نص 🧺" })]);
		const seen: Item[] = [];
		for (let after: string | null = null; ; after = (seen.at(-1) as Item).id) {
			const page = await store.items(after, 7);
			seen.push(...page);
			assert.ok(page.length <= 7);
			if (page.length < 7) break;
		}
		assert.deepEqual(
			seen.map((each) => each.id),
			[...many.map((each) => each.id).filter((id) => id !== "A-010"), "B"],
		);
		assert.deepEqual(seen.at(-1), item("B", { price: null, currency: null, name: "نص 🧺" }));
	});

	test(`[O1] ${engine}: items are found by id, present or not; a later put replaces, within one put too`, async () => {
		await using opened = await open();
		const { store } = opened;
		await store.put([item("1"), item("2", { present: false }), item("1", { name: "newer" })]);
		const found = await store.find(["2", "1", "nothing"]);
		assert.deepEqual(
			found.sort((a, b) => (a.id < b.id ? -1 : 1)),
			[item("1", { name: "newer" }), item("2", { present: false })],
		);
		await store.put([item("1", { price: 7, currency: "COP" })]);
		assert.deepEqual(await store.find(["1"]), [item("1", { price: 7, currency: "COP" })]);
		const tp = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
		await store.put([{ ...item("1"), tp }]);
		assert.deepEqual(await store.find(["1"]), [{ ...item("1"), tp }], "with the import that brought it");
		assert.ok(
			(await store.items(null, 10)).every((each) => !("tp" in each)),
			"which is nothing for a list",
		);
		await store.put([item("1")]);
		assert.deepEqual(await store.find(["1"]), [item("1")]);
		const hundred = Array.from({ length: 100 }, (_, i) => item(`H${i}`));
		await store.put(hundred);
		assert.equal((await store.find(hundred.map((each) => each.id))).length, 100);
	});

	test(`[O3] ${engine}: a cart is stored once, however many ask at the same time`, async () => {
		await using opened = await open();
		const { store } = opened;
		const one = cart();
		const made = await Promise.all(
			Array.from({ length: 8 }, (_, i) => store.create({ ...one, user: { id: null, name: `${i}` } }, `digest ${i}`)),
		);
		assert.equal(made.filter((each) => each.isNew).length, 1);
		const winner = made.find((each) => each.isNew);
		for (const each of made) assert.deepEqual([each.cart, each.digest], [winner?.cart, winner?.digest]);
		assert.deepEqual(await store.cart(one.id), winner?.cart);
		assert.equal(await store.cart(randomUUID()), null);
	});

	test(`[O10] ${engine}: of two changes of one version one comes true`, async () => {
		await using opened = await open();
		const { store } = opened;
		const one = cart({ room: randomUUID() });
		await store.create(one, "");
		const changes = await Promise.all(
			(["approved", "rejected", "withdrawn"] as const).map(async (state) => [state, await store.replace(next(one, { state }))] as const),
		);
		const won = changes.filter(([, done]) => done);
		assert.equal(won.length, 1);
		const stands = await store.cart(one.id);
		assert.deepEqual(stands, next(one, { state: won[0]?.[0] as Cart["state"] }));
		assert.equal(await store.replace(next(one)), false, "the version it was made from is gone");
		assert.equal(await store.replace(next(cart())), false, "there is no such cart");
	});

	test(`[O6] ${engine}: what was not shown in its room waits, oldest first; a change makes it wait again`, async () => {
		await using opened = await open();
		const { store } = opened;
		const room = randomUUID();
		const [first, second, third] = [cart({ room }), cart({ room }), cart({ room })];
		for (const each of [second, third, first, cart()]) await store.create(each, "");
		const waiting = async () => (await store.waiting(10)).map((each) => `${each.id} ${each.version}`);
		const of = (...carts: Cart[]) => carts.map((each) => `${each.id} ${each.version}`);
		assert.deepEqual(await waiting(), of(first, second, third), "an order no room knows of waits for nothing");
		assert.equal((await store.waiting(2)).length, 2);
		await store.shown(first.id, 1);
		assert.deepEqual(await waiting(), of(second, third));
		const changed = next(first, { state: "approved" });
		await store.replace(changed);
		assert.deepEqual(await waiting(), of(changed, second, third));
		await store.shown(first.id, 1);
		assert.deepEqual(await waiting(), of(changed, second, third), "the version before was shown, this one was not");
		for (const each of [changed, second, third]) await store.shown(each.id, each.version);
		await store.shown(randomUUID(), 1);
		assert.deepEqual(await waiting(), []);
		assert.deepEqual(await store.cart(first.id), changed, "and nothing else of it changed");
	});

	test(`[O8] ${engine}: the carts of a room, newest first, by pages, none twice though made at one moment`, async () => {
		await using opened = await open();
		const { store } = opened;
		const room = randomUUID();
		const carts = Array.from({ length: 9 }, (_, i) => cart({ room, createdAt: 1_700_000_000_000 + Math.floor(i / 3) }));
		for (const each of [...carts, cart({ room: randomUUID() })]) await store.create(each, "");
		const seen: Cart[] = [];
		for (let before: Cart | null = null; ; before = seen.at(-1) as Cart) {
			const page = await store.ofRoom(room, before, 4);
			seen.push(...page);
			if (page.length < 4) break;
		}
		assert.equal(new Set(seen.map((each) => each.id)).size, 9);
		assert.equal(seen.length, 9);
		assert.deepEqual(
			seen.map((each) => each.createdAt),
			[...seen.map((each) => each.createdAt)].sort((a, b) => b - a),
		);
		assert.deepEqual(await store.ofRoom(randomUUID(), null, 4), []);
	});
}
