import { Link } from "@remix-run/react";
import type { LogLine } from "../../contract/ops.ts";
import type { OpsWords } from "../../words/ops.server.ts";

/** Log lines as they were written; each leads to its trace. */
export function LogLines({ lines, w }: { lines: LogLine[]; w: OpsWords }) {
	if (lines.length === 0) return <p>{w.nothing}</p>;
	return (
		<ol className="ops-lines" aria-label={w.logs}>
			{lines.map((line) => (
				<li key={`${line.instance ?? ""} ${line.no}`} data-level={line.level}>
					<time dateTime={new Date(line.ts).toISOString()}>{new Date(line.ts).toISOString().slice(11, 23)}</time> <b>{line.level}</b>{" "}
					{line.traceId ? <Link to={`/ops/traces/${line.traceId}`}>{line.event}</Link> : <span>{line.event}</span>} <span>{line.msg}</span>{" "}
					<code>
						{Object.entries(line.fields)
							.filter(([name]) => name !== "span_id")
							.map(([name, value]) => `${name}=${value}`)
							.join(" ")}
					</code>
					{line.instance && <small> {line.instance}</small>}
				</li>
			))}
		</ol>
	);
}
