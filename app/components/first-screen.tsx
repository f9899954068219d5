import { Form, useNavigation } from "@remix-run/react";
import { useState } from "react";
import type { Message, Person } from "../contract/shapes.ts";
import { useWords } from "../words/use-words.tsx";
import { Avatar } from "./avatar.tsx";
import { Logo } from "./logo.tsx";
import { MessageBody } from "./message-body.tsx";
import { LanguageSwitch } from "./preference-forms.tsx";
import { type RefusalShown, Refused } from "./refused.tsx";

/** One field, one button, and the lobby alive behind them. */
export function FirstScreen(props: { glimpse: Message[]; returning: Person | null; refusal: RefusalShown | null; name: string }) {
	const { glimpse, returning, refusal, name } = props;
	const { t } = useWords();
	const isBusy = useNavigation().state !== "idle";
	const [asOther, setAsOther] = useState(false);
	const comesBack = returning !== null && !asOther && !refusal;
	return (
		<div className="first">
			<Glimpse messages={glimpse} />
			<main className="first-card">
				<p className="wordmark">
					<Logo size="l" />
					<span>{t("app.name")}</span>
				</p>
				<h1>{comesBack ? t("enter.backTitle") : t("enter.title")}</h1>
				{comesBack && (
					<Form method="post" className="first-back">
						<button type="submit" className="button button-large" name="intent" value="return" disabled={isBusy}>
							<Avatar person={returning} size="s" />
							<span>{t("enter.back", { name: returning.name })}</span>
						</button>
					</Form>
				)}
				{comesBack ? (
					<details className="first-other" onToggle={(event) => event.currentTarget.open && setAsOther(true)}>
						<summary>{t("enter.other")}</summary>
						<NameForm name={name} refusal={refusal} isBusy={isBusy} />
					</details>
				) : (
					<NameForm name={name} refusal={refusal} isBusy={isBusy} takesFocus />
				)}
				<p className="quiet">{t("enter.note")}</p>
			</main>
			<footer className="first-foot">
				<LanguageSwitch />
			</footer>
		</div>
	);
}

function NameForm(props: { name: string; refusal: RefusalShown | null; isBusy: boolean; takesFocus?: boolean }) {
	const { t } = useWords();
	const { name, refusal, isBusy, takesFocus } = props;
	return (
		<Form method="post" className="first-form">
			<label className="hidden" htmlFor="enter-name">
				{t("enter.name")}
			</label>
			<input
				id="enter-name"
				ref={(field) => {
					// On a phone it would open the keyboard over the page before anybody read it.
					if (field && takesFocus && document.activeElement === document.body && matchMedia("(hover: hover)").matches) field.focus();
				}}
				name="name"
				className="field field-large"
				defaultValue={name}
				placeholder={t("enter.name")}
				autoComplete="nickname"
				autoCapitalize="words"
				spellCheck={false}
				required
				dir="auto"
				aria-invalid={refusal ? true : undefined}
				aria-describedby={refusal ? "enter-refused" : undefined}
			/>
			<button type="submit" className="button button-large" disabled={isBusy}>
				{t("enter.go")}
			</button>
			<Refused refusal={refusal} id="enter-refused" />
			{typeof refusal?.details.suggestion === "string" && <Suggestion name={refusal.details.suggestion} />}
		</Form>
	);
}

/** A name that is free: fills the field, and where no script runs comes in with it at once, as the last field of that name counts. */
function Suggestion({ name }: { name: string }) {
	const { t } = useWords();
	return (
		<button
			type="submit"
			className="button button-quiet"
			name="name"
			value={name}
			onClick={(event) => {
				const field = event.currentTarget.form?.querySelector<HTMLInputElement>("input[name=name]");
				if (!field) return;
				event.preventDefault();
				field.value = name;
				field.focus();
			}}
		>
			<bdi>{t("enter.suggested", { name })}</bdi>
		</button>
	);
}

/** The last words of the lobby, calm and out of focus: company, not content. */
function Glimpse({ messages }: { messages: Message[] }) {
	if (messages.length === 0) return null;
	return (
		<div className="glimpse" aria-hidden="true">
			<ul>
				{messages.slice(-9).map((message) => (
					<li key={message.seq}>
						<Avatar person={message.author} />
						<div>
							<strong>
								<bdi>{message.author.name}</bdi>
							</strong>
							<MessageBody body={message.body} html={null} />
						</div>
					</li>
				))}
			</ul>
		</div>
	);
}
