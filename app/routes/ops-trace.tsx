import { type LoaderFunctionArgs, redirect } from "@remix-run/node";
import { useLoaderData } from "@remix-run/react";
import { OpsLinksRow } from "../components/ops/links.tsx";
import { LogLines } from "../components/ops/log-lines.tsx";
import { Sources } from "../components/ops/sources.tsx";
import { Waterfall } from "../components/ops/waterfall.tsx";
import { opsWords, running } from "./operators.server.ts";

export async function loader({ request, context, params }: LoaderFunctionArgs) {
	const found = await (await running(context)).trace((params.traceId ?? "").toLowerCase());
	if (!found) throw redirect("/ops?lost");
	// People quote the beginning of it.
	if (found.traceId !== params.traceId) throw redirect(`/ops/traces/${found.traceId}`);
	return { found, w: opsWords(request) };
}

export default function OpsTracePage() {
	const { found, w } = useLoaderData<typeof loader>();
	return (
		<>
			<h2>
				{w.trace} <code>{found.traceId}</code>
			</h2>
			<p>
				<a href={`/ops/traces/${found.traceId}/otlp.json`} download={`${found.traceId}.json`}>
					{w.download}
				</a>{" "}
				<OpsLinksRow links={found.links} w={w} />
			</p>
			<Sources sources={found.sources} w={w} />
			<Waterfall spans={found.spans} w={w} />
			<LogLines lines={found.logs} w={w} />
		</>
	);
}
