import { refuse } from "../../contract/refusals.ts";
import type { Sql } from "../../storage/sql.ts";
import { gather } from "../gather.ts";
import { contentOf } from "./content.ts";

/** Stored for members only, as the statement itself asks; `isBot` is for who is in no room and answers where it was called. */
export type Entry = {
	roomId: string;
	authorId: string;
	clientKey: string;
	body: string;
	replyTo: number | null;
	isBot: boolean;
};

/** Where an entry stands in its room. `fresh` is false when the same key was stored before: then nothing is announced. */
export type Stored = { seq: number; msgNo: number; createdAt: number; fresh: boolean };

// Everything waiting is stored by one statement: keys that stand already are left out, each room's counter row is
// locked in id order (which makes commit order the order of seq, and deadlocks impossible between lanes), both
// counters advance by what is new, and every entry gets its place. Gapless, and idempotent on (room, author, key).
// Membership is asked in the same breath: one round trip less. It is as of the statement's beginning, and the room's lock may
// have come later: when somebody left the room in between (left_seq has moved) nothing is stored there, and all is asked again.
// A key stands for one content: whoever uses it for another text is refused. Of a deleted message's hash 16 bits are left
// (app/chat/messages/edit.ts); rows of the version before this one have none, but mostly their body.
// The lookups are lateral on purpose: each goes by its index. As joins they became scans of the whole log, planned while
// it was small and kept until the next autoanalyze: 3 ms a statement instead of 0.7 after 10,000 messages.
const statement = `
with inp as materialized (
  select t.*, l.seq, l.msg_no, l.created_at, l.is_same
  from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::bigint[], $6::bigint[], $7::boolean[])
    with ordinality t(rm, author, key, body, reply, content, bot, ord)
  left join lateral (
    select seq, msg_no, created_at, kind = 0 and target_seq is not distinct from t.reply and case
      when deleted_at is not null then content is null or (content # t.content) & 65535 = 0
      when content is not null then content = t.content
      else edited_at is not null or body = t.body
    end is_same from room_log where room_id = t.rm and author_id = t.author and client_key = t.key limit 1
  ) l on true
  where t.bot or exists (select 1 from member where room_id = t.rm and user_id = t.author)
), fresh as (
  select rm, author, key, body, reply, content, row_number() over (partition by rm order by ord) rn from inp where seq is null
), c as (
  select rm, max(rn) n, (select left_seq from room where id = rm) left_seq from fresh group by rm order by rm
), lk as materialized (
  select room.* from c cross join lateral (select id, c.n from room where id = c.rm and left_seq = c.left_seq for update) room
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
select rm, author, key, seq, msg_no, created_at, false, is_same from inp where seq is not null
union all
select rm, null, null, null, null, null, false, true from c where left_seq is not null and not exists (select 1 from lk where id = c.rm)`;

/** One for each entry that has its place, and one without a seq for each room in which nothing could be stored this time. */
type Row = Placed | { room_id: string; seq: null };
type Placed = {
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

const attemptsAtMost = 5;

async function store(sql: Sql, entries: Entry[]): Promise<Placed[]> {
	const placed: Placed[] = [];
	let waiting = entries;
	let lostRaces = 0;
	while (waiting.length > 0) {
		let rows: Row[];
		try {
			rows = await sql.query<Row>("lane-store", statement, [
				waiting.map((e) => e.roomId),
				waiting.map((e) => e.authorId),
				waiting.map((e) => e.clientKey),
				waiting.map((e) => e.body),
				waiting.map((e) => e.replyTo),
				waiting.map((e) => contentOf(e.clientKey, e.body)),
				waiting.map((e) => e.isBot),
			]);
		} catch (error) {
			if (!raceCodes.has((error as { code?: string }).code ?? "") || ++lostRaces >= attemptsAtMost) throw error;
			continue;
		}
		// What other rooms got is stored and has to be told, so only these are asked again: once more for each time somebody leaves.
		const left = new Set<string>();
		for (const row of rows) {
			if (row.seq === null) left.add(row.room_id);
			else placed.push(row);
		}
		waiting = waiting.filter((entry) => left.has(entry.roomId));
	}
	return placed;
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
