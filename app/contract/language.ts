export const languages = ["en", "es"] as const;
export type Language = (typeof languages)[number];

/** Whether a string names a language Charla speaks. */
export function isLanguage(value: unknown): value is Language {
	return (languages as readonly unknown[]).includes(value);
}

/**
 * The language to speak: the one chosen (cookie) if any, else the best of an Accept-Language header, else English.
 * Only the primary subtag counts: es-CL and es-419 are both `es`.
 */
export function pickLanguage(chosen: string | null | undefined, acceptLanguage: string | null | undefined): Language {
	if (isLanguage(chosen)) return chosen;
	const wanted = (acceptLanguage ?? "")
		.split(",")
		.map((part) => {
			const [tag = "", ...parameters] = part.trim().toLowerCase().split(";");
			const quality = Number(
				parameters
					.find((p) => p.trim().startsWith("q="))
					?.trim()
					.slice(2) ?? 1,
			);
			return { primary: tag.split("-")[0]?.trim(), quality: Number.isNaN(quality) ? 0 : quality };
		})
		.filter((part) => isLanguage(part.primary) && part.quality > 0)
		.sort((a, b) => b.quality - a.quality);
	return (wanted[0]?.primary as Language | undefined) ?? "en";
}
