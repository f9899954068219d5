import { refuse } from "../../contract/refusals.ts";
import type { MyRoom, OpenRoom, RoomKind } from "../../contract/shapes.ts";
import type { Sql } from "../../storage/sql.ts";
import { roleOf, roomKinds, unreadDeleted } from "../members/index.ts";
import { toPerson } from "../people/index.ts";

type MyRoomRow = {
	id: string;
	kind: number;
	name: string;
	topic: string;
	last_seq: number;
	last_msg: number;
	role: number;
	read_seq: number;
	read_msg: number;
	unread_deleted: number[];
	other_id: string | null;
	other_name: string | null;
	other_bot: boolean | null;
};

// For a direct room the other person is part of the row: `meta` of the room's first join is not needed, membership says it.
// Who left a direct room still stands in its log, so the name stays when one of the two is gone.
const columns = `r.id, r.kind, r.name, r.topic, r.last_seq, r.last_msg, m.role, m.read_seq, m.read_msg, ${unreadDeleted} unread_deleted,
  o.id other_id, o.display_name other_name, o.is_bot other_bot`;
const others = `left join lateral (
  select u.id, u.display_name, u.is_bot from room_log l join app_user u on u.id = l.author_id
  where r.kind = 2 and l.room_id = r.id and l.kind = 5 and l.author_id <> m.user_id order by l.seq limit 1
) o on true`;

function toMyRoom(row: MyRoomRow): MyRoom {
	const room: MyRoom = {
		id: row.id,
		kind: roomKinds[row.kind] as RoomKind,
		name: row.other_name ?? row.name,
		topic: row.topic,
		lastSeq: row.last_seq,
		lastMsg: row.last_msg,
		role: roleOf(row.role),
		readMsg: row.read_msg,
		readSeq: row.read_seq,
	};
	if (row.unread_deleted.length > 0) room.unreadDeleted = row.unread_deleted;
	if (row.other_id) room.with = toPerson({ id: row.other_id, display_name: row.other_name as string, is_bot: row.other_bot as boolean });
	return room;
}

/** Every room the person is in, by kind and name. */
export async function selectMyRooms(sql: Sql, userId: string): Promise<MyRoom[]> {
	const rows = await sql.query<MyRoomRow>(
		"room-mine",
		`select ${columns} from user_room ur
     join member m on m.room_id = ur.room_id and m.user_id = ur.user_id
     join room r on r.id = ur.room_id ${others}
     where ur.user_id = $1 order by r.kind, r.name, r.id`,
		[userId],
	);
	return rows.map(toMyRoom);
}

/** One of the person's rooms. Throws `not-found`. */
export async function selectMyRoom(sql: Sql, userId: string, roomId: string): Promise<MyRoom> {
	const [row] = await sql.query<MyRoomRow>(
		"room-one-of-mine",
		`select ${columns} from member m join room r on r.id = m.room_id ${others} where m.user_id = $1 and m.room_id = $2`,
		[userId, roomId],
	);
	if (!row) throw refuse("not-found");
	return toMyRoom(row);
}

/** Public rooms by name, with whether the person is in them. At most 200. */
export async function selectPublicRooms(sql: Sql, userId: string): Promise<OpenRoom[]> {
	const rows = await sql.query<{
		id: string;
		name: string;
		topic: string;
		last_seq: number;
		last_msg: number;
		members: number;
		joined: boolean;
	}>(
		"room-browse",
		`select r.id, r.name, r.topic, r.last_seq, r.last_msg,
       (select count(*) from member m where m.room_id = r.id) members,
       exists (select 1 from member m where m.room_id = r.id and m.user_id = $1) joined
     from room r where r.kind = 0 order by r.name, r.id limit 200`,
		[userId],
	);
	return rows.map((row) => ({
		id: row.id,
		kind: "public",
		name: row.name,
		topic: row.topic,
		lastSeq: row.last_seq,
		lastMsg: row.last_msg,
		members: row.members,
		joined: row.joined,
	}));
}

/** False when the room exists already. */
export async function insertRoom(sql: Sql, room: { id: string; kind: RoomKind; name: string; topic: string }): Promise<boolean> {
	const rows = await sql.query(
		"room-insert",
		"insert into room (id, kind, name, topic) values ($1, $2, $3, $4) on conflict (id) do nothing returning id",
		[room.id, roomKinds.indexOf(room.kind), room.name, room.topic],
	);
	return rows.length > 0;
}

export async function selectKind(sql: Sql, roomId: string): Promise<RoomKind | null> {
	const [row] = await sql.query<{ kind: number }>("room-kind", "select kind from room where id = $1", [roomId]);
	return row ? (roomKinds[row.kind] as RoomKind) : null;
}

/** Newest seq of each of these rooms: what the safety tick compares with. */
export async function selectHeads(sql: Sql, roomIds: readonly string[]): Promise<Map<string, number>> {
	const rows = await sql.query<{ id: string; last_seq: number }>("room-heads", "select id, last_seq from room where id = any($1::uuid[])", [
		roomIds,
	]);
	return new Map(rows.map((row) => [row.id, row.last_seq]));
}
