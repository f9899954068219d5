import { useEffect, useId, useRef, useState } from "react";
import { limits } from "../contract/limits.ts";
import { isBlank, lengthOf } from "../contract/text.ts";
import { useLive } from "../live/use-live.tsx";
import { useWords } from "../words/use-words.tsx";
import { growToFit } from "./grow.ts";
import { type RefusalShown, Refused } from "./refused.tsx";
import { sends } from "./sends.ts";
import { useChoice } from "./use-choice.ts";

/** Changing a message where it stands. Enter saves, Escape gives up; a refusal keeps the text, and so does leaving the page. */
export function MessageEditor(props: {
	body: string;
	/** The name its unsaved text is kept by. */
	draft: string;
	onSave(body: string): Promise<RefusalShown | null>;
	onDone(): void;
}) {
	const { body, draft, onSave } = props;
	const { t, n } = useWords();
	const live = useLive();
	const field = useRef<HTMLTextAreaElement>(null);
	const [refusal, setRefusal] = useState<RefusalShown | null>(null);
	const [isSaving, setSaving] = useState(false);
	const [begun] = useState(() => live.getState().drafts[draft] ?? body);
	const [text, setText] = useState(begun);
	const [enterSends] = useChoice("enter-sends");
	const hintId = useId();
	const over = lengthOf(text) - limits.body;
	const canSave = !isSaving && over <= 0 && !isBlank(text);
	useEffect(() => {
		const element = field.current;
		if (!element) return;
		growToFit(element);
		element.focus({ preventScroll: true });
		element.setSelectionRange(element.value.length, element.value.length);
		element.scrollIntoView({ block: "nearest" });
	}, []);

	function onDone(): void {
		live.setDraft(draft, "");
		props.onDone();
	}

	async function save(): Promise<void> {
		if (!canSave) return;
		if (text === body) return onDone();
		setSaving(true);
		const outcome = await onSave(text);
		setSaving(false);
		if (outcome) setRefusal(outcome);
		else onDone();
	}

	return (
		<form
			className="editor"
			onSubmit={(event) => {
				event.preventDefault();
				void save();
			}}
		>
			<textarea
				ref={field}
				className="field editor-field"
				defaultValue={begun}
				dir="auto"
				rows={1}
				aria-label={t("message.editLabel")}
				aria-describedby={hintId}
				aria-invalid={refusal || over > 0 ? true : undefined}
				onInput={(event) => {
					const { value } = event.currentTarget;
					setText(value);
					live.setDraft(draft, value === body ? "" : value);
					growToFit(event.currentTarget);
				}}
				onKeyDown={(event) => {
					event.stopPropagation();
					if (event.nativeEvent.isComposing || event.keyCode === 229) return;
					if (event.key === "Escape") {
						event.preventDefault();
						onDone();
					} else if (event.key === "Enter" && sends(event, enterSends)) {
						event.preventDefault();
						void save();
					}
				}}
			/>
			<p className="editor-foot">
				<button type="submit" className="button button-small" disabled={!canSave}>
					{t("message.editSave")}
				</button>
				<button type="button" className="button button-quiet button-small" onClick={onDone}>
					{t("message.editCancel")}
				</button>
				<span className="quiet" id={hintId}>
					{over > 0 ? n("composer.over", over) : t(enterSends ? "message.editHint" : "message.editHintBreak")}
				</span>
			</p>
			<Refused refusal={refusal} />
		</form>
	);
}
