import { type LoaderFunctionArgs, type MetaFunction, redirect } from "@remix-run/node";
import { useLoaderData } from "@remix-run/react";
import { PagesView } from "../components/pages-view.tsx";
import { limits } from "../contract/limits.ts";
import { refuse } from "../contract/refusals.ts";
import { loading, signedIn } from "./answers.server.ts";

export const meta: MetaFunction<typeof loader> = ({ data }) => [
	{ title: data ? `${data.page.room.name} · ${data.page.page}/${data.page.pages} · Charla` : "Charla" },
];

export async function loader({ request, context, params }: LoaderFunctionArgs) {
	const me = signedIn(context, request);
	return loading(context, "/rooms/:roomId/pages", async () => {
		const roomId = (params.roomId ?? "").toLowerCase();
		if (!/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(roomId)) throw refuse("not-found");
		const asked = Number(new URL(request.url).searchParams.get("size") ?? limits.page);
		const size = (limits.pageSizes as readonly number[]).includes(asked) ? asked : limits.page;
		const wanted = params.page === undefined ? null : Number(params.page);
		if (wanted !== null && !(Number.isSafeInteger(wanted) && wanted > 0)) throw refuse("not-found");
		const page = await context.chat.messages.page(me, { roomId, page: wanted, size });
		// A number beyond the end, or none, leads to the address of the page shown, so that it can be kept.
		if (page.page !== wanted) throw redirect(`/rooms/${roomId}/pages/${page.page}${size === limits.page ? "" : `?size=${size}`}`);
		return { page };
	});
}

export default function PagesPage() {
	return <PagesView page={useLoaderData<typeof loader>().page} sizes={limits.pageSizes} />;
}
