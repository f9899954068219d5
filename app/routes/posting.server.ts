import { type AppLoadContext, redirect } from "@remix-run/node";
import { rates } from "../contract/limits.ts";
import { parseCall } from "../contract/parse.ts";
import type { Person } from "../contract/shapes.ts";
import { preferencesOf } from "./preferences.server.ts";

/** Posts what a form holds; gives the way to the message, or to where the command led that it was. */
export async function postByForm(
	context: AppLoadContext,
	request: Request,
	me: Person,
	sent: { roomId: string; clientId: unknown; body: unknown; replyTo: number | null },
): Promise<Response> {
	const input = parseCall("message:post", sent);
	context.throttle(rates["message:post"], `post ${me.id}`);
	context.throttle(rates.room, `room ${input.roomId}`);
	const { rooms, messages } = context.chat;
	const posted = await messages.post(me, input, preferencesOf(request).language);
	if (posted.seq === null) return redirect(posted.goTo ?? `/rooms/${sent.roomId}`);
	// Who posts by form sees the page only now: everything up to the own message is read.
	await rooms.pointers(me, { roomId: input.roomId, read: posted.seq, displayed: posted.seq });
	return redirect(`/rooms/${sent.roomId}#m${posted.seq}`);
}
