import { type RefObject, useEffect, useRef } from "react";

const inside = "a[href], pre, button:not([role=menuitem])";

/** Opens a row's own controls to the Tab key, or closes them. What is being edited is always open. */
function open(row: HTMLElement, isOpen: boolean): void {
	row.tabIndex = isOpen ? 0 : -1;
	for (const control of row.querySelectorAll<HTMLElement>(inside)) {
		if (!control.closest(".editor")) control.tabIndex = isOpen ? 0 : -1;
	}
}

/**
 * Makes the list one tab stop: only one row, and what is in it, can be reached with Tab; arrows move between rows.
 * `lines` is whatever changes when rows come or go.
 */
export function useRoving(content: RefObject<HTMLElement>, lines: unknown) {
	const current = useRef<HTMLElement | null>(null);
	useEffect(() => {
		const rows = [...(content.current?.querySelectorAll<HTMLElement>("[data-key]") ?? [])];
		if (lines === null) return;
		if (!current.current?.isConnected) current.current = rows.at(-1) ?? null;
		for (const row of rows) open(row, row === current.current);
	}, [content, lines]);

	function enter(row: HTMLElement): void {
		if (current.current === row) return;
		if (current.current) open(current.current, false);
		current.current = row;
		open(row, true);
	}
	return {
		/** The row that holds the focus, or would. */
		current,
		onFocus(event: React.FocusEvent): void {
			const row = (event.target as HTMLElement).closest<HTMLElement>("[data-key]");
			if (row) enter(row);
		},
		/** True when the key moved to another row. */
		move(key: string): boolean {
			const rows = [...(content.current?.querySelectorAll<HTMLElement>("[data-key]") ?? [])];
			const at = current.current ? rows.indexOf(current.current) : -1;
			const to = { ArrowUp: at - 1, ArrowDown: at + 1, Home: 0, End: rows.length - 1 }[key];
			const row = to === undefined ? undefined : rows[Math.max(0, Math.min(rows.length - 1, to))];
			if (!row) return false;
			enter(row);
			row.focus({ preventScroll: true });
			row.scrollIntoView({ block: "nearest" });
			return true;
		},
		focus(): void {
			current.current?.focus({ preventScroll: true });
		},
	};
}
