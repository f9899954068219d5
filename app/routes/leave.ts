import { type ActionFunctionArgs, redirect } from "@remix-run/node";
import { loading } from "./answers.server.ts";

/** Ends the session here; this browser may come back as the same person. */
export async function action({ context }: ActionFunctionArgs) {
	const session = await loading(context, "/leave", () => context.session());
	if (!session) return redirect("/");
	const cookies = await context.auth.leave(session);
	context.endSession(session);
	return redirect("/", { headers: cookies.map((cookie): [string, string] => ["Set-Cookie", cookie]) });
}

export const loader = () => redirect("/");
