import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Aws, Duration, type RemovalPolicy, Size, Stage } from "aws-cdk-lib";
import { Alarm, ComparisonOperator, Stats, TreatMissingData } from "aws-cdk-lib/aws-cloudwatch";
import { PolicyStatement, Role, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import type { Bucket } from "aws-cdk-lib/aws-s3";
import { Canary, Code, Runtime, Schedule, Test } from "aws-cdk-lib/aws-synthetics";
import { Construct } from "constructs";
import { transformSync } from "esbuild";
import { alarms } from "../../observability/alarms.ts";
import type { StageConfig } from "../config.ts";
import { ownBucket } from "./bucket.ts";
import { saying } from "./contract-alarms.ts";

/** Within this a whole conversation has to be over; two browsers start cold. */
const timeout = Duration.minutes(2);
const source = new URL("../canary/", import.meta.url);

/** Two made-up people who talk every few minutes, in two browsers, over the address people use; and the alarm when they cannot. */
export class TwoPeople extends Construct {
	readonly canary: Canary;
	readonly alarm: Alarm;
	readonly artifacts: Bucket;

	constructor(
		scope: Construct,
		id: string,
		given: { config: StageConfig; every: number; url: string; keep: RemovalPolicy; logsTo: Bucket },
	) {
		super(scope, id);
		const { stage } = given.config;
		const name = `chat-${stage}`;
		const found = alarms.find(({ signal }) => signal.kind === "canary");
		if (found?.signal.kind !== "canary") throw new Error("observability/alarms.ts has no canary.");
		const { failing, of } = found.signal;

		this.artifacts = ownBucket(this, "Artifacts", { keep: given.keep, logsTo: given.logsTo, expires: Duration.days(30) });
		const role = new Role(this, "Role", {
			assumedBy: new ServicePrincipal("lambda.amazonaws.com"),
			description: "Charla: what the two made-up people may do",
		});
		const may = (sid: string, actions: string[], resources: string[], namespace?: string) =>
			role.addToPolicy(
				new PolicyStatement({
					sid,
					actions,
					resources,
					conditions: namespace ? { StringEquals: { "cloudwatch:namespace": namespace } } : undefined,
				}),
			);
		// Pictures and what was seen, and the two sessions, so that nobody new is made each time.
		may("KeepWhatTheySaw", ["s3:PutObject"], [this.artifacts.arnForObjects("*")]);
		may("ComeBackAsTheSame", ["s3:GetObject"], [this.artifacts.arnForObjects("kept.json")]);
		may("FindTheBucket", ["s3:GetBucketLocation", "s3:ListBucket"], [this.artifacts.bucketArn]);
		may("Count", ["cloudwatch:PutMetricData"], ["*"], "CloudWatchSynthetics");
		may(
			"WriteTheirLog",
			["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"],
			[`arn:${Aws.PARTITION}:logs:${Aws.REGION}:${Aws.ACCOUNT_ID}:log-group:/aws/lambda/cwsyn-${name}-*`],
		);

		this.canary = new Canary(this, "Canary", {
			canaryName: name,
			runtime: Runtime.SYNTHETICS_NODEJS_PLAYWRIGHT_6_0,
			test: Test.custom({ code: Code.fromAsset(canaryFolder(this)), handler: "handler.handler" }),
			schedule: Schedule.rate(Duration.minutes(given.every)),
			timeout,
			memory: Size.mebibytes(2048),
			role,
			artifactsBucketLocation: { bucket: this.artifacts },
			environmentVariables: { CHAT_URL: given.url, KEPT_BUCKET: this.artifacts.bucketName },
			successRetentionPeriod: Duration.days(7),
			failureRetentionPeriod: Duration.days(30),
			provisionedResourceCleanup: true,
		});
		this.alarm = new Alarm(this, "Alarm", {
			alarmName: `chat-${stage}-${found.name}`,
			alarmDescription: saying(found),
			metric: this.canary.metricSuccessPercent({ period: Duration.minutes(given.every), statistic: Stats.AVERAGE }),
			comparisonOperator: ComparisonOperator.LESS_THAN_THRESHOLD,
			threshold: 100,
			evaluationPeriods: of,
			datapointsToAlarm: failing,
			// Who says nothing has not talked.
			treatMissingData: TreatMissingData.BREACHING,
		});
	}
}

/**
 * The canary's files as plain JavaScript, which is all its runtime takes; beside the templates, so that two who synthesize at once do not
 * meet. The same source gives the same files.
 */
function canaryFolder(scope: Construct): string {
	const folder = join(Stage.of(scope)?.assetOutdir ?? "build", "canary-source");
	mkdirSync(folder, { recursive: true });
	for (const name of ["handler", "two-people"]) {
		const { code } = transformSync(readFileSync(new URL(`${name}.ts`, source), "utf8"), { loader: "ts", format: "esm", target: "node22" });
		writeFileSync(join(folder, `${name}.mjs`), code.replaceAll('./two-people.ts"', './two-people.mjs"'));
	}
	return folder;
}
