import type { LoaderFunctionArgs } from "@remix-run/node";
import {
	type ClientLoaderFunctionArgs,
	isRouteErrorResponse,
	Outlet,
	type ShouldRevalidateFunctionArgs,
	useLoaderData,
	useNavigation,
} from "@remix-run/react";
import { useEffect, useState } from "react";
import { ChatShell } from "../components/chat-shell.tsx";
import { forget } from "../live/browser-ports.ts";
import { createLive } from "../live/open-live.ts";
import { LiveProvider } from "../live/use-live.tsx";
import { loading, signedIn } from "./answers.server.ts";

export async function loader({ request, context }: LoaderFunctionArgs) {
	const me = await signedIn(context, request);
	return loading(context, "/rooms", async () => {
		const [rooms, session] = await Promise.all([context.chat.rooms.mine(me), context.session()]);
		return { me, rooms, build: context.buildId, isAdmin: session?.isAdmin ?? false };
	});
}

/** What the server last said, and when. Set by the page that shows it, so it is never there on the server. */
let known: { data: Awaited<ReturnType<typeof loader>>; at: number } | null = null;
/** How long that is good while the connection keeps it current, ms: then it is asked for again, which renews the session. */
const goodFor = 3600_000;

/** A server that cannot be reached takes nobody's rooms away, nor the connection above all with what waits for it. */
export async function clientLoader({ serverLoader }: ClientLoaderFunctionArgs) {
	try {
		return await serverLoader<typeof loader>();
	} catch (error) {
		// Sent elsewhere, or told something: that is an answer.
		if (!known || error instanceof Response || (isRouteErrorResponse(error) && error.status < 500)) throw error;
		return known.data;
	}
}

/** The connection keeps the list current: panels and rooms open without asking for it. */
export function shouldRevalidate({ currentUrl, nextUrl, formMethod }: ShouldRevalidateFunctionArgs) {
	if ((formMethod && formMethod !== "GET") || currentUrl.href === nextUrl.href) return true;
	return currentUrl.pathname !== nextUrl.pathname && Date.now() - (known?.at ?? 0) > goodFor;
}

/** Everything behind the first screen: the room list, and one connection for as long as it is open. */
export default function ChatLayout() {
	const loaded = useLoaderData<typeof loader>();
	const { me, rooms, build } = loaded;
	const [live] = useState(() => createLive({ me, rooms, build }));
	const navigation = useNavigation();
	// Sent on to the first screen: only now has the server agreed.
	const isLeaving = navigation.state === "loading" && navigation.formAction === "/leave" && navigation.location.pathname === "/";
	const nextRoom = /^\/rooms\/([0-9a-f-]{36})$/.exec(navigation.location?.pathname ?? "")?.[1];
	useEffect(() => {
		known = { data: loaded, at: Date.now() };
		live.setRooms(loaded.rooms);
		return () => {
			known = null;
		};
	}, [live, loaded]);
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
