import type { Activity, ActivityFlag } from "../../contract/activity.ts";
import { isTraceparent, traceOf } from "../../contract/envelope.ts";
import type { Sql } from "../../storage/sql.ts";
import { logKind } from "../room-log/index.ts";

type Row = {
	room_id: string;
	seq: number;
	kind: number;
	target_seq: number | null;
	author_id: string;
	client_key: string;
	body: string | null;
	bytes: number;
	is_bot: boolean | null;
	is_order: boolean | null;
	/** The message this came of, where another's key follows from something else. */
	began: string | null;
	/** Orders alone: the call they were made by. */
	tp: string | null;
	created_at: Date;
	age: number;
};

/** An event with how long ago it was committed, ms, by the database's clock. */
export type Aged = { event: Activity; age: number };

const nameOf = new Map<number, string>(Object.entries(logKind).map(([name, kind]) => [kind, name]));

/** Rooms whose log goes on past where the consumer is. */
export async function selectBehind(sql: Sql, consumer: string, limit: number): Promise<string[]> {
	const rows = await sql.query<{ id: string }>(
		"relay-behind",
		`select r.id from room r left join relay_pointer p on p.room_id = r.id and p.consumer = $1
     where r.last_seq > coalesce(p.seq, 0) limit $2`,
		[consumer, limit],
	);
	return rows.map((row) => row.id);
}

/** Takes these rooms for the rest of the transaction, and says how far the consumer is; those another instance works on are left out. */
export async function lockPointers(sql: Sql, consumer: string, roomIds: readonly string[]): Promise<Map<string, number>> {
	await sql.query(
		"relay-begin",
		"insert into relay_pointer (room_id, consumer) select unnest($2::uuid[]), $1 on conflict (room_id, consumer) do nothing",
		[consumer, roomIds],
	);
	const rows = await sql.query<{ room_id: string; seq: number }>(
		"relay-lock",
		"select room_id, seq from relay_pointer where consumer = $1 and room_id = any($2::uuid[]) for update skip locked",
		[consumer, roomIds],
	);
	return new Map(rows.map((row) => [row.room_id, row.seq]));
}

export async function movePointers(sql: Sql, consumer: string, reached: ReadonlyMap<string, number>): Promise<void> {
	await sql.query(
		"relay-move",
		`update relay_pointer p set seq = t.sq from unnest($2::uuid[], $3::bigint[]) t(rm, sq)
     where p.room_id = t.rm and p.consumer = $1 and p.seq < t.sq`,
		[consumer, [...reached.keys()], [...reached.values()]],
	);
}

/** What happened in these rooms after these places, in order, at most `limit` of each room. What was said stays here. */
export async function selectAfter(
	sql: Sql,
	readText: (text: string) => ActivityFlag[],
	pointers: ReadonlyMap<string, number>,
	limit: number,
): Promise<Map<string, Aged[]>> {
	const rows = await sql.query<Row>(
		"relay-read",
		`select l.room_id, l.seq, l.kind, l.target_seq, l.author_id, l.client_key, case when l.deleted_at is null then l.body end body,
       coalesce(octet_length(l.body), 0) bytes, u.is_bot, l.meta ? 'cart' is_order, l.meta->>'from' began, l.meta->'cart'->>'tp' tp,
       l.created_at,
       (extract(epoch from clock_timestamp() - l.created_at) * 1000)::float8 age
     from unnest($1::uuid[], $2::bigint[]) p(rm, sq)
     cross join lateral (select * from room_log where room_id = p.rm and seq > p.sq order by seq limit $3) l
     left join app_user u on u.id = l.author_id order by l.room_id, l.seq`,
		[[...pointers.keys()], [...pointers.values()], limit],
	);
	const rooms = new Map<string, Aged[]>();
	for (const row of rows) {
		const aged = { event: toActivity(row, readText), age: row.age };
		const room = rooms.get(row.room_id);
		if (room) room.push(aged);
		else rooms.set(row.room_id, [aged]);
	}
	return rooms;
}

function toActivity(row: Row, readText: (text: string) => ActivityFlag[]): Activity {
	const isMessage = row.kind === logKind.message;
	return {
		id: `${row.room_id}:${row.seq}`,
		roomId: row.room_id,
		seq: row.seq,
		// The card an order begins as is a message of the log, and an order to whoever counts.
		kind: isMessage && row.is_order ? "order" : (nameOf.get(row.kind) ?? "other"),
		at: row.created_at.getTime(),
		authorId: row.author_id,
		bytes: row.bytes,
		target: row.target_seq,
		flags: isMessage ? [...readText(row.body ?? ""), ...(row.is_bot ? ["bot" as const] : [])] : [],
		reach: null,
		tp: isTraceparent(row.tp) ? row.tp : traceOf(row.began ?? row.client_key).traceparent,
	};
}

/** How far each of these people is in their room: the newest seq that reached them. Who is no member is left out. */
export async function selectDelivered(sql: Sql, people: ReadonlyMap<string, readonly string[]>): Promise<Map<string, Map<string, number>>> {
	const flat = [...people].flatMap(([roomId, userIds]) => userIds.map((userId) => ({ roomId, userId })));
	const rooms = new Map([...people.keys()].map((roomId) => [roomId, new Map<string, number>()]));
	if (flat.length === 0) return rooms;
	const rows = await sql.query<{ room_id: string; user_id: string; delivered_seq: number }>(
		"relay-delivered",
		`select m.room_id, m.user_id, m.delivered_seq from unnest($1::uuid[], $2::uuid[]) t(rm, us)
     join member m on m.room_id = t.rm and m.user_id = t.us`,
		[flat.map((f) => f.roomId), flat.map((f) => f.userId)],
	);
	for (const row of rows) rooms.get(row.room_id)?.set(row.user_id, row.delivered_seq);
	return rooms;
}

export async function insertAside(sql: Sql, consumer: string, roomId: string, seq: number, reason: string): Promise<void> {
	await sql.query(
		"relay-aside",
		"insert into relay_aside (room_id, seq, consumer, reason) values ($1, $2, $3, $4) on conflict do nothing",
		[roomId, seq, consumer, reason.slice(0, 200)],
	);
}
