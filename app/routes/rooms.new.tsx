import { type ActionFunctionArgs, type LoaderFunctionArgs, redirect } from "@remix-run/node";
import { useActionData } from "@remix-run/react";
import { NewRoom } from "../components/new-room.tsx";
import { rates } from "../contract/limits.ts";
import { parseForm } from "../contract/parse.ts";
import { answering, sender, signedIn } from "./answers.server.ts";

export async function loader({ request, context }: LoaderFunctionArgs) {
	await signedIn(context, request);
	return null;
}

export async function action({ request, context }: ActionFunctionArgs) {
	const form = await request.formData();
	const values = {
		name: String(form.get("name") ?? ""),
		topic: String(form.get("topic") ?? ""),
		kind: String(form.get("kind") ?? "public"),
	};
	return answering(
		context,
		{ values },
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
	const answer = useActionData<typeof action>();
	return <NewRoom refusal={answer?.refusal ?? null} values={answer?.values ?? { name: "", topic: "", kind: "public" }} />;
}
