import { createHash } from "node:crypto";
import type { Cart, CartLine, Item, Party, ShelvedItem, Verdict } from "../../app/contract/orders.ts";
import type { OrderAsked } from "./order-input.ts";
import { Problem } from "./problem.ts";
import type { Store } from "./store.ts";

export type Order = {
	lines: OrderAsked["lines"];
	user: Party;
	room: string | null;
	via: Cart["via"];
	/** Whose key it is, and what it is: the same twice is one order. Null for an order that stands for itself. */
	once: { scope: string; key: string } | null;
};

/** Who decides: somebody of a room, and whether they may decide about what others ordered. */
export type Decider = { by: Party; mayDecide: boolean };

/** Who records the call that orders: where it is, as W3C's traceparent, and to be told what made it possible. */
export type ShopTrace = { here(): string | null; link(causes: readonly string[]): void };

/** Imports one order is linked to at most; more say nothing new. */
const mostCauses = 8;

/** How often a change that came too late for its version is tried again. */
const tries = 5;

/**
 * The order desk's rules, whatever keeps its carts and whoever asks. Handed its store, the clock (ms), new ids (UUIDs) and, where
 * calls are recorded, who does.
 */
export function openShop({
	store,
	clock = Date.now,
	ids = () => crypto.randomUUID(),
	trace,
}: {
	store: Store;
	clock?: () => number;
	ids?: () => string;
	trace?: ShopTrace | undefined;
}) {
	return {
		/** Items present, by id; `next` is where the next page goes on, null at the end. */
		async items({ after, limit }: { after: string | null; limit: number }): Promise<{ items: Item[]; next: string | null }> {
			const found = await store.items(after, limit + 1);
			const items = found.slice(0, limit);
			return { items, next: found.length > limit ? (items.at(-1)?.id ?? null) : null };
		},
		/** Throws `not-found`. What is not present any more is found all the same, and says so. */
		async item(id: string): Promise<Item> {
			const [found] = await store.find([id]);
			if (!found) throw new Problem("not-found");
			const { tp: _tp, ...item } = found;
			return item;
		},
		/** Puts items of a catalogue, replacing those of the same id. */
		put: (items: readonly ShelvedItem[]): Promise<void> => store.put(items),
		/**
		 * Stores an order, all of it or nothing. Throws `unknown-items`, naming each; `key-reused` when the key stands for
		 * another order. The same order under the same key gives the cart it made, with `isNew` false.
		 */
		async order(order: Order): Promise<{ cart: Cart; isNew: boolean }> {
			const digest = digestOf(order);
			const id = order.once ? derivedId(order.once) : ids();
			// First of all: what was ordered stays ordered, whatever has left the catalogue since.
			const stands = order.once ? await store.stands(id) : null;
			if (stands) return { cart: sameOrder(stands, digest), isNew: false };
			const { lines, causes } = await priced(store, order.lines);
			trace?.link(causes);
			const tp = trace?.here() ?? null;
			const at = clock();
			const cart: Cart = {
				id,
				lines,
				user: order.user,
				room: order.room,
				via: order.via,
				state: "open",
				version: 1,
				createdAt: at,
				history: [{ at, by: order.user, what: "created" }],
				...(tp === null ? {} : { tp }),
			};
			const made = await store.create(cart, digest);
			return { cart: sameOrder(made, digest), isNew: made.isNew };
		},
		/** Throws `not-found`. */
		async cart(id: string): Promise<Cart> {
			const cart = await store.cart(id);
			if (!cart) throw new Problem("not-found");
			return cart;
		},
		/**
		 * Decides an open order. Who may decide approves or rejects, who ordered withdraws. The same verdict again changes
		 * nothing; another one throws `already-decided` with the state there is.
		 */
		async decide(id: string, verdict: Verdict, { by, mayDecide }: Decider): Promise<Cart> {
			for (let attempt = 1; attempt <= tries; attempt++) {
				const cart = await store.cart(id);
				if (!cart) throw new Problem("not-found");
				const isOwn = cart.user.id !== null && cart.user.id === by.id;
				if (!(verdict === "withdrawn" ? isOwn : mayDecide)) throw new Problem("forbidden");
				if (cart.state === verdict) return cart;
				if (cart.state !== "open") throw new Problem("already-decided", { state: cart.state });
				const next: Cart = {
					...cart,
					state: verdict,
					version: cart.version + 1,
					history: [...cart.history, { at: clock(), by, what: verdict }],
				};
				if (await store.replace(next)) return next;
			}
			throw new Problem("unavailable");
		},
		waiting: (limit: number): Promise<Cart[]> => store.waiting(limit),
		shown: (id: string, version: number): Promise<void> => store.shown(id, version),
		ofRoom: (roomId: string, before: Cart | null, limit: number): Promise<Cart[]> => store.ofRoom(roomId, before, limit),
	};
}
export type Shop = ReturnType<typeof openShop>;

/** The lines with the names and prices of this moment, and the traces of the imports those are from. */
async function priced(store: Store, asked: Order["lines"]): Promise<{ lines: CartLine[]; causes: string[] }> {
	const found = new Map((await store.find(asked.map((line) => line.id))).map((item) => [item.id, item]));
	const unknown = asked.filter(({ id }) => found.get(id)?.present !== true).map(({ id }) => id);
	if (unknown.length > 0) throw new Problem("unknown-items", { items: unknown });
	const lines = asked.map(({ id, quantity }) => {
		const { name, price, currency } = found.get(id) as Item;
		return { id, name, price, currency, quantity };
	});
	return { lines, causes: [...new Set([...found.values()].flatMap(({ tp }) => tp ?? []))].slice(0, mostCauses) };
}

/** The cart that stands, unless it is another order's. */
function sameOrder(made: { cart: Cart; digest: string }, digest: string): Cart {
	if (made.digest !== digest) throw new Problem("key-reused");
	return made.cart;
}

/** What exists once is derived, not drawn: the same key of the same caller is the same cart. */
function derivedId({ scope, key }: { scope: string; key: string }): string {
	const bytes = createHash("sha256").update(`cart\u0000${scope}\u0000${key}`).digest().subarray(0, 16);
	bytes[6] = ((bytes[6] as number) & 0x0f) | 0x80;
	bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80;
	const hex = bytes.toString("hex");
	return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

function digestOf({ lines, user, room }: Order): string {
	const sorted = [...lines].sort((a, b) => (a.id < b.id ? -1 : 1)).map(({ id, quantity }) => [id, quantity]);
	return createHash("sha256")
		.update(JSON.stringify([sorted, user.id ?? user.name, room]))
		.digest("hex");
}
