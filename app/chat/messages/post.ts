import { refuse } from "../../contract/refusals.ts";
import type { Message } from "../../contract/shapes.ts";
import type { Claim, Standing } from "../members/index.ts";
import type { Names } from "../people/index.ts";
import type { Ports } from "../ports.ts";
import type { Entry, Stored } from "../room-log/index.ts";
import { markup } from "./markup.ts";
import { selectQuote } from "./rows.ts";

export type Lane = (entry: Entry) => Promise<Stored>;

/**
 * Stores a message and announces it. The same clientId again, however often and from wherever, gives the same answer
 * and is announced once. Resolves after commit. A claim is enough where nothing is read before, since the storing statement
 * itself asks for membership; a reply needs a standing, since what it quotes is read first.
 */
export async function post(
	ports: Ports,
	lane: Lane,
	names: Names,
	here: Standing | Claim,
	input: { clientId: string; body: string; replyTo: number | null },
): Promise<{ id: string; seq: number; message: Message | null }> {
	const { roomId, me } = here;
	if (input.replyTo !== null && here.role === null) throw new Error("a reply without a standing");
	const quote = async () => (input.replyTo === null ? null : await selectQuote(ports.sql, names, roomId, input.replyTo));
	if (input.replyTo !== null && !(await quote())) throw refuse("message-not-found");
	const stored = await lane({
		roomId,
		authorId: me.id,
		clientKey: input.clientId,
		body: input.body,
		replyTo: input.replyTo,
		isBot: me.bot === true,
	});
	if (!stored.fresh) return { id: input.clientId, seq: stored.seq, message: null };
	// Read once the reply is stored: what is deleted or edited before it must not come back with it, and what is so later says so itself.
	const replyTo = await quote();
	const message: Message = {
		roomId,
		seq: stored.seq,
		msgNo: stored.msgNo,
		author: me,
		clientId: input.clientId,
		body: input.body,
		html: markup(input.body),
		createdAt: stored.createdAt,
		editedAt: null,
		deletedAt: null,
		replyTo,
	};
	ports.publish({ to: { roomId }, fact: { kind: "message-posted", roomId, seq: stored.seq, message } });
	return { id: input.clientId, seq: stored.seq, message };
}
