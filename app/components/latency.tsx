import { useLiveState } from "../live/use-live.tsx";
import { useWords } from "../words/use-words.tsx";
import { latencyOf, qualityOf } from "./quality.ts";

/** How the connection is doing, in the head of a room: a dot whose shape says it too, and the round trip. Opens the details. */
export function Latency({ onOpen }: { onOpen(): void }) {
	const { t } = useWords();
	const quality = useLiveState((state) => qualityOf(state.connection));
	const latency = useLiveState((state) => latencyOf(state.connection.roundTrips));
	const words = quality === "none" ? t("latency.none") : t("latency.label", { quality: t(`latency.${quality}`), ms: latency ?? 0 });
	return (
		// Not announced when it changes: it does so all the time. The banner says what matters.
		<button
			type="button"
			className="head-button latency needs-js"
			data-quality={quality}
			aria-label={words}
			title={words}
			aria-haspopup="dialog"
			onClick={onOpen}
		>
			<span className="latency-dot" />
			<span className="latency-ms" aria-hidden="true">
				{quality === "none" ? "–" : `${latency} ms`}
			</span>
		</button>
	);
}
