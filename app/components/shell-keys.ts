import { useEffect, useRef } from "react";

export type ShellKeys = {
	onSwitcher(): void;
	onSheet(): void;
	/** Another room: the next (1) or the one before (-1), of all or of those with something unread. */
	onRoom(step: 1 | -1, onlyUnread: boolean): void;
	singleKeys: boolean;
};

/** Shortcuts that hold on every page. Single keys do nothing while somebody writes. */
export function useShellKeys(keys: ShellKeys): void {
	const latest = useRef(keys);
	latest.current = keys;
	useEffect(() => {
		function onKeyDown(event: KeyboardEvent): void {
			// 229: Safari's sign for a key that ended a composition.
			if (event.defaultPrevented || event.isComposing || event.keyCode === 229) return;
			const { key, altKey, shiftKey } = event;
			const command = event.ctrlKey || event.metaKey;
			const hasDialog = document.querySelector("dialog[open]") !== null;
			if (command && !altKey && key.toLowerCase() === "k") {
				event.preventDefault();
				if (!hasDialog) latest.current.onSwitcher();
			} else if (hasDialog) {
				return;
			} else if (altKey && !command && (key === "ArrowUp" || key === "ArrowDown")) {
				event.preventDefault();
				latest.current.onRoom(key === "ArrowDown" ? 1 : -1, shiftKey);
			} else if (key === "F6") {
				event.preventDefault();
				nextRegion(shiftKey ? -1 : 1);
			} else if (key === "?" && latest.current.singleKeys && !command && !altKey && !isWriting(event.target)) {
				event.preventDefault();
				latest.current.onSheet();
			}
		}
		document.addEventListener("keydown", onKeyDown);
		return () => document.removeEventListener("keydown", onKeyDown);
	}, []);
}

/** Whether keys typed there are text. */
export function isWriting(target: EventTarget | null): boolean {
	return target instanceof HTMLElement && (target.isContentEditable || target.matches("input, textarea, select"));
}

/** Moves the focus to the next part of the page that is on screen; within it to where people work. */
function nextRegion(step: 1 | -1): void {
	const regions = [...document.querySelectorAll<HTMLElement>("[data-region]")].filter(
		(region) => region.offsetParent !== null && !region.closest("[inert]"),
	);
	if (regions.length === 0) return;
	const current = regions.findIndex((region) => region.contains(document.activeElement));
	const region = regions[(current < 0 ? (step > 0 ? 0 : regions.length - 1) : current + step + regions.length) % regions.length];
	const inside = region?.querySelector<HTMLElement>(
		"[data-region-focus]:not([disabled]), [role=listitem][tabindex='0'], [aria-current=page]",
	);
	(inside ?? region)?.focus();
}
