import type { Person } from "../../contract/shapes.ts";
import type { Sql } from "../../storage/sql.ts";

export type PersonRow = { id: string; display_name: string; is_bot: boolean };

/** A row as everybody may see it. */
export function toPerson(row: PersonRow): Person {
	return row.is_bot ? { id: row.id, name: row.display_name, bot: true } : { id: row.id, name: row.display_name };
}

/** False when the skeleton is taken. */
export async function insertPerson(sql: Sql, person: Person, skeleton: string): Promise<boolean> {
	const rows = await sql.query(
		"person-insert",
		"insert into app_user (id, skeleton, display_name) values ($1, $2, $3) on conflict (skeleton) do nothing returning id",
		[person.id, skeleton, person.name],
	);
	return rows.length > 0;
}

/** Those of these skeletons somebody has. */
export async function selectTaken(sql: Sql, skeletons: readonly string[]): Promise<Set<string>> {
	const rows = await sql.query<{ skeleton: string }>("person-taken", "select skeleton from app_user where skeleton = any($1::text[])", [
		skeletons,
	]);
	return new Set(rows.map((row) => row.skeleton));
}

export async function selectPeople(sql: Sql, ids: readonly string[]): Promise<Person[]> {
	const rows = await sql.query<PersonRow>("person-by-ids", "select id, display_name, is_bot from app_user where id = any($1::uuid[])", [
		ids,
	]);
	return rows.map(toPerson);
}

export async function selectBySkeleton(sql: Sql, skeleton: string): Promise<Person | null> {
	const rows = await sql.query<PersonRow>("person-by-skeleton", "select id, display_name, is_bot from app_user where skeleton = $1", [
		skeleton,
	]);
	return rows[0] ? toPerson(rows[0]) : null;
}

/** Those whose name or skeleton contains what is given, by name first; an empty skeleton is in none, an empty text in every name. */
export async function searchPeople(
	sql: Sql,
	wanted: { skeleton: string; literal: string },
	except: string,
	limit: number,
): Promise<Person[]> {
	// Both ways: of punctuation alone nothing is left in a skeleton, and the beginning of "Bernardo", whose rn reads as m, is not in his.
	const rows = await sql.query<PersonRow>(
		"person-search",
		`select id, display_name, is_bot from app_user
     where (strpos(lower(display_name), $1) > 0 or ($2 <> '' and strpos(skeleton, $2) > 0)) and id <> $3 and not is_bot
     order by strpos(lower(display_name), $1) = 0, display_name, id limit $4`,
		[wanted.literal, wanted.skeleton, except, limit],
	);
	return rows.map(toPerson);
}
