import type { LoaderFunctionArgs } from "@remix-run/node";
import { Form, useLoaderData } from "@remix-run/react";
import { LogLines } from "../components/ops/log-lines.tsx";
import type { LogLine } from "../contract/ops.ts";
import { opsWords, running } from "./operators.server.ts";

const levels = ["error", "warn", "info", "debug"] as const satisfies readonly LogLine["level"][];

export async function loader({ request, context }: LoaderFunctionArgs) {
	const asked = new URL(request.url).searchParams;
	const level = levels.find((each) => each === asked.get("level")) ?? "debug";
	const given = (name: string) => (asked.get(name) ?? "").trim().slice(0, 100);
	const [event, traceId, text] = [given("event"), given("trace").toLowerCase(), given("text")];
	const filter = { level, ...(event ? { event } : {}), ...(traceId ? { traceId } : {}), ...(text ? { text } : {}), limit: 200 };
	return { lines: (await running(context)).logs(filter).reverse(), level, event, traceId, text, w: opsWords(request) };
}

export default function OpsLogsPage() {
	const { lines, level, event, traceId, text, w } = useLoaderData<typeof loader>();
	return (
		<>
			<Form method="get" className="ops-filter" key={[level, event, traceId, text].join()}>
				<label>
					{w.level}{" "}
					<select name="level" defaultValue={level}>
						{levels.map((each) => (
							<option key={each}>{each}</option>
						))}
					</select>
				</label>
				<label>
					{w.event} <input name="event" defaultValue={event} />
				</label>
				<label>
					{w.trace} <input name="trace" defaultValue={traceId} />
				</label>
				<label>
					{w.text} <input name="text" defaultValue={text} />
				</label>
				<button type="submit" className="button button-small">
					{w.filter}
				</button>
			</Form>
			<LogLines lines={lines} w={w} />
		</>
	);
}
