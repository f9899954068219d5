import type { Fact } from "../../contract/facts.ts";
import type { Cart } from "../../contract/orders.ts";
import type { Message, Person, Quote, Role } from "../../contract/shapes.ts";
import { excerpt } from "../../contract/text.ts";
import type { Sql } from "../../storage/sql.ts";
import type { Names } from "../people/index.ts";
import { logKind } from "../room-log/index.ts";
import { markup } from "./markup.ts";

export type LogRow = {
	room_id: string;
	seq: number;
	kind: number;
	msg_no: number | null;
	target_seq: number | null;
	author_id: string;
	client_key: string;
	body: string | null;
	meta: { role?: Role; name?: string; topic?: string; cart?: Cart } | null;
	edited_at: Date | null;
	deleted_at: Date | null;
	created_at: Date;
};

export const logColumns = "room_id, seq, kind, msg_no, target_seq, author_id, client_key, body, meta, edited_at, deleted_at, created_at";

type QuoteRow = { room_id: string; seq: number; author_id: string; body: string | null; deleted_at: Date | null };

async function quotesOf(sql: Sql, names: Names, rows: readonly LogRow[]): Promise<Map<string, Quote>> {
	const replies = rows.filter((row) => row.kind === logKind.message && row.target_seq !== null && !row.deleted_at);
	if (replies.length === 0) return new Map();
	const quoted = await sql.query<QuoteRow>(
		"message-quotes",
		`select l.room_id, l.seq, l.author_id, l.body, l.deleted_at
     from unnest($1::uuid[], $2::bigint[]) q(rm, sq) join room_log l on l.room_id = q.rm and l.seq = q.sq and l.kind = 0`,
		[replies.map((row) => row.room_id), replies.map((row) => row.target_seq)],
	);
	const people = await names.of(quoted.map((row) => row.author_id));
	return new Map(quoted.map((row) => [`${row.room_id} ${row.seq}`, toQuote(row, people.get(row.author_id) as Person)]));
}

function toQuote(row: QuoteRow, author: Person): Quote {
	return { seq: row.seq, author, excerpt: row.deleted_at ? null : excerpt(row.body ?? "") };
}

/** The quote of one message, or null when there is no such message in the room. */
export async function selectQuote(sql: Sql, names: Names, roomId: string, seq: number): Promise<Quote | null> {
	const [row] = await sql.query<QuoteRow>(
		"message-quote",
		"select room_id, seq, author_id, body, deleted_at from room_log where room_id = $1 and seq = $2 and kind = 0",
		[roomId, seq],
	);
	return row ? toQuote(row, (await names.of([row.author_id])).get(row.author_id) as Person) : null;
}

function toMessage(row: LogRow, author: Person, quotes: Map<string, Quote>): Message {
	const body = row.deleted_at ? "" : (row.body ?? "");
	return {
		roomId: row.room_id,
		seq: row.seq,
		msgNo: row.msg_no ?? 0,
		author,
		clientId: row.client_key,
		body,
		html: markup(body),
		createdAt: row.created_at.getTime(),
		editedAt: row.deleted_at ? null : (row.edited_at?.getTime() ?? null),
		deletedAt: row.deleted_at?.getTime() ?? null,
		replyTo: row.deleted_at ? null : (quotes.get(`${row.room_id} ${row.target_seq}`) ?? null),
		...(row.meta?.cart && !row.deleted_at ? { card: row.meta.cart } : {}),
	};
}

/** Rows that are messages, as a page shows them, in the order given. */
export async function toMessages(sql: Sql, names: Names, rows: readonly LogRow[]): Promise<Message[]> {
	const [people, quotes] = await Promise.all([names.of(rows.map((row) => row.author_id)), quotesOf(sql, names, rows)]);
	return rows.map((row) => toMessage(row, people.get(row.author_id) as Person, quotes));
}

/** Rows of the log as the facts they record, in the order given. */
export async function toFacts(sql: Sql, names: Names, rows: readonly LogRow[]): Promise<Fact[]> {
	const [people, quotes] = await Promise.all([names.of(rows.map((row) => row.author_id)), quotesOf(sql, names, rows)]);
	return rows.map((row): Fact => {
		const { room_id: roomId, seq } = row;
		const person = people.get(row.author_id) as Person;
		const target = row.target_seq ?? 0;
		const body = row.body ?? "";
		const at = row.created_at.getTime();
		switch (row.kind) {
			case logKind.message:
				return { kind: "message-posted", roomId, seq, message: toMessage(row, person, quotes) };
			case logKind.edit:
				// A later edit or a deletion took its words and is on its way: until then what stood before stays.
				if (body === "") return { kind: "unknown-change", roomId, seq };
				return { kind: "message-edited", roomId, seq, target, body, html: markup(body), editedAt: at };
			case logKind.delete:
				return { kind: "message-deleted", roomId, seq, target, deletedAt: at };
			case logKind.join:
				return { kind: "member-joined", roomId, seq, person, role: row.meta?.role ?? "member" };
			case logKind.leave:
				return { kind: "member-left", roomId, seq, person };
			case logKind.change:
				return { kind: "room-changed", roomId, seq, by: person, name: row.meta?.name ?? "", topic: row.meta?.topic ?? "" };
			case logKind.cart:
				return { kind: "cart-changed", roomId, seq, target, body, html: markup(body), cart: row.meta?.cart as Cart };
			default:
				// Two versions side by side during a deploy: to throw here would stop the room for everybody on the older one.
				return { kind: "unknown-change", roomId, seq };
		}
	});
}
