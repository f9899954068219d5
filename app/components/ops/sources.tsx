import type { TraceSources } from "../../contract/ops.ts";
import type { OpsWords } from "../../words/ops.server.ts";

/** Which instances what is shown comes from, and which did not answer: what those saw is missing. */
export function Sources({ sources, w }: { sources: TraceSources; w: OpsWords }) {
	const { from, silent } = sources;
	return (
		<>
			{from.length > 1 && <p>{w.keptBy.replace("{instances}", from.join(", "))}</p>}
			{silent.length > 0 && <p role="status">{w.silent.replace("{instances}", silent.join(", "))}</p>}
		</>
	);
}
