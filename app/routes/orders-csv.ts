import type { LoaderFunctionArgs } from "@remix-run/node";
import { loading, roomIdOf, signedIn } from "./answers.server.ts";

/** Every order of a room as a table for a spreadsheet. */
export async function loader({ request, context, params }: LoaderFunctionArgs) {
	const me = await signedIn(context, request);
	return loading(context, "/rooms/:roomId/orders.csv", async () => {
		const csv = await context.chat.orders.csv(me, { roomId: roomIdOf(params) });
		return new Response(csv, {
			headers: {
				"Content-Type": "text/csv; charset=utf-8; header=present",
				"Content-Disposition": 'attachment; filename="orders.csv"',
				"Cache-Control": "private, no-store",
				"X-Content-Type-Options": "nosniff",
			},
		});
	});
}
