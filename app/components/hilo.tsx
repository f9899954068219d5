import type { Pending } from "../live/live-state.ts";
import { useWords } from "../words/use-words.tsx";
import { eighths, type HiloState, hiloOf, type Reach } from "./reach.ts";

/**
 * The thread beside a message of mine: fills as the message travels, and says so in words; beside the text stands the
 * state once more, short. Where it leads to, the journey, is in the menu of the message for whoever has no pointer.
 */
export function Hilo({ reach, pending }: { reach: Reach | null; pending: Pending | null }) {
	const words = useReachWords(reach, pending);
	const state = hiloOf(reach, pending?.state ?? null);
	const short = useShortWords(state, reach);
	return (
		<>
			<span
				className={`hilo hilo-${pending?.state ?? "arrived"}`}
				role="img"
				aria-label={words}
				title={words}
				data-state={state}
				data-delivered={reach ? eighths(reach.delivered, reach.total) : undefined}
				data-seen={reach ? eighths(reach.seen, reach.total) : undefined}
			>
				<span />
			</span>
			{short && <span className="hilo-words" aria-hidden="true" data-state={state} data-words={short} />}
		</>
	);
}

/** "Seen by 5". Nothing for what failed: that says more, below the text. */
function useShortWords(state: HiloState, reach: Reach | null): string {
	const { t, n } = useWords();
	if (state === "failed") return "";
	if (state === "delivered") return n("state.delivered", reach?.delivered ?? 0);
	if (state === "seen") return n("state.seen", reach?.seen ?? 0);
	return t(`state.${state}`);
}

/** "Stored · delivered 7/8 · on screen 5/8". */
export function useReachWords(reach: Reach | null, pending: Pending | null): string {
	const { t } = useWords();
	if (pending) return t(`hilo.${pending.state}`);
	if (!reach || reach.total === 0) return t("hilo.stored");
	const { delivered, seen, total } = reach;
	return [t("hilo.stored"), t("hilo.delivered", { count: delivered, total }), t("hilo.seen", { count: seen, total })].join(" · ");
}
