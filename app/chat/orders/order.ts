import type { Language } from "../../contract/language.ts";
import { itemId, orderLimits } from "../../contract/orders.ts";
import { refuse } from "../../contract/refusals.ts";
import type { Standing } from "../members/index.ts";
import type { Ports } from "../ports.ts";
import { showCard } from "./card.ts";
import { ask, type Desk } from "./desk.ts";

/**
 * Orders in a room: `rest` is what stands after /cart add, ids with how many of each (123456 or 123456*2; named twice is
 * two). The order's key is the message's, so a command sent again is the same order. Refuses with `command-incomplete`,
 * `unknown-items`, `too-many-items`.
 */
export async function order(
	ports: Ports,
	desk: Desk,
	here: Standing,
	input: { clientId: string; rest: string },
	language: Language,
): Promise<void> {
	const { cart } = await ask(
		desk.order({
			lines: readLines(input.rest),
			user: { id: here.me.id, name: here.me.name },
			room: here.roomId,
			via: "chat",
			once: { scope: `chat ${here.roomId} ${here.me.id}`, key: input.clientId },
		}),
	);
	// Should this fail, the cart is stored and waits: the next look at what waits shows it.
	await showCard(ports, cart, language, input.clientId);
	await desk.shown(cart.id, cart.version);
}

function readLines(rest: string): { id: string; quantity: number }[] {
	const lines = new Map<string, number>();
	for (const word of rest.split(/[\s,]+/).filter(Boolean)) {
		const [, id = "", count = "1"] = /^([^*×]+)(?:[*×](\d{1,9}))?$/.exec(word) ?? [];
		if (!itemId.test(id)) throw refuse("unknown-items", { items: word.slice(0, 64) });
		const quantity = (lines.get(id) ?? 0) + Number(count);
		if (quantity < 1) throw refuse("command-incomplete", { usage: "/cart add 123456*2" });
		if (quantity > orderLimits.quantity || lines.size > orderLimits.lines)
			throw refuse("too-many-items", { lines: orderLimits.lines, quantity: orderLimits.quantity });
		lines.set(id, quantity);
	}
	if (lines.size === 0) throw refuse("command-incomplete", { usage: "/cart add 123456 789012*2" });
	if (lines.size > orderLimits.lines) throw refuse("too-many-items", { lines: orderLimits.lines, quantity: orderLimits.quantity });
	return [...lines].map(([id, quantity]) => ({ id, quantity }));
}
