/** A line of a chart; null where there was nothing to measure. */
export type Series = { name: string; values: (number | null)[] };

const width = 320;
const height = 90;
/** Room for the scale. */
const left = 34;

/** Lines over time, as much as fits; the newest value in words beside the name, for who does not see it too. */
export function Chart({ title, series, none, digits = 0 }: { title: string; series: Series[]; none: string; digits?: number }) {
	const known = series.flatMap((line) => line.values.filter((value) => value !== null));
	const top = Math.max(...known, 0) || 1;
	const x = (i: number, count: number) => left + (count < 2 ? 0 : (i / (count - 1)) * (width - left));
	const y = (value: number) => height - 4 - (value / top) * (height - 14);
	const path = ({ values }: Series) => {
		let isOpen = false;
		return values
			.map((value, i) => {
				if (value === null) {
					isOpen = false;
					return "";
				}
				// A value between two gaps is a dot: a line needs some length to be drawn.
				const step = `${isOpen ? "L" : "M"}${x(i, values.length).toFixed(1)} ${y(value).toFixed(1)}h.1`;
				isOpen = true;
				return step;
			})
			.join("");
	};
	const newest = (line: Series) => line.values.findLast((value) => value !== null);
	return (
		<figure className="ops-chart">
			<figcaption>{title}</figcaption>
			{known.length === 0 ? (
				<p>{none}</p>
			) : (
				<>
					<svg viewBox={`0 0 ${width} ${height}`} aria-hidden="true">
						<line x1={left} x2={width} y1={y(0)} y2={y(0)} />
						<line x1={left} x2={width} y1={y(top)} y2={y(top)} />
						<text x={left - 4} y={y(top) + 4}>
							{short(top)}
						</text>
						<text x={left - 4} y={y(0)}>
							0
						</text>
						{series.map((line, i) => (
							<path key={line.name} d={path(line)} data-line={i} />
						))}
					</svg>
					<ul>
						{series.map((line, i) => (
							<li key={line.name} data-line={i}>
								{line.name} <b>{newest(line)?.toFixed(digits) ?? "–"}</b>
							</li>
						))}
					</ul>
				</>
			)}
		</figure>
	);
}

const short = (value: number) => (value >= 1000 ? `${(value / 1000).toFixed(1)}k` : value >= 10 ? value.toFixed(0) : value.toFixed(1));
