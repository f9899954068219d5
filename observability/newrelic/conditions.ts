import { type Alarm, alarms, describe, round, type Severity } from "../alarms.ts";
import { events, slos } from "../contract.ts";
import { ours, runbookAt, type Target } from "./target.ts";

export type Condition = {
	name: string;
	description: string;
	enabled: boolean;
	runbookUrl: string;
	nrql: { query: string };
	signal: {
		aggregationWindow: number;
		aggregationMethod: "EVENT_FLOW";
		aggregationDelay: number;
		slideBy?: number;
	};
	terms?: {
		threshold: number;
		thresholdOccurrences: "ALL" | "AT_LEAST_ONCE";
		thresholdDuration: number;
		operator: "ABOVE";
		priority: "CRITICAL";
	}[];
	expiration?: { expirationDuration: number; openViolationOnExpiration: boolean; closeViolationsOnExpiration: boolean };
	violationTimeLimitSeconds: number;
};
export type Policy = { name: string; incidentPreference: "PER_CONDITION"; severity: Severity };

/** An account routes what happens by policy: one that wakes somebody, one that makes tickets. */
export const policies = ({ environment }: Target): Policy[] => [
	{ name: `Charla (${environment}): page`, incidentPreference: "PER_CONDITION", severity: "page" },
	{ name: `Charla (${environment}): ticket`, incidentPreference: "PER_CONDITION", severity: "ticket" },
];

/** The longest window New Relic evaluates a condition over, s. */
export const longestWindow = 21_600;
/** The SDK exports each minute, and New Relic recommends two for what comes a little late, s. */
const delay = 120;
/** An incident nobody closed is closed, s. */
const forgetAfter = 86_400;

/**
 * The alarms as conditions on NRQL. Those CloudWatch alone can see (the canary, and lines that never come here) are left out.
 *
 * A condition has one window, and cannot ask for two at once. So a burn is asked over its long window, sliding by the short
 * one: it opens as early as the pair would, and closes up to a long window later. The guard is that of the short window,
 * stretched. Three days are more than it evaluates: the slow burn is asked over six hours, and has to last a day.
 */
export function conditions(target: Target, runbooks: string): (Condition & { severity: Severity })[] {
	return alarms.flatMap((alarm) => {
		const asked = ask(alarm, ours(target));
		if (!asked) return [];
		return [
			{
				name: alarm.name,
				description: `${alarm.title}. ${describe(alarm)}`,
				enabled: true,
				runbookUrl: runbookAt(alarm.runbook, runbooks),
				...asked,
				violationTimeLimitSeconds: forgetAfter,
				severity: alarm.severity,
			},
		];
	});
}

function ask({ signal }: Alarm, where: string): Pick<Condition, "nrql" | "signal" | "terms" | "expiration"> | null {
	const over = (aggregationWindow: number, slideBy?: number): Condition["signal"] => ({
		aggregationWindow,
		aggregationMethod: "EVENT_FLOW",
		aggregationDelay: delay,
		...(slideBy ? { slideBy } : {}),
	});
	const above = (threshold: number, thresholdDuration: number, thresholdOccurrences: "ALL" | "AT_LEAST_ONCE") => [
		{ threshold, thresholdOccurrences, thresholdDuration, operator: "ABOVE", priority: "CRITICAL" } as const,
	];
	const among = (filter: Record<string, readonly string[]> = {}) =>
		Object.entries(filter)
			.map(([name, values]) => ` AND ${name} IN (${values.map((value) => `'${value}'`).join(", ")})`)
			.join("");

	switch (signal.kind) {
		case "burn": {
			const window = Math.min(signal.long, longestWindow);
			const isCut = window < signal.long;
			const guard = Math.round((signal.guard * window) / signal.short);
			const query = `SELECT (1 - sum(slo.good) / clamp_min(sum(slo.valid), 1)) / ${round(1 - slos[signal.slo].objective)} * clamp_max(floor(sum(slo.valid) / ${guard}), 1) FROM Metric WHERE ${where} AND slo = '${signal.slo}'`;
			return {
				nrql: { query },
				signal: over(window, isCut ? undefined : signal.short),
				terms: isCut ? above(signal.rate, 4 * window, "ALL") : above(signal.rate, window, "AT_LEAST_ONCE"),
			};
		}
		case "missed":
			return {
				nrql: { query: `SELECT sum(slo.valid) - sum(slo.good) FROM Metric WHERE ${where} AND slo = '${signal.slo}'` },
				signal: over(signal.window),
				terms: above(signal.above, signal.window, "AT_LEAST_ONCE"),
			};
		case "level":
			return {
				nrql: { query: `SELECT max(${signal.metric}) FROM Metric WHERE ${where}${among(signal.where)} FACET service.instance.id` },
				signal: over(60),
				terms: above(signal.above, signal.during, "ALL"),
			};
		case "sum":
			return {
				nrql: { query: `SELECT sum(${signal.metric}) FROM Metric WHERE ${where}${among(signal.where)}` },
				signal: over(signal.window),
				terms: above(signal.above, signal.times * signal.window, "ALL"),
			};
		case "event":
			if ("apart" in events[signal.event]) return null;
			return {
				nrql: { query: `SELECT count(*) FROM Log WHERE ${where} AND event = '${signal.event}'` },
				signal: over(signal.window),
				terms: above(0, signal.times * signal.window, "ALL"),
			};
		case "silence":
			return {
				nrql: { query: `SELECT count(*) FROM Log WHERE ${where} AND event = '${signal.event}'` },
				signal: over(60),
				expiration: { expirationDuration: signal.during, openViolationOnExpiration: true, closeViolationsOnExpiration: false },
			};
		case "canary":
			return null;
	}
}
