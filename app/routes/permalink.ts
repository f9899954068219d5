import { type LoaderFunctionArgs, redirect } from "@remix-run/node";
import { lobbyId } from "../contract/fixed.ts";

/** The lasting address of a message leads to its place in the live view. */
export function loader({ params }: LoaderFunctionArgs) {
	const roomId = params.roomId === "lobby" ? lobbyId : (params.roomId ?? "");
	return redirect(`/rooms/${encodeURIComponent(roomId)}?at=${encodeURIComponent(params.seq ?? "")}`);
}
