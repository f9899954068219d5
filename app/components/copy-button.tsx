import { useEffect, useState } from "react";
import { useWords } from "../words/use-words.tsx";
import { copyText } from "./copy-text.ts";

/** Copies a text and says whether that worked, where people look and to who listens. */
export function CopyButton({ words, text }: { words: string; text(): string }) {
	const { t } = useWords();
	const [done, setDone] = useState<"message.copied" | "message.notCopied" | null>(null);
	useEffect(() => {
		if (!done) return;
		const timer = setTimeout(() => setDone(null), 3000);
		return () => clearTimeout(timer);
	}, [done]);
	return (
		<button
			type="button"
			className="button button-quiet button-small"
			onClick={async () => setDone((await copyText(text())) ? "message.copied" : "message.notCopied")}
		>
			<span aria-live="polite">{done ? t(done) : words}</span>
		</button>
	);
}
