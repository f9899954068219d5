import { randomUUID } from "node:crypto";
import { type ActionFunctionArgs, type AppLoadContext, type LoaderFunctionArgs, redirect } from "@remix-run/node";
import { useActionData, useLoaderData } from "@remix-run/react";
import { NewRoom } from "../components/new-room.tsx";
import { rates } from "../contract/limits.ts";
import { parseForm } from "../contract/parse.ts";
import { answering, sender, signedIn } from "./answers.server.ts";

/** Requests that brought a form: should it be refused, its page is the answer. */
const posted = new WeakSet<AppLoadContext>();

export async function loader({ request, context }: LoaderFunctionArgs) {
	await signedIn(context, request);
	const clientId = new URL(request.url).searchParams.get("key");
	// The form's key stands in the address: no cache keeps the page, and who goes back to it sends the same form again.
	if (!clientId && !posted.has(context)) throw redirect(`/rooms/new?key=${randomUUID()}`);
	return { clientId: clientId ?? randomUUID() };
}

export async function action({ request, context }: ActionFunctionArgs) {
	posted.add(context);
	const form = await request.formData();
	const values = {
		name: String(form.get("name") ?? ""),
		topic: String(form.get("topic") ?? ""),
		kind: String(form.get("kind") ?? "public"),
	};
	return answering(
		context,
		// A key that was refused is not sent again.
		{ values, clientId: randomUUID() },
		async () => {
			const me = await sender(context);
			const input = parseForm("room:create", form);
			context.throttle(rates["room:create"], `room ${me.id}`);
			const room = await context.chat.rooms.create(me, input);
			throw redirect(`/rooms/${room.id}`);
		},
		{ request, form },
	);
}

export default function NewRoomPage() {
	const { clientId } = useLoaderData<typeof loader>();
	const answer = useActionData<typeof action>();
	return (
		<NewRoom
			clientId={answer?.clientId ?? clientId}
			refusal={answer?.refusal ?? null}
			values={answer?.values ?? { name: "", topic: "", kind: "public" }}
		/>
	);
}
