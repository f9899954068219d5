import { refuse } from "../../contract/refusals.ts";
import type { Person } from "../../contract/shapes.ts";
import type { Ports } from "../ports.ts";
import { searchPeople, selectBySkeleton, selectPeople } from "./rows.ts";
import { skeletonOf } from "./skeleton.ts";

/**
 * People whose name contains the text, as it is written or as the eye takes it in (accents, case and punctuation aside); everybody
 * for an empty one. At most 50, those written so first, then by name.
 */
export async function find(ports: Ports, me: Person, input: { text: string }): Promise<Person[]> {
	const text = input.text.slice(0, 100).trim();
	return searchPeople(ports.sql, { skeleton: skeletonOf(text), literal: storable(text) }, me.id, 50);
}

/** What cannot be stored is in no name either, and PostgreSQL cannot even be asked about it. */
function storable(text: string): string {
	return text.normalize("NFKC").toLowerCase().toWellFormed().replaceAll("\0", "\ufffd");
}

/** The one person of that name, bots aside, or null. */
export async function maybeByName(ports: Ports, name: string): Promise<Person | null> {
	const person = await selectBySkeleton(ports.sql, skeletonOf(name.replace(/^@/, "").slice(0, 100)));
	return person?.bot ? null : person;
}

/** The one person of that name. Throws `nobody-by-name`. */
export async function byName(ports: Ports, name: string): Promise<Person> {
	const person = await selectBySkeleton(ports.sql, skeletonOf(name.replace(/^@/, "").slice(0, 100)));
	if (!person) throw refuse("nobody-by-name", { name: name.slice(0, 40) });
	return person;
}

/** The person of that id. Throws `not-found`. */
export async function byId(ports: Ports, id: string): Promise<Person> {
	const [person] = await selectPeople(ports.sql, [id]);
	if (!person) throw refuse("not-found");
	return person;
}
