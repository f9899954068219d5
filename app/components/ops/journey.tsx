import type { Journey as Shown } from "../../contract/ops.ts";
import type { OpsWords } from "../../words/ops.server.ts";
import { OpsLinksRow } from "./links.tsx";
import { LogLines } from "./log-lines.tsx";
import { Sources } from "./sources.tsx";
import { Waterfall } from "./waterfall.tsx";

/** One message's way: its hops with what each took, whom it reached, the trace and the log lines. */
export function Journey({ journey, w }: { journey: Shown; w: OpsWords }) {
	const { hops } = journey;
	return (
		<>
			<h2>{w.journey}</h2>
			<p>
				<code>{journey.messageId}</code> <OpsLinksRow links={journey.links} w={w} />
			</p>
			{journey.members > 0 && (
				<p>
					{w.reached
						.replace("{delivered}", String(journey.delivered))
						.replace("{members}", String(journey.members))
						.replace("{displayed}", String(journey.displayed))}
				</p>
			)}
			{hops.length === 0 ? (
				<p>{w.notFound}</p>
			) : (
				<ol className="ops-hops">
					{hops.map((hop, i) => (
						<li key={hop.stage}>
							<b>{w[hop.stage]}</b>
							<span>{i === 0 ? new Date(hop.at).toISOString().slice(11, 23) : `+${hop.took.toFixed(1)} ms`}</span>
							<small>{hop.instance}</small>
						</li>
					))}
				</ol>
			)}
			<p>
				<small>{w.unknownHops}</small>
			</p>
			<Sources sources={journey.sources} w={w} />
			<Waterfall spans={journey.spans} w={w} />
			<LogLines lines={journey.logs} w={w} />
		</>
	);
}
