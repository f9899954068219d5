import { refuse } from "../../contract/refusals.ts";
import type { Person } from "../../contract/shapes.ts";
import type { Ports } from "../ports.ts";
import { insertPerson } from "./rows.ts";
import { cleanName, skeletonOf } from "./skeleton.ts";

/** Makes the guest account of a new person. Refuses a name somebody has, or one that looks the same. */
export async function enter(ports: Ports, input: { name: string }): Promise<Person> {
	const name = cleanName(input.name);
	const person = { id: ports.ids(), name };
	const added = await insertPerson(ports.sql, person, skeletonOf(name));
	if (!added) throw refuse("name-taken", { field: "name" });
	return person;
}
