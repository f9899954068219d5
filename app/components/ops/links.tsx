import type { OpsLinks } from "../../contract/ops.ts";
import type { OpsWords } from "../../words/ops.server.ts";

/** The same trace elsewhere, where that is configured. */
export function OpsLinksRow({ links, w }: { links: OpsLinks; w: OpsWords }) {
	const all = [
		[links.newRelicTrace, w.newRelic],
		[links.newRelicLogs, w.newRelicLogs],
		[links.cloudWatchLogs, w.cloudWatch],
	] as const;
	return all.map(
		([href, text]) =>
			href && (
				<a key={text} href={href} rel="noreferrer noopener" target="_blank">
					{text} ↗{" "}
				</a>
			),
	);
}
