import { useMemo } from "react";
import { readCommand } from "../contract/commands.ts";
import { limits } from "../contract/limits.ts";
import { useWords } from "../words/use-words.tsx";
import { splitText } from "./split-text.ts";

/** As many go out without waiting for one another: what one person may send at once. More of it is a file. */
const most = 10;

/** Offers to send what is too long as several messages, and says how many beforehand. A command is none to be cut. */
export function SplitOffer({ text, onSend }: { text: string; onSend(parts: readonly string[]): void }) {
	const { t } = useWords();
	const parts = useMemo(() => splitText(text, limits.body, most), [text]);
	if (parts ? parts.length === 0 : readCommand(text)) return null;
	return (
		<p className="composer-count">
			{parts ? (
				<button type="button" className="button button-small button-quiet" onClick={() => onSend(parts)}>
					{/* Too long by the space at its end alone, it is one. */}
					{parts.length === 1 ? t("composer.send") : t("composer.split", { count: parts.length })}
				</button>
			) : (
				t("composer.splitTooLong", { most })
			)}
		</p>
	);
}
