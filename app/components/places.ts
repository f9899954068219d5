import type { Place } from "./scroll-keeper.tsx";

const key = "charla:places";
/** Places remembered in one tab. */
const most = 60;

function all(): [string, Place | null][] {
	try {
		const kept: unknown = JSON.parse(sessionStorage.getItem(key) ?? "[]");
		return Array.isArray(kept) ? (kept as [string, Place | null][]) : [];
	} catch {
		return [];
	}
}

/** Where the reader was; null stands for the end. For this tab, under the name of a room or of an entry of its history. */
export function keepPlace(names: readonly string[], place: Place | null): void {
	const others = all().filter(([name]) => !names.includes(name));
	try {
		sessionStorage.setItem(key, JSON.stringify([...others, ...names.map((name) => [name, place])].slice(-most)));
	} catch {
		// Without storage every visit opens at the first unread message.
	}
}

/** The remembered place: undefined when there is none, null for the end. */
export function keptPlace(name: string): Place | null | undefined {
	return all().find(([known]) => known === name)?.[1];
}
