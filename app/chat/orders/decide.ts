import type { Verdict } from "../../contract/orders.ts";
import { refuse } from "../../contract/refusals.ts";
import type { Standing } from "../members/index.ts";
import type { Ports } from "../ports.ts";
import { showCard } from "./card.ts";
import { ask, type Desk } from "./desk.ts";
import { mayDecide } from "./linked.ts";

/**
 * Approves, rejects or withdraws an order of the room. The same verdict again changes nothing. Refuses with
 * `order-not-found`, `not-decider`, `order-decided`; after the last the card shows who was quicker.
 */
export async function decide(
	ports: Ports,
	desk: Desk,
	here: Standing,
	input: { cartId: string; verdict: Verdict },
): Promise<{ version: number }> {
	const before = await ask(desk.cart(input.cartId));
	if (before.room !== here.roomId) throw refuse("order-not-found");
	const by = { id: here.me.id, name: here.me.name };
	const decider = { by, mayDecide: await mayDecide(ports.sql, here, before.user.id) };
	try {
		const cart = await ask(desk.decide(input.cartId, input.verdict, decider));
		await showCard(ports, cart, "en");
		await desk.shown(cart.id, cart.version);
		return { version: cart.version };
	} catch (error) {
		// Whoever was quicker may have been another instance, or its news may be on the way: shown here in any case.
		if ((error as { code?: string }).code === "order-decided") await showCard(ports, await ask(desk.cart(input.cartId)), "en");
		throw error;
	}
}
