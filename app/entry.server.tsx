import { PassThrough } from "node:stream";
import {
	type ActionFunctionArgs,
	type AppLoadContext,
	createReadableStreamFromReadable,
	type EntryContext,
	type LoaderFunctionArgs,
} from "@remix-run/node";
import { RemixServer } from "@remix-run/react";
import { renderToPipeableStream } from "react-dom/server";
import { openingScript } from "./components/opening.ts";
import { trustScripts } from "./components/trusted-scripts.ts";
import { asRefusal } from "./contract/refusals.ts";
import { Nonce, OpeningScript, PageAgent } from "./nonce.tsx";

const opening = openingScript();

/** Renders a page completely before sending it: nothing is deferred, and without JavaScript a half page would stay half. */
export default function handleRequest(request: Request, status: number, headers: Headers, remix: EntryContext, context: AppLoadContext) {
	const { pageAgent } = context;
	// It loads the rest of itself, maybe before our own scripts have made the policy that says from where.
	const agent = pageAgent ? insideScript(`(${trustScripts})(${JSON.stringify(pageAgent.loadsFrom)});${pageAgent.script}`) : undefined;
	return new Promise<Response>((resolve, reject) => {
		let code = status;
		const { pipe, abort } = renderToPipeableStream(
			<Nonce.Provider value={context.nonce}>
				<OpeningScript.Provider value={opening}>
					<PageAgent.Provider value={agent}>
						<RemixServer context={remix} url={request.url} nonce={context.nonce} />
					</PageAgent.Provider>
				</OpeningScript.Provider>
			</Nonce.Provider>,
			{
				nonce: context.nonce,
				// Else what is large and was waited for (an order of many lines) comes hidden, for a script to move into place.
				progressiveChunkSize: Number.POSITIVE_INFINITY,
				onAllReady() {
					headers.set("Content-Type", "text/html; charset=utf-8");
					// It holds a nonce and somebody's messages: no cache may keep it.
					headers.set("Cache-Control", "private, no-store");
					const body = new PassThrough();
					resolve(new Response(createReadableStreamFromReadable(body), { headers, status: code }));
					pipe(body);
				},
				onShellError: reject,
				onError(error: unknown) {
					code = 500;
					context.report(error, { path: new URL(request.url).pathname });
				},
			},
		);
		setTimeout(abort, 10_000).unref();
	});
}

/** What would end the element a script stands in, or change how it is read, is in its strings only: there, the same said otherwise. */
const insideScript = (text: string): string => text.replace(/<\/(?=script)/gi, "<\\/").replaceAll("<!--", "<\\!--");

/** Unexpected errors of loaders and actions, once each. Refusals and answers are not errors. */
export function handleError(error: unknown, { request, context }: LoaderFunctionArgs | ActionFunctionArgs) {
	if (request.signal.aborted || asRefusal(error) || error instanceof Response) return;
	const status = (error as { status?: unknown } | null)?.status;
	if (typeof status === "number" && status < 500) return;
	context.report(error, { path: new URL(request.url).pathname, request_id: context.requestId });
}
