import type { Cart, Item, Party, Verdict } from "../../contract/orders.ts";
import { orderLimits } from "../../contract/orders.ts";
import { type RefusalCode, type RefusalDetails, refuse } from "../../contract/refusals.ts";

/** The order desk as rooms use it: the shop's core (lambdas/shop/shop.ts), handed in with whatever store it has. */
export type Desk = {
	items(input: { after: string | null; limit: number }): Promise<{ items: Item[]; next: string | null }>;
	item(id: string): Promise<Item>;
	order(order: {
		lines: { id: string; quantity: number }[];
		user: Party;
		room: string | null;
		via: Cart["via"];
		once: { scope: string; key: string } | null;
	}): Promise<{ cart: Cart; isNew: boolean }>;
	cart(id: string): Promise<Cart>;
	decide(id: string, verdict: Verdict, decider: { by: Party; mayDecide: boolean }): Promise<Cart>;
	/** Carts whose newest version waits to be shown in its room. */
	waiting(limit: number): Promise<Cart[]>;
	shown(id: string, version: number): Promise<void>;
	ofRoom(roomId: string, before: Cart | null, limit: number): Promise<Cart[]>;
};

/** What the desk says no with, in the words of the chat. */
const refusalOf: Record<string, RefusalCode> = {
	"unknown-items": "unknown-items",
	"too-many-items": "too-many-items",
	"not-found": "order-not-found",
	"already-decided": "order-decided",
	forbidden: "not-decider",
	unavailable: "unavailable",
};

/** Asks the desk; its no becomes a refusal a person can read. */
export async function ask<T>(asked: Promise<T>): Promise<T> {
	try {
		return await asked;
	} catch (error) {
		const { name, code, details } = (error ?? {}) as { name?: string; code?: string; details?: { items?: string[] } };
		const refusal = name === "Problem" && code !== undefined ? refusalOf[code] : undefined;
		if (!refusal) throw error;
		const more: RefusalDetails =
			refusal === "unknown-items"
				? { items: (details?.items ?? []).slice(0, 10).join(", ") }
				: refusal === "too-many-items"
					? { lines: orderLimits.lines, quantity: orderLimits.quantity }
					: {};
		throw refuse(refusal, more);
	}
}
