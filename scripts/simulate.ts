/**
 * `npm run simulate [-- --seed 1 --quick]`: what becomes of Charla at sizes nobody can run here, reckoned from costs measured on this
 * code (bench/simulation/costs.ts). Writes docs/simulation.md and the charts in docs/images. The same seed gives the same files.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { drawChart } from "../bench/simulation/chart.ts";
import { costs, supposed } from "../bench/simulation/costs.ts";
import { type Answered, fanOut, hotRooms, overload, storms } from "../bench/simulation/scenarios.ts";

const { values } = parseArgs({
	options: {
		seed: { type: "string", default: "1" },
		/** Up to a hundred thousand people, and nothing is written. */
		quick: { type: "boolean", default: false },
	},
});
const seed = Number(values.seed);
const sizes = values.quick ? [10_000, 100_000] : undefined;
const root = fileURLToPath(new URL("../", import.meta.url));

const all = [storms(seed, sizes), overload(seed, values.quick ? 60_000 : undefined), hotRooms(seed), fanOut(seed, sizes)];
for (const each of all) console.log(`\n${each.chart.title}\n${asText(each)}`);
if (!values.quick) {
	mkdirSync(`${root}docs/images`, { recursive: true });
	for (const { file, chart } of all) writeFileSync(`${root}docs/images/${file}.svg`, drawChart(chart));
	writeFileSync(`${root}docs/simulation.md`, page(all));
	console.log("\nwrote docs/simulation.md and docs/images/scale-*.svg");
}

function page(answers: readonly Answered[]): string {
	const figures = (name: string, list: Record<string, { value: number; unit: string; source: string }>) =>
		[
			`| ${name} | value | unit | from |`,
			"|---|---:|---|---|",
			...Object.entries(list).map(([key, { value, unit, source }]) => `| ${key} | ${value} | ${unit} | ${source} |`),
		].join("\n");
	return `# The simulation, in figures

Written by \`npm run simulate\` (seed ${seed}); not by hand. What it means is in [scale.md](scale.md). Every browser of a storm, every message of
a hot room and every member of a fan-out is followed one by one, on the clock of the simulation and by numbers drawn from the seed, so
the same seed gives the same figures. \`bench/simulation/\` has the models, and the tests that show that nobody gets lost in them.

${answers.map((each) => `## ${each.chart.title}\n\n![${each.chart.says}](images/${each.file}.svg)\n\n${asMarkdown(each)}`).join("\n\n")}

## What it stands on

${figures("measured", costs)}

${figures("supposed", supposed)}
`;
}

function asMarkdown({ columns, rows }: Answered): string {
	const line = (cells: readonly (string | number)[]) => `| ${cells.map(cell).join(" | ")} |`;
	const numbers = columns.map((_, i) => (typeof rows[0]?.[i] === "number" ? "---:" : "---"));
	return [line(columns), `|${numbers.join("|")}|`, ...rows.map(line)].join("\n");
}

function asText({ columns, rows }: Answered): string {
	const cells = [columns, ...rows.map((row) => row.map(cell))];
	const widths = columns.map((_, i) => Math.max(...cells.map((row) => String(row[i]).length)));
	return cells.map((row) => row.map((each, i) => String(each).padEnd(widths[i] as number)).join("  ")).join("\n");
}

function cell(value: string | number): string {
	return typeof value === "number" ? value.toLocaleString("en-US", { maximumFractionDigits: 3 }) : value;
}
