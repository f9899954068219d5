import type { ActivityStore, RoomDay } from "../../contract/activity.ts";
import type { Sql } from "../../storage/sql.ts";

/** The documents of rooms' days in PostgreSQL. Over a transaction's `sql` they are kept when that commits. */
export function postgresActivity(sql: Sql): ActivityStore {
	return {
		async newest(roomIds) {
			const rows = await sql.query<{ room_id: string; doc: RoomDay }>(
				"activity-newest",
				`select t.rm room_id, d.doc from unnest($1::uuid[]) t(rm)
         cross join lateral (select doc from activity_day where room_id = t.rm order by day desc limit 1) d`,
				[roomIds],
			);
			return new Map(rows.map((row) => [row.room_id, row.doc]));
		},
		async keep(doc, from) {
			const rows = await sql.query(
				from === null ? "activity-begin" : "activity-keep",
				from === null
					? `insert into activity_day (room_id, day, seq, doc) values ($1, $2, $3, $4) on conflict do nothing returning seq`
					: `update activity_day set seq = $3, doc = $4 where room_id = $1 and day = $2 and seq = $5 returning seq`,
				[doc.roomId, doc.day, doc.seq, JSON.stringify(doc), ...(from === null ? [] : [from])],
			);
			return rows.length > 0;
		},
		async days(days) {
			const rows = await sql.query<{ doc: RoomDay }>(
				"activity-days",
				"select doc from activity_day where day = any($1::text[]) order by day, room_id",
				[days],
			);
			return rows.map((row) => row.doc);
		},
	};
}
