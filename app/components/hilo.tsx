import type { Pending } from "../live/live-state.ts";
import { useWords } from "../words/use-words.tsx";
import { fillOf, type Reach } from "./reach.ts";

/** The thread beside a message of mine: fills as the message travels, and says so in words. */
export function Hilo({ reach, pending }: { reach: Reach | null; pending: Pending | null }) {
	const { t } = useWords();
	const state = pending?.state ?? "arrived";
	const words = useReachWords(reach, pending);
	const fill = pending ? { queued: 0, sending: 1, stored: 3, failed: 0, stale: 0 }[pending.state] : reach ? fillOf(reach) : 3;
	return (
		<span className={`hilo hilo-${state} fill-${fill}`} role="img" aria-label={words} title={words || t("hilo.stored")}>
			<span />
		</span>
	);
}

/** "Stored · delivered 7/8 · on screen 5/8". */
export function useReachWords(reach: Reach | null, pending: Pending | null): string {
	const { t } = useWords();
	if (pending) return t(`hilo.${pending.state}`);
	if (!reach || reach.total === 0) return t("hilo.stored");
	const { delivered, seen, total } = reach;
	return [t("hilo.stored"), t("hilo.delivered", { count: delivered, total }), t("hilo.seen", { count: seen, total })].join(" · ");
}
