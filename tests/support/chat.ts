import { randomUUID } from "node:crypto";
import { type Chat, type News, openChat, openFacts, uuidv7 } from "../../app/chat/index.server.ts";
import type { CallInput } from "../../app/contract/calls.ts";
import type { Fact, Signal } from "../../app/contract/facts.ts";
import { asRefusal, type RefusalCode } from "../../app/contract/refusals.ts";
import type { Message, Person } from "../../app/contract/shapes.ts";
import { openSqlStore } from "../../app/shop/index.server.ts";
import type { Sql } from "../../app/storage/sql.ts";
import { smallCatalogue } from "../../lambdas/shop/catalogue.ts";
import { openShop } from "../../lambdas/shop/shop.ts";
import { freshDatabase } from "./database.ts";

/**
 * The domain alone on a database of its own, remembering everything it announced. `factUrl` is where the bot asks,
 * `sql` a database that several share.
 */
export async function testChat(options: { factUrl?: string; sql?: Sql } = {}) {
	const database = options.sql ? null : await freshDatabase();
	const sql = options.sql ?? (database as NonNullable<typeof database>).sql;
	const news: News[] = [];
	const warnings: string[] = [];
	const shop = openShop({ store: openSqlStore(sql), ids: uuidv7 });
	const chat = openChat({
		sql,
		publish: (told) => void news.push(told),
		ids: uuidv7,
		desk: shop,
		askFact: openFacts(options.factUrl ?? null, () => 0),
		log: { warn: (message) => void warnings.push(message) },
	});
	return {
		chat,
		shop,
		sql,
		news,
		warnings,
		facts: (roomId: string): Fact[] => news.flatMap((told) => ("fact" in told && told.fact.roomId === roomId ? [told.fact] : [])),
		signals: (userId: string): Signal[] => news.flatMap((told) => ("signal" in told && told.to.userId === userId ? [told.signal] : [])),
		person: (name: string): Promise<Person> => chat.people.enter({ name }),
		say: (me: Person, roomId: string, body: string, replyTo: number | null = null) => say(chat, me, roomId, body, replyTo),
		/** Orders something in a room by the command, and gives the cart's id. */
		async order(me: Person, roomId: string, words = "123456 789012*2"): Promise<string> {
			await shop.put(smallCatalogue);
			await chat.messages.post(me, { roomId, clientId: randomUUID(), body: `/cart add ${words}`, replyTo: null });
			const { carts } = await chat.orders.ofRoom(me, { roomId, before: null });
			return (carts[0] as { id: string }).id;
		},
		async [Symbol.asyncDispose]() {
			await database?.[Symbol.asyncDispose]();
		},
	};
}
export type TestChat = Awaited<ReturnType<typeof testChat>>;

/** Posts a text that is no command and gives its place. */
export async function say(chat: Chat, me: Person, roomId: string, body: string, replyTo: number | null = null): Promise<number> {
	const input: CallInput<"message:post"> = { roomId, clientId: randomUUID(), body, replyTo };
	const { seq } = await chat.messages.post(me, input);
	if (seq === null) throw new Error(`was taken for a command: ${body}`);
	return seq;
}

/** The code of the refusal that `work` ends in; throws when it succeeds or fails in any other way. */
export async function refusalOf(work: Promise<unknown>): Promise<RefusalCode> {
	const outcome = await work.then(
		() => null,
		(error: unknown) => error,
	);
	if (outcome === null) throw new Error("was not refused");
	const refusal = asRefusal(outcome);
	if (!refusal) throw outcome;
	return refusal.code;
}

/** All messages of a room, oldest first, read page by page as a reader would. */
export async function everything(chat: Chat, me: Person, roomId: string): Promise<Message[]> {
	const all: Message[] = [];
	for (let after = 0, more = true; more; ) {
		const stretch = await chat.messages.stretch(me, { roomId, after });
		all.push(...stretch.messages);
		after = stretch.messages.at(-1)?.seq ?? after;
		more = stretch.hasAfter;
	}
	return all;
}

/** A random number generator that gives the same numbers for the same seed, from 0 up to 1. */
export function seeded(seed: number): () => number {
	let state = seed >>> 0;
	return () => {
		state = (state + 0x6d2b79f5) >>> 0;
		let t = state;
		t = Math.imul(t ^ (t >>> 15), t | 1);
		t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
		return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
	};
}
