import { useSyncExternalStore } from "react";

/** Small choices of this browser alone, each with what holds until somebody chooses. */
const defaults = { "enter-sends": true, "single-keys": true };
type Choice = keyof typeof defaults;
const listeners = new Set<() => void>();

function read(choice: Choice): boolean {
	try {
		const kept = localStorage.getItem(`charla:${choice}`);
		return kept === null ? defaults[choice] : kept === "yes";
	} catch {
		return defaults[choice];
	}
}

function subscribe(listener: () => void): () => void {
	listeners.add(listener);
	window.addEventListener("storage", listener);
	return () => {
		listeners.delete(listener);
		window.removeEventListener("storage", listener);
	};
}

/** A choice of this browser and how to change it; follows changes in other tabs. */
export function useChoice(choice: Choice): [boolean, (value: boolean) => void] {
	const value = useSyncExternalStore(
		subscribe,
		() => read(choice),
		() => defaults[choice],
	);
	return [
		value,
		(next) => {
			try {
				localStorage.setItem(`charla:${choice}`, next ? "yes" : "no");
			} catch {
				// Private windows may refuse; the default then holds.
			}
			for (const listener of listeners) listener();
		},
	];
}
