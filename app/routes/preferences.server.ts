import { type Language, pickLanguage } from "../contract/language.ts";

export const themes = ["light", "dark", "contrast"] as const;
export type Theme = (typeof themes)[number];

function cookie(request: Request, name: string): string | null {
	const match = new RegExp(`(?:^|;\\s*)${name}=([^;]*)`).exec(request.headers.get("Cookie") ?? "");
	try {
		return match ? decodeURIComponent(match[1] as string) : null;
	} catch {
		return null;
	}
}

function isTimeZone(name: string): boolean {
	try {
		return Boolean(new Intl.DateTimeFormat("en", { timeZone: name }));
	} catch {
		return false;
	}
}

/**
 * How this browser wants to see Charla: the chosen language or the best of Accept-Language, the chosen theme or null for
 * the system's, and the time zone its own script told, or null before it did.
 */
export function preferencesOf(request: Request): { language: Language; theme: Theme | null; timeZone: string | null } {
	const theme = cookie(request, "theme");
	const timeZone = cookie(request, "tz");
	return {
		language: pickLanguage(cookie(request, "lang"), request.headers.get("Accept-Language")),
		theme: (themes as readonly (string | null)[]).includes(theme) ? (theme as Theme) : null,
		timeZone: timeZone && isTimeZone(timeZone) ? timeZone : null,
	};
}

/** A path of ours to go back to, or "/". What is no path ("//elsewhere", "https:…") would lead away from Charla. */
export function ownPath(value: unknown): string {
	const path = typeof value === "string" ? value : "";
	return /^\/(?![/\\])[^\u0000-\u001f\\]*$/.test(path) ? path : "/";
}
