import type { LinksFunction, LoaderFunctionArgs, MetaFunction } from "@remix-run/node";
import { useLoaderData } from "@remix-run/react";
import { ActivityView } from "../components/ops/activity.tsx";
import { refuse } from "../contract/refusals.ts";
import styles from "../styles/ops.css?url";
import { loading, signedIn } from "./answers.server.ts";
import { deskWords } from "./operators.server.ts";

export const links: LinksFunction = () => [{ rel: "stylesheet", href: styles }];
export const meta: MetaFunction<typeof loader> = ({ data }) => [{ title: `${data?.w.activity ?? ""} · Charla` }];

const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** A room's activity, for its owners. */
export async function loader({ request, context, params }: LoaderFunctionArgs) {
	const me = signedIn(context, request);
	return loading(context, "/rooms/:roomId/activity", async () => {
		const roomId = (params.roomId ?? "").toLowerCase();
		if (!uuid.test(roomId)) throw refuse("not-found");
		return { roomId, shown: await context.chat.activity.ofRoom(me, { roomId }), w: deskWords(request) };
	});
}

export default function RoomActivityPage() {
	const { roomId, shown, w } = useLoaderData<typeof loader>();
	return (
		<div className="ops">
			<header className="ops-head">
				<a href={`/rooms/${roomId}`}>← {w.backToRoom}</a>
				<h1>{w.activity}</h1>
			</header>
			<main>
				<ActivityView shown={shown} relay={null} w={w} />
			</main>
		</div>
	);
}
