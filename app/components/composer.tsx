import { Form } from "@remix-run/react";
import { forwardRef, useEffect, useId, useImperativeHandle, useRef, useState } from "react";
import { readCommand } from "../contract/commands.ts";
import { limits } from "../contract/limits.ts";
import type { MyRoom, Quote } from "../contract/shapes.ts";
import { isBlank, lengthOf } from "../contract/text.ts";
import { unreadOf } from "../contract/unread.ts";
import { useLive, useLiveState } from "../live/use-live.tsx";
import { useWords } from "../words/use-words.tsx";
import { type Completion, completionAt, type Option } from "./completion.ts";
import type { emojiFor } from "./emoji.ts";
import { growToFit } from "./grow.ts";
import { Icon } from "./icons.tsx";
import { sends } from "./sends.ts";
import type { SplitOffer } from "./split-offer.tsx";
import { TypingLine } from "./typing-line.tsx";
import { useChoice } from "./use-choice.ts";
import { useLayout } from "./use-layout.ts";

/** From here on the composer counts: an eighth of the limit is left. */
const countFrom = 3500;

export type ComposerHandle = {
	focus(): void;
	/** Puts a text before what is being written, to be changed and sent. */
	rewrite(text: string): void;
};

type Props = {
	room: MyRoom;
	/** For the form of a page without JavaScript: makes its message the same one however often it is sent. */
	clientId: string;
	/** What a refused form held. */
	draftText: string;
	replyTo: Quote | null;
	onCancelReply(): void;
	/** ArrowUp with nothing written. False when there is nothing of mine to edit. */
	onEditLast(): boolean;
	/** A command the page answers itself: true when it is one. */
	onCommand(name: string): boolean;
};

/** Where people write. The field belongs to the browser: undo, spelling and composed input stay as it knows them. */
export const Composer = forwardRef<ComposerHandle, Props>(function Composer(props, handle) {
	const { room, clientId, draftText, replyTo, onCancelReply, onEditLast, onCommand } = props;
	const { t, n, number, refused, language } = useWords();
	const live = useLive();
	const draft = useLiveState((state) => state.drafts[room.id] ?? "");
	const isSignedOut = useRef(false);
	isSignedOut.current = useLiveState((state) => state.connection.state === "signed-out");
	const [enterSends] = useChoice("enter-sends");
	const field = useRef<HTMLTextAreaElement>(null);
	const [text, setText] = useState(draftText);
	const [completion, setCompletion] = useState<Completion | null>(null);
	const [chosen, setChosen] = useState(0);
	const [isRuled, setRuled] = useState(false);
	const isComposing = useRef(false);
	const findEmoji = useRef<typeof emojiFor | null>(null);
	const [Offer, setOffer] = useState<typeof SplitOffer | null>(null);
	const listId = useId();
	const countId = useId();
	const option = completion?.options[Math.min(chosen, completion.options.length - 1)];
	const length = text.length >= countFrom ? lengthOf(text) : 0;
	const over = length - limits.body;
	const isOver = over > 0;
	const canSend = !isOver && !isBlank(text);

	useImperativeHandle(handle, () => ({
		focus: () => field.current?.focus(),
		rewrite(body) {
			const element = field.current;
			if (!element) return;
			element.value = isBlank(element.value) ? body : `${body}\n\n${element.value}`;
			element.focus();
			element.setSelectionRange(body.length, body.length);
			changed(element);
		},
	}));

	// What was typed before the page's script ran is in the field and nowhere else yet.
	useLayout(() => {
		const element = field.current;
		if (!element || element.value === "") return;
		setText(element.value);
		live.setDraft(room.id, element.value);
		growToFit(element);
	}, []);

	// A draft kept from before, or written on in another tab: taken up unless this field is being written in.
	useLayout(() => {
		const element = field.current;
		if (!element || element.value === draft || draftText) return;
		if (document.activeElement === element && element.value !== "") return;
		// Leaving in another tab drops the drafts; what is being written here stays for whoever comes back.
		if (isSignedOut.current && draft === "") return;
		element.value = draft;
		setText(draft);
		growToFit(element);
	}, [draft, draftText]);

	// One line is a slip of paper; from two on it is ruled.
	useLayout(() => {
		const element = field.current;
		if (!element) return;
		const { lineHeight, paddingTop } = getComputedStyle(element);
		setRuled(element.scrollHeight - 2 * Number.parseFloat(paddingTop) > 1.5 * Number.parseFloat(lineHeight));
	}, [text]);

	useEffect(() => {
		// With a mouse and a keyboard people come to write; on a phone the keyboard would cover what they came to read.
		if (matchMedia("(hover: hover) and (pointer: fine)").matches && document.activeElement === document.body)
			field.current?.focus({ preventScroll: true });
	}, []);

	// Few write that much. Without a network it says what it always says.
	useEffect(() => {
		if (isOver)
			import("./split-offer.tsx").then(
				(module) => setOffer(() => module.SplitOffer),
				() => undefined,
			);
	}, [isOver]);

	function changed(element: HTMLTextAreaElement): void {
		const value = element.value;
		setText(value);
		growToFit(element);
		live.setDraft(room.id, value);
		if (!isBlank(value) && !value.startsWith("/")) live.typing(room.id);
		complete(element);
	}

	function complete(element: HTMLTextAreaElement): void {
		const { value, selectionStart: caret } = element;
		const isCaret = caret === element.selectionEnd;
		setCompletion(isCaret && !isComposing.current ? completionAt(value, caret, language, findEmoji.current) : null);
		setChosen(0);
		// The list comes with the first colon: most people never need it. Without a network there are no suggestions, that is all.
		if (findEmoji.current || !value.includes(":")) return;
		import("./emoji.ts").then(
			(list) => {
				if (findEmoji.current) return;
				findEmoji.current = list.emojiFor;
				if (document.activeElement === element) complete(element);
			},
			() => undefined,
		);
	}

	function send(): void {
		const element = field.current;
		if (!element || isBlank(element.value) || lengthOf(element.value) > limits.body) return;
		sendAll(onCommand(readCommand(element.value)?.name ?? "") ? [] : [element.value]);
	}

	/** One after another, the first as the reply. */
	function sendAll(parts: readonly string[]): void {
		const element = field.current as HTMLTextAreaElement;
		for (const [at, part] of parts.entries()) live.send(room.id, part, at === 0 ? replyTo : null);
		element.value = "";
		setText("");
		setCompletion(null);
		growToFit(element);
		live.setDraft(room.id, "");
		onCancelReply();
		element.focus();
	}

	function take({ insert }: Option): void {
		const element = field.current;
		if (!element || !completion) return;
		element.focus();
		element.setSelectionRange(completion.from, completion.to);
		insertText(element, insert);
		setCompletion(null);
	}

	function onKeyDown(event: React.KeyboardEvent<HTMLTextAreaElement>): void {
		// Safari tells of the key that ends a composition after the composition has ended: 229 is the sign left.
		if (event.nativeEvent.isComposing || event.keyCode === 229) return;
		const { key } = event;
		if (completion && option) {
			const step = key === "ArrowDown" ? 1 : key === "ArrowUp" ? -1 : 0;
			const count = completion.options.length;
			if (step !== 0) setChosen((at) => (at + step + count) % count);
			// A command written out in full is sent by Enter, not completed again.
			else if (key === "Tab" || (key === "Enter" && !event.shiftKey && text !== option.insert)) take(option);
			else if (key === "Escape") setCompletion(null);
			else if (key === "Enter" && !event.shiftKey) send();
			else return;
			event.preventDefault();
			return;
		}
		if (key === "Enter") {
			if (!sends(event, enterSends)) return;
			event.preventDefault();
			if (canSend) send();
		} else if (key === "ArrowUp" && text === "" && !event.shiftKey && !event.altKey && !event.ctrlKey && !event.metaKey) {
			if (onEditLast()) event.preventDefault();
		} else if (key === "Escape" && replyTo) {
			event.preventDefault();
			onCancelReply();
		}
	}

	return (
		<div className="composer" data-region>
			<TypingLine roomId={room.id} />
			<ReadByForm room={room} />
			<Form
				method="post"
				action={`/rooms/${room.id}`}
				className="composer-form"
				onSubmit={(event) => {
					event.preventDefault();
					send();
				}}
			>
				<input type="hidden" name="intent" value="post" />
				<input type="hidden" name="clientId" value={clientId} />
				{replyTo && <input type="hidden" name="replyTo" value={replyTo.seq} />}
				{replyTo && (
					<p className="replying">
						<Icon name="reply" />
						<span className="replying-words">
							<strong>{t("composer.replying", { name: replyTo.author.name })}</strong> <span dir="auto">{replyTo.excerpt}</span>
						</span>
						<button type="button" className="icon-button" onClick={onCancelReply} aria-label={t("composer.cancelReply")}>
							<Icon name="close" />
						</button>
					</p>
				)}
				{completion && (
					<div
						className="options completion"
						role="listbox"
						id={listId}
						aria-label={t(completion.kind === "command" ? "composer.commands" : "composer.emoji")}
					>
						{completion.options.map((each, index) => (
							<div
								key={each.id}
								id={`${listId}-${each.id}`}
								role="option"
								tabIndex={-1}
								aria-selected={each === option}
								className="option"
								onPointerMove={() => setChosen(index)}
								// The field keeps the focus. A finger that scrolls never comes up as far as the page is told.
								onMouseDown={(event) => event.preventDefault()}
								onPointerUp={() => take(each)}
							>
								<span className={completion.kind === "emoji" ? "option-emoji" : "option-sign"}>{each.sign}</span>
								<span className="quiet">{each.words}</span>
							</div>
						))}
					</div>
				)}
				<div className="paper" data-ruled={isRuled || undefined}>
					<textarea
						ref={field}
						name="body"
						className="composer-field"
						data-region-focus
						rows={1}
						dir="auto"
						required
						defaultValue={draftText}
						placeholder={t("composer.placeholder", { name: room.name })}
						aria-label={t("composer.label", { name: room.name })}
						aria-describedby={length > 0 ? countId : undefined}
						aria-invalid={isOver ? true : undefined}
						aria-controls={completion ? listId : undefined}
						aria-autocomplete="list"
						aria-activedescendant={completion && option ? `${listId}-${option.id}` : undefined}
						enterKeyHint="enter"
						onInput={(event) => changed(event.currentTarget)}
						onKeyDown={onKeyDown}
						onClick={(event) => complete(event.currentTarget)}
						onBlur={() => setCompletion(null)}
						onCompositionStart={() => {
							isComposing.current = true;
						}}
						onCompositionEnd={(event) => {
							isComposing.current = false;
							complete(event.currentTarget);
						}}
					/>
					<button
						type="submit"
						className="send"
						aria-label={t("composer.send")}
						title={t("composer.send")}
						data-ready={canSend || undefined}
						// Never disabled: where no script runs it would stay so after a refused text was shortened.
					>
						<Icon name="send" />
					</button>
				</div>
				{length > 0 && (
					<p className={isOver ? "composer-count is-over" : "composer-count"} id={countId}>
						{isOver ? n("composer.over", over) : n("composer.count", length, { limit: number(limits.body) })}
					</p>
				)}
				{isOver && Offer && <Offer text={text} onSend={sendAll} />}
				{/* Said once, to whoever goes over it: the count itself changes with every key. */}
				{isOver && text !== draftText && (
					<span className="hidden" role="alert">
						{refused("too-long", { limit: limits.body })}
					</span>
				)}
				<span className="hidden" role="status">
					{completion ? n("composer.options", completion.options.length) : ""}
				</span>
			</Form>
		</div>
	);
});

/** Without a script nobody can tell what was on the screen: people say themselves that they have read it. */
function ReadByForm({ room }: { room: MyRoom }) {
	const { n } = useWords();
	const unread = unreadOf(room);
	if (unread === 0) return null;
	return (
		<noscript>
			<form method="post" action={`/rooms/${room.id}`} className="composer-read">
				<input type="hidden" name="seq" value={room.lastSeq} />
				<button type="submit" className="link-button" name="intent" value="read">
					{n("composer.markRead", unread)}
				</button>
			</form>
		</noscript>
	);
}

/** Puts text in place of the selection so that the browser's undo knows it. */
function insertText(element: HTMLTextAreaElement, text: string): void {
	// Deprecated and without a successor: nothing else enters the undo history.
	if (document.execCommand("insertText", false, text)) return;
	element.setRangeText(text, element.selectionStart, element.selectionEnd, "end");
	element.dispatchEvent(new Event("input", { bubbles: true }));
}
