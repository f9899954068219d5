import { Link } from "@remix-run/react";
import type { Quote } from "../contract/shapes.ts";
import { useWords } from "../words/use-words.tsx";
import { hueOf } from "./hue.ts";
import { Icon } from "./icons.tsx";

/** The message that is being answered, on one line, as the way to it. */
export function QuoteLine({ quote, roomId, onJump }: { quote: Quote; roomId: string; onJump?: (seq: number) => boolean }) {
	const { t } = useWords();
	return (
		<Link
			className="quote"
			to={`/rooms/${roomId}?at=${quote.seq}`}
			preventScrollReset
			onClick={(event) => {
				if (!event.ctrlKey && !event.metaKey && !event.shiftKey && onJump?.(quote.seq)) event.preventDefault();
			}}
		>
			<span className="hidden">{t("message.inReply", { name: quote.author.name })}: </span>
			<Icon name="reply" />
			<bdi className={quote.author.bot ? "quote-name" : `quote-name ${hueOf(quote.author.id)}`} aria-hidden="true">
				{quote.author.name}
			</bdi>
			<span className="quote-text" dir="auto">
				{quote.excerpt ?? t("message.quoteDeleted")}
			</span>
		</Link>
	);
}
