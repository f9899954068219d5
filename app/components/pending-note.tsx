import type { Pending } from "../live/live-state.ts";
import { useLive } from "../live/use-live.tsx";
import { useWords } from "../words/use-words.tsx";
import { useSecondsUntil } from "./connection-banner.tsx";
import { Icon } from "./icons.tsx";

/** Under a message that is not on its way: why, and what can be done. Nothing while all goes well. */
export function PendingNote({ pending, onEdit }: { pending: Pending; onEdit?(pending: Pending): void }) {
	const { t, refused, full } = useWords();
	const live = useLive();
	if (pending.state === "sending" || pending.state === "stored") return null;
	if (pending.state === "queued") {
		return <p className="pending-note">{pending.retryAt === null ? t("pending.queued") : <RetryIn until={pending.retryAt} />}</p>;
	}
	const isStale = pending.state === "stale";
	// What looks like a command and is none may have been meant as it stands.
	const asText = pending.refusal?.code === "unknown-command";
	function sendAsText(): void {
		live.discard(pending.clientId);
		live.send(pending.roomId, pending.body.replace("/", "//"), pending.replyTo);
	}
	const why = isStale
		? t("pending.stale", { when: full(pending.createdAt) })
		: refused(pending.refusal?.code ?? "failed", pending.refusal?.details);
	return (
		<Note
			isFailed={!isStale}
			words={why}
			way={t(asText ? "pending.asText" : isStale ? "pending.send" : "pending.retry")}
			onWay={asText ? sendAsText : () => live.retry(pending.clientId)}
			onEdit={onEdit && (() => onEdit(pending))}
			onDiscard={() => live.discard(pending.clientId)}
		/>
	);
}

/** What became of something written, with the way on and the way out. */
export function Note(props: {
	words: string;
	way: string;
	onWay(): void;
	onDiscard(): void;
	onEdit?: (() => void) | undefined;
	isFailed?: boolean;
}) {
	const { words, way, onWay, onEdit, onDiscard, isFailed } = props;
	const { t } = useWords();
	return (
		<div className={isFailed ? "pending-note is-failed" : "pending-note"}>
			<p>
				{isFailed && <Icon name="warn" />}
				{words}
			</p>
			<p>
				<button type="button" className="button button-small" onClick={onWay}>
					{way}
				</button>
				{onEdit && (
					<button type="button" className="button button-quiet button-small" onClick={onEdit}>
						{t("message.edit")}
					</button>
				)}
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
