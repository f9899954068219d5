import { refuse } from "../../contract/refusals.ts";
import type { Sql } from "../../storage/sql.ts";
import { contentOf } from "./content.ts";

/** Kinds of rows in a room's log. Numbers are stored: never renumber. */
export const logKind = { message: 0, edit: 1, delete: 2, join: 5, leave: 6, change: 7, cart: 20 } as const;

export type Change = {
	roomId: string;
	kind: (typeof logKind)[Exclude<keyof typeof logKind, "message">];
	authorId: string;
	clientKey: string;
	targetSeq?: number;
	body?: string;
	meta?: object;
};

export type Appended = { seq: number; createdAt: number };

/**
 * Locks the room for the rest of the transaction, so that what is read next cannot change before it is acted on.
 * Returns null when there is no such room.
 */
export async function lockRoom(sql: Sql, roomId: string): Promise<{ lastSeq: number; lastMsg: number } | null> {
	const [row] = await sql.query<{ last_seq: number; last_msg: number }>(
		"room-lock",
		"select last_seq, last_msg from room where id = $1 for update",
		[roomId],
	);
	return row ? { lastSeq: row.last_seq, lastMsg: row.last_msg } : null;
}

/** The row stored under this key before, if any: a retried change is answered with it and not done twice. */
export async function findChange(sql: Sql, roomId: string, authorId: string, clientKey: string): Promise<number | null> {
	const [row] = await sql.query<{ seq: number }>(
		"log-find-key",
		"select seq from room_log where room_id = $1 and author_id = $2 and client_key = $3",
		[roomId, authorId, clientKey],
	);
	return row?.seq ?? null;
}

/**
 * The seq of this very change, when it was written before. Refuses with `key-reused` where its key stands for something else.
 */
export async function repeated(sql: Sql, change: Change): Promise<number | null> {
	const { roomId, authorId, clientKey, kind, targetSeq = null, body = null } = change;
	// Of the hash of a deleted message's edits 16 bits are left. Rows of the version before this one have none, but perhaps their body.
	const [row] = await sql.query<{ seq: number; is_same: boolean }>(
		"log-repeated",
		`select l.seq, l.kind = $4 and l.target_seq is not distinct from $5 and case
       when $6::text is null then true
       when l.content is null then l.body = '' or l.body = $6
       when t.deleted_at is not null then (l.content # $7) & 65535 = 0
       else l.content = $7
     end is_same
     from room_log l left join room_log t on t.room_id = l.room_id and t.seq = l.target_seq
     where l.room_id = $1 and l.author_id = $2 and l.client_key = $3`,
		[roomId, authorId, clientKey, kind, targetSeq, body, body === null ? null : contentOf(clientKey, body)],
	);
	if (row && !row.is_same) throw refuse("key-reused");
	return row?.seq ?? null;
}

/** Writes one change that is not a message into the log, in the caller's transaction, which holds the room's lock. */
export async function append(sql: Sql, change: Change): Promise<Appended> {
	const [row] = await sql.query<{ seq: number; created_at: Date }>(
		"log-append",
		`with r as (
       update room set last_seq = last_seq + 1, left_seq = case when $2 = ${logKind.leave} then last_seq + 1 else left_seq end
       where id = $1 returning last_seq)
     insert into room_log (room_id, seq, kind, author_id, client_key, target_seq, body, meta, content)
     select $1, r.last_seq, $2, $3, $4, $5, $6, $7, $8 from r returning seq, created_at`,
		[
			change.roomId,
			change.kind,
			change.authorId,
			change.clientKey,
			change.targetSeq ?? null,
			change.body ?? null,
			change.meta ? JSON.stringify(change.meta) : null,
			change.kind === logKind.edit ? contentOf(change.clientKey, change.body ?? "") : null,
		],
	);
	if (!row) throw new Error("append without a room");
	return { seq: row.seq, createdAt: row.created_at.getTime() };
}
