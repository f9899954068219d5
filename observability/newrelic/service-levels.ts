import { type SloName, slos } from "../contract.ts";
import { ours, type Target } from "./target.ts";

type Events = { from: "Metric"; select: { attribute: "slo.good" | "slo.valid"; function: "SUM" }; where: string };
export type ServiceLevel = {
	name: string;
	description: string;
	events: { accountId: number; validEvents: Events; goodEvents: Events };
	objectives: { target: number; timeWindow: { rolling: { count: number; unit: "DAY" } } }[];
};

/**
 * The service levels as New Relic has them, from the counters of good and valid events: these are never sampled, and the
 * very numbers /ops and CloudWatch reckon with. Spans and custom events may be sampled away, so none is made of those.
 */
export function serviceLevels(target: Target): ServiceLevel[] {
	return (Object.keys(slos) as SloName[]).map((slo) => {
		const { title, objective, days, good, valid } = slos[slo];
		const of = (attribute: "slo.good" | "slo.valid"): Events => ({
			from: "Metric",
			select: { attribute, function: "SUM" },
			where: `${ours(target)} AND slo = '${slo}'`,
		});
		return {
			name: `Charla (${target.environment}): ${title}`,
			description: `Good: ${good}. Counted: ${valid}.`,
			events: { accountId: target.accountId, validEvents: of("slo.valid"), goodEvents: of("slo.good") },
			objectives: [{ target: percent(objective), timeWindow: { rolling: { count: days, unit: "DAY" } } }],
		};
	});
}

/** New Relic takes five decimals. */
const percent = (share: number): number => Number((share * 100).toFixed(5));
