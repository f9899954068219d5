import { limits } from "../../contract/limits.ts";
import { refuse } from "../../contract/refusals.ts";
import type { MessageJourney, Person } from "../../contract/shapes.ts";
import type { Sql } from "../../storage/sql.ts";
import type { Standing } from "../members/index.ts";

type Row = {
	client_key: string;
	author_id: string;
	created_at: Date;
	deleted_at: Date | null;
	others: number;
	delivered: number;
	displayed: number;
};

/**
 * How far one of my own messages got, from the members' pointers: exact whatever was recorded elsewhere. Refuses with
 * `message-not-found`, `not-yours`, `deleted`. Names only in a room small enough to show pointers per person; times are known
 * to the instance alone, and null here.
 */
export async function journey(sql: Sql, here: Standing, seq: number): Promise<MessageJourney> {
	const [row] = await sql.query<Row>(
		"message-journey",
		`select l.client_key, l.author_id, l.created_at, l.deleted_at, c.others::int, c.delivered::int, c.displayed::int
     from room_log l cross join lateral (
       select count(*) others, count(*) filter (where m.delivered_seq >= l.seq) delivered, count(*) filter (where m.displayed_seq >= l.seq) displayed
       from member m join app_user u on u.id = m.user_id where m.room_id = l.room_id and m.user_id <> l.author_id and not u.is_bot
     ) c where l.room_id = $1 and l.seq = $2 and l.kind = 0`,
		[here.roomId, seq],
	);
	if (!row) throw refuse("message-not-found");
	if (row.author_id !== here.me.id) throw refuse("not-yours");
	if (row.deleted_at) throw refuse("deleted");
	return {
		messageId: row.client_key,
		seq,
		storedAt: row.created_at.getTime(),
		others: row.others,
		delivered: { count: row.delivered, first: null, last: null },
		displayed: { count: row.displayed, first: null, last: null },
		people: row.others <= limits.pointersPerPerson ? await people(sql, here, seq) : null,
	};
}

async function people(sql: Sql, here: Standing, seq: number) {
	const rows = await sql.query<{ id: string; display_name: string; delivered: boolean; displayed: boolean }>(
		"message-journey-people",
		`select u.id, u.display_name, m.delivered_seq >= $3 delivered, m.displayed_seq >= $3 displayed
     from member m join app_user u on u.id = m.user_id where m.room_id = $1 and m.user_id <> $2 and not u.is_bot
     order by u.display_name, u.id`,
		[here.roomId, here.me.id, seq],
	);
	return rows.map(({ id, display_name, delivered, displayed }) => ({
		person: { id, name: display_name } satisfies Person,
		delivered,
		displayed,
	}));
}

/** How far a message got, in numbers only; null when there is none. Asks for nobody in particular. */
export async function reach(
	sql: Sql,
	roomId: string,
	seq: number,
): Promise<{ members: number; delivered: number; displayed: number } | null> {
	const [row] = await sql.query<{ members: number; delivered: number; displayed: number }>(
		"message-reach",
		`select c.members::int, c.delivered::int, c.displayed::int from room_log l cross join lateral (
       select count(*) members, count(*) filter (where m.delivered_seq >= l.seq) delivered, count(*) filter (where m.displayed_seq >= l.seq) displayed
       from member m join app_user u on u.id = m.user_id where m.room_id = l.room_id and m.user_id <> l.author_id and not u.is_bot
     ) c where l.room_id = $1 and l.seq = $2 and l.kind = 0`,
		[roomId, seq],
	);
	return row ?? null;
}
