import { limits } from "../../contract/limits.ts";
import type { Member, Role } from "../../contract/shapes.ts";
import type { Sql } from "../../storage/sql.ts";
import { type PersonRow, toPerson } from "../people/index.ts";
import { roleOf } from "./standing.ts";

type MemberRow = PersonRow & { role: number; delivered_seq: number; displayed_seq: number };

/** SQL: seqs of deleted messages after the read pointer of member `m`, ascending. Goes by an index of the deleted only, so it counts nothing. */
export const unreadDeleted = `array(select seq from (
    select seq from room_log where room_id = m.room_id and kind = 0 and deleted_at is not null and seq > m.read_seq
    order by seq desc limit ${limits.unreadDeleted}) newest order by seq)`;

/** Members with their pointers, by name. At most `limit`: the panel of a huge room shows the first ones. */
export async function selectMembers(sql: Sql, roomId: string, limit = 500): Promise<Member[]> {
	const rows = await sql.query<MemberRow>(
		"member-list",
		`select u.id, u.display_name, u.is_bot, m.role, m.delivered_seq, m.displayed_seq
     from member m join app_user u on u.id = m.user_id where m.room_id = $1
     order by u.display_name, u.id limit $2`,
		[roomId, limit],
	);
	return rows.map((row) => ({
		person: toPerson(row),
		role: roleOf(row.role),
		deliveredSeq: row.delivered_seq,
		displayedSeq: row.displayed_seq,
	}));
}

/**
 * Adds a member whose pointers stand at the room's head: what was said before is not unread to a newcomer.
 * False when the person is in already.
 */
export async function insertMember(
	sql: Sql,
	roomId: string,
	userId: string,
	role: Role,
	head: { lastSeq: number; lastMsg: number },
): Promise<boolean> {
	const rows = await sql.query(
		"member-insert",
		`insert into member (room_id, user_id, role, joined_seq, read_seq, read_msg, delivered_seq, displayed_seq)
     values ($1, $2, $3, $4, $4, $5, $4, $4) on conflict (room_id, user_id) do nothing returning user_id`,
		[roomId, userId, role === "owner" ? 1 : 0, head.lastSeq, head.lastMsg],
	);
	return rows.length > 0;
}

export async function deleteMember(sql: Sql, roomId: string, userId: string): Promise<boolean> {
	const rows = await sql.query("member-delete", "delete from member where room_id = $1 and user_id = $2 returning user_id", [
		roomId,
		userId,
	]);
	return rows.length > 0;
}

/** Makes the longest-standing member an owner when none is left; the promoted person's row, or null. */
export async function promoteWhenOwnerless(sql: Sql, roomId: string): Promise<PersonRow | null> {
	const [row] = await sql.query<PersonRow>(
		"member-promote",
		`update member m set role = 1 from app_user u
     where m.room_id = $1 and u.id = m.user_id
       and not exists (select 1 from member o where o.room_id = $1 and o.role = 1)
       and m.user_id = (select user_id from member where room_id = $1 order by joined_seq, user_id limit 1)
     returning u.id, u.display_name, u.is_bot`,
		[roomId],
	);
	return row ?? null;
}

/** Who came into which room within the last so many seconds, by the database's clock. */
export async function selectJoinedWithin(sql: Sql, seconds: number): Promise<{ userId: string; roomId: string }[]> {
	const rows = await sql.query<{ user_id: string; room_id: string }>(
		"user-room-lately",
		"select user_id, room_id from user_room where added_at > now() - make_interval(secs => $1) order by added_at, user_id, room_id",
		[seconds],
	);
	return rows.map((row) => ({ userId: row.user_id, roomId: row.room_id }));
}
