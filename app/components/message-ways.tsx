import { useWords } from "../words/use-words.tsx";

/** What can be done with a message where no script runs, each on a page of its own. */
export function MessageWays({ roomId, seq, isMine }: { roomId: string; seq: number; isMine: boolean }) {
	const { t } = useWords();
	const to = `/rooms/${roomId}/messages/${seq}`;
	return (
		<p className="message-ways">
			<a href={`${to}/reply`}>{t("message.reply")}</a>
			{isMine && <a href={`${to}/edit`}>{t("message.edit")}</a>}
			{isMine && <a href={`${to}/delete`}>{t("message.delete")}</a>}
		</p>
	);
}
