import type { Language } from "../../contract/language.ts";
import { itemId } from "../../contract/orders.ts";
import { asRefusal } from "../../contract/refusals.ts";
import type { Message } from "../../contract/shapes.ts";
import { uuidOf } from "../ids.ts";
import { botStanding } from "../members/index.ts";
import { type Lane, post } from "../messages/index.ts";
import type { Names } from "../people/index.ts";
import type { Ports } from "../ports.ts";
import { shopBot } from "./card.ts";
import { ask, type Desk } from "./desk.ts";
import { itemsWords, itemWords, unknownItemWords } from "./words.ts";

/** Items one answer lists: as many as fit a screen. */
const listed = 20;

const command = /^\/item(?:\s+(\S+))?(?:\s|$)/i;

/** Whether a message asks for the catalogue. */
export const asksForItems = (body: string): boolean => command.test(body.trim());

/** Answers /item with the catalogue and /item 123456 with that item, as a reply. Once for each message, however often it runs. */
export async function answerWithItems(
	ports: Ports,
	lane: Lane,
	names: Names,
	desk: Desk,
	asked: Message,
	language: Language,
): Promise<void> {
	const id = command.exec(asked.body.trim())?.[1] ?? null;
	const body = id === null ? await catalogue(desk, language) : await one(desk, id, language);
	const clientId = uuidOf("items", asked.roomId, String(asked.seq));
	await post(ports, lane, names, botStanding(shopBot, asked.roomId), { clientId, body, replyTo: asked.seq });
}

async function catalogue(desk: Desk, language: Language): Promise<string> {
	const { items, next } = await desk.items({ after: null, limit: listed });
	return itemsWords(items, next !== null, language);
}

async function one(desk: Desk, id: string, language: Language): Promise<string> {
	if (!itemId.test(id)) return unknownItemWords(id, language);
	try {
		return itemWords(await ask(desk.item(id)), language);
	} catch (error) {
		if (asRefusal(error)?.code !== "order-not-found") throw error;
		return unknownItemWords(id, language);
	}
}
