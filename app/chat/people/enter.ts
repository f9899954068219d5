import { limits } from "../../contract/limits.ts";
import { refuse } from "../../contract/refusals.ts";
import type { Person } from "../../contract/shapes.ts";
import type { Sql } from "../../storage/sql.ts";
import type { Ports } from "../ports.ts";
import { insertPerson, selectTaken } from "./rows.ts";
import { cleanName, isReserved, skeletonOf } from "./skeleton.ts";

/**
 * Makes the guest account of a new person. Refuses a name somebody has, one that looks the same, and those that would pass for
 * Charla itself; with a name that is free at this moment.
 */
export async function enter(ports: Ports, input: { name: string }): Promise<Person> {
	const name = cleanName(input.name);
	const refused = async (code: "name-taken" | "name-reserved") => {
		const suggestion = await freeLike(ports.sql, name);
		return refuse(code, { field: "name", ...(suggestion ? { suggestion } : {}) });
	};
	if (isReserved(name)) throw await refused("name-reserved");
	const person = { id: ports.ids(), name };
	const added = await insertPerson(ports.sql, person, skeletonOf(name));
	if (!added) throw await refused("name-taken");
	return person;
}

/** The name with the first number nobody bears beside it, cut where it would be too long; null when there is none. */
async function freeLike(sql: Sql, name: string): Promise<string | null> {
	// A step of ten for names half the school has, so that a handful of questions in one statement is enough.
	const numbers = [...Array.from({ length: 30 }, (_, i) => i + 2), ...Array.from({ length: 96 }, (_, i) => i * 10 + 40)];
	const bySkeleton = new Map<string, string>();
	for (const number of numbers) {
		const end = ` ${number}`;
		const cut = Array.from(name)
			.slice(0, limits.name - end.length)
			.join("")
			.trim();
		const suggestion = `${cut}${end}`;
		// Half of a letter made of several is no letter; and a digit may read as a letter of a name already there.
		if (isName(suggestion) && !bySkeleton.has(skeletonOf(suggestion))) bySkeleton.set(skeletonOf(suggestion), suggestion);
	}
	const taken = await selectTaken(sql, [...bySkeleton.keys()]);
	return [...bySkeleton].find(([skeleton]) => !taken.has(skeleton))?.[1] ?? null;
}

function isName(text: string): boolean {
	try {
		return cleanName(text) === text && !isReserved(text);
	} catch {
		return false;
	}
}
