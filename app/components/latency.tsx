import { useLiveState } from "../live/use-live.tsx";
import { useWords } from "../words/use-words.tsx";
import { latencyOf, qualityOf } from "./quality.ts";

/** How the connection is doing, below one's own name, or in the head of a room where the list is away: a dot whose shape says it too, and the round trip. Opens the details. */
export function Latency({ onOpen }: { onOpen(): void }) {
	const { t } = useWords();
	const quality = useLiveState((state) => qualityOf(state.connection));
	const latency = useLiveState((state) => latencyOf(state.connection.roundTrips));
	const isConnecting = useLiveState((state) => state.connection.state === "connecting" || state.connection.state === "online");
	const words = quality === "none" ? t("latency.none") : t("latency.label", { quality: t(`latency.${quality}`), ms: latency ?? 0 });
	return (
		// Not announced when it changes: it does so all the time. The banner says what matters.
		<button
			type="button"
			className="latency needs-js"
			data-quality={quality}
			aria-label={words}
			title={words}
			aria-haspopup="dialog"
			onClick={onOpen}
		>
			<span className="latency-dot" />
			<span className="latency-words" aria-hidden="true">
				{quality !== "none" ? t("latency.live", { ms: latency ?? 0 }) : isConnecting ? "–" : t("latency.none")}
			</span>
		</button>
	);
}
