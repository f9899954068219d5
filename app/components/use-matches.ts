import { useCallback, useSyncExternalStore } from "react";

/** Whether the window is as a media query says. False on the server, which sees no window. */
export function useMatches(query: string): boolean {
	const subscribe = useCallback(
		(listener: () => void) => {
			const list = matchMedia(query);
			list.addEventListener("change", listener);
			return () => list.removeEventListener("change", listener);
		},
		[query],
	);
	return useSyncExternalStore(
		subscribe,
		() => matchMedia(query).matches,
		() => false,
	);
}

/** Takes what lies under a sheet out of reach. React 18 knows no such property, so it is handed on as the attribute it is. */
export const inert = (isInert: boolean) => (isInert ? { inert: "" } : {}) as object;
