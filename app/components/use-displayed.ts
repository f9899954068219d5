import { type RefObject, useEffect, useState } from "react";
import { limits } from "../contract/limits.ts";

/**
 * Tells the newest message that was on a visible, focused screen for `limits.readAfter`. Each message has its own time, so
 * that a lively room, where the next one always comes before that time is over, is read all the same. `lines` is whatever
 * changes when lines come or go.
 */
export function useDisplayed(content: RefObject<HTMLElement>, lines: unknown, tell: (seq: number) => void): void {
	const [watch, setWatch] = useState<IntersectionObserver | null>(null);
	useEffect(() => {
		const root = content.current;
		if (!root) return;
		const onScreen = new Set<number>();
		/** Since when a message on screen has been looked at. */
		const since = new Map<number, number>();
		let told = 0;
		let timer: ReturnType<typeof setTimeout> | undefined;
		const isAttentive = () => document.visibilityState === "visible" && document.hasFocus();
		const consider = () => {
			clearTimeout(timer);
			const now = performance.now();
			if (!isAttentive()) return since.clear();
			let seen = told;
			let wait = Number.POSITIVE_INFINITY;
			for (const seq of onScreen) {
				const from = since.get(seq) ?? now;
				since.set(seq, from);
				const left = from + limits.readAfter - now;
				if (left <= 0) seen = Math.max(seen, seq);
				else if (seq > told) wait = Math.min(wait, left);
			}
			if (seen > told) {
				told = seen;
				tell(seen);
			}
			if (wait < Number.POSITIVE_INFINITY) timer = setTimeout(consider, Math.ceil(wait));
		};
		const observer = new IntersectionObserver(
			(entries) => {
				for (const { target, isIntersecting, intersectionRatio, intersectionRect, rootBounds } of entries) {
					const seq = Number((target as HTMLElement).dataset.seq);
					// Most of it, or as much of a long one as the screen holds.
					const isSeen = isIntersecting && (intersectionRatio >= 0.6 || intersectionRect.height >= (rootBounds?.height ?? Infinity) * 0.6);
					if (isSeen) onScreen.add(seq);
					else {
						onScreen.delete(seq);
						since.delete(seq);
					}
				}
				consider();
			},
			{ root: root.parentElement, threshold: [0, 0.3, 0.6, 1] },
		);
		setWatch(observer);
		const events = ["focus", "blur"] as const;
		for (const event of events) window.addEventListener(event, consider);
		document.addEventListener("visibilitychange", consider);
		return () => {
			clearTimeout(timer);
			observer.disconnect();
			for (const event of events) window.removeEventListener(event, consider);
			document.removeEventListener("visibilitychange", consider);
		};
	}, [content, tell]);
	// Who is watched already stays so; rows that left the page are dropped by the browser.
	useEffect(() => {
		if (lines === null) return;
		for (const row of content.current?.querySelectorAll("[data-seq]") ?? []) watch?.observe(row);
	}, [content, lines, watch]);
}
