import { commands } from "../contract/commands.ts";
import { useWords } from "../words/use-words.tsx";

const formats = ["bold", "italic", "code", "block", "quote", "emoji", "literal"] as const;

/** What can be typed: commands and formatting. */
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
