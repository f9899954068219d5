import type { LinksFunction, LoaderFunctionArgs, MetaFunction } from "@remix-run/node";
import { useLoaderData } from "@remix-run/react";
import { ActivityView } from "../components/ops/activity.tsx";
import styles from "../styles/ops.css?url";
import { loading, roomIdOf, signedIn } from "./answers.server.ts";
import { deskWords } from "./operators.server.ts";

export const links: LinksFunction = () => [{ rel: "stylesheet", href: styles }];
export const meta: MetaFunction<typeof loader> = ({ data }) => [{ title: `${data?.w.activity ?? ""} · Charla` }];

/** A room's activity, for its owners. */
export async function loader({ request, context, params }: LoaderFunctionArgs) {
	const me = await signedIn(context, request);
	return loading(context, "/rooms/:roomId/activity", async () => {
		const roomId = roomIdOf(params);
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
