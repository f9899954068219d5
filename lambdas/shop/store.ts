import type { Cart, Item, Scope, ShelvedItem } from "../../app/contract/orders.ts";

/**
 * What the shop keeps, behind one port with two engines: PostgreSQL where the server runs (app/shop/sql-store.ts) and
 * DynamoDB (dynamo-store.ts). One suite judges both: tests/support/store-suite.ts.
 */
export type Store = {
	/** Items present, by id, those after `after`; at most `limit`. */
	items(after: string | null, limit: number): Promise<Item[]>;
	/** Those of these items there are, present or not, in no order. At most 100 ids. */
	find(ids: readonly string[]): Promise<ShelvedItem[]>;
	/** Puts items as they are now, replacing those of the same id. */
	put(items: readonly ShelvedItem[]): Promise<void>;
	/** Stores a cart unless one of its id stands; gives what stands. `digest` tells orders of one key apart. */
	create(cart: Cart, digest: string): Promise<{ cart: Cart; digest: string; isNew: boolean }>;
	cart(id: string): Promise<Cart | null>;
	/** The cart of this id as it is now, with the digest of the order that made it. */
	stands(id: string): Promise<{ cart: Cart; digest: string } | null>;
	/** Replaces a cart by its next version; false when another change came first. */
	replace(cart: Cart): Promise<boolean>;
	/** Carts of rooms, oldest first, whose newest version has not been shown there. At most `limit`. */
	waiting(limit: number): Promise<Cart[]>;
	/** This version (or a later one) was shown, or never will be. */
	shown(id: string, version: number): Promise<void>;
	/** Carts of a room, newest first: those made before `before` (a cart's id), at most `limit`. */
	ofRoom(roomId: string, before: Cart | null, limit: number): Promise<Cart[]>;
};

/** A key of the API, found by the SHA-256 of its secret. */
export type ApiKey = { id: string; name: string; owner: { id: string | null; name: string }; scopes: Scope[]; room: string | null };
export type FindKey = (hash: string) => Promise<ApiKey | null>;
