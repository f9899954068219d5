import { refuse } from "../../contract/refusals.ts";
import type { MyRoom, Person } from "../../contract/shapes.ts";
import { uuidOf } from "../ids.ts";
import { admit } from "../members/index.ts";
import { byId } from "../people/index.ts";
import type { Ports } from "../ports.ts";
import { show } from "./create.ts";
import { insertRoom } from "./rows.ts";

/** The conversation of two people: made once, found again by both. The id is derived from the two, so two first messages meet in one room. */
export async function direct(ports: Ports, me: Person, input: { userId: string }): Promise<MyRoom> {
	if (input.userId === me.id) throw refuse("not-found");
	const other = await byId(ports, input.userId);
	if (other.bot) throw refuse("not-found");
	const id = uuidOf("direct", ...[me.id, other.id].sort());
	await insertRoom(ports.sql, { id, kind: "direct", name: "", topic: "" });
	// Both are written in before either list shows it, so each sees the other's name.
	const otherJoined = await admit(ports, other, id);
	const meJoined = await admit(ports, me, id);
	await show(ports, other, id, otherJoined);
	return show(ports, me, id, meJoined);
}
