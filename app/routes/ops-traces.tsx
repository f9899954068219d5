import type { LoaderFunctionArgs } from "@remix-run/node";
import { Form, Link, useLoaderData } from "@remix-run/react";
import { Table } from "../components/ops/table.tsx";
import { useWords } from "../words/use-words.tsx";
import { opsWords, running } from "./operators.server.ts";

export async function loader({ request, context }: LoaderFunctionArgs) {
	const asked = new URL(request.url).searchParams;
	const name = (asked.get("name") ?? "").slice(0, 100);
	const least = Math.max(0, Number(asked.get("least") ?? 0) || 0);
	const errorsOnly = asked.has("errors");
	const slowestFirst = asked.has("slowest");
	const rows = (await running(context)).traces({ ...(name ? { name } : {}), minDuration: least, errorsOnly, slowestFirst, limit: 100 });
	return { rows, name, least, errorsOnly, slowestFirst, w: opsWords(request) };
}

export default function OpsTracesPage() {
	const { rows, name, least, errorsOnly, slowestFirst, w } = useLoaderData<typeof loader>();
	const { time, full } = useWords();
	return (
		<>
			{/* What is asked most, in one click. */}
			<nav className="ops-quick" aria-label={w.filter}>
				<Link to="/ops/traces">{w.everything}</Link>
				<Link to="/ops/traces?name=chat%2Fmessage.send">{w.ofMessages}</Link>
				<Link to="/ops/traces?name=documentLoad&slowest=on">{w.ofPages}</Link>
				<Link to="/ops/traces?errors=on">{w.withErrors}</Link>
				<Link to="/ops/traces?slowest=on">{w.slowest}</Link>
			</nav>
			<Form method="get" className="ops-filter" key={[name, least, errorsOnly, slowestFirst].join()}>
				<label>
					{w.name} <input name="name" defaultValue={name} />
				</label>
				<label>
					{w.minDuration} <input name="least" type="number" min="0" defaultValue={least} />
				</label>
				<label>
					<input name="errors" type="checkbox" defaultChecked={errorsOnly} /> {w.errorsOnly}
				</label>
				<label>
					<input name="slowest" type="checkbox" defaultChecked={slowestFirst} /> {w.slowest}
				</label>
				<button type="submit" className="button button-small">
					{w.filter}
				</button>
			</Form>
			{rows.length === 0 ? (
				<p>{w.nothing}</p>
			) : (
				<Table name={w.traces} heads={[w.name, w.started, w.took, w.spans, w.errors]}>
					{rows.map((row) => (
						<tr key={row.traceId} className={row.errors > 0 ? "ops-bad" : undefined}>
							<td>
								<Link to={row.messageId ? `/ops/messages/${row.messageId}` : `/ops/traces/${row.traceId}`}>{row.name}</Link>
							</td>
							<td title={full(row.start)}>{time(row.start)}</td>
							<td>{row.duration.toFixed(1)} ms</td>
							<td>{row.spans}</td>
							<td>{row.errors}</td>
						</tr>
					))}
				</Table>
			)}
		</>
	);
}
