import type { Pending } from "../live/live-state.ts";
import { useLive, useLiveState } from "../live/use-live.tsx";
import { useWords } from "../words/use-words.tsx";
import { copyText } from "./copy-text.ts";
import { Dialog } from "./dialog.tsx";
import { Note } from "./pending-note.tsx";

/** What was written for rooms I am out of: no room shows it any more, so it can be copied and dropped here. */
export function StraysDialog({ onClose, say }: { onClose(): void; say(words: string): void }) {
	const { t } = useWords();
	const rooms = useLiveState((state) => state.rooms);
	const strays = useLiveState((state) => state.pending).filter((waiting) => !rooms[waiting.roomId]);
	return (
		<Dialog title={t("strays.title")} onClose={onClose}>
			<p>{t("strays.note")}</p>
			{strays.map((pending) => (
				<Stray key={pending.clientId} pending={pending} say={say} />
			))}
		</Dialog>
	);
}

function Stray({ pending, say }: { pending: Pending; say(words: string): void }) {
	const { t, refused } = useWords();
	const live = useLive();
	const { refusal, body, clientId } = pending;
	return (
		<>
			<blockquote dir="auto">{body}</blockquote>
			<Note
				words={refusal ? refused(refusal.code, refusal.details) : t("hilo.stale")}
				way={t("message.copyText")}
				onWay={async () => say(t((await copyText(body)) ? "message.copied" : "message.notCopied"))}
				onDiscard={() => live.discard(clientId)}
			/>
		</>
	);
}
