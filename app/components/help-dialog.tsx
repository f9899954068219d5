import { commands } from "../contract/commands.ts";
import { useWords } from "../words/use-words.tsx";
import { Dialog } from "./dialog.tsx";

const formats = ["bold", "italic", "code", "block", "quote", "emoji", "literal"] as const;

/** What can be typed: commands and formatting. */
export function HelpDialog({ onClose }: { onClose(): void }) {
	const { t } = useWords();
	return (
		<Dialog title={t("help.title")} onClose={onClose} className="sheet">
			<HelpWords />
		</Dialog>
	);
}

/** The same as plain content, for the panel of a page without JavaScript. */
export function HelpWords() {
	const { t, language } = useWords();
	return (
		<>
			<section className="keys">
				<h3>{t("help.commands")}</h3>
				<dl>
					{commands.map((command) => (
						<div key={command.name}>
							<dt>
								<code>{command.usage}</code>
							</dt>
							<dd>{command.words[language]}</dd>
						</div>
					))}
				</dl>
			</section>
			<section className="keys">
				<h3>{t("help.format")}</h3>
				<dl>
					{formats.map((format) => (
						<div key={format}>
							<dt>
								<code>{t(`help.${format}`)}</code>
							</dt>
							<dd>{t(`help.${format}Words`)}</dd>
						</div>
					))}
				</dl>
			</section>
		</>
	);
}
