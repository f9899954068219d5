import type { CaughtUp } from "../../contract/facts.ts";
import { limits } from "../../contract/limits.ts";
import { refuse } from "../../contract/refusals.ts";
import type { Message, MyRoom, Page, Person, Stretch } from "../../contract/shapes.ts";
import type { Sql } from "../../storage/sql.ts";
import { type Standing, unreadDeleted } from "../members/index.ts";
import type { Names } from "../people/index.ts";
import { type LogRow, logColumns, toFacts, toMessages } from "./rows.ts";

async function older(sql: Sql, roomId: string, before: number | null, count: number): Promise<LogRow[]> {
	const rows = await sql.query<LogRow>(
		"message-older",
		`select ${logColumns} from room_log where room_id = $1 and kind = 0 and seq < $2 order by seq desc limit $3`,
		[roomId, before ?? Number.MAX_SAFE_INTEGER, count],
	);
	return rows.reverse();
}

async function newer(sql: Sql, roomId: string, after: number, count: number): Promise<LogRow[]> {
	return sql.query<LogRow>(
		"message-newer",
		`select ${logColumns} from room_log where room_id = $1 and kind = 0 and seq > $2 order by seq limit $3`,
		[roomId, after, count],
	);
}

export type Where = { before?: number | undefined; after?: number | undefined; around?: number | undefined; count?: number };

/**
 * One stretch of history, oldest first: before, after or around a seq, or the newest. One row more than wanted is read
 * to know whether there is more; nothing is ever counted.
 */
export async function stretch(sql: Sql, names: Names, here: Standing, where: Where): Promise<Stretch> {
	const { roomId } = here;
	const count = where.count ?? limits.window;
	if (where.after !== undefined) {
		const rows = await newer(sql, roomId, where.after, count + 1);
		const hasAfter = rows.length > count;
		return { messages: await toMessages(sql, names, rows.slice(0, count)), hasBefore: true, hasAfter };
	}
	if (where.around !== undefined) {
		const half = Math.floor(count / 2);
		const [upTo, beyond] = await Promise.all([
			older(sql, roomId, where.around + 1, half + 1),
			newer(sql, roomId, where.around, count - half + 1),
		]);
		const rows = [...upTo.slice(Math.max(0, upTo.length - half)), ...beyond.slice(0, count - half)];
		return { messages: await toMessages(sql, names, rows), hasBefore: upTo.length > half, hasAfter: beyond.length > count - half };
	}
	const rows = await older(sql, roomId, where.before ?? null, count + 1);
	const messages = await toMessages(sql, names, rows.slice(Math.max(0, rows.length - count)));
	return { messages, hasBefore: rows.length > count, hasAfter: where.before !== undefined };
}

/**
 * The stretch a person sees on coming to a room: around a wanted message, else from the first unread on, else the newest.
 * When more is unread than a page holds it ends before the newest (`hasAfter`).
 */
export async function opening(sql: Sql, names: Names, here: Standing, room: MyRoom, at: number | null): Promise<Stretch> {
	if (at !== null) return stretch(sql, names, here, { around: at });
	const unread = room.lastMsg - room.readMsg;
	const context = 15;
	if (unread + context <= limits.window) return stretch(sql, names, here, {});
	if (unread + context <= limits.mounted) return stretch(sql, names, here, { count: unread + context });
	return stretch(sql, names, here, { around: room.readSeq });
}

/** Numbered page `page` (1 is the oldest) of `size` messages; beyond the end it is the last. Numbers never change: deleted messages keep theirs. */
export async function page(sql: Sql, names: Names, here: Standing, room: MyRoom, wanted: number | null, size: number): Promise<Page> {
	const pages = Math.max(1, Math.ceil(room.lastMsg / size));
	const number = Math.min(Math.max(1, wanted ?? pages), pages);
	const rows = await sql.query<LogRow>(
		"message-page",
		`select ${logColumns} from room_log where room_id = $1 and kind = 0 and msg_no > $2 and msg_no <= $3 order by msg_no`,
		[here.roomId, (number - 1) * size, number * size],
	);
	return { room, messages: await toMessages(sql, names, rows), page: number, pages, size };
}

/** One message, also a deleted one. Refuses where the room has none at that place. */
export async function one(sql: Sql, names: Names, here: Standing, seq: number): Promise<Message> {
	const rows = await sql.query<LogRow>("message-one", `select ${logColumns} from room_log where room_id = $1 and seq = $2 and kind = 0`, [
		here.roomId,
		seq,
	]);
	const [message] = await toMessages(sql, names, rows);
	if (!message) throw refuse("message-not-found");
	return message;
}

/** The newest messages of a room for somebody who is not in yet: text only, nothing deleted, at most 6. */
export async function glimpse(sql: Sql, names: Names, roomId: string): Promise<Message[]> {
	const rows = await older(sql, roomId, null, 6);
	return toMessages(
		sql,
		names,
		rows.filter((row) => !row.deleted_at),
	);
}

type HeadRow = { rm: string; last_seq: number; last_msg: number; read_seq: number; read_msg: number; unread_deleted: number[] | null };

/**
 * Catch-up for all rooms in one statement: what happened after each cursor, at most `limits.catchUp` facts a room.
 * Rooms the person is not in are left out of the answer.
 */
export async function since(sql: Sql, names: Names, me: Person, cursors: readonly (readonly [string, number])[]): Promise<CaughtUp[]> {
	if (cursors.length === 0) return [];
	// A room asked for twice is read once: nobody multiplies the work of one call.
	const behind = new Map(cursors);
	const rows = await sql.query<HeadRow & Partial<LogRow>>(
		"room-since",
		`select inp.rm, r.last_seq, r.last_msg, m.read_seq, m.read_msg, l.*,
       case when r.last_seq - inp.cur > $5 then ${unreadDeleted} end unread_deleted
     from unnest($1::uuid[], $2::bigint[]) inp(rm, cur)
     join member m on m.room_id = inp.rm and m.user_id = $3
     join room r on r.id = inp.rm
     left join lateral (
       select ${logColumns} from room_log where room_id = inp.rm and seq > inp.cur
         and r.last_seq > inp.cur and r.last_seq - inp.cur <= $5 order by seq limit $4
     ) l on true
     order by inp.rm, l.seq`,
		[[...behind.keys()], [...behind.values()], me.id, limits.catchUp, limits.resetBehind],
	);
	const entries = rows.filter((row): row is HeadRow & LogRow => row.seq !== null && row.seq !== undefined);
	const facts = await toFacts(sql, names, entries);
	const rooms = new Map<string, CaughtUp>();
	for (const row of rows)
		rooms.set(row.rm, {
			roomId: row.rm,
			facts: [],
			lastSeq: row.last_seq,
			lastMsg: row.last_msg,
			readSeq: row.read_seq,
			readMsg: row.read_msg,
			...(row.unread_deleted?.length ? { unreadDeleted: row.unread_deleted } : {}),
			reset: row.last_seq - (behind.get(row.rm) ?? 0) > limits.resetBehind,
		});
	for (const fact of facts) rooms.get(fact.roomId)?.facts.push(fact);
	return [...rooms.values()];
}

/** Facts of one room after a seq, whoever asks: how an instance fills a gap of its own. At most 500. */
export async function factsAfter(sql: Sql, names: Names, roomId: string, after: number) {
	const rows = await sql.query<LogRow>(
		"log-after",
		`select ${logColumns} from room_log where room_id = $1 and seq > $2 order by seq limit 500`,
		[roomId, after],
	);
	return toFacts(sql, names, rows);
}
