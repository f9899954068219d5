import type { Cart } from "../../contract/orders.ts";
import type { Desk } from "./desk.ts";

/** Orders on one page of a room's list. */
export const pageOf = 20;
/** Orders a table is read by. */
const atOnce = 200;
/** A table holds so many orders at most: what a spreadsheet opens well. */
const most = 10_000;

/** The orders of a room, newest first; the newest 10,000 of more. */
export async function allOf(desk: Desk, roomId: string): Promise<Cart[]> {
	const all: Cart[] = [];
	for (;;) {
		const page = await desk.ofRoom(roomId, all.at(-1) ?? null, atOnce);
		all.push(...page);
		if (page.length < atOnce || all.length >= most) return all.slice(0, most);
	}
}
