import type { Person } from "../../contract/shapes.ts";
import type { Sql } from "../../storage/sql.ts";
import { selectPeople } from "./rows.ts";

/** People by id. */
export type Names = { of(ids: Iterable<string>): Promise<Map<string, Person>> };

/**
 * Remembers people by id, so that showing history asks for names once and not once per page. Names do not change;
 * the oldest half is forgotten above `cap`.
 */
export function rememberNames(sql: Sql, cap = 20_000): Names {
	let known = new Map<string, Person>();
	return {
		async of(ids) {
			const wanted = new Set(ids);
			const missing = [...wanted].filter((id) => !known.has(id));
			if (missing.length > 0) for (const person of await selectPeople(sql, missing)) known.set(person.id, person);
			const found = new Map<string, Person>();
			for (const id of wanted) found.set(id, known.get(id) ?? { id, name: "?" });
			if (known.size > cap) known = new Map([...known].slice(known.size / 2));
			return found;
		},
	};
}
