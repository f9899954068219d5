import { randomUUID } from "node:crypto";
import { type ActionFunctionArgs, type LoaderFunctionArgs, type MetaFunction, redirect } from "@remix-run/node";
import { type ShouldRevalidateFunctionArgs, useActionData, useLoaderData, useParams, useSearchParams } from "@remix-run/react";
import { useContext } from "react";
import { Conversation, panels } from "../components/conversation.tsx";
import { lobbyId } from "../contract/fixed.ts";
import { rates } from "../contract/limits.ts";
import { parseCall, parseForm } from "../contract/parse.ts";
import { refuse } from "../contract/refusals.ts";
import { Nonce, OpeningScript } from "../nonce.tsx";
import { answering, loading, roomIdOf, sender, signedIn } from "./answers.server.ts";
import { postByForm } from "./posting.server.ts";

export const meta: MetaFunction<typeof loader> = ({ data }) => [{ title: data ? `${data.opened.room.name} · Charla` : "Charla" }];

export async function loader({ request, context, params }: LoaderFunctionArgs) {
	const me = await signedIn(context, request);
	return loading(context, "/rooms/:roomId", async () => {
		const roomId = roomIdOf(params);
		// The page itself goes by the id everywhere.
		if (params.roomId === "lobby") throw redirect(`/rooms/${roomId}${new URL(request.url).search}`);
		const at = Number(new URL(request.url).searchParams.get("at"));
		const opened = await context.chat.rooms.open(me, { roomId, at: Number.isSafeInteger(at) && at > 0 ? at : null });
		return { opened, clientId: randomUUID() };
	});
}

export async function action({ request, context, params }: ActionFunctionArgs) {
	const form = await request.formData();
	const roomId = params.roomId === "lobby" ? lobbyId : (params.roomId ?? "");
	const intent = form.get("intent");
	const text = (name: string) => String(form.get(name) ?? "");
	// What the form held comes back with a refusal: where no script runs it would be gone.
	const kept = {
		intent: String(intent),
		typed: intent === "post" ? text("body") : "",
		fields: { name: text("name"), topic: text("topic") },
	};
	return answering(
		context,
		kept,
		async () => {
			const me = await sender(context);
			const { rooms } = context.chat;
			const fields = { ...Object.fromEntries(form), roomId };
			switch (intent) {
				case "post": {
					const replyTo = form.get("replyTo");
					throw await postByForm(context, request, me, {
						roomId,
						clientId: form.get("clientId"),
						body: form.get("body"),
						replyTo: replyTo ? Number(replyTo) : null,
					});
				}
				case "decide": {
					context.throttle(rates["message:edit"], `edit ${me.id}`);
					const { cartId, verdict } = Object.fromEntries(form);
					await context.chat.orders.decide(me, parseCall("cart:decide", { roomId, cartId, verdict }));
					if (form.get("back") === "orders") throw redirect(`/rooms/${roomId}/orders`);
					const seq = Number(form.get("seq"));
					throw redirect(`/rooms/${roomId}${Number.isSafeInteger(seq) && seq > 0 ? `#m${seq}` : ""}`);
				}
				case "read": {
					const seq = Number(form.get("seq") || Number.NaN);
					await rooms.pointers(me, parseCall("pointer:move", { roomId, read: seq, displayed: seq }));
					throw redirect(`/rooms/${roomId}`);
				}
				case "change":
					context.throttle(rates["room:change"], `change ${me.id}`);
					await rooms.change(me, parseForm("room:change", fields));
					throw redirect(`/rooms/${roomId}?panel=about`);
				case "invite":
					context.throttle(rates["room:change"], `change ${me.id}`);
					await rooms.invite(me, parseForm("room:invite", fields));
					throw redirect(`/rooms/${roomId}?panel=members`);
				case "leave":
					context.throttle(rates["room:change"], `change ${me.id}`);
					await rooms.leave(me, parseForm("room:leave", fields));
					throw redirect("/rooms");
				default:
					throw refuse("malformed");
			}
		},
		{ request, form },
	);
}

/** The socket keeps an open room current and fetches another place in it; only another room or a form asks again. */
export function shouldRevalidate({ currentUrl, nextUrl, currentParams, nextParams, formMethod }: ShouldRevalidateFunctionArgs) {
	if (currentParams.roomId !== nextParams.roomId || currentUrl.href === nextUrl.href) return true;
	return formMethod !== undefined && formMethod !== "GET";
}

export default function RoomPage() {
	const { opened, clientId } = useLoaderData<typeof loader>();
	const answer = useActionData<typeof action>();
	const { roomId } = useParams();
	const [search] = useSearchParams();
	const nonce = useContext(Nonce);
	const opening = useContext(OpeningScript);
	const travelled = Number(search.get("seq"));
	const panel = panels.find((name) => name === search.get("panel") && (name !== "journey" || travelled > 0)) ?? null;
	const at = Number(search.get("at"));
	const ofRoom = answer && ["change", "invite", "leave"].includes(answer.intent) ? answer : null;
	return (
		<>
			<Conversation
				key={roomId}
				opened={opened}
				clientId={clientId}
				at={at > 0 ? at : null}
				panel={panel}
				travelled={travelled}
				refusal={ofRoom ? null : (answer?.refusal ?? null)}
				refusedForm={ofRoom}
				draftText={answer?.typed}
			/>
			{/* Once all of it was read, and before any of its lines is drawn. */}
			{/* biome-ignore lint/security/noDangerouslySetInnerHtml: a script of the server's own, which holds nothing of anybody's; empty in the browser. */}
			<script nonce={nonce} suppressHydrationWarning dangerouslySetInnerHTML={{ __html: opening }} />
			<span className="arrived" hidden />
		</>
	);
}
