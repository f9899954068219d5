import { Duration } from "aws-cdk-lib";
import { ComparisonOperator, MathExpression, Metric, Stats, TreatMissingData } from "aws-cdk-lib/aws-cloudwatch";
import { HttpCodeTarget } from "aws-cdk-lib/aws-elasticloadbalancingv2";
import { serviceName } from "../../observability/contract.ts";
import { emfNamespace } from "../../observability/emf.ts";
import type { StageConfig } from "../config.ts";
import type { ApiStack } from "../stacks/api.ts";
import type { DataStack } from "../stacks/data.ts";
import type { WebStack } from "../stacks/web.ts";
import { hostNamespace } from "./agent-config.ts";
import { busy } from "./cpu-scaling.ts";
import { type FunctionName, functions } from "./functions.ts";

/** What is watched in AWS besides what Charla tells of itself (observability/alarms.ts). */
export type OwnAlarm = {
	/** Stable, and part of the alarm's name: chat-<stage>-<name>. */
	name: string;
	severity: "page" | "ticket";
	title: string;
	/** Where the number comes from. */
	because: string;
	/** File in docs/runbooks, without its ending. */
	runbook: string;
	metric: Metric | MathExpression;
	comparison: ">" | "<";
	threshold: number;
	periods: number;
	missing: TreatMissingData;
	/** A release is rolled back while it is in alarm. */
	rollsBack?: true;
};

export const comparisons = { ">": ComparisonOperator.GREATER_THAN_THRESHOLD, "<": ComparisonOperator.LESS_THAN_THRESHOLD } as const;
const quiet = TreatMissingData.NOT_BREACHING;
const minutes = (count: number) => Duration.minutes(count);

/** Where events of the pipeline are counted, by a filter on their log group. */
export const deliveryNamespace = "Chat/Delivery";
export const deliveryFilters = [
	{
		metric: "PipelineFailed",
		pattern: '{ ($.source = "aws.codepipeline") && ($.detail.state = "FAILED") && ($.detail.stage NOT EXISTS) }',
	},
	{ metric: "DeploymentFailed", pattern: '{ ($.source = "aws.codedeploy") && ($.detail.state = "FAILURE") }' },
	{
		metric: "LaunchFailed",
		pattern: '{ ($.source = "aws.autoscaling") && ($.detail-type = "EC2 Instance Launch Unsuccessful") }',
	},
] as const;

export function ownAlarms(config: StageConfig, given: { data: DataStack; web: WebStack; api: ApiStack }): OwnAlarm[] {
	const { data, web, api } = given;
	const { targets, balancer, fleet } = web;
	const database = (metricName: string, statistic: string = Stats.AVERAGE) =>
		data.database.metric(metricName, { period: minutes(5), statistic });
	const ofGroup = (namespace: string, metricName: string, statistic: string) =>
		new Metric({
			namespace,
			metricName,
			dimensionsMap: { AutoScalingGroupName: fleet.autoScalingGroupName },
			statistic,
			period: minutes(5),
		});
	const host = (metricName: string) => ofGroup(hostNamespace, metricName, Stats.MAXIMUM);
	const cache = (metricName: string, statistic: string = Stats.MAXIMUM) =>
		new Metric({
			namespace: "AWS/ElastiCache",
			metricName,
			dimensionsMap: { CacheClusterId: `chat-${config.stage}-001` },
			statistic,
			period: minutes(5),
		});
	const delivery = (metricName: string) =>
		new Metric({ namespace: deliveryNamespace, metricName, statistic: Stats.SUM, period: minutes(5) });
	const ofFunction = (name: FunctionName, metricName: string, statistic: string = Stats.SUM) =>
		api.functions[name].metric(metricName, { period: minutes(5), statistic });

	return [
		{
			name: "no-instance",
			severity: "page",
			title: "No instance answers the load balancer",
			because: "Nobody gets in. Two minutes: a single deployment takes one instance at a time out, never all.",
			runbook: "aws/fleet",
			metric: targets.metrics.healthyHostCount({ period: minutes(1), statistic: Stats.MINIMUM }),
			comparison: "<",
			threshold: 1,
			periods: 2,
			missing: TreatMissingData.BREACHING,
		},
		{
			name: "instances-unhealthy",
			severity: "ticket",
			title: "Two instances or more do not answer the load balancer",
			because: "One is what a deployment takes out by itself.",
			runbook: "aws/fleet",
			metric: targets.metrics.unhealthyHostCount({ period: minutes(1), statistic: Stats.MAXIMUM }),
			comparison: ">",
			threshold: 1,
			periods: 3,
			missing: quiet,
			rollsBack: true,
		},
		{
			name: "target-5xx",
			severity: "ticket",
			title: "Instances answer with errors",
			because: "Ten a minute for three minutes. A budget that really burns pages by itself.",
			runbook: "pages",
			metric: targets.metrics.httpCodeTarget(HttpCodeTarget.TARGET_5XX_COUNT, { period: minutes(1), statistic: Stats.SUM }),
			comparison: ">",
			threshold: 10,
			periods: 3,
			missing: quiet,
			rollsBack: true,
		},
		{
			name: "balancer-5xx",
			severity: "ticket",
			title: "The load balancer has nobody to ask",
			because: "Its own 502, 503 and 504: instances hang up, or answer later than it waits.",
			runbook: "aws/fleet",
			metric: balancer.metrics.custom("HTTPCode_ELB_5XX_Count", { period: minutes(5), statistic: Stats.SUM }),
			comparison: ">",
			threshold: 25,
			periods: 2,
			missing: quiet,
		},
		{
			name: "fleet-full",
			severity: "ticket",
			title: "The fleet cannot grow any more",
			because: `All ${config.instances.max} run and are still above half: the next rush finds no room.`,
			runbook: "aws/fleet",
			metric: new MathExpression({
				expression: `IF(running >= ${config.instances.max}, cpu, 0)`,
				usingMetrics: {
					running: ofGroup("AWS/AutoScaling", "GroupInServiceInstances", Stats.MINIMUM),
					cpu: ofGroup("AWS/EC2", "CPUUtilization", Stats.AVERAGE),
				},
				period: minutes(5),
			}),
			comparison: ">",
			threshold: busy.percent,
			periods: 3,
			missing: quiet,
		},
		{
			name: "memory-full",
			severity: "ticket",
			title: "An instance is short of memory",
			because: "Above 90 % the kernel soon chooses somebody to end.",
			runbook: "aws/machine",
			metric: host("mem_used_percent"),
			comparison: ">",
			threshold: 90,
			periods: 3,
			missing: quiet,
		},
		{
			name: "disk-full",
			severity: "ticket",
			title: "An instance's disk fills up",
			because: "A release and its artefact need a gigabyte of twenty.",
			runbook: "aws/machine",
			metric: host("disk_used_percent"),
			comparison: ">",
			threshold: 80,
			periods: 3,
			missing: quiet,
		},
		{
			name: "database-cpu",
			severity: "ticket",
			title: "The database is busy",
			because: "Above 80 % for a quarter of an hour; a burstable one pays for it in credits.",
			runbook: "database",
			metric: database("CPUUtilization"),
			comparison: ">",
			threshold: 80,
			periods: 3,
			missing: quiet,
		},
		{
			name: "database-storage",
			severity: "page",
			title: "The database's disk fills up",
			because: "Below 2 GB a full disk is hours away, and a database with a full disk stops. It grows by itself up to its limit.",
			runbook: "database",
			metric: database("FreeStorageSpace", Stats.MINIMUM),
			comparison: "<",
			threshold: 2 * 1024 ** 3,
			periods: 2,
			missing: quiet,
		},
		{
			name: "database-connections",
			severity: "ticket",
			title: "The database has nearly as many connections as it allows",
			because: "The smallest allows about 80; five instances hold 10 each.",
			runbook: "database",
			metric: database("DatabaseConnections", Stats.MAXIMUM),
			comparison: ">",
			threshold: 70,
			periods: 3,
			missing: quiet,
		},
		{
			name: "cache-cpu",
			severity: "ticket",
			title: "Valkey is busy",
			because: "It works on one core: above 80 % hints come late, and messages with them.",
			runbook: "aws/cache",
			metric: cache("EngineCPUUtilization"),
			comparison: ">",
			threshold: 80,
			periods: 3,
			missing: quiet,
		},
		{
			name: "cache-memory",
			severity: "ticket",
			title: "Valkey is short of memory",
			because: "It holds who is here and what is on its way, a few megabytes; a full one says that something does not end.",
			runbook: "aws/cache",
			metric: cache("DatabaseMemoryUsagePercentage"),
			comparison: ">",
			threshold: 80,
			periods: 3,
			missing: quiet,
		},
		...(Object.keys(functions) as FunctionName[]).flatMap((name): OwnAlarm[] => [
			{
				name: `${name}-failing`,
				severity: "ticket",
				title: `The function ${name} fails`,
				because: "It counts its failures itself: what it refuses is none. Three in five minutes are no single bad file.",
				runbook: "aws/functions",
				metric: new MathExpression({
					expression: "failed + crashed",
					usingMetrics: {
						failed: new Metric({
							namespace: emfNamespace,
							metricName: "LambdaFailed",
							dimensionsMap: { service: `${lambdaService}${name}`, env: config.stage },
							statistic: Stats.SUM,
							period: minutes(5),
						}),
						crashed: ofFunction(name, "Errors"),
					},
					period: minutes(5),
				}),
				comparison: ">",
				threshold: 2,
				periods: 1,
				missing: quiet,
			},
			{
				name: `${name}-throttled`,
				severity: "ticket",
				title: `The function ${name} is not let run`,
				because: "The account has no room for one more at once.",
				runbook: "aws/functions",
				metric: ofFunction(name, "Throttles"),
				comparison: ">",
				threshold: 0,
				periods: 3,
				missing: quiet,
			},
		]),
		{
			name: "upload-given-up",
			severity: "ticket",
			title: "A file was given up",
			because: "Three attempts failed; the file waits in its bucket and its event in the queue.",
			runbook: "aws/functions",
			metric: data.uploadFailures.metricApproximateNumberOfMessagesVisible({ period: minutes(5), statistic: Stats.MAXIMUM }),
			comparison: ">",
			threshold: 0,
			periods: 1,
			missing: quiet,
		},
		{
			name: "import-given-up",
			severity: "ticket",
			title: "The server gave up on an import",
			because: "It heard of a file five times and could not make sense of what it was told.",
			runbook: "aws/functions",
			metric: data.importFailures.metricApproximateNumberOfMessagesVisible({ period: minutes(5), statistic: Stats.MAXIMUM }),
			comparison: ">",
			threshold: 0,
			periods: 1,
			missing: quiet,
		},
		{
			name: "stream-given-up",
			severity: "ticket",
			title: "Records of the stream were given up",
			because: "Nobody could read them, or they failed for twelve hours. The rooms' logs have them: mended, they are sent again.",
			runbook: "aws/functions",
			metric: data.streamFailures.metricApproximateNumberOfMessagesVisible({ period: minutes(5), statistic: Stats.MAXIMUM }),
			comparison: ">",
			threshold: 0,
			periods: 1,
			missing: quiet,
		},
		{
			name: "stream-late",
			severity: "ticket",
			title: "The stream is read late",
			because: "A quarter of an hour behind; what is a day old is forgotten.",
			runbook: "aws/functions",
			metric: ofFunction("stream", "IteratorAge", Stats.MAXIMUM),
			comparison: ">",
			threshold: 15 * 60 * 1000,
			periods: 2,
			missing: quiet,
		},
		{
			name: "shoppin-5xx",
			severity: "ticket",
			title: "ShoppinAPI answers with errors",
			because: "Five in five minutes; it is asked by programs, which ask again.",
			runbook: "aws/functions",
			metric: api.api.metricServerError({ period: minutes(5), statistic: Stats.SUM }),
			comparison: ">",
			threshold: 5,
			periods: 1,
			missing: quiet,
		},
		{
			name: "launch-failed",
			severity: "ticket",
			title: "Instances cannot be launched",
			because:
				"Twice in a quarter of an hour: no room for the type in a zone, a quota, or a first boot that never ends. The fleet cannot grow or heal.",
			runbook: "aws/fleet",
			metric: new Metric({ namespace: deliveryNamespace, metricName: "LaunchFailed", statistic: Stats.SUM, period: minutes(15) }),
			comparison: ">",
			threshold: 1,
			periods: 1,
			missing: quiet,
		},
		{
			name: "pipeline-failed",
			severity: "ticket",
			title: "A change did not get through the pipeline",
			because: "What is on main is not what runs.",
			runbook: "aws/delivery-pipeline",
			metric: delivery("PipelineFailed"),
			comparison: ">",
			threshold: 0,
			periods: 1,
			missing: quiet,
		},
		{
			name: "deployment-failed",
			severity: "ticket",
			title: "A deployment failed and was rolled back",
			because: "The release before it runs again, unless that failed too.",
			runbook: "aws/delivery-pipeline",
			metric: delivery("DeploymentFailed"),
			comparison: ">",
			threshold: 0,
			periods: 1,
			missing: quiet,
		},
		...(config.domain
			? [
					{
						name: "certificate-ends",
						severity: "ticket",
						title: "The load balancer's certificate ends soon",
						because: "Certificates renew themselves 60 days before; one with 20 left does not.",
						runbook: "aws/certificate",
						metric: new Metric({
							namespace: "AWS/CertificateManager",
							metricName: "DaysToExpiry",
							dimensionsMap: { CertificateArn: config.domain.originCertificateArn },
							statistic: Stats.MINIMUM,
							period: Duration.days(1),
						}),
						comparison: "<",
						threshold: 20,
						periods: 1,
						missing: quiet,
					} satisfies OwnAlarm,
				]
			: []),
	];
}

/** How functions name themselves in their metrics. */
export const lambdaService = `${serviceName.split("-")[0]}-lambda-`;
