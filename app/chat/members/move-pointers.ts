import type { Sql } from "../../storage/sql.ts";
import { gather } from "../gather.ts";
import type { Ports } from "../ports.ts";
import type { Standing } from "./standing.ts";

export type Move = { delivered?: number | undefined; displayed?: number | undefined; read?: number | undefined };
export type Pointers = { readSeq: number; readMsg: number; deliveredSeq: number; displayedSeq: number };

type Row = { room_id: string; user_id: string; read_seq: number; read_msg: number; delivered_seq: number; displayed_seq: number };

// A pointer never passes the room's head and never goes back. `read_msg` is looked up from the message at the pointer,
// so unread (last_msg - read_msg, without what was deleted after it) is right whatever else the log holds.
const statement = `
with inp as (
  select rm, us, max(del) del, max(dis) dis, max(rd) rd
  from unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::bigint[], $5::bigint[]) t(rm, us, del, dis, rd) group by rm, us
), lk as (
  select m.room_id, m.user_id from member m join inp on m.room_id = inp.rm and m.user_id = inp.us
  order by m.room_id, m.user_id for update of m
)
update member m set
  delivered_seq = greatest(m.delivered_seq, least(greatest(inp.del, inp.dis), r.last_seq)),
  displayed_seq = greatest(m.displayed_seq, least(inp.dis, r.last_seq)),
  read_seq = greatest(m.read_seq, least(inp.rd, r.last_seq)),
  read_msg = greatest(m.read_msg, coalesce((
    select l.msg_no from room_log l where l.room_id = m.room_id and l.kind = 0 and l.seq <= inp.rd order by l.seq desc limit 1), 0))
from inp join room r on r.id = inp.rm join lk on lk.room_id = inp.rm and lk.user_id = inp.us
where m.room_id = inp.rm and m.user_id = inp.us
returning m.room_id, m.user_id, m.read_seq, m.read_msg, m.delivered_seq, m.displayed_seq`;

/** Moves my delivered, displayed and read pointers in a room forward, and tells those who show them. */
export function openPointers(ports: Ports): (here: Standing, move: Move) => Promise<Pointers> {
	const store = gather<{ here: Standing; move: Move }, Pointers>((batch) => storeAll(ports.sql, batch));
	return async (here, move) => {
		const pointers = await store({ here, move });
		const { roomId, me } = here;
		if (move.delivered !== undefined || move.displayed !== undefined)
			ports.publish({
				to: { roomId },
				pointer: { userId: me.id, deliveredSeq: pointers.deliveredSeq, displayedSeq: pointers.displayedSeq },
			});
		if (move.read !== undefined)
			ports.publish({
				to: { userId: me.id },
				signal: { kind: "read", roomId, readSeq: pointers.readSeq, readMsg: pointers.readMsg },
			});
		return pointers;
	};
}

async function storeAll(sql: Sql, batch: { here: Standing; move: Move }[]): Promise<Pointers[]> {
	const rows = await sql.query<Row>("pointers-move", statement, [
		batch.map((b) => b.here.roomId),
		batch.map((b) => b.here.me.id),
		batch.map((b) => b.move.delivered ?? 0),
		batch.map((b) => b.move.displayed ?? 0),
		batch.map((b) => b.move.read ?? 0),
	]);
	const byKey = new Map(rows.map((row) => [`${row.room_id} ${row.user_id}`, row]));
	return batch.map(({ here }) => {
		const row = byKey.get(`${here.roomId} ${here.me.id}`);
		return {
			readSeq: row?.read_seq ?? 0,
			readMsg: row?.read_msg ?? 0,
			deliveredSeq: row?.delivered_seq ?? 0,
			displayedSeq: row?.displayed_seq ?? 0,
		};
	});
}
