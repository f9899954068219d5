import type { LoaderFunctionArgs } from "@remix-run/node";
import { ChooseRoom } from "../components/choose-room.tsx";
import { signedIn } from "./answers.server.ts";

export async function loader({ request, context }: LoaderFunctionArgs) {
	await signedIn(context, request);
	return null;
}

/** The room list on its own: on a phone it is the page, beside it on a desktop stands an invitation to choose. */
export default function Rooms() {
	return <ChooseRoom />;
}
