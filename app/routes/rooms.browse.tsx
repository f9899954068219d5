import { type ActionFunctionArgs, type LoaderFunctionArgs, redirect } from "@remix-run/node";
import { useActionData, useLoaderData } from "@remix-run/react";
import { BrowseRooms } from "../components/browse-rooms.tsx";
import { rates } from "../contract/limits.ts";
import { parseForm } from "../contract/parse.ts";
import { answering, loading, sender, signedIn } from "./answers.server.ts";

export async function loader({ request, context }: LoaderFunctionArgs) {
	const me = await signedIn(context, request);
	return loading(context, "/rooms/browse", async () => ({ rooms: await context.chat.rooms.browse(me) }));
}

export async function action({ request, context }: ActionFunctionArgs) {
	const form = await request.formData();
	return answering(
		context,
		{},
		async () => {
			const me = await sender(context);
			context.throttle(rates["room:change"], `change ${me.id}`);
			const room = await context.chat.rooms.join(me, parseForm("room:join", form));
			throw redirect(`/rooms/${room.id}`);
		},
		{ request, form },
	);
}

export default function BrowsePage() {
	return <BrowseRooms rooms={useLoaderData<typeof loader>().rooms} refusal={useActionData<typeof action>()?.refusal ?? null} />;
}
