import { type LoaderFunctionArgs, redirect } from "@remix-run/node";

/** The lasting address of a message leads to its place in the live view. */
export function loader({ params }: LoaderFunctionArgs) {
	return redirect(`/rooms/${encodeURIComponent(params.roomId ?? "")}?at=${encodeURIComponent(params.seq ?? "")}`);
}
