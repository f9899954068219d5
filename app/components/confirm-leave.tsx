import { useWords } from "../words/use-words.tsx";
import { Dialog } from "./dialog.tsx";

/** Leaving drops what waits in this browser: asked first, with how much that is. */
export function ConfirmLeave({ unsent, onClose, onLeave }: { unsent: number; onClose(): void; onLeave(): void }) {
	const { t, n } = useWords();
	return (
		<Dialog title={t("leave.title")} onClose={onClose} className="confirm">
			<p>{n("leave.unsent", unsent)}</p>
			<p className="dialog-ways">
				<button type="button" className="button button-quiet" data-first onClick={onClose}>
					{t("leave.stay")}
				</button>
				<button type="button" className="button button-grave" onClick={onLeave}>
					{t("leave.go")}
				</button>
			</p>
		</Dialog>
	);
}
