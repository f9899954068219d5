import { shopBotId } from "../../contract/fixed.ts";
import type { Language } from "../../contract/language.ts";
import type { Cart } from "../../contract/orders.ts";
import type { Message, Person } from "../../contract/shapes.ts";
import type { Sql } from "../../storage/sql.ts";
import { uuidOf } from "../ids.ts";
import { markup } from "../messages/index.ts";
import type { Ports } from "../ports.ts";
import { append, lockRoom, logKind } from "../room-log/index.ts";
import { cartWords } from "./words.ts";

export const shopBot: Person = { id: shopBotId, name: "Shoppin", bot: true };

type CardRow = { seq: number; meta: { cart: Cart; language?: Language } | null; deleted_at: Date | null };

/**
 * Shows a cart in its room as it is now: as a message the first time, by a change of that message after. May run any number of
 * times, at once and on several instances: the message's key is derived from the cart, and a version that is there (or an
 * older one) changes nothing. False when there is no such room. `from`: the command it was
 * ordered by, whose trace goes on in the card's.
 */
export async function showCard(ports: Ports, cart: Cart, language: Language, from?: string): Promise<boolean> {
	const roomId = cart.room as string;
	const clientKey = uuidOf("cart-card", cart.id);
	const news = await ports.sql.transaction(async (sql) => {
		if (!(await lockRoom(sql, roomId))) return null;
		const [card] = await sql.query<CardRow>(
			"card-find",
			"select seq, meta, deleted_at from room_log where room_id = $1 and author_id = $2 and client_key = $3",
			[roomId, shopBotId, clientKey],
		);
		if (!card) return { posted: await post(sql, roomId, clientKey, cart, language, from) };
		if (card.deleted_at || (card.meta?.cart.version ?? 0) >= cart.version) return {};
		// In the language the card began in.
		const body = cartWords(cart, card.meta?.language ?? language);
		const meta = { ...card.meta, cart };
		const entry = await append(sql, {
			roomId,
			kind: logKind.cart,
			authorId: shopBotId,
			clientKey: uuidOf("cart-card", cart.id, String(cart.version)),
			targetSeq: card.seq,
			body,
			meta: { cart },
		});
		await sql.query("card-change", "update room_log set body = $3, meta = $4 where room_id = $1 and seq = $2", [
			roomId,
			card.seq,
			body,
			JSON.stringify(meta),
		]);
		return { changed: { seq: entry.seq, target: card.seq, body, html: markup(body), cart } };
	});
	if (!news) return false;
	if ("posted" in news && news.posted)
		ports.publish({ to: { roomId }, fact: { kind: "message-posted", roomId, seq: news.posted.seq, message: news.posted } });
	if ("changed" in news && news.changed) ports.publish({ to: { roomId }, fact: { kind: "cart-changed", roomId, ...news.changed } });
	return true;
}

/** Stores the card as the room's next message, in the caller's transaction, which holds the room's lock. */
async function post(
	sql: Sql,
	roomId: string,
	clientKey: string,
	cart: Cart,
	language: Language,
	from: string | undefined,
): Promise<Message> {
	const body = cartWords(cart, language);
	const [row] = await sql.query<{ seq: number; msg_no: number; created_at: Date }>(
		"card-post",
		`with r as (update room set last_seq = last_seq + 1, last_msg = last_msg + 1 where id = $1 returning last_seq, last_msg)
     insert into room_log (room_id, seq, kind, msg_no, author_id, client_key, body, meta)
     select $1, r.last_seq, 0, r.last_msg, $2, $3, $4, $5 from r returning seq, msg_no, created_at`,
		[roomId, shopBotId, clientKey, body, JSON.stringify({ cart, language, from })],
	);
	if (!row) throw new Error("a card without a room");
	return {
		roomId,
		seq: row.seq,
		msgNo: row.msg_no,
		author: shopBot,
		clientId: clientKey,
		body,
		html: markup(body),
		createdAt: row.created_at.getTime(),
		editedAt: null,
		deletedAt: null,
		replyTo: null,
		card: cart,
	};
}
