import { type KeyboardEvent, useRef } from "react";
import type { TraceSpan } from "../../contract/ops.ts";
import type { OpsWords } from "../../words/ops.server.ts";

type Placed = { span: TraceSpan; depth: number };

/** Spans under their parents, each at its time; one whose parent is not known here stands at the left. */
function placed(spans: TraceSpan[]): Placed[] {
	const known = new Set(spans.map((span) => span.spanId));
	const children = Map.groupBy(
		spans.toSorted((a, b) => a.start - b.start),
		(span) => (span.parentSpanId && known.has(span.parentSpanId) ? span.parentSpanId : ""),
	);
	const seen = new Set<string>();
	const below = (parent: string, depth: number): Placed[] =>
		(children.get(parent) ?? []).flatMap((span) => {
			if (seen.has(span.spanId)) return [];
			seen.add(span.spanId);
			return [{ span, depth }, ...below(span.spanId, depth + 1)];
		});
	return below("", 0);
}

/** A trace drawn over time. Arrows move from span to span, `e` to the next error, Enter opens what is known of one. */
export function Waterfall({ spans, w }: { spans: TraceSpan[]; w: OpsWords }) {
	const list = useRef<HTMLOListElement>(null);
	if (spans.length === 0) return <p>{w.nothing}</p>;
	const from = Math.min(...spans.map((span) => span.start));
	const to = Math.max(...spans.map((span) => span.start + span.duration), from + 0.1);
	const share = (ms: number) => Math.round((ms / (to - from)) * 1000);

	function move(event: KeyboardEvent): void {
		const rows = [...(list.current?.querySelectorAll<HTMLElement>("summary") ?? [])];
		const at = rows.indexOf(document.activeElement as HTMLElement);
		const isError = (row: HTMLElement) => row.dataset.error !== undefined;
		const next =
			event.key === "ArrowDown"
				? rows[at + 1]
				: event.key === "ArrowUp"
					? rows[at - 1]
					: event.key === "e"
						? (rows.find((row, i) => i > at && isError(row)) ?? rows.find(isError))
						: undefined;
		if (!next) return;
		event.preventDefault();
		next.focus();
	}

	return (
		// biome-ignore lint/a11y/noNoninteractiveElementInteractions: keys that move between the rows' own controls, which bubble up here.
		<ol className="ops-waterfall" ref={list} onKeyDown={move}>
			{placed(spans).map(({ span, depth }) => (
				<li key={span.spanId}>
					<details>
						<summary data-error={span.error ?? undefined} data-depth={Math.min(depth, 5)}>
							<span className="ops-span-name">
								{span.error && <b aria-hidden="true">✕ </b>}
								{span.name} <small>{span.service === "chat-browser" ? "browser" : span.kind}</small>
							</span>
							<span className="ops-span-time">{span.duration.toFixed(1)} ms</span>
							{/* Drawn, since the page's policy takes no styles in attributes. */}
							<svg className="ops-bar" viewBox="0 0 1000 10" preserveAspectRatio="none" aria-hidden="true">
								<rect x={share(span.start - from)} width={Math.max(4, share(span.duration))} height="10" rx="2" />
							</svg>
						</summary>
						<dl>
							{span.error && (
								<div>
									<dt>error</dt>
									<dd>{span.error}</dd>
								</div>
							)}
							{Object.entries({ ...span.attributes, instance: span.instance, "span.id": span.spanId }).map(([name, value]) => (
								<div key={name}>
									<dt>{name}</dt>
									<dd>{String(value)}</dd>
								</div>
							))}
						</dl>
					</details>
				</li>
			))}
		</ol>
	);
}
