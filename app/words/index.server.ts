import { en, type Words } from "./en.ts";
import { es } from "./es.ts";

/** The words of one language. On the server only: a browser gets those of its own language with the page, never both. */
export function wordsFor(language: "en" | "es"): Words {
	return language === "es" ? es : en;
}
