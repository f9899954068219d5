import type { LoaderFunctionArgs, MetaFunction } from "@remix-run/node";
import { useLoaderData } from "@remix-run/react";
import { OrdersView } from "../components/orders-view.tsx";
import { refuse } from "../contract/refusals.ts";
import { loading, roomIdOf, signedIn } from "./answers.server.ts";

const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export const meta: MetaFunction<typeof loader> = ({ data }) => [{ title: data ? `${data.room.name} · Charla` : "Charla" }];

export async function loader({ request, context, params }: LoaderFunctionArgs) {
	const me = await signedIn(context, request);
	return loading(context, "/rooms/:roomId/orders", async () => {
		const roomId = roomIdOf(params);
		const session = await context.session();
		const before = new URL(request.url).searchParams.get("before");
		if (before !== null && !uuid.test(before)) throw refuse("not-found");
		const { room, carts, hasMore } = await context.chat.orders.ofRoom(me, { roomId, before });
		return { room, carts, older: hasMore ? (carts.at(-1)?.id ?? null) : null, me: me.id, isAdmin: session?.isAdmin ?? false };
	});
}

export default function OrdersPage() {
	return <OrdersView {...useLoaderData<typeof loader>()} refusal={null} />;
}
