import { createContext, type ReactNode, useContext, useEffect, useRef, useSyncExternalStore } from "react";
import type { Live, LiveState } from "./live-state.ts";

const LiveContext = createContext<Live | null>(null);

/** Hands one live connection to everything below, open for as long as it is mounted. */
export function LiveProvider({ live, children }: { live: Live; children: ReactNode }) {
	useEffect(() => live.start(), [live]);
	return <LiveContext.Provider value={live}>{children}</LiveContext.Provider>;
}

/** What the page may do. Throws outside a LiveProvider. */
export function useLive(): Live {
	const live = useContext(LiveContext);
	if (!live) throw new Error("useLive needs a LiveProvider above it");
	return live;
}

/**
 * One part of the live state; renders again when that part changes. A selector that makes something new each time needs
 * `isEqual`, or it renders on every change of anything.
 */
export function useLiveState<T>(select: (state: LiveState) => T, isEqual: (a: T, b: T) => boolean = Object.is): T {
	const live = useLive();
	const last = useRef<{ state: LiveState; select: typeof select; value: T } | null>(null);
	const read = (state: LiveState): T => {
		const known = last.current;
		if (known && known.state === state && known.select === select) return known.value;
		const made = select(state);
		const value = known && isEqual(known.value, made) ? known.value : made;
		last.current = { state, select, value };
		return value;
	};
	return useSyncExternalStore(
		live.subscribe,
		() => read(live.getToldState()),
		() => read(live.getServerState()),
	);
}
