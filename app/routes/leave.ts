import { type ActionFunctionArgs, redirect } from "@remix-run/node";

/** Ends the session here; this browser may come back as the same person. */
export async function action({ context }: ActionFunctionArgs) {
	if (!context.session) return redirect("/");
	const cookies = await context.auth.leave(context.session);
	context.endSession(context.session);
	return redirect("/", { headers: cookies.map((cookie): [string, string] => ["Set-Cookie", cookie]) });
}

export const loader = () => redirect("/");
