import * as v from "valibot";
import { forms, type Posted } from "../../contract/calls.ts";
import { commands, readCommand } from "../../contract/commands.ts";
import type { Language } from "../../contract/language.ts";
import { limits } from "../../contract/limits.ts";
import { refuse } from "../../contract/refusals.ts";
import { lengthOf } from "../../contract/text.ts";
import { leave, type Standing } from "../members/index.ts";
import { type Desk, link, order } from "../orders/index.ts";
import { byName } from "../people/index.ts";
import type { Ports } from "../ports.ts";
import { change, direct, invite } from "../rooms/index.ts";

/** What a text turned out to be: something to post, or a command that is done. */
export type Outcome = { kind: "say"; body: string } | { kind: "done"; posted: Omit<Posted & { seq: null }, "id"> };

/** What a command may need besides its words: the desk it orders at, the key that makes it one, and who reads the answer. */
export type Asked = { desk: Desk; clientId: string; language: Language };

function usageOf(name: string): string {
	return commands.find((command) => command.name === name)?.usage ?? `/${name}`;
}

function need(name: string, rest: string): string {
	if (rest === "") throw refuse("command-incomplete", { usage: usageOf(name) });
	return rest;
}

function fits(schema: v.GenericSchema<string, string>, text: string, limit: number): string {
	const result = v.safeParse(schema, text);
	if (!result.success) throw refuse(result.issues[0].message === "empty" ? "empty" : "too-long", { limit });
	return result.output;
}

/** What is added must not carry a text past the limit every message keeps. */
function shrug(rest: string): string {
	const body = `${rest} ¯\\\\\\_(ツ)\\_/¯`.trim();
	if (lengthOf(body) > limits.body) throw refuse("too-long", { limit: limits.body });
	return body;
}

const cartUsage = "/cart add 123456 789012*2 · /cart list · /cart link · /cart unlink";

/** `add` orders, `list` leads to the room's orders, `link` and `unlink` let orders of the API in or keep them out. */
async function cart(ports: Ports, here: Standing, rest: string, asked: Asked): Promise<{ notice: string; goTo?: string }> {
	const [, verb = "", more = ""] = /^(\S*)\s*([\s\S]*)$/.exec(rest) ?? [];
	switch (verb.toLowerCase()) {
		case "add":
			await order(ports, asked.desk, here, { clientId: asked.clientId, rest: more }, asked.language);
			return { notice: "cart-ordered" };
		case "list":
			return { notice: "opened", goTo: `/rooms/${here.roomId}/orders` };
		case "link":
		case "unlink":
			await link(ports.sql, here, verb.toLowerCase() === "link");
			return { notice: verb.toLowerCase() === "link" ? "cart-linked" : "cart-unlinked" };
		default:
			throw refuse("command-incomplete", { usage: cartUsage });
	}
}

/**
 * Reads a text for a slash command and carries it out. `//` begins a message with a literal slash. A command that is not
 * known is refused, so that a slip of the keyboard is not posted for all to see.
 */
export async function run(ports: Ports, here: Standing, body: string, asked: Asked): Promise<Outcome> {
	if (body.trimStart().startsWith("//")) return { kind: "say", body: body.trimStart().slice(1) };
	// A path such as /etc/hosts is a text, not a command.
	const command = readCommand(body);
	if (!command) return { kind: "say", body };
	const { name, rest } = command;
	switch (name) {
		case "fact":
		case "item":
			return { kind: "say", body };
		case "shrug":
			return { kind: "say", body: shrug(rest) };
		case "help":
			return { kind: "done", posted: { seq: null, notice: "help", goTo: `/rooms/${here.roomId}?panel=help` } };
		// The page answers these itself, before anything is sent; here they come from a form.
		case "journey":
		case "status":
		case "slo":
			throw refuse("needs-script");
		case "topic":
			await change(ports, here, { topic: fits(forms["room:change"].entries.topic.wrapped, rest, limits.topic) });
			return { kind: "done", posted: { seq: null, notice: "room-changed" } };
		case "rename":
			await change(ports, here, { name: fits(forms["room:change"].entries.name, need(name, rest), limits.roomName) });
			return { kind: "done", posted: { seq: null, notice: "room-changed" } };
		case "invite":
			await invite(ports, here, { name: need(name, rest) });
			return { kind: "done", posted: { seq: null, notice: "invited" } };
		case "msg": {
			const other = await byName(ports, need(name, rest));
			const room = await direct(ports, here.me, { userId: other.id });
			return { kind: "done", posted: { seq: null, notice: "opened", goTo: `/rooms/${room.id}` } };
		}
		case "cart":
			return { kind: "done", posted: { seq: null, ...(await cart(ports, here, rest, asked)) } };
		case "leave":
			await leave(ports, here, asked.clientId);
			return { kind: "done", posted: { seq: null, notice: "left", goTo: "/rooms" } };
		default:
			throw refuse("unknown-command", { command: `/${name.slice(0, 30)}` });
	}
}
