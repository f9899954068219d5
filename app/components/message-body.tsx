import { memo, useEffect, useMemo, useRef } from "react";
import { emojiOnly } from "../contract/text.ts";
import { useWords } from "../words/use-words.tsx";
import { trustedHtml } from "./trusted-html.ts";

/** What somebody wrote: the server's sanitised HTML, or the plain text with its own line breaks. */
export const MessageBody = memo(function MessageBody({ body, html }: { body: string; html: string | null }) {
	if (html !== null) return <MarkedUp html={html} />;
	const big = emojiOnly(body);
	return (
		<div className={big ? `body plain big-${big}` : "body plain"} dir="auto">
			{body}
		</div>
	);
});

function MarkedUp({ html }: { html: string }) {
	const { t } = useWords();
	const element = useRef<HTMLDivElement>(null);
	// One object per text: React sets innerHTML again whenever it gets another one.
	const inside = useMemo(() => ({ __html: trustedHtml(html) }), [html]);
	useEffect(() => {
		if (!html.includes("<pre")) return;
		// The listing comes as HTML, so its button is made by hand; the timeline listens for its click.
		for (const listing of element.current?.querySelectorAll("pre") ?? []) {
			if (listing.parentElement?.classList.contains("listing")) continue;
			const frame = document.createElement("div");
			frame.className = "listing";
			const button = document.createElement("button");
			button.type = "button";
			button.className = "copy-code";
			button.dataset.copyCode = "";
			button.setAttribute("aria-label", t("message.copyCodeLabel"));
			button.textContent = t("message.copyCode");
			listing.replaceWith(frame);
			frame.append(listing, button);
		}
	}, [t, html]);
	return <div ref={element} className="body" dir="auto" dangerouslySetInnerHTML={inside} />;
}
