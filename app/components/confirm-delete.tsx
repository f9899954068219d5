import { useState } from "react";
import { excerpt } from "../contract/text.ts";
import { useWords } from "../words/use-words.tsx";
import { Dialog } from "./dialog.tsx";
import { type RefusalShown, Refused } from "./refused.tsx";

/** Asks before a message disappears for everybody. */
export function ConfirmDelete(props: {
	excerpt: string;
	onClose(): void;
	onDelete(): Promise<RefusalShown | null>;
	returnTo(): HTMLElement | null;
}) {
	const { onClose, onDelete, returnTo } = props;
	const { t } = useWords();
	const [refusal, setRefusal] = useState<RefusalShown | null>(null);
	const [isBusy, setBusy] = useState(false);
	async function remove(): Promise<void> {
		setBusy(true);
		const outcome = await onDelete();
		setBusy(false);
		if (outcome) setRefusal(outcome);
		else onClose();
	}
	return (
		<Dialog title={t("message.deleteTitle")} onClose={onClose} returnTo={returnTo} className="confirm">
			<blockquote dir="auto">{excerpt(props.excerpt, 200)}</blockquote>
			<p>{t("message.deleteNote")}</p>
			<Refused refusal={refusal} />
			<p className="dialog-ways">
				<button type="button" className="button button-quiet" data-first onClick={onClose}>
					{t("message.deleteKeep")}
				</button>
				<button type="button" className="button button-grave" disabled={isBusy} onClick={() => void remove()}>
					{t("message.deleteGo")}
				</button>
			</p>
		</Dialog>
	);
}
