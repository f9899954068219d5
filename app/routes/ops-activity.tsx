import { type ActionFunctionArgs, type LoaderFunctionArgs, redirect } from "@remix-run/node";
import { useLoaderData } from "@remix-run/react";
import { ActivityView } from "../components/ops/activity.tsx";
import type { HintReason } from "../contract/activity.ts";
import { refuse } from "../contract/refusals.ts";
import { loading } from "./answers.server.ts";
import { administrator, deskWords } from "./operators.server.ts";

/** Shown where telemetry is off too: it comes from the rooms' logs. */
export const handle = { always: true };

export async function loader({ request, context }: LoaderFunctionArgs) {
	await administrator(context);
	return loading(context, "/ops/activity", async () => {
		const [shown, relay] = await Promise.all([context.chat.activity.all(), context.chat.activity.relay()]);
		return { shown, relay, w: deskWords(request) };
	});
}

/** Somebody looked at a hint. */
export async function action({ request, context }: ActionFunctionArgs) {
	const me = await administrator(context);
	const { roomId, seq, reason } = Object.fromEntries(await request.formData());
	const isHint =
		/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(String(roomId)) &&
		/^\d{1,15}$/.test(String(seq)) &&
		["flood", "links", "words"].includes(String(reason));
	return loading(context, "/ops/activity", async () => {
		if (!isHint) throw refuse("malformed");
		await context.chat.activity.seen(me, { roomId: String(roomId), seq: Number(seq), reason: String(reason) as HintReason });
		throw redirect("/ops/activity");
	});
}

export default function OpsActivityPage() {
	const { shown, relay, w } = useLoaderData<typeof loader>();
	return <ActivityView shown={shown} relay={relay} w={w} />;
}
