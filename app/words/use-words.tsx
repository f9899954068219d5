import { createContext, type ReactNode, useContext, useEffect, useMemo, useState } from "react";
import type { RefusalDetails } from "../contract/refusals.ts";
import type { WordKey, Words } from "./en.ts";
import { refusalWords } from "./refusal-words.ts";
import { readWords } from "./word-text.ts";

type Vars = Record<string, string | number>;
/** Keys that count: "x" for "x.one" and "x.other". */
export type CountKey = { [K in WordKey]: K extends `${infer B}.one` ? (`${B}.other` extends WordKey ? B : never) : never }[WordKey];

export type Speech = {
	language: "en" | "es";
	/** The time zone dates are shown in: the browser's own as soon as it is known. */
	timeZone: string;
	t(key: WordKey, vars?: Vars): string;
	/** The words for a number of things; `{count}` in them is the number as the language writes it. */
	n(key: CountKey, count: number, vars?: Vars): string;
	/** Why something was refused. */
	refused(code: string, details?: RefusalDetails): string;
	/** Hour and minute, as the reader's region writes them. `ms` is since 1970, as everywhere. */
	time(ms: number): string;
	/** Hour to millisecond: where hops are compared. */
	precise(ms: number): string;
	/** Date and time in full, for a title. */
	full(ms: number): string;
	/** A number as the language writes it. */
	number(value: number): string;
	/** When something was changed: the time, and the date unless it was today. */
	edited(ms: number, now: number): string;
	/** The date, today and yesterday by those words too; the year only when it is another. */
	day(ms: number, now: number): string;
	/** A day's name for comparing: yyyy-mm-dd in the reader's zone. */
	dayKey(ms: number): string;
};

const SpeechContext = createContext<Speech | null>(null);

/** Hands words, dates and plurals in the reader's language to everything below. `words` as `writeWords` wrote them. */
export function WordsProvider(props: { language: "en" | "es"; words: string; timeZone?: string | null; children: ReactNode }) {
	const { language, words, timeZone, children } = props;
	// What the server could not know, taken up after hydration so that both rendered the same.
	const [own, setOwn] = useState<{ zone: string; locale: string } | null>(null);
	useEffect(() => {
		const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
		const locale = navigator.languages.find((tag) => tag.split("-")[0] === language) ?? language;
		setOwn({ zone, locale });
		if (zone !== timeZone) {
			const secure = location.protocol === "https:" ? "; Secure" : "";
			document.cookie = `tz=${encodeURIComponent(zone)}; Path=/; SameSite=Lax; Max-Age=31536000${secure}`;
		}
	}, [language, timeZone]);
	const zone = own?.zone ?? timeZone ?? "UTC";
	const locale = own?.locale ?? language;
	const speech = useMemo(() => openSpeech(language, readWords(words), locale, zone), [language, words, locale, zone]);
	return <SpeechContext.Provider value={speech}>{children}</SpeechContext.Provider>;
}

/** Words, dates and plurals of the reader. Throws outside a WordsProvider. */
export function useWords(): Speech {
	const speech = useContext(SpeechContext);
	if (!speech) throw new Error("useWords needs a WordsProvider above it");
	return speech;
}

function fill(text: string, vars: Vars): string {
	return text.replace(/\{(\w+)\}/g, (whole, key: string) => (key in vars ? String(vars[key]) : whole));
}

function openSpeech(language: "en" | "es", words: Words, locale: string, timeZone: string): Speech {
	const plural = new Intl.PluralRules(language);
	const number = new Intl.NumberFormat(locale);
	// Spanish is read by the 24-hour clock everywhere, also where a browser would choose otherwise.
	const clock = language === "es" ? ({ hourCycle: "h23" } as const) : {};
	const time = new Intl.DateTimeFormat(locale, { hour: "numeric", minute: "2-digit", timeZone, ...clock });
	const precise = new Intl.DateTimeFormat(locale, {
		hour: "numeric",
		minute: "2-digit",
		second: "2-digit",
		fractionalSecondDigits: 3,
		timeZone,
		...clock,
	});
	const full = new Intl.DateTimeFormat(locale, { dateStyle: "full", timeStyle: "short", timeZone, ...clock });
	const sameYear = new Intl.DateTimeFormat(locale, { weekday: "long", day: "numeric", month: "long", timeZone });
	const anyYear = new Intl.DateTimeFormat(locale, { dateStyle: "long", timeZone });
	const parts = new Intl.DateTimeFormat("en-CA", { year: "numeric", month: "2-digit", day: "2-digit", timeZone });
	const dayKey = (ms: number) => parts.format(ms);
	const say = (key: string) => (words as Record<string, string>)[key] ?? key;
	return {
		language,
		timeZone,
		dayKey,
		t: (key, vars = {}) => fill(say(key), vars),
		n(key, count, vars = {}) {
			const form = plural.select(count) === "one" ? "one" : "other";
			return fill(say(`${key}.${form}`), { ...vars, count: number.format(count) });
		},
		refused: (code, details) => refusalWords(words, code, details),
		number: (value) => number.format(value),
		edited: (ms, now) =>
			dayKey(ms) === dayKey(now)
				? fill(say("message.editedAt"), { when: time.format(ms) })
				: fill(say("message.editedOn"), { when: full.format(ms) }),
		time: (ms) => time.format(ms),
		precise: (ms) => precise.format(ms),
		full: (ms) => full.format(ms),
		day(ms, now) {
			const key = dayKey(ms);
			const near = key === dayKey(now) ? "timeline.today" : key === dayKey(now - 86_400_000) ? "timeline.yesterday" : null;
			// "hoy, miércoles 14 de octubre": one comma is enough.
			if (near) return `${say(near)}, ${sameYear.format(ms).replace(", ", " ")}`;
			return (key.slice(0, 4) === dayKey(now).slice(0, 4) ? sameYear : anyYear).format(ms);
		},
	};
}
