import type { LoaderFunctionArgs } from "@remix-run/node";
import { useLoaderData } from "@remix-run/react";
import { Journey } from "../components/ops/journey.tsx";
import { opsWords, running } from "./operators.server.ts";

export async function loader({ request, context, params }: LoaderFunctionArgs) {
	const ops = await running(context);
	const journey = await ops.journey((params.messageId ?? "").toLowerCase());
	const { roomId, seq } = journey;
	const reach = roomId !== null && seq !== null ? await context.chat.log.reach(roomId, seq) : null;
	return { journey: { ...journey, ...(reach ?? { members: 0, delivered: 0, displayed: 0 }) }, w: opsWords(request) };
}

export default function OpsMessagePage() {
	return <Journey {...useLoaderData<typeof loader>()} />;
}
