import type { LoaderFunctionArgs } from "@remix-run/node";
import { running } from "./operators.server.ts";

/** A trace as OTLP/JSON, for any tool that reads it. */
export async function loader({ context, params }: LoaderFunctionArgs) {
	const exported = await (await running(context)).exportTrace((params.traceId ?? "").toLowerCase());
	if (!exported) return new Response("not found\n", { status: 404 });
	return Response.json(exported, { headers: { "Cache-Control": "private, no-store" } });
}
