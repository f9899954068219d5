import { Duration } from "aws-cdk-lib";
import {
	AlarmStatusWidget,
	Color,
	Dashboard,
	GraphWidget,
	type IAlarm,
	type IMetric,
	type IWidget,
	LogQueryWidget,
	MathExpression,
	Metric,
	PeriodOverride,
	SingleValueWidget,
	Stats,
	TextWidget,
} from "aws-cdk-lib/aws-cloudwatch";
import type { Construct } from "constructs";
import { type SloName, serviceName, slos } from "../../observability/contract.ts";
import { type EmfDuration, type EmfNumber, emfNamespace } from "../../observability/emf.ts";
import { savedQueries } from "../../observability/queries.ts";
import type { StageConfig } from "../config.ts";
import type { ApiStack } from "../stacks/api.ts";
import type { DataStack } from "../stacks/data.ts";
import type { EdgeStack } from "../stacks/edge.ts";
import type { WebStack } from "../stacks/web.ts";
import { hostNamespace } from "./agent-config.ts";
import { busy, idle } from "./cpu-scaling.ts";
import { type FunctionName, functions, groupsOf } from "./functions.ts";
import { lambdaService } from "./own-alarms.ts";

type Given = { data: DataStack; web: WebStack; api: ApiStack; edge: EdgeStack; alarms: IAlarm[] };
const minute = Duration.minutes(1);

/** One page that answers an operator's first questions, from top to bottom; docs/observability.md says which. */
export function makeDashboard(scope: Construct, config: StageConfig, given: Given): Dashboard {
	const { stage } = config;
	const metric = (metricName: string, statistic: string, label?: string): Metric =>
		new Metric({
			namespace: emfNamespace,
			metricName,
			dimensionsMap: { service: serviceName, env: stage },
			statistic,
			period: minute,
			label,
		});
	// Typed by the contract: a name that is not emitted does not compile.
	const number = (name: EmfNumber, statistic: string = Stats.SUM, label?: string) => metric(name, statistic, label ?? name);
	const percentiles = (name: EmfDuration) => [50, 95, 99].map((p) => metric(name, Stats.percentile(p), `p${p}`));
	const graph = (title: string, left: IMetric[], width = 8, more: { right?: IMetric[]; lines?: number[]; max?: number } = {}) =>
		new GraphWidget({
			title,
			left,
			right: more.right,
			width,
			height: 6,
			leftYAxis: { min: 0, max: more.max, showUnits: false },
			leftAnnotations: more.lines?.map((value) => ({ value, color: Color.GREY })),
		});
	const share = (slo: SloName, period: Duration): MathExpression => {
		const { emf, title } = slos[slo];
		// Ids are shared by the whole widget.
		const [good, valid] = [`good${emf}`, `valid${emf}`];
		return new MathExpression({
			expression: `IF(${valid} > 0, 100 * ${good} / ${valid}, 100)`,
			usingMetrics: {
				[good]: metric(`${emf}Good`, Stats.SUM).with({ period }),
				[valid]: metric(`${emf}Valid`, Stats.SUM).with({ period }),
			},
			label: title,
			period,
		});
	};
	const sloNames = Object.keys(slos) as SloName[];
	const { fleet, targets, balancer } = given.web;
	const ofGroup = (namespace: string, metricName: string, statistic: string) =>
		new Metric({
			namespace,
			metricName,
			dimensionsMap: { AutoScalingGroupName: fleet.autoScalingGroupName },
			statistic,
			period: minute,
			label: metricName,
		});
	const ofFunction = (name: FunctionName, metricName: string, statistic: string) =>
		new Metric({
			namespace: emfNamespace,
			metricName,
			dimensionsMap: { service: `${lambdaService}${name}`, env: stage },
			statistic,
			period: Duration.minutes(5),
			label: name,
		});
	const everyFunction = (metricName: string, statistic: string) =>
		(Object.keys(functions) as FunctionName[]).map((name) => ofFunction(name, metricName, statistic));
	const query = (name: string, width = 12) => {
		const found = savedQueries.find((each) => each.name === name);
		if (!found) throw new Error(`There is no saved query ${name}.`);
		return new LogQueryWidget({
			title: found.name,
			logGroupNames: groupsOf(stage, found),
			queryLines: found.query.split("\n").map((line) => line.replace(/^\| /, "")),
			width,
			height: 6,
		});
	};
	const heading = (markdown: string): IWidget[] => [new TextWidget({ markdown, width: 24, height: 1 })];

	return new Dashboard(scope, "Dashboard", {
		dashboardName: `chat-${stage}`,
		defaultInterval: Duration.hours(3),
		periodOverride: PeriodOverride.INHERIT,
		widgets: [
			[new AlarmStatusWidget({ title: "Alarms", alarms: given.alarms, width: 24, height: 4 })],
			heading("## What Charla promises, of the last 28 days"),
			[
				new SingleValueWidget({
					title: "Good, % (objectives: docs/observability.md)",
					// A day at a time is the longest CloudWatch adds up; a widget shows the range chosen above it as a whole.
					metrics: sloNames.map((slo) => share(slo, Duration.days(1))),
					setPeriodToTimeRange: true,
					width: 24,
					height: 4,
				}),
			],
			heading("## The way of a message"),
			[
				graph("Stored, ms", percentiles("SendMs")),
				graph("Delivered, ms", percentiles("DeliveryMs"), 8, { lines: [500] }),
				graph("On screen, ms", percentiles("RenderMs"), 8, { lines: [1000] }),
			],
			[
				graph(
					"Where the time goes, p99 in ms",
					(["StageValidateMs", "StagePersistMs", "StagePublishMs", "StageAdapterMs", "StageDeliverMs", "StageRenderMs"] as const).map(
						(name) => metric(name, Stats.percentile(99), name.slice("Stage".length, -"Ms".length)),
					),
					12,
				),
				graph("Messages a minute", [number("Messages"), number("MessagesRefused"), number("MessagesFailed")], 12),
			],
			heading("## People"),
			[
				graph("Sockets, on the fullest instance", [number("Sockets", Stats.MAXIMUM)]),
				graph("Connections that begin and that break", [number("Connects"), number("Disconnects")]),
				graph("Pages: requests, errors, ms", [number("HttpRequests"), number("HttpErrors")], 8, { right: percentiles("HttpMs").slice(1) }),
			],
			heading("## What fills up"),
			[
				graph("CPU of the fleet, %", [ofGroup("AWS/EC2", "CPUUtilization", Stats.AVERAGE)], 8, {
					lines: [busy.percent, idle.percent],
					max: 100,
				}),
				graph("Instances that answer", [
					targets.metrics.healthyHostCount({ period: minute, statistic: Stats.MINIMUM, label: "answer" }),
					targets.metrics.unhealthyHostCount({ period: minute, statistic: Stats.MAXIMUM, label: "do not" }),
				]),
				graph("Event loop, % busy", [number("EventLoop", Stats.MAXIMUM)], 8, { right: [number("EventLoopDelay", Stats.MAXIMUM)] }),
			],
			[
				graph("Memory of the process, MB", [number("Rss", Stats.MAXIMUM)], 6),
				graph(
					"Memory and disk of the machines, %",
					[ofGroup(hostNamespace, "mem_used_percent", Stats.MAXIMUM), ofGroup(hostNamespace, "disk_used_percent", Stats.MAXIMUM)],
					6,
					{ max: 100 },
				),
				graph("Database connections", [number("DbInUse", Stats.MAXIMUM), number("DbWaiting", Stats.MAXIMUM)], 6),
				graph("Database CPU, %", [given.data.database.metricCPUUtilization({ period: minute })], 6, {
					right: [given.data.database.metricFreeStorageSpace({ period: minute })],
				}),
			],
			heading("## In front, and beside"),
			[
				graph("Load balancer: connections and its own errors", [balancer.metrics.activeConnectionCount({ period: minute })], 8, {
					right: [balancer.metrics.custom("HTTPCode_ELB_5XX_Count", { statistic: Stats.SUM, period: minute })],
				}),
				graph(
					"CloudFront",
					["Requests", "5xxErrorRate"].map(
						(metricName) =>
							new Metric({
								namespace: "AWS/CloudFront",
								metricName,
								dimensionsMap: { DistributionId: given.edge.distribution.distributionId, Region: "Global" },
								// Global figures are kept in one region only.
								region: config.region && config.region !== "us-east-1" ? "us-east-1" : undefined,
								statistic: metricName === "Requests" ? Stats.SUM : Stats.AVERAGE,
								period: minute,
								label: metricName,
							}),
					),
				),
				graph("Functions: calls", everyFunction("LambdaInvocations", Stats.SUM), 8, { right: everyFunction("LambdaFailed", Stats.SUM) }),
			],
			[
				graph("Functions: ms, p95", everyFunction("LambdaMs", Stats.percentile(95)), 8),
				graph("Stream: how old what is read is, ms", [given.api.functions.stream.metric("IteratorAge", { statistic: Stats.MAXIMUM })], 8),
				graph("ShoppinAPI", [given.api.api.metricCount({ period: minute }), given.api.api.metricServerError({ period: minute })], 8),
			],
			heading("## What is written"),
			[query("Errors by kind and version"), query("Did the deploy do it")],
			[query("Reconnect storm"), query("Database and jobs in trouble")],
			heading("## Whether to believe this page"),
			[graph("Telemetry and log lines lost", [number("TelemetryDropped"), number("LogsDropped")], 12), query("Telemetry that was lost")],
		],
	});
}
