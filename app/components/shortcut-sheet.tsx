import type { WordKey } from "../words/en.ts";
import { useWords } from "../words/use-words.tsx";
import { Dialog } from "./dialog.tsx";
import { useChoice } from "./use-choice.ts";

type Line = { keys: string[]; words: WordKey };

const everywhere: Line[] = [
	{ keys: ["Ctrl K"], words: "keys.switcher" },
	{ keys: ["Alt ↑", "Alt ↓"], words: "keys.rooms" },
	{ keys: ["Alt ⇧ ↑", "Alt ⇧ ↓"], words: "keys.unread" },
	{ keys: ["F6"], words: "keys.regions" },
	{ keys: ["?"], words: "keys.sheet" },
];
const messages: Line[] = [
	{ keys: ["↑", "↓"], words: "keys.move" },
	{ keys: ["↵"], words: "keys.actions" },
	{ keys: ["R"], words: "keys.reply" },
	{ keys: ["E"], words: "keys.edit" },
];

/** A Mac's keys by their own signs. Only ever drawn in a browser. */
const asHere = (key: string) => (/Mac|iP(hone|ad)/.test(navigator.platform) ? key.replace("Ctrl", "\u2318").replace("Alt", "\u2325") : key);

/** `?`: what the keyboard can do, and the choices about it. */
export function ShortcutSheet({ onClose }: { onClose(): void }) {
	const { t } = useWords();
	const [enterSends, setEnterSends] = useChoice("enter-sends");
	const [singleKeys, setSingleKeys] = useChoice("single-keys");
	const writing: Line[] = [
		{ keys: [enterSends ? "↵" : "Ctrl ↵"], words: "keys.send" },
		{ keys: [enterSends ? "⇧ ↵" : "↵"], words: "keys.break" },
		{ keys: ["↑"], words: "keys.editLast" },
		{ keys: ["Esc"], words: "keys.escape" },
	];
	return (
		<Dialog title={t("keys.title")} onClose={onClose} className="sheet">
			<KeyLines title={t("keys.everywhere")} lines={everywhere} />
			<KeyLines title={t("keys.messages")} lines={messages} />
			<KeyLines title={t("keys.writing")} lines={writing} />
			<label className="choice">
				<input type="checkbox" checked={enterSends} onChange={(event) => setEnterSends(event.target.checked)} />
				<span>
					{t("keys.enterSends")} <span className="quiet">{t("keys.enterSendsNote")}</span>
				</span>
			</label>
			<label className="choice">
				<input type="checkbox" checked={singleKeys} onChange={(event) => setSingleKeys(event.target.checked)} />
				<span>{t("keys.single")}</span>
			</label>
		</Dialog>
	);
}

function KeyLines({ title, lines }: { title: string; lines: Line[] }) {
	const { t } = useWords();
	return (
		<section className="keys">
			<h3>{title}</h3>
			<dl>
				{lines.map((line) => (
					<div key={line.words}>
						<dt>
							{line.keys.map((key) => (
								<kbd key={key}>{asHere(key)}</kbd>
							))}
						</dt>
						<dd>{t(line.words)}</dd>
					</div>
				))}
			</dl>
		</section>
	);
}
