import { refusalWords } from "../contract/refusals.ts";
import type { Pending } from "../live/live-state.ts";
import { useLive } from "../live/use-live.tsx";
import { useWords } from "../words/use-words.tsx";
import { useSecondsUntil } from "./connection-banner.tsx";

/** Under a message that is not on its way: why, and what can be done. Nothing while all goes well. */
export function PendingNote({ pending }: { pending: Pending }) {
	const { t, language, full } = useWords();
	const live = useLive();
	if (pending.state === "sending" || pending.state === "stored") return null;
	if (pending.state === "queued") {
		return <p className="pending-note">{pending.retryAt === null ? t("pending.queued") : <RetryIn until={pending.retryAt} />}</p>;
	}
	const isStale = pending.state === "stale";
	const why = isStale
		? t("pending.stale", { when: full(pending.createdAt) })
		: refusalWords(pending.refusal?.code ?? "failed", language, pending.refusal?.details);
	return (
		<Note
			isFailed={!isStale}
			words={why}
			way={t(isStale ? "pending.send" : "pending.retry")}
			onWay={() => live.retry(pending.clientId)}
			onDiscard={() => live.discard(pending.clientId)}
		/>
	);
}

/** What became of something written, with the way on and the way out. */
export function Note(props: { words: string; way: string; onWay(): void; onDiscard(): void; isFailed?: boolean }) {
	const { words, way, onWay, onDiscard, isFailed } = props;
	const { t } = useWords();
	return (
		<div className={isFailed ? "pending-note is-failed" : "pending-note"}>
			<p>{words}</p>
			<p>
				<button type="button" className="button button-small" onClick={onWay}>
					{way}
				</button>
				<button type="button" className="button button-quiet button-small" onClick={onDiscard}>
					{t("pending.discard")}
				</button>
			</p>
		</div>
	);
}

function RetryIn({ until }: { until: number }) {
	const { t } = useWords();
	return <>{t("pending.retryIn", { seconds: useSecondsUntil(until) })}</>;
}
