import type { LoaderFunctionArgs } from "@remix-run/node";
import { refuse } from "../contract/refusals.ts";
import { loading, signedIn } from "./answers.server.ts";

/** Every order of a room as a table for a spreadsheet. */
export async function loader({ request, context, params }: LoaderFunctionArgs) {
	const me = signedIn(context, request);
	return loading(context, "/rooms/:roomId/orders.csv", async () => {
		const roomId = (params.roomId ?? "").toLowerCase();
		if (!/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(roomId)) throw refuse("not-found");
		const csv = await context.chat.orders.csv(me, { roomId });
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
