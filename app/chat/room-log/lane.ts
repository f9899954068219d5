import { refuse } from "../../contract/refusals.ts";
import type { Sql } from "../../storage/sql.ts";
import { gather } from "../gather.ts";
import { contentOf } from "./content.ts";

/**
 * `isProven` says that the author's place in the room was looked up before (or that it is the bot). Otherwise the statement
 * itself stores nothing for somebody who is no member.
 */
export type Entry = {
	roomId: string;
	authorId: string;
	clientKey: string;
	body: string;
	replyTo: number | null;
	isProven: boolean;
};

/** Where an entry stands in its room. `fresh` is false when the same key was stored before: then nothing is announced. */
export type Stored = { seq: number; msgNo: number; createdAt: number; fresh: boolean };

// Everything waiting is stored by one statement: keys that stand already are left out, each room's counter row is
// locked in id order (which makes commit order the order of seq, and deadlocks impossible between lanes), both
// counters advance by what is new, and every entry gets its place. Gapless, and idempotent on (room, author, key).
// Membership is asked in the same breath: one round trip less, and nothing can happen between the answer and the insert.
// A key stands for one content: whoever uses it for another text is refused. Of a deleted message's hash 16 bits are left
// (app/chat/messages/edit.ts); rows of the version before this one have none, but mostly their body.
// The lookups are lateral on purpose: each goes by its index. As joins they became scans of the whole log, planned while
// it was small and kept until the next autoanalyze: 3 ms a statement instead of 0.7 after 10,000 messages.
const statement = `
with inp as materialized (
  select t.*, l.seq, l.msg_no, l.created_at, l.is_same
  from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::bigint[], $6::bigint[], $7::boolean[])
    with ordinality t(rm, author, key, body, reply, content, proven, ord)
  left join lateral (
    select seq, msg_no, created_at, kind = 0 and target_seq is not distinct from t.reply and case
      when deleted_at is not null then content is null or (content # t.content) & 65535 = 0
      when content is not null then content = t.content
      else edited_at is not null or body = t.body
    end is_same from room_log where room_id = t.rm and author_id = t.author and client_key = t.key limit 1
  ) l on true
  where t.proven or exists (select 1 from member where room_id = t.rm and user_id = t.author)
), fresh as (
  select rm, author, key, body, reply, content, row_number() over (partition by rm order by ord) rn from inp where seq is null
), c as (
  select rm, max(rn) n from fresh group by rm order by rm
), lk as materialized (
  select room.* from c cross join lateral (select id, c.n from room where id = c.rm for update) room
), r as (
  update room set last_seq = last_seq + lk.n, last_msg = last_msg + lk.n from lk
  where room.id = lk.id returning room.id, room.last_seq - lk.n base, room.last_msg - lk.n mbase
), ins as (
  insert into room_log (room_id, seq, kind, msg_no, target_seq, author_id, client_key, body, content)
  select f.rm, r.base + f.rn, 0, r.mbase + f.rn, f.reply, f.author, f.key, f.body, f.content from fresh f join r on r.id = f.rm
  returning room_id, author_id, client_key, seq, msg_no, created_at
)
select room_id, author_id, client_key, seq, msg_no, created_at, true fresh, true is_same from ins
union all
select rm, author, key, seq, msg_no, created_at, false, is_same from inp where seq is not null`;

type Row = {
	room_id: string;
	author_id: string;
	client_key: string;
	seq: number;
	msg_no: number;
	created_at: Date;
	fresh: boolean;
	is_same: boolean;
};

// 23505: another instance stored the same key meanwhile; the retry finds its row. The others are lost races too.
const raceCodes = new Set(["23505", "40P01", "40001"]);

async function store(sql: Sql, entries: Entry[]): Promise<Row[]> {
	for (let attempt = 1; ; attempt++) {
		try {
			return await sql.query<Row>("lane-store", statement, [
				entries.map((e) => e.roomId),
				entries.map((e) => e.authorId),
				entries.map((e) => e.clientKey),
				entries.map((e) => e.body),
				entries.map((e) => e.replyTo),
				entries.map((e) => contentOf(e.clientKey, e.body)),
				entries.map((e) => e.isProven),
			]);
		} catch (error) {
			if (attempt >= 5 || !raceCodes.has((error as { code?: string }).code ?? "")) throw error;
		}
	}
}

const keyOf = (roomId: string, authorId: string, clientKey: string) => `${roomId} ${authorId} ${clientKey}`;

/**
 * The lane of this instance: the one way a message gets into a room's log. Resolves after commit. Refuses with
 * `not-found` where the room is missing or not the author's, which looks the same to a stranger, with `key-reused` where
 * the key stands for something else.
 */
export function openLane(sql: Sql): (entry: Entry) => Promise<Stored> {
	return gather<Entry, Stored>(async (batch) => {
		// The same key twice in one batch (an impatient retry) is one row with two equal answers. What came first is what it stands for.
		const once = new Map<string, Entry>();
		for (const entry of batch) {
			const key = keyOf(entry.roomId, entry.authorId, entry.clientKey);
			if (!once.has(key)) once.set(key, entry);
		}
		const rows = await store(sql, [...once.values()]);
		const byKey = new Map(rows.map((row) => [keyOf(row.room_id, row.author_id, row.client_key), row]));
		const told = new Set<string>();
		return batch.map((entry) => {
			const key = keyOf(entry.roomId, entry.authorId, entry.clientKey);
			const row = byKey.get(key);
			if (!row) return refuse("not-found");
			const first = once.get(key) as Entry;
			if (!row.is_same || entry.body !== first.body || entry.replyTo !== first.replyTo) return refuse("key-reused");
			const fresh = row.fresh && !told.has(key);
			told.add(key);
			return { seq: row.seq, msgNo: row.msg_no, createdAt: row.created_at.getTime(), fresh };
		});
	});
}
