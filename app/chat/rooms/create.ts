import type { MyRoom, Person } from "../../contract/shapes.ts";
import { admit } from "../members/index.ts";
import type { Ports } from "../ports.ts";
import { insertRoom, selectMyRoom } from "./rows.ts";

/** Makes a room and its maker the owner. */
export async function create(
	ports: Ports,
	me: Person,
	input: { name: string; topic: string; kind: "public" | "private" },
): Promise<MyRoom> {
	const id = ports.ids();
	await insertRoom(ports.sql, { id, ...input });
	return bring(ports, me, id, "owner");
}

/** Admits somebody and shows the room in their list, in every tab. */
export async function bring(ports: Ports, person: Person, roomId: string, role: "owner" | "member" = "member"): Promise<MyRoom> {
	const joined = await admit(ports, person, roomId, role);
	return show(ports, person, roomId, joined);
}

/** The room as the person sees it; shown in their list when it is `added`. */
export async function show(ports: Ports, person: Person, roomId: string, added: boolean): Promise<MyRoom> {
	const room = await selectMyRoom(ports.sql, person.id, roomId);
	if (added) ports.publish({ to: { userId: person.id }, signal: { kind: "room-added", room } });
	return room;
}
