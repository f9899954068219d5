import { keptPlaces, type Place } from "./opening.ts";

/** Places remembered in one tab. */
const most = 60;

/** Where the reader was; null stands for the end. For this tab, under the name of a room or of an entry of its history. */
export function keepPlace(names: readonly string[], place: Place | null): void {
	const others = keptPlaces().filter(([name]) => !names.includes(name));
	try {
		sessionStorage.setItem("charla:places", JSON.stringify([...others, ...names.map((name) => [name, place])].slice(-most)));
	} catch {
		// Without storage every visit opens at the first unread message.
	}
}

/** The remembered place: undefined when there is none, null for the end. */
export function keptPlace(name: string): Place | null | undefined {
	return keptPlaces().find(([known]) => known === name)?.[1];
}
