import { asRefusal, refuse } from "../../contract/refusals.ts";
import type { MyRoom, Person } from "../../contract/shapes.ts";
import { uuidOf } from "../ids.ts";
import { admit } from "../members/index.ts";
import type { Ports } from "../ports.ts";
import { insertRoom, selectMyRoom } from "./rows.ts";

/**
 * Makes a room and its maker the owner. Under a `clientId` the same room is made once, however often it is asked for: its id is derived
 * from who asks, the key, and what the room was to be, so it is found again after it was renamed, and a form that was changed and sent
 * again makes what it says now.
 */
export async function create(
	ports: Ports,
	me: Person,
	{ clientId, ...input }: { name: string; topic: string; kind: "public" | "private"; clientId?: string | undefined },
): Promise<MyRoom> {
	const id = clientId ? uuidOf("room", me.id, clientId, input.kind, input.name, input.topic) : ports.ids();
	await insertRoom(ports.sql, { id, ...input });
	const joined = await admit(ports, me, id, "owner", clientId);
	return show(ports, me, id, joined).catch((error: unknown) => {
		// Made before and left since: the form must not lead back in. Sent again under a fresh key it makes another.
		throw asRefusal(error)?.code === "not-found" ? refuse("key-reused") : error;
	});
}

/** Admits somebody and shows the room in their list, in every tab. */
export async function bring(ports: Ports, person: Person, roomId: string): Promise<MyRoom> {
	const joined = await admit(ports, person, roomId);
	return show(ports, person, roomId, joined);
}

/** The room as the person sees it; shown in their list when it is `added`. */
export async function show(ports: Ports, person: Person, roomId: string, added: boolean): Promise<MyRoom> {
	const room = await selectMyRoom(ports.sql, person.id, roomId);
	if (added) ports.publish({ to: { userId: person.id }, signal: { kind: "room-added", room } });
	return room;
}
