import { Aws, CfnOutput, RemovalPolicy } from "aws-cdk-lib";
import { CfnBudget } from "aws-cdk-lib/aws-budgets";
import type { Alarm, AlarmBase } from "aws-cdk-lib/aws-cloudwatch";
import { PolicyStatement, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import { CfnQueryDefinition, FilterPattern, MetricFilter } from "aws-cdk-lib/aws-logs";
import { Topic } from "aws-cdk-lib/aws-sns";
import { EmailSubscription } from "aws-cdk-lib/aws-sns-subscriptions";
import type { Construct } from "constructs";
import { metricFilters } from "../../observability/alarms.ts";
import { emfNamespace } from "../../observability/emf.ts";
import { savedQueries } from "../../observability/queries.ts";
import type { StageConfig } from "../config.ts";
import { TwoPeople } from "../constructs/canary.ts";
import { call, contractAlarms, makeOwnAlarm } from "../constructs/contract-alarms.ts";
import { makeDashboard } from "../constructs/dashboard.ts";
import { groupsOf } from "../constructs/functions.ts";
import { deliveryFilters, deliveryNamespace, ownAlarms } from "../constructs/own-alarms.ts";
import type { ApiStack } from "./api.ts";
import { ChatStack } from "./chat-stack.ts";
import type { DataStack } from "./data.ts";
import type { EdgeStack } from "./edge.ts";
import type { WebStack } from "./web.ts";

/** Who is called when, and where one looks. */
export class ObserveStack extends ChatStack {
	/** A release that sets one of these off is rolled back. CodeDeploy takes ten at most. */
	readonly rollback: Alarm[];
	readonly pages: Topic;
	readonly tickets: Topic;

	constructor(scope: Construct, config: StageConfig, given: { data: DataStack; web: WebStack; api: ApiStack; edge: EdgeStack }) {
		super(scope, "observe", config, { description: "Charla: alarms, dashboard, saved queries and the canary" });
		const { stage, alarmEmail, canaryEvery } = config;
		const { data, edge } = given;

		const topic = (id: string, name: string, displayName: string) => {
			const made = new Topic(this, id, { topicName: `chat-${stage}-${name}`, displayName, enforceSSL: true });
			// A policy that asks for TLS takes the place of the one AWS gives a topic, and with it goes the alarms' right to tell.
			made.addToResourcePolicy(
				new PolicyStatement({
					sid: "AlarmsMayTell",
					principals: [new ServicePrincipal("cloudwatch.amazonaws.com")],
					actions: ["sns:Publish"],
					resources: [made.topicArn],
					conditions: { StringEquals: { "aws:SourceAccount": Aws.ACCOUNT_ID } },
				}),
			);
			if (alarmEmail) made.addSubscription(new EmailSubscription(alarmEmail));
			return made;
		};
		this.pages = topic("Pages", "pages", "Charla: somebody is needed now");
		this.tickets = topic("Tickets", "tickets", "Charla: to be looked at within a working day");
		const topics = { page: this.pages, ticket: this.tickets };

		for (const { name, pattern } of metricFilters)
			new MetricFilter(this, `Filter-${name}`, {
				logGroup: data.logs.app,
				filterPattern: FilterPattern.literal(pattern),
				metricNamespace: emfNamespace,
				metricName: name,
				metricValue: "1",
				// No dimensions and no default value: silence has to look like silence.
			});
		for (const { metric, pattern } of deliveryFilters)
			new MetricFilter(this, `Filter-${metric}`, {
				logGroup: data.logs.deploy,
				filterPattern: FilterPattern.literal(pattern),
				metricNamespace: deliveryNamespace,
				metricName: metric,
				metricValue: "1",
			});

		const contract = contractAlarms(this, config, topics);
		const own = ownAlarms(config, given).map((alarm) => ({ alarm, made: makeOwnAlarm(this, config, topics, alarm) }));
		const alarms: AlarmBase[] = [...contract.calling, ...own.map(({ made }) => made)];
		const fastBurn = contract.leaves.get(`chat-${stage}-send-burn-fast-short`);
		if (!fastBurn) throw new Error("observability/alarms.ts has no fast burn of sending.");
		this.rollback = [...own.filter(({ alarm }) => alarm.rollsBack).map(({ made }) => made), fastBurn];
		if (canaryEvery !== null) {
			const canary = new TwoPeople(this, "TwoPeople", {
				config,
				every: canaryEvery,
				url: edge.url,
				keep: config.protect ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
				logsTo: data.accessLogs,
			});
			call(canary.alarm, this.pages);
			alarms.push(canary.alarm);
		}
		makeDashboard(this, config, { ...given, alarms });

		for (const saved of savedQueries)
			new CfnQueryDefinition(this, `Query-${saved.name.replace(/\W+/g, "-")}`, {
				name: `Charla/${stage}/${saved.name}`,
				queryString: saved.query,
				logGroupNames: groupsOf(stage, saved),
			});

		this.budget();
		new CfnOutput(this, "DashboardUrl", {
			value: `https://${Aws.REGION}.console.aws.amazon.com/cloudwatch/home?region=${Aws.REGION}#dashboards/dashboard/chat-${stage}`,
			description: "The dashboard",
		});
		new CfnOutput(this, "PagesTopic", { value: this.pages.topicArn, description: "Subscribe whoever is to be woken" });
		new CfnOutput(this, "TicketsTopic", { value: this.tickets.topicArn, description: "Subscribe whoever looks within a working day" });
	}

	/** Tells of money: four fifths spent, and more than all of it foreseen. */
	private budget(): void {
		const { stage, budget } = this.config;
		this.tickets.addToResourcePolicy(
			new PolicyStatement({
				sid: "BudgetsMayTell",
				principals: [new ServicePrincipal("budgets.amazonaws.com")],
				actions: ["sns:Publish"],
				resources: [this.tickets.topicArn],
				conditions: { StringEquals: { "aws:SourceAccount": Aws.ACCOUNT_ID } },
			}),
		);
		const notify = (notificationType: "ACTUAL" | "FORECASTED", threshold: number) => ({
			notification: { notificationType, comparisonOperator: "GREATER_THAN", threshold, thresholdType: "PERCENTAGE" },
			subscribers: [{ subscriptionType: "SNS", address: this.tickets.topicArn }],
		});
		new CfnBudget(this, "Budget", {
			budget: { budgetName: `chat-${stage}`, budgetType: "COST", timeUnit: "MONTHLY", budgetLimit: { amount: budget, unit: "USD" } },
			notificationsWithSubscribers: [notify("ACTUAL", 80), notify("FORECASTED", 100)],
		});
	}
}
