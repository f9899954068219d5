import { Duration } from "aws-cdk-lib";
import { AdjustmentType, type AutoScalingGroup, StepScalingAction } from "aws-cdk-lib/aws-autoscaling";
import { Alarm, ComparisonOperator, Metric, Stats, TreatMissingData } from "aws-cdk-lib/aws-cloudwatch";
import { AutoScalingAction } from "aws-cdk-lib/aws-cloudwatch-actions";
import { Construct } from "constructs";

/** Above so much CPU, one instance more. Strictly: at 50.0 % nothing happens. */
export const busy = { percent: 50, minutes: 3 };
/** Below so much, one less. It has to last: an instance is worth more than a quarter of an hour of its price. */
export const idle = { percent: 10, minutes: 15 };
/** How long a new instance takes until it carries its share, from launch through the deployment to the balancer. */
export const warmUp = Duration.minutes(5);

/**
 * The rule by which the fleet grows and shrinks, one instance at a time. The construct's own `scaleOnMetric` compares with
 * >= and <=, so the alarms are made here.
 */
export class CpuScaling extends Construct {
	readonly busy: Alarm;
	readonly idle: Alarm;

	constructor(scope: Construct, id: string, group: AutoScalingGroup, stage: string) {
		super(scope, id);
		const cpu = new Metric({
			namespace: "AWS/EC2",
			metricName: "CPUUtilization",
			dimensionsMap: { AutoScalingGroupName: group.autoScalingGroupName },
			statistic: Stats.AVERAGE,
			// Detailed monitoring is on; without it a figure comes only every five minutes.
			period: Duration.minutes(1),
		});
		const alarm = (name: string, rule: typeof busy, comparisonOperator: ComparisonOperator, change: 1 | -1) => {
			const step = new StepScalingAction(this, change === 1 ? "OneMore" : "OneLess", {
				autoScalingGroup: group,
				adjustmentType: AdjustmentType.CHANGE_IN_CAPACITY,
				estimatedInstanceWarmup: change === 1 ? warmUp : undefined,
			});
			step.addAdjustment(change === 1 ? { lowerBound: 0, adjustment: change } : { upperBound: 0, adjustment: change });
			const made = new Alarm(this, change === 1 ? "Busy" : "Idle", {
				alarmName: `chat-${stage}-${name}`,
				alarmDescription: `${change === 1 ? "Above" : "Below"} ${rule.percent} % CPU for ${rule.minutes} minutes: one instance ${
					change === 1 ? "more" : "less"
				}. It scales the fleet and calls nobody. Runbook: docs/runbooks/aws/fleet.md`,
				metric: cpu,
				threshold: rule.percent,
				comparisonOperator,
				evaluationPeriods: rule.minutes,
				datapointsToAlarm: rule.minutes,
				treatMissingData: TreatMissingData.MISSING,
			});
			made.addAlarmAction(new AutoScalingAction(step));
			return made;
		};
		this.busy = alarm("cpu-busy", busy, ComparisonOperator.GREATER_THAN_THRESHOLD, 1);
		this.idle = alarm("cpu-idle", idle, ComparisonOperator.LESS_THAN_THRESHOLD, -1);
	}
}
