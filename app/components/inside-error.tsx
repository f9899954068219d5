import { isRouteErrorResponse, useRevalidator, useRouteError, useRouteLoaderData } from "@remix-run/react";
import { useEffect, useRef } from "react";
import { useLiveState } from "../live/use-live.tsx";
import { ErrorPage } from "./error-page.tsx";

/** The longest wait between two tries while there is a connection and the page does not come all the same, ms. */
const longest = 30_000;

/** In place of a page that did not come, rooms and connection staying. What only the network kept away comes by itself. */
export function InsideError() {
	const error = useRouteError();
	const language = useRouteLoaderData<{ language: "en" | "es" }>("root")?.language ?? "en";
	const { revalidate, state } = useRevalidator();
	const isOnline = useLiveState((live) => live.connection.state === "online");
	const answer = isRouteErrorResponse(error) ? error : null;
	const isAway = answer ? answer.status === 503 || answer.status === 429 : !isOnline || isOfNetwork(error);
	const wait = useRef(0);
	useEffect(() => {
		if (!isAway || !isOnline || state !== "idle") return;
		const timer = setTimeout(revalidate, wait.current);
		wait.current = Math.min(longest, wait.current * 2 + 1000);
		return () => clearTimeout(timer);
	}, [isAway, isOnline, state, revalidate]);
	const status = answer?.status ?? (isAway ? 0 : 500);
	return <ErrorPage isInside status={status} reference={answer?.data?.reference ?? ""} language={language} onAgain={revalidate} />;
}

/** What browsers call a request that found no way, and Remix an answer that was not Charla's but some proxy's. */
function isOfNetwork(error: unknown): boolean {
	return error instanceof Error && /fetch|network|load failed|turbo-stream/i.test(error.message);
}
