/** A line, and how far its top is below the top edge, px. */
export type Place = { seq: number; offset: number };

// What the server writes into pages as text stands alone: it uses nothing of this file but what it is given.

/** Px below the top edge at which the first unread line stands when a room is opened: the divider and a line of what was read are above. */
export const unreadOffset = 96;

/** Scrolls a line to a place: the middle, or a distance below the top edge in px. Stands alone. */
export function bringInto(scroller: Element, row: Element, to: "middle" | number): void {
	const box = scroller.getBoundingClientRect();
	const at = row.getBoundingClientRect();
	const offset = to === "middle" ? Math.max(48, (box.height - at.height) / 2) : to;
	scroller.scrollTop += at.top - box.top - offset;
}

/** The places this tab remembers, by room and by entry of its history. Stands alone. */
export function keptPlaces(): [string, Place | null][] {
	try {
		const kept: unknown = JSON.parse(sessionStorage.getItem("charla:places") ?? "[]");
		return Array.isArray(kept) ? (kept as [string, Place | null][]) : [];
	} catch {
		return [];
	}
}

/**
 * Brings the place at which a room opens into sight as soon as its page was read, before any of it is drawn: the linked message,
 * where the reader was, or the first unread one. Later it would be seen to jump. The page's own script finds it done. Stands alone.
 */
export function openAtPlace(bring: typeof bringInto, kept: typeof keptPlaces, offset: number): void {
	const scroller = document.querySelector(".scroller");
	if (!scroller) return;
	const row = (seq: string | number) => scroller.querySelector(`[data-seq="${Number(seq)}"]`);
	const linked = new URLSearchParams(location.search).get("at");
	const place = kept().find(([name]) => location.pathname === `/rooms/${name}`)?.[1];
	const [to, at] = linked
		? ([row(linked), "middle"] as const)
		: place
			? ([row(place.seq), place.offset] as const)
			: ([scroller.querySelector(".unread-mark + *"), offset] as const);
	if (to) bring(scroller, to, at);
}

/** The same as a script for pages. */
export const openingScript = (): string => `(${openAtPlace})(${bringInto},${keptPlaces},${unreadOffset})`;
