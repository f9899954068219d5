import { refuse } from "../../contract/refusals.ts";
import type { MyRoom, Person } from "../../contract/shapes.ts";
import type { Standing } from "../members/index.ts";
import { byName } from "../people/index.ts";
import type { Ports } from "../ports.ts";
import { bring } from "./create.ts";
import { selectKind } from "./rows.ts";

/** Joins a public room. A private one looks as if it did not exist. */
export async function join(ports: Ports, me: Person, input: { roomId: string }): Promise<MyRoom> {
	if ((await selectKind(ports.sql, input.roomId)) !== "public") throw refuse("not-found");
	return bring(ports, me, input.roomId);
}

/** Brings the person of that name into a room I am in. Not into a direct conversation: it has two people by definition. */
export async function invite(ports: Ports, here: Standing, input: { name: string }): Promise<Person> {
	if (here.kind === "direct") throw refuse("not-owner");
	const person = await byName(ports, input.name);
	await bring(ports, person, here.roomId);
	return person;
}
