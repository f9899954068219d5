import { Component, createRef, type ReactNode } from "react";
import { bringInto, type Place } from "./opening.ts";

/** Closer to the end than this counts as being there, px: zoomed pages scroll by fractions, people by a flick. */
const nearEnd = 100;

export type Sight = {
	/** At the end, or so close that new messages keep it there. */
	isAtEnd: boolean;
	/** Px of history above and below what is in sight. */
	above: number;
	below: number;
	/** The first line in sight, and how far its top is below the top edge. */
	first: Place | null;
};

type Props = {
	children: ReactNode;
	/** Above and below the lines, not part of them. */
	label: string;
	/** Changes when something was added at the end. */
	newest: string | null;
	/** The newest line is my own, just sent: whatever was in sight, it comes into sight. */
	isOwn: boolean;
	/** Newer messages exist outside: the end on screen is not the end. */
	hasAfter: boolean;
	onSight(sight: Sight): void;
	onCopy(event: ClipboardEvent): void;
	onClick(event: MouseEvent): void;
};

type Rows = { element: HTMLElement; top: number }[];

/**
 * The scrolling part of a conversation. What is in sight stays where it is, whatever is loaded above, added below or
 * changes its height; at the end it stays at the end. A class, since React tells only classes right before the page
 * changes, and what is measured later is too late.
 *
 * The box is laid out from its end (`column-reverse`): it opens at the end without a script, scrollTop is 0 there and
 * negative above, and the browser itself keeps the end in sight when the box or its content changes height.
 */
export class ScrollKeeper extends Component<Props> {
	scroller = createRef<HTMLElement>();
	content = createRef<HTMLDivElement>();
	private isAtEnd = true;
	private rows: Rows = [];
	private watch: ResizeObserver | null = null;
	/** Part of a pixel by which the browser rounded the last corrections, and where they led: it must not add up. */
	private rest = 0;
	private heldAt = 0;

	override componentDidMount(): void {
		this.rows = this.rowsInSight();
		// The browser's own events, of whatever was clicked or selected inside: the box itself is nothing to click.
		this.content.current?.addEventListener("copy", (event) => this.props.onCopy(event));
		this.content.current?.addEventListener("click", (event) => this.props.onClick(event));
		this.watch = new ResizeObserver(() => this.settle(this.rows));
		for (const element of [this.scroller.current, this.content.current]) if (element) this.watch.observe(element);
	}

	override componentWillUnmount(): void {
		this.watch?.disconnect();
	}

	override getSnapshotBeforeUpdate(): Rows {
		return this.rowsInSight();
	}

	override componentDidUpdate(before: Props, _state: unknown, rows: Rows): void {
		const isAdded = before.newest !== this.props.newest;
		// What I wrote among old messages stands below the gap, at the end all the same.
		if (isAdded && (this.props.isOwn || (this.isAtEnd && !this.props.hasAfter))) this.toEnd();
		else this.hold(rows);
		this.look();
	}

	override render(): ReactNode {
		const { children, label } = this.props;
		return (
			<section ref={this.scroller} className="scroller" data-region tabIndex={-1} aria-label={label} onScroll={this.look}>
				<div ref={this.content} className="scrolled">
					{children}
				</div>
			</section>
		);
	}

	/** Takes the end into sight. */
	toEnd(): void {
		const scroller = this.scroller.current;
		if (!scroller) return;
		scroller.scrollTop = 0;
		this.look();
	}

	/** The line of a message, when it is on the page. */
	row(seq: number): HTMLElement | null {
		return this.content.current?.querySelector<HTMLElement>(`[data-seq="${seq}"]`) ?? null;
	}

	/** Brings a line to a place: the middle, or a distance below the top edge in px. False when it is not on the page. */
	bring(seq: number, to: "middle" | number): boolean {
		const scroller = this.scroller.current;
		const row = this.row(seq);
		if (!scroller || !row) return false;
		bringInto(scroller, row, to);
		this.look();
		return true;
	}

	/** What is in sight now; told on every scroll and change. */
	look = (): void => {
		const scroller = this.scroller.current;
		if (!scroller) return;
		this.rows = this.rowsInSight();
		const below = Math.abs(scroller.scrollTop);
		this.isAtEnd = below <= nearEnd && !this.props.hasAfter;
		const first = this.rows.find((row) => row.element.dataset.seq);
		const top = scroller.getBoundingClientRect().top;
		this.props.onSight({
			isAtEnd: this.isAtEnd,
			above: scroller.scrollHeight - scroller.clientHeight - below,
			below,
			first: first ? { seq: Number(first.element.dataset.seq), offset: first.top - top } : null,
		});
	};

	/** After something changed its height by itself. */
	private settle(rows: Rows): void {
		// Laid out from its end, the box keeps its distance from there by itself.
		if (!this.isAtEnd) this.hold(rows);
		this.look();
	}

	/** Moves the box by as much as the first line that was in sight, and still is on the page, has moved. */
	private hold(rows: Rows): void {
		const scroller = this.scroller.current;
		const anchor = rows.find((row) => row.element.isConnected);
		if (!scroller || !anchor || Math.abs(scroller.scrollTop) < 1) return;
		const rest = scroller.scrollTop === this.heldAt ? this.rest : 0;
		const moved = () => anchor.element.getBoundingClientRect().top - anchor.top + rest;
		if (Math.abs(moved()) >= 0.5) scroller.scrollTop += moved();
		this.rest = moved();
		this.heldAt = scroller.scrollTop;
	}

	/** Lines whose top edge is in sight, then the one cut by the top edge: that one may change above what people read. */
	private rowsInSight(): Rows {
		const box = this.scroller.current?.getBoundingClientRect();
		if (!box) return [];
		const whole: Rows = [];
		let cut: Rows[number] | null = null;
		for (const element of this.content.current?.querySelectorAll<HTMLElement>("[data-key]") ?? []) {
			const { top, bottom } = element.getBoundingClientRect();
			if (bottom <= box.top) continue;
			if (top >= box.bottom) break;
			if (top < box.top) cut = { element, top };
			else whole.push({ element, top });
		}
		return cut ? [...whole, cut] : whole;
	}
}
