import type { Goal, Results } from "./goals.ts";
import { type ScenarioName, scenarios } from "./scenarios.ts";
import { type SystemName, systemNames } from "./systems.ts";

/** Columns of a table that say nothing at a glance; --json has them all. */
const leftOut = new Set(["deliveries", "lost", "duplicated", "reordered"]);

/** The results as tables for people: one per scenario, a line per figure, a column per system, then where Charla stands. */
export function table(results: Results, goals: Record<string, Goal>, machine: Record<string, string | number>): string {
	const lines: string[] = [];
	for (const [name, result] of Object.entries(results)) {
		lines.push("", `${name}: ${scenarios[name as ScenarioName].what}`, row("", [...systemNames]));
		const figures = Object.keys(result.charla).filter((figure) => !leftOut.has(figure));
		for (const figure of figures)
			lines.push(
				row(
					figure,
					systemNames.map((system) => String(result[system][figure])),
				),
			);
		const faults = (system: SystemName) => `${result[system].lost}/${result[system].duplicated}/${result[system].reordered}`;
		lines.push(row("lost/duplicated/reordered", systemNames.map(faults)));
	}
	lines.push("", "Where Charla stands");
	for (const [name, { value, goal, met }] of Object.entries(goals)) {
		lines.push(`  ${name.padEnd(32)}${String(value).padStart(8)}   goal ${goal.padEnd(8)}${met ? "met" : "MISSED"}`);
	}
	lines.push(
		"",
		Object.entries(machine)
			.map(([key, value]) => `${key}: ${value}`)
			.join("; "),
	);
	return `${lines.join("\n")}\n`;
}

function row(head: string, cells: string[]): string {
	return `  ${head.padEnd(28)}${cells.map((cell) => cell.padStart(16)).join("")}`;
}
