import { type ReactNode, useState } from "react";
import { copyText } from "./copy-text.ts";
import { Logo } from "./logo.tsx";

type Language = "en" | "es";

// Of its own, since this page also stands where nothing else could be loaded.
const words = {
	en: {
		missing: "There is nothing here",
		missingNote: "The address may be old, or it leads to a room you are not in. Nothing you wrote is lost.",
		away: "Charla is catching its breath",
		awayNote: "The server cannot answer right now. What you wrote is kept in this browser. Try again in a moment.",
		offline: "No network right now",
		offlineNote: "This page could not be fetched. It comes by itself as soon as there is a connection. What you wrote is kept.",
		broken: "Something went wrong on our side",
		brokenNote: "What you wrote is kept in this browser. If it happens again, pass on this reference.",
		bareNote: "What you wrote is kept in this browser. Try again in a moment.",
		out: "You are not signed in any more",
		outNote: "What you wrote stands below. Enter again in the tab that opens, then send it from here.",
		awayKept: "The server cannot answer right now. What you wrote stands below; send it again in a moment.",
		kept: "What you wrote",
		send: "Send it again",
		enter: "Enter again",
		home: "Back to Charla",
		again: "Try again",
		reference: "Reference",
		copy: "Copy",
		copied: "Copied",
	},
	es: {
		missing: "Aquí no hay nada",
		missingNote: "La dirección puede ser antigua, o lleva a una sala en la que no estás. No se perdió nada de lo que escribiste.",
		away: "Charla está tomando aire",
		awayNote: "El servidor no puede responder ahora. Lo que escribiste se conserva en este navegador. Inténtalo en un momento.",
		offline: "Ahora no hay red",
		offlineNote: "No se pudo traer esta página. Llegará sola en cuanto haya conexión. Lo que escribiste se conserva.",
		broken: "Algo falló de nuestro lado",
		brokenNote: "Lo que escribiste se conserva en este navegador. Si vuelve a pasar, comparte esta referencia.",
		bareNote: "Lo que escribiste se conserva en este navegador. Inténtalo de nuevo en un momento.",
		out: "Tu sesión ya no está abierta",
		outNote: "Lo que escribiste está aquí abajo. Entra otra vez en la pestaña que se abre y después envíalo desde aquí.",
		awayKept: "El servidor no puede responder ahora. Lo que escribiste está aquí abajo; envíalo de nuevo en un momento.",
		kept: "Lo que escribiste",
		send: "Enviar de nuevo",
		enter: "Entrar otra vez",
		home: "Volver a Charla",
		again: "Intentar de nuevo",
		reference: "Referencia",
		copy: "Copiar",
		copied: "Copiada",
	},
} as const;

/** A form that could not be taken. */
type Kept = { to: string; fields: [string, string][] };

/** Shows what somebody wrote, and sends the whole form again as it was: under the same key, so that it is never two. */
function KeptForm({ kept, label, send }: { kept: Kept; label: string; send: string }) {
	return (
		<form method="post" action={kept.to} className="form">
			{kept.fields.map(([name, value]) =>
				["body", "name", "topic"].includes(name) && value ? (
					<textarea
						key={`${name} ${value}`}
						className="field"
						name={name}
						defaultValue={value}
						aria-label={label}
						rows={name === "body" ? 6 : 1}
						dir="auto"
					/>
				) : (
					<input key={`${name} ${value}`} type="hidden" name={name} value={value} />
				),
			)}
			<button type="submit" className="button">
				{send}
			</button>
		</form>
	);
}

/** Which of the words above a status stands for. */
function kindOf(status: number): "offline" | "out" | "missing" | "away" | "broken" {
	if (status === 0) return "offline";
	if (status === 401) return "out";
	if (status === 404 || status === 403) return "missing";
	return status === 503 || status === 429 ? "away" : "broken";
}

type Shown = {
	/** Of the answer; 0 where none came. */
	status: number;
	reference: string;
	language?: Language;
	/** Beside the rooms, which are a page of their own already. */
	isInside?: boolean;
	onAgain?(): void;
	/** What the form held that was refused here. */
	kept?: Kept | undefined;
	/** More ways to go on. */
	children?: ReactNode;
};

/** What went wrong, what was kept, what to do, and the reference support can look up. Needs no provider around it. */
export function ErrorPage({ status, reference, language = "en", isInside, kept, children, onAgain = () => location.reload() }: Shown) {
	const say = words[language];
	const [copied, setCopied] = useState(false);
	const kind = kindOf(status);
	const Page = isInside ? "div" : "main";
	function noteOf(): string {
		if (kept && kind === "away") return say.awayKept;
		return kind === "broken" && !reference ? say.bareNote : say[`${kind}Note`];
	}
	return (
		<Page className="error-page" lang={language} role={isInside ? "alert" : undefined}>
			{!isInside && <Logo size="l" />}
			<h1>{say[kind]}</h1>
			<p>{noteOf()}</p>
			{kept && <KeptForm kept={kept} label={say.kept} send={say.send} />}
			<p className="error-ways">
				{kind === "out" && (
					<a className="button button-quiet" href="/" target="_blank" rel="noopener">
						{say.enter}
					</a>
				)}
				{kind !== "out" && kind !== "offline" && (
					<a className="button" href="/">
						{say.home}
					</a>
				)}
				{children}
				{kind !== "missing" && !kept && (
					<button type="button" className="button button-quiet needs-js" onClick={onAgain}>
						{say.again}
					</button>
				)}
			</p>
			{reference && (
				<p className="error-reference">
					<span>{say.reference}</span> <code>{reference}</code>
					<button type="button" className="link-button needs-js" onClick={async () => setCopied(await copyText(reference))}>
						<span aria-live="polite">{copied ? say.copied : say.copy}</span>
					</button>
				</p>
			)}
		</Page>
	);
}
