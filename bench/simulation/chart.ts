/** A line of a chart; `points` from left to right. */
export type Line = { name: string; points: readonly (readonly [x: number, y: number])[] };
export type Chart = {
	title: string;
	/** The chart in a sentence, for whoever does not see it. */
	says: string;
	x: { label: string; log?: boolean; from?: number; to?: number };
	y: { label: string; log?: boolean; from?: number; to?: number };
	lines: readonly Line[];
};

const [width, height] = [760, 468];
const plot = { left: 76, right: 744, top: 56, bottom: 316 };

// Okabe and Ito's colours, told apart by every kind of colour vision; each line has a dash and a mark of its own as well.
const colours = [
	{ light: "#0072b2", dark: "#56b4e9", dash: "", mark: "circle" },
	{ light: "#b34700", dark: "#e69f00", dash: "8 4", mark: "square" },
	{ light: "#00735a", dark: "#2fc79d", dash: "2 4", mark: "triangle" },
	{ light: "#8f3f73", dark: "#e0a3c8", dash: "10 4 2 4", mark: "diamond" },
] as const;

/** Draws lines as an SVG that follows the reader's light or dark theme, with nothing but text and paths in it. */
export function drawChart(chart: Chart): string {
	const xs = chart.lines.flatMap((line) => line.points.map(([x]) => x));
	const ys = chart.lines.flatMap((line) => line.points.map(([, y]) => y));
	const x = openScale(chart.x, xs, plot.left, plot.right);
	const y = openScale(chart.y, ys, plot.bottom, plot.top);
	const grid = y.ticks.map((tick) => `<path class="grid" d="M${plot.left} ${at(y.place(tick))}H${plot.right}"/>`).join("");
	const yLabels = y.ticks
		.map((tick) => `<text class="tick" x="${plot.left - 8}" y="${at(y.place(tick) + 4)}" text-anchor="end">${number(tick)}</text>`)
		.join("");
	const xLabels = x.ticks
		.map((tick) => `<text class="tick" x="${at(x.place(tick))}" y="${plot.bottom + 18}" text-anchor="middle">${number(tick)}</text>`)
		.join("");
	const lines = chart.lines
		.map(({ points }, i) => {
			const inside = points.filter(([px, py]) => x.has(px) && y.has(py));
			const path = inside.map(([px, py], n) => `${n === 0 ? "M" : "L"}${at(x.place(px))} ${at(y.place(py))}`).join("");
			const every = Math.max(1, Math.floor(inside.length / 8));
			const marks = inside
				.filter((_, n) => n % every === 0)
				.map(([px, py]) => mark(i, x.place(px), y.place(py)))
				.join("");
			return `<path class="line c${i}" d="${path}"/>${marks}`;
		})
		.join("");
	const legend = chart.lines
		.map(({ name }, i) => {
			const [lx, ly] = [plot.left, plot.bottom + 66 + i * 22];
			return `<path class="line c${i}" d="M${lx} ${ly}h34"/>${mark(i, lx + 17, ly)}<text class="name" x="${lx + 42}" y="${ly + 4}">${escaped(name)}</text>`;
		})
		.join("");
	return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="title says">
<title id="title">${escaped(chart.title)}</title><desc id="says">${escaped(chart.says)}</desc>
<style>${style()}</style>
<rect class="paper" width="${width}" height="${height}" rx="10"/>
<text class="title" x="${plot.left - 56}" y="32">${escaped(chart.title)}</text>
${grid}<path class="axis" d="M${plot.left} ${plot.top}V${plot.bottom}H${plot.right}"/>
${yLabels}${xLabels}
<text class="label" x="${(plot.left + plot.right) / 2}" y="${plot.bottom + 40}" text-anchor="middle">${escaped(chart.x.label)}</text>
<text class="label" transform="translate(20 ${(plot.top + plot.bottom) / 2}) rotate(-90)" text-anchor="middle">${escaped(chart.y.label)}</text>
${lines}
${legend}
</svg>
`;
}

function openScale(axis: Chart["x"], values: readonly number[], start: number, end: number) {
	const positive = axis.log ? values.filter((value) => value > 0) : values;
	const from = axis.from ?? (axis.log ? 10 ** Math.floor(Math.log10(Math.min(...positive))) : 0);
	const to = axis.to ?? (axis.log ? 10 ** Math.ceil(Math.log10(Math.max(...positive))) : Math.max(...positive));
	const along = (value: number) => (axis.log ? Math.log10(value / from) / Math.log10(to / from) : (value - from) / (to - from));
	const powers = Array.from({ length: 20 }, (_, i) => 10 ** (Math.ceil(Math.log10(from || 1)) + i));
	const ticks = axis.log ? powers.filter((tick) => tick <= to * 1.001) : Array.from({ length: 6 }, (_, i) => from + ((to - from) * i) / 5);
	return {
		ticks,
		has: (value: number) => value >= from && value <= to,
		place: (value: number) => start + along(value) * (end - start),
	};
}

function mark(i: number, x: number, y: number): string {
	const shape = colours[i % colours.length]?.mark;
	const paths = {
		circle: `M${at(x - 4)} ${at(y)}a4 4 0 1 0 8 0a4 4 0 1 0 -8 0`,
		square: `M${at(x - 3.5)} ${at(y - 3.5)}h7v7h-7z`,
		triangle: `M${at(x)} ${at(y - 4.5)}l4.5 8h-9z`,
		diamond: `M${at(x)} ${at(y - 5)}l5 5l-5 5l-5 -5z`,
	};
	return `<path class="mark c${i}" d="${paths[shape ?? "circle"]}"/>`;
}

function style(): string {
	const each = (theme: "light" | "dark") =>
		colours
			.map(
				(colour, i) => `.line.c${i}{stroke:${colour[theme]};stroke-dasharray:${colour.dash || "none"}}.mark.c${i}{fill:${colour[theme]}}`,
			)
			.join("");
	const paint = (paper: string, ink: string, soft: string, grid: string) =>
		`.paper{fill:${paper}}.title,.name{fill:${ink}}.label,.tick{fill:${soft}}.axis{stroke:${soft}}.grid{stroke:${grid}}`;
	return (
		"text{font-family:system-ui,sans-serif;font-size:13px}.title{font-size:17px;font-weight:600}.tick{font-size:12px}" +
		".line{fill:none;stroke-width:2.5}.axis,.grid{fill:none}" +
		`${paint("#fffdfa", "#221d1a", "#5c534d", "#e6dfd8")}${each("light")}` +
		`@media (prefers-color-scheme: dark){${paint("#1d1a18", "#f2ece6", "#b9aea5", "#3a3430")}${each("dark")}}`
	);
}

/** 12,000 as 12 k. */
function number(value: number): string {
	if (value >= 1e6) return `${trim(value / 1e6)} M`;
	if (value >= 1e3) return `${trim(value / 1e3)} k`;
	return trim(value);
}

const trim = (value: number) => String(Number(value.toPrecision(3)));
const at = (value: number) => String(Math.round(value * 10) / 10);
const escaped = (text: string) => text.replace(/[&<>"]/g, (char) => `&#${char.charCodeAt(0)};`);
