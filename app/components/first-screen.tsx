import { Form, useNavigation } from "@remix-run/react";
import { useEffect, useState } from "react";
import { limits } from "../contract/limits.ts";
import type { Message, Person } from "../contract/shapes.ts";
import { useWords } from "../words/use-words.tsx";
import { Avatar } from "./avatar.tsx";
import { hueOf, initialsOf } from "./hue.ts";
import { Icon } from "./icons.tsx";
import { EmptyArt, Logo } from "./logo.tsx";
import { MessageBody } from "./message-body.tsx";
import { LanguageSwitch } from "./preference-forms.tsx";
import { type RefusalShown, Refused } from "./refused.tsx";

/** The lobby itself, to look at; where its composer will be, the question for a name, as if that were one's first message. */
export function FirstScreen(props: { glimpse: Message[]; returning: Person | null; refusal: RefusalShown | null; name: string }) {
	const { glimpse, returning, refusal, name } = props;
	const { t } = useWords();
	const isBusy = useNavigation().state !== "idle";
	const [asOther, setAsOther] = useState(false);
	const [typed, setTyped] = useState(name);
	const comesBack = returning !== null && !asOther && !refusal;
	return (
		<div className="first">
			<header className="first-head">
				<p className="wordmark">
					<Logo size="l" />
					<span>{t("app.name")}</span>
				</p>
				{/* The other language comes with another page: what was typed goes along. */}
				<div onSubmit={keepName}>
					<LanguageSwitch />
				</div>
			</header>
			<div className="lobby">
				<Glimpse messages={glimpse} />
				<main className="ask">
					<div className="ask-sheet">
						{comesBack ? <Avatar person={returning} /> : <You name={typed} />}
						<span className="hilo" data-state="sending" aria-hidden="true">
							<span />
						</span>
						<div className="ask-main">
							<h1>{comesBack ? t("enter.backTitle") : t("enter.title")}</h1>
							{comesBack && (
								<Form method="post" className="first-back">
									<button type="submit" className="button button-large" name="intent" value="return" disabled={isBusy}>
										{t("enter.back", { name: returning.name })}
									</button>
								</Form>
							)}
							{comesBack ? (
								<details className="first-other" onToggle={(event) => event.currentTarget.open && setAsOther(true)}>
									<summary>{t("enter.other")}</summary>
									<NameForm name={name} refusal={refusal} isBusy={isBusy} onName={setTyped} />
								</details>
							) : (
								<NameForm name={name} refusal={refusal} isBusy={isBusy} onName={setTyped} takesFocus />
							)}
							<p className="quiet">{t("enter.note")}</p>
						</div>
					</div>
				</main>
			</div>
		</div>
	);
}

/** Nobody yet; with the first letters somebody. */
function You({ name }: { name: string }) {
	const initials = initialsOf(name);
	return (
		<span className={initials ? `you is-named ${hueOf(name.trim())}` : "you"} aria-hidden="true">
			{initials || <Icon name="mark" />}
		</span>
	);
}

function NameForm(props: {
	name: string;
	refusal: RefusalShown | null;
	isBusy: boolean;
	onName(name: string): void;
	takesFocus?: boolean;
}) {
	const { t } = useWords();
	const { name, refusal, isBusy, onName, takesFocus } = props;
	// biome-ignore lint/correctness/useExhaustiveDependencies: once, when the page has come.
	useEffect(() => onName(takeName()), []);
	return (
		<Form method="post" className="first-form">
			<label className="hidden" htmlFor="enter-name">
				{t("enter.name")}
			</label>
			<div className="first-row">
				<input
					id="enter-name"
					ref={(field) => {
						if (!field) return;
						// What was typed before the page's script came, or what the browser kept.
						if (field.value) onName(field.value);
						// On a phone it would open the keyboard over the page before anybody read it.
						if (takesFocus && document.activeElement === document.body && matchMedia("(hover: hover)").matches) field.focus();
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
					onInput={(event) => onName(event.currentTarget.value)}
				/>
				<button type="submit" className="button button-large" disabled={isBusy}>
					{t("enter.go")}
				</button>
			</div>
			<Refused refusal={refusal} id="enter-refused" />
			{typeof refusal?.details.suggestion === "string" && <Suggestion name={refusal.details.suggestion} />}
		</Form>
	);
}

const keptName = "charla:name";

function keepName(): void {
	const field = document.getElementById("enter-name");
	try {
		if (field instanceof HTMLInputElement) sessionStorage.setItem(keptName, field.value);
	} catch {
		// Forbidden here: then it is typed again.
	}
}

/** What was typed before the page came in the other language, put back; else what the field holds. */
function takeName(): string {
	const field = document.getElementById("enter-name");
	try {
		const kept = sessionStorage.getItem(keptName);
		sessionStorage.removeItem(keptName);
		if (kept && field instanceof HTMLInputElement && field.value === "") field.value = kept;
	} catch {
		// Forbidden, so nothing was kept.
	}
	return field instanceof HTMLInputElement ? field.value : "";
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

/** The last words of the lobby, as they stand there; to be read, not to be used. */
function Glimpse({ messages }: { messages: Message[] }) {
	const { t, n, time } = useWords();
	const shown = messages.slice(-8);
	const people = [...new Map(shown.map(({ author }) => [author.id, author])).values()].filter((person) => !person.bot);
	return (
		<>
			<div className="lobby-head" aria-hidden="true">
				<strong>
					<bdi>{t("enter.lobby")}</bdi>
				</strong>
				{people.length > 0 && (
					<>
						<span className="voices">{n("enter.voices", people.length)}</span>
						<span className="stack">
							{people.slice(-4).map((person) => (
								<Avatar key={person.id} person={person} size="s" />
							))}
						</span>
					</>
				)}
			</div>
			{shown.length === 0 ? (
				<div className="lobby-empty">
					<EmptyArt />
					<strong>{t("enter.empty")}</strong>
					<p>{t("enter.emptyNote")}</p>
				</div>
			) : (
				<div className="glimpse" aria-hidden="true" {...inert}>
					{shown.map((message, index) => {
						const { author, createdAt, seq } = message;
						const before = shown[index - 1];
						const isFirst = !before || before.author.id !== author.id || createdAt - before.createdAt > limits.group;
						return (
							<div key={seq} className={isFirst ? "line is-first" : "line"}>
								{isFirst && (
									<>
										<span className="line-side">
											<Avatar person={author} />
										</span>
										<p className="line-head">
											<strong className={author.bot ? "name" : `name ${hueOf(author.id)}`}>
												<bdi>{author.name}</bdi>
											</strong>
											<time className="moment" dateTime={new Date(createdAt).toISOString()} suppressHydrationWarning>
												{time(createdAt)}
											</time>
										</p>
									</>
								)}
								<div className="line-main">
									<MessageBody body={message.body} html={message.html} />
								</div>
							</div>
						);
					})}
				</div>
			)}
		</>
	);
}

// Links in it cannot be reached: React does not know the attribute by its name yet.
const inert = { inert: "" };
