import type { Figures, Result, ScenarioName } from "./scenarios.ts";

export type Results = Partial<Record<ScenarioName, Result>>;
export type Goal = { value: number; goal: string; met: boolean };

const goals: { name: string; scenario: ScenarioName; value(result: Result): number; goal: string; met(value: number): boolean }[] = [
	{ name: "1x100 to bare Socket.IO", scenario: "1x100", value: (r) => r.charla.ratioToBare as number, goal: ">= 2.0", met: (v) => v >= 2 },
	{ name: "1x100 to joined ws", scenario: "1x100", value: (r) => r.charla.ratioToJoinedWs as number, goal: ">= 0.5", met: (v) => v >= 0.5 },
	{
		name: "50x20 to bare Socket.IO",
		scenario: "50x20",
		value: (r) => r.charla.ratioToBare as number,
		goal: ">= 1.25",
		met: (v) => v >= 1.25,
	},
	{
		name: "paced: ack p99 to bare",
		scenario: "paced",
		value: (r) => r.charla.ackP99ToBare as number,
		goal: "<= 1.5",
		met: (v) => v <= 1.5,
	},
	{
		name: "paced: delivery p99 to bare",
		scenario: "paced",
		value: (r) => r.charla.deliveryP99ToBare as number,
		goal: "<= 1.5",
		met: (v) => v <= 1.5,
	},
	{
		name: "paced: ack p50 to delivery p50",
		scenario: "paced",
		value: (r) => Number(((r.charla.ackP50 as number) / (r.charla.deliveryP50 as number)).toFixed(2)),
		goal: "< 1",
		met: (v) => v < 1,
	},
	{
		name: "KB per idle connection",
		scenario: "idle",
		value: (r) => r.charla.kilobytesPerConnection as number,
		goal: "<= 30",
		met: (v) => v <= 30,
	},
	{ name: "storm: failed connects", scenario: "storm", value: (r) => r.charla.failures as number, goal: "0", met: (v) => v === 0 },
];

/** Deliveries of any system that were lost, doubled or out of order: not even one may be, or no other figure means anything. */
export function faultsIn(results: Results): number {
	const figures: Figures[] = Object.values(results).flatMap((result) => Object.values(result));
	return figures.reduce((sum, { lost, duplicated, reordered }) => sum + lost + duplicated + reordered, 0);
}

/** Where Charla stands, for the scenarios that ran. Goals 1, 3, 4 and 5 of docs/performance.md. */
export function judge(results: Results): Record<string, Goal> {
	const judged = goals.flatMap(({ name, scenario, value, goal, met }) => {
		const result = results[scenario];
		return result ? [[name, { value: value(result), goal, met: met(value(result)) }] as const] : [];
	});
	const faults = faultsIn(results);
	return { ...Object.fromEntries(judged), "lost, duplicated, reordered": { value: faults, goal: "0", met: faults === 0 } };
}
