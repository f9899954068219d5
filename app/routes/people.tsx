import { type ActionFunctionArgs, type LoaderFunctionArgs, redirect } from "@remix-run/node";
import { useActionData, useLoaderData } from "@remix-run/react";
import { PeopleList } from "../components/people-list.tsx";
import { rates } from "../contract/limits.ts";
import { parseForm } from "../contract/parse.ts";
import { answering, loading, sender, signedIn } from "./answers.server.ts";

export async function loader({ request, context }: LoaderFunctionArgs) {
	const me = await signedIn(context, request);
	const query = (new URL(request.url).searchParams.get("q") ?? "").slice(0, 100);
	return loading(context, "/people", async () => ({ people: await context.chat.people.find(me, { text: query }), query }));
}

/** Opens the conversation with somebody. */
export async function action({ request, context }: ActionFunctionArgs) {
	const form = await request.formData();
	return answering(
		context,
		{},
		async () => {
			const me = await sender(context);
			context.throttle(rates["room:change"], `change ${me.id}`);
			const room = await context.chat.rooms.direct(me, parseForm("room:direct", form));
			throw redirect(`/rooms/${room.id}`);
		},
		{ request, form },
	);
}

export default function PeoplePage() {
	const { people, query } = useLoaderData<typeof loader>();
	return <PeopleList people={people} query={query} refusal={useActionData<typeof action>()?.refusal ?? null} />;
}
