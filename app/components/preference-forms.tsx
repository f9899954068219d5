import { useLocation, useRouteLoaderData } from "@remix-run/react";
import { useWords } from "../words/use-words.tsx";

function usePath(): string {
	const { pathname, search } = useLocation();
	return pathname + search;
}

const languages = ["en", "es"] as const;
const themes = ["system", "light", "dark", "contrast"] as const;

/** The languages, each by its own name. A plain form: the words of the other language come with the next page. */
export function LanguageSwitch() {
	const { t, language } = useWords();
	const from = usePath();
	return (
		<form method="post" action="/preferences" className="switch">
			<fieldset>
				<legend>{t("language.label")}</legend>
				<input type="hidden" name="from" value={from} />
				{languages.map((code) => (
					<button type="submit" key={code} name="language" value={code} lang={code} aria-pressed={code === language}>
						{t(`language.${code}`)}
					</button>
				))}
			</fieldset>
		</form>
	);
}

/** Light, dark, high contrast, or what the system says. */
export function ThemeSwitch() {
	const { t } = useWords();
	const from = usePath();
	const chosen = useRouteLoaderData<{ theme: string | null }>("root")?.theme ?? "system";
	return (
		<form method="post" action="/preferences" className="switch">
			<fieldset>
				<legend>{t("theme.label")}</legend>
				<input type="hidden" name="from" value={from} />
				{themes.map((theme) => (
					<button type="submit" key={theme} name="theme" value={theme} aria-pressed={theme === chosen} className={`theme-${theme}`}>
						{t(`theme.${theme}`)}
					</button>
				))}
			</fieldset>
		</form>
	);
}
