import type { Ports } from "../ports.ts";
import { showCard } from "./card.ts";
import type { Desk } from "./desk.ts";
import { linkedRoom } from "./linked.ts";

/** Carts one look takes up; the next look goes on. */
const atOnce = 50;

/**
 * Shows every cart that waits: made through the API or by a function, or by an instance that ended before it had shown it.
 * What came through the API for a room that is not linked (any more) is shown nowhere, and waits no longer. How many were seen.
 */
export async function showWaiting(ports: Ports, desk: Desk): Promise<number> {
	const carts = await desk.waiting(atOnce);
	for (const cart of carts) {
		if (cart.via === "chat" || (await linkedRoom(ports.sql, cart.room as string)) !== null) await showCard(ports, cart, "en");
		await desk.shown(cart.id, cart.version);
	}
	return carts.length;
}
