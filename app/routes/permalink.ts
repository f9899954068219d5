import { type LoaderFunctionArgs, redirect } from "@remix-run/node";
import { lobbyId } from "../contract/fixed.ts";

/** The lasting address of a message leads to its place in the live view. */
export function loader({ params }: LoaderFunctionArgs) {
	const roomId = params.roomId === "lobby" ? lobbyId : (params.roomId ?? "");
	const seq = encodeURIComponent(params.seq ?? "");
	// The page's script brings it into sight by `at`; without one the browser does, by its name.
	return redirect(`/rooms/${encodeURIComponent(roomId)}?at=${seq}#m${seq}`);
}
