import { refuse } from "../../contract/refusals.ts";
import type { Sql } from "../../storage/sql.ts";
import type { Standing } from "../members/index.ts";

const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Whether somebody administers the whole installation. */
async function isAdmin(sql: Sql, userId: string): Promise<boolean> {
	const rows = await sql.query("order-admin", "select 1 from app_user where id = $1 and is_admin", [userId]);
	return rows.length > 0;
}

/** Who decides about orders of a room: its owners and administrators; between two, the one who did not order. */
export async function mayDecide(sql: Sql, here: Standing, orderedBy: string | null): Promise<boolean> {
	if (here.role === "owner") return true;
	if (here.kind === "direct") return orderedBy !== here.me.id;
	return isAdmin(sql, here.me.id);
}

/** Lets orders of the API into a room, or keeps them out. Refuses with `not-owner`. */
export async function link(sql: Sql, here: Standing, isLinked: boolean): Promise<void> {
	if (here.role !== "owner" && !(await isAdmin(sql, here.me.id))) throw refuse("not-owner");
	if (isLinked)
		await sql.query("order-link", "insert into order_room (room_id, linked_by) values ($1, $2) on conflict (room_id) do nothing", [
			here.roomId,
			here.me.id,
		]);
	else await sql.query("order-unlink", "delete from order_room where room_id = $1", [here.roomId]);
}

/** The id of a linked room by its id or name; null where there is none, or several of that name. */
export async function linkedRoom(sql: Sql, name: string): Promise<string | null> {
	const rows = await sql.query<{ id: string }>(
		"order-linked",
		`select r.id from order_room o join room r on r.id = o.room_id
     where r.id = $1::uuid or ($1::uuid is null and lower(r.name) = lower($2) and r.kind <> 2) limit 2`,
		[uuid.test(name) ? name.toLowerCase() : null, name],
	);
	return rows.length === 1 ? (rows[0]?.id ?? null) : null;
}
