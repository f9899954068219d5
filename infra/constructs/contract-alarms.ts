import { Duration } from "aws-cdk-lib";
import {
	Alarm,
	type AlarmBase,
	AlarmRule,
	AlarmState,
	CompositeAlarm,
	MathExpression,
	Metric,
	TreatMissingData,
} from "aws-cdk-lib/aws-cloudwatch";
import { SnsAction } from "aws-cdk-lib/aws-cloudwatch-actions";
import type { ITopic } from "aws-cdk-lib/aws-sns";
import type { Construct } from "constructs";
import { alarms, type CloudWatchAlarm, cloudWatchAlarms, describe, type Severity } from "../../observability/alarms.ts";
import type { StageConfig } from "../config.ts";
import { comparisons, type OwnAlarm } from "./own-alarms.ts";

export type Topics = Record<Severity, ITopic>;

/** What an alarm says of itself: its title, why this number, and what to do. At most 1024 characters. */
export const saying = (given: { title: string; because: string; runbook: string }): string =>
	`${given.title}. ${given.because} Runbook: ${given.runbook}`.slice(0, 1024);

/**
 * The alarms of observability/alarms.ts, as they are there. One that needs several conditions at once is a composite of alarms that
 * call nobody themselves. Gives all that call somebody, and all there are by name.
 */
export function contractAlarms(
	scope: Construct,
	config: StageConfig,
	topics: Topics,
): { calling: AlarmBase[]; leaves: Map<string, Alarm> } {
	const calling: AlarmBase[] = [];
	const leaves = new Map<string, Alarm>();
	for (const alarm of alarms) {
		const parts = cloudWatchAlarms(alarm, config.stage);
		// The canary is one of its own, made with it.
		if (parts === null) continue;
		const about = saying({ title: alarm.title, because: describe(alarm), runbook: alarm.runbook });
		const made = parts.map((part) => {
			const leaf = leafAlarm(scope, part, about);
			leaves.set(part.name, leaf);
			return leaf;
		});
		const [first] = made as [Alarm];
		const whole =
			made.length === 1
				? first
				: new CompositeAlarm(scope, `Alarm-${alarm.name}`, {
						compositeAlarmName: `chat-${config.stage}-${alarm.name}`,
						alarmDescription: about,
						alarmRule: AlarmRule.allOf(...made.map((leaf) => AlarmRule.fromAlarm(leaf, AlarmState.ALARM))),
					});
		call(whole, topics[alarm.severity]);
		calling.push(whole);
	}
	return { calling, leaves };
}

/** Tells a topic both when it begins and when it is over: whoever was called wants to know. */
export function call(alarm: AlarmBase, topic: ITopic): void {
	alarm.addAlarmAction(new SnsAction(topic));
	alarm.addOkAction(new SnsAction(topic));
}

const missing = { breaching: TreatMissingData.BREACHING, notBreaching: TreatMissingData.NOT_BREACHING } as const;

function leafAlarm(scope: Construct, part: CloudWatchAlarm, alarmDescription: string): Alarm {
	const period = Duration.seconds(part.period);
	const metrics = Object.fromEntries(
		Object.entries(part.metrics).map(([id, { name, stat }]) => [
			id,
			new Metric({ namespace: part.namespace, metricName: name, dimensionsMap: part.dimensions, statistic: stat, period }),
		]),
	);
	const alone = metrics[part.expression];
	return new Alarm(scope, `Alarm-${part.name}`, {
		alarmName: part.name,
		alarmDescription,
		metric: alone ?? new MathExpression({ expression: part.expression, usingMetrics: metrics, period }),
		comparisonOperator: comparisons[part.comparison],
		threshold: part.threshold,
		evaluationPeriods: part.evaluationPeriods,
		datapointsToAlarm: part.datapointsToAlarm,
		treatMissingData: missing[part.missing],
	});
}

/** One of the alarms on AWS's own numbers. */
export function makeOwnAlarm(scope: Construct, config: StageConfig, topics: Topics, own: OwnAlarm): Alarm {
	const alarm = new Alarm(scope, `Alarm-${own.name}`, {
		alarmName: `chat-${config.stage}-${own.name}`,
		alarmDescription: saying({ ...own, runbook: `docs/runbooks/${own.runbook}.md` }),
		metric: own.metric,
		comparisonOperator: comparisons[own.comparison],
		threshold: own.threshold,
		evaluationPeriods: own.periods,
		datapointsToAlarm: own.periods,
		treatMissingData: own.missing,
	});
	call(alarm, topics[own.severity]);
	return alarm;
}
