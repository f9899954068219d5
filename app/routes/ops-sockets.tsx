import type { LoaderFunctionArgs } from "@remix-run/node";
import { Link, useLoaderData } from "@remix-run/react";
import { Table } from "../components/ops/table.tsx";
import { useWords } from "../words/use-words.tsx";
import { opsWords, running } from "./operators.server.ts";

/** Rows shown: a page nobody reads to its end; the number says how many there are. */
const rowsShown = 500;

export async function loader({ request, context }: LoaderFunctionArgs) {
	const sockets = (await running(context)).sockets();
	return { sockets: sockets.slice(0, rowsShown), count: sockets.length, w: opsWords(request) };
}

export default function OpsSocketsPage() {
	const { sockets, count, w } = useLoaderData<typeof loader>();
	const { time, full } = useWords();
	return (
		<>
			<h2>
				{w.openSockets}: {count}
			</h2>
			<Table name={w.sockets} heads={[w.person, w.transport, w.since, w.rooms, w.calls, w.backlog]}>
				{sockets.map((socket) => (
					<tr key={socket.connId}>
						<td>
							<Link to={`/ops/logs?text=${socket.userId}`}>{socket.name}</Link>
						</td>
						<td>{socket.transport}</td>
						<td title={full(socket.connectedAt)}>{time(socket.connectedAt)}</td>
						<td>{socket.rooms}</td>
						<td>{socket.eventsIn}</td>
						<td>{socket.backlogBytes}</td>
					</tr>
				))}
			</Table>
		</>
	);
}
