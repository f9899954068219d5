import { randomUUID } from "node:crypto";
import { type ActionFunctionArgs, data, type LoaderFunctionArgs, type MetaFunction, redirect } from "@remix-run/node";
import { useActionData, useLoaderData } from "@remix-run/react";
import { MessagePage } from "../components/message-page.tsx";
import { lobbyId } from "../contract/fixed.ts";
import { rates } from "../contract/limits.ts";
import { parseCall } from "../contract/parse.ts";
import { type RefusalCode, refusals, refuse } from "../contract/refusals.ts";
import { answering, loading, roomIdOf, sender, signedIn } from "./answers.server.ts";
import { postByForm } from "./posting.server.ts";

/** What is done with a message on a page of its own, where no script does it in the room. */
const deeds = ["reply", "edit", "delete"] as const;

export const meta: MetaFunction<typeof loader> = ({ data }) => [{ title: data ? `${data.room.name} · Charla` : "Charla" }];

/** What an address names. Throws `not-found` for what could be no message or nothing to do with one. */
function named(params: LoaderFunctionArgs["params"]) {
	const roomId = roomIdOf(params);
	const seq = Number(params.seq);
	const deed = deeds.find((known) => known === params.deed);
	if (!deed || !(Number.isSafeInteger(seq) && seq > 0)) throw refuse("not-found");
	return { roomId, seq, deed };
}

/** Where a message stands in the live view. The page's script brings it into sight by `at`; without one the browser does, by its name. */
const placeOf = (roomId: string, seq: string | number) => `/rooms/${roomId}?at=${seq}#m${seq}`;

export async function loader({ request, context, params }: LoaderFunctionArgs) {
	// The lasting address of a message.
	if (params.deed === undefined) {
		const roomId = params.roomId === "lobby" ? lobbyId : encodeURIComponent(params.roomId ?? "");
		throw redirect(placeOf(roomId, encodeURIComponent(params.seq ?? "")));
	}
	const me = await signedIn(context, request);
	return loading(context, "/rooms/:roomId/messages/:seq/:deed", async () => {
		const { roomId, seq, deed } = named(params);
		const { room, message } = await context.chat.messages.one(me, { roomId, seq });
		const isForeign = deed !== "reply" && message.author.id !== me.id;
		// Said on the page itself, which keeps what was typed into it.
		const code: RefusalCode | null = isForeign ? "not-yours" : message.deletedAt !== null ? "deleted" : null;
		const refusal = code && { code, details: {} };
		const shown = { room, message, deed, refusal, back: placeOf(roomId, seq), clientId: randomUUID() };
		return data(shown, { status: code ? refusals[code] : 200 });
	});
}

export async function action({ request, context, params }: ActionFunctionArgs) {
	const form = await request.formData();
	const [clientId, body] = [form.get("clientId"), form.get("body")];
	return answering(
		context,
		{ typed: String(body ?? "") },
		async () => {
			const me = await sender(context);
			const { messages } = context.chat;
			const { roomId, seq, deed } = named(params);
			if (deed === "reply") throw await postByForm(context, request, me, { roomId, clientId, body, replyTo: seq });
			if (deed === "delete") {
				const input = parseCall("message:delete", { roomId, clientId, seq });
				context.throttle(rates["message:edit"], `edit ${me.id}`);
				await messages.remove(me, input);
			} else {
				const input = parseCall("message:edit", { roomId, clientId, seq, body });
				context.throttle(rates["message:edit"], `edit ${me.id}`);
				const { message } = await messages.one(me, input);
				// As in the room: what was not changed is not marked as edited.
				if (message.author.id !== me.id || message.body !== input.body) await messages.edit(me, input);
			}
			throw redirect(placeOf(roomId, seq));
		},
		{ request, form },
	);
}

export default function MessageRoute() {
	const shown = useLoaderData<typeof loader>();
	const answer = useActionData<typeof action>();
	const { refusal } = shown;
	return <MessagePage {...shown} refusal={answer?.refusal ?? refusal} isClosed={refusal !== null} typed={answer?.typed ?? null} />;
}
