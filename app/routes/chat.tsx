import { data, type LoaderFunctionArgs } from "@remix-run/node";
import { Outlet, useLoaderData, useNavigation } from "@remix-run/react";
import { useEffect, useState } from "react";
import { ChatShell } from "../components/chat-shell.tsx";
import { forget } from "../live/browser-ports.ts";
import { createLive } from "../live/open-live.ts";
import { LiveProvider } from "../live/use-live.tsx";
import { loading, signedIn } from "./answers.server.ts";

export async function loader({ request, context }: LoaderFunctionArgs) {
	const me = signedIn(context, request);
	return loading(context, "/rooms", async () => {
		// Whoever comes back regularly stays signed in.
		const cookies = context.session ? await context.auth.renew(context.session, request.headers.get("Cookie") ?? "") : [];
		const rooms = await context.chat.rooms.mine(me);
		return data(
			{ me, rooms, build: context.buildId, isAdmin: context.isAdmin },
			{ headers: cookies.map((cookie): [string, string] => ["Set-Cookie", cookie]) },
		);
	});
}

/** Everything behind the first screen: the room list, and one connection for as long as it is open. */
export default function ChatLayout() {
	const { me, rooms, build } = useLoaderData<typeof loader>();
	const [live] = useState(() => createLive({ me, rooms, build }));
	const navigation = useNavigation();
	const isLeaving = navigation.formAction === "/leave";
	const nextRoom = /^\/rooms\/([0-9a-f-]{36})$/.exec(navigation.location?.pathname ?? "")?.[1];
	useEffect(() => live.setRooms(rooms), [live, rooms]);
	useEffect(() => {
		if (nextRoom) live.switching(nextRoom);
	}, [live, nextRoom]);
	// Drafts and what was not sent yet belong to the person, not to whoever uses this browser next.
	useEffect(() => {
		if (isLeaving) void forget(me.id);
	}, [isLeaving, me.id]);
	return (
		<LiveProvider live={live}>
			<ChatShell>
				<Outlet />
			</ChatShell>
		</LiveProvider>
	);
}
