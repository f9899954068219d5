import { botId } from "../../contract/fixed.ts";
import type { Language } from "../../contract/language.ts";
import type { Message, Person } from "../../contract/shapes.ts";
import { uuidOf } from "../ids.ts";
import { botStanding } from "../members/index.ts";
import { type Lane, post } from "../messages/index.ts";
import type { Names } from "../people/index.ts";
import type { Ports } from "../ports.ts";
import type { AskFact } from "./facts.ts";

export const bot: Person = { id: botId, name: "Chuck", bot: true };

/** A text without its code: fenced blocks, to the end where one is left open, and spans. What stands in code is quoted, not said. */
function withoutCode(body: string): string {
	return body
		.replace(/^ {0,3}(`{3,}|~{3,})[^\n]*(?:\n(?! {0,3}\1)[^\n]*)*(?:\n {0,3}\1[^\n]*)?/gm, " ")
		.replace(/(?<!`)(`{1,3})(?!`)(?:(?!\n\n)[\s\S]){1,4000}?(?<!`)\1(?!`)/g, " ");
}

/** Whether a message calls the bot: the word on its own anywhere in it but in code, or the command. */
export function callsBot(body: string): boolean {
	return /(?<![\p{L}\p{N}_])chucknorris(?![\p{L}\p{N}_])/iu.test(withoutCode(body)) || /^\/fact(?:\s|$)/i.test(body.trim());
}

/**
 * Answers a message with a fact, as a reply: what the person wrote stays. The answer's key is derived from the message,
 * so it exists once however often this runs. The person's own posting never waits for it.
 */
export async function answerWithFact(
	ports: Ports,
	lane: Lane,
	names: Names,
	askFact: AskFact,
	asked: Message,
	language: Language,
): Promise<void> {
	const fact = await askFact(language);
	const clientId = uuidOf("fact", asked.roomId, String(asked.seq));
	await post(ports, lane, names, botStanding(bot, asked.roomId), { clientId, body: fact.text, replyTo: asked.seq });
}
