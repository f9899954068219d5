import { type LoaderFunctionArgs, type MetaFunction, redirect } from "@remix-run/node";
import { isRouteErrorResponse, useLoaderData, useRouteError, useRouteLoaderData } from "@remix-run/react";
import { ErrorPage } from "../components/error-page.tsx";
import { PagesView } from "../components/pages-view.tsx";
import { limits } from "../contract/limits.ts";
import { refuse } from "../contract/refusals.ts";
import { useWords } from "../words/use-words.tsx";
import { loading, roomIdOf, signedIn } from "./answers.server.ts";

export const meta: MetaFunction<typeof loader> = ({ data }) => [
	{ title: data ? `${data.page.room.name} · ${data.page.page}/${data.page.pages} · Charla` : "Charla" },
];

export async function loader({ request, context, params }: LoaderFunctionArgs) {
	const me = await signedIn(context, request);
	return loading(context, "/rooms/:roomId/pages", async () => {
		const roomId = roomIdOf(params);
		const { searchParams } = new URL(request.url);
		const asked = Number(searchParams.get("size") ?? limits.page);
		const size = (limits.pageSizes as readonly number[]).includes(asked) ? asked : limits.page;
		// Another size shows the same message: the one that was first on the page.
		const first = Number(searchParams.get("from") ?? 0);
		if (Number.isSafeInteger(first) && first > 0) {
			const seq = Number(searchParams.get("at"));
			const rest = `${size === limits.page ? "" : `?size=${size}`}${seq > 0 ? `#m${seq}` : ""}`;
			throw redirect(`/rooms/${params.roomId}/pages/${Math.ceil(first / size)}${rest}`);
		}
		// By the address it was asked by, the lobby's name or an id.
		const at = `/rooms/${params.roomId}/pages`;
		const wanted = params.page === undefined ? null : numberOf(params.page);
		if (wanted === 0) throw refuse("not-found", { pages: at });
		const page = await context.chat.messages.page(me, { roomId, page: wanted, size });
		// A number beyond the end, or none, leads to the address of the page shown, so that it can be kept; each page has one.
		if (String(page.page) !== params.page) throw redirect(`${at}/${page.page}${size === limits.page ? "" : `?size=${size}`}`);
		return { page, at };
	});
}

/** A page's number, as far as can be counted; 0 for what is none. */
function numberOf(text: string): number {
	return /^\d+$/.test(text) ? Math.min(Number(text), Number.MAX_SAFE_INTEGER) : 0;
}

export default function PagesPage() {
	return <PagesView {...useLoaderData<typeof loader>()} sizes={limits.pageSizes} />;
}

/** As everywhere; and where there is no page of such a number, with the ways to those there are. */
export function ErrorBoundary() {
	const error = useRouteError();
	const language = useRouteLoaderData<{ language: "en" | "es" }>("root")?.language ?? "en";
	const { t } = useWords();
	const { status, data } = isRouteErrorResponse(error) ? error : { status: 500, data: null };
	return (
		<ErrorPage status={status} reference={data?.reference ?? ""} language={language}>
			{data?.pages && (
				<>
					<a className="button button-quiet" href={`${data.pages}/1`}>
						{t("pages.toFirst")}
					</a>
					<a className="button button-quiet" href={data.pages}>
						{t("pages.toLast")}
					</a>
				</>
			)}
		</ErrorPage>
	);
}
