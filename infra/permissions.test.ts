import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { runSimulation } from "@cloud-copilot/iam-simulate";
import { type Footprint, parts } from "./footprint.ts";
import { ofType, rolesOf, settle, synthesized } from "./testing.ts";

const prod = synthesized("prod");
const roles = rolesOf(prod);

const at = "eu-west-1:123456789012";
/** A resource of the data stack, or another, by the beginning of its logical id, as it is called once settled. */
function arnOf(type: string, begins: string, part: "data" | "edge" = "data"): string {
	const found = ofType(prod.templates[part], type).filter(([id]) => id.startsWith(begins));
	assert.equal(found.length, 1, `${type} ${begins}`);
	const [[id]] = found as [[string, unknown]];
	return String(settle(prod.templates, part, { "Fn::GetAtt": [id, "Arn"] }));
}
const table = (name: string) => arnOf("AWS::DynamoDB::GlobalTable", name);
const bucket = (name: string) => arnOf("AWS::S3::Bucket", name);
const assets = arnOf("AWS::S3::Bucket", "Assets", "edge");
const queue = (name: string) => arnOf("AWS::SQS::Queue", name);
const secret = (name: string) => arnOf("AWS::SecretsManager::Secret", name);
const log = (name: string) => `arn:aws:logs:${at}:log-group:/chat/prod/${name}:log-stream:i-0abc/4711`;
const stream = arnOf("AWS::Kinesis::Stream", "Stream");
const imports = "arn:aws:s3:::chat-prod-imports-123456789012-eu-west-1";
const connection = `arn:aws:codeconnections:${at}:connection/${ofType(prod.templates.delivery, "AWS::CodeConnections::Connection")[0]?.[0]}`;
const project = `arn:aws:codebuild:${at}:project/chat-prod`;
const deploymentGroup = `arn:aws:codedeploy:${at}:deploymentgroup:chat-prod/chat-prod`;
const parameter = (name: string) => `arn:aws:ssm:${at}:parameter/${name}`;

type Asked = [action: string, resource: string, context?: Record<string, string>];
type Table = { role: string; may: Asked[]; mayNot: Asked[] };

/** What each role does for a living, and what would hurt if it could. */
const tables: Record<string, Table> = {
	instance: {
		role: "web/InstanceRole",
		may: [
			["ssm:GetParametersByPath", parameter("chat/prod/env")],
			["ssm:GetParameter", parameter("AmazonCloudWatch-chat-prod")],
			["secretsmanager:GetSecretValue", secret("DatabaseSecret")],
			["secretsmanager:GetSecretValue", secret("CacheSecret")],
			["secretsmanager:GetSecretValue", secret("SessionSecret")],
			["logs:PutLogEvents", log("app")],
			["logs:CreateLogStream", log("audit")],
			["logs:PutLogEvents", log("access")],
			["logs:PutLogEvents", log("system")],
			["logs:PutLogEvents", log("deploy")],
			["cloudwatch:PutMetricData", "*", { "cloudwatch:namespace": "Chat/Host" }],
			["ec2:DescribeTags", "*"],
			["kinesis:PutRecords", stream],
			["dynamodb:PutItem", table("Carts")],
			["dynamodb:Query", `${table("Carts")}/index/waiting`],
			["dynamodb:Query", `${table("Activity")}/index/by-day`],
			["dynamodb:BatchWriteItem", table("Items")],
			["s3:GetObject", `${bucket("Releases")}/chat/release.zip`],
			["s3:GetObject", `${imports}/inbox/items.json`],
			["sqs:ReceiveMessage", queue("ImportsFound")],
			["s3:GetObject", "arn:aws:s3:::aws-codedeploy-eu-west-1/latest/install"],
		],
		mayNot: [
			["secretsmanager:GetSecretValue", secret("OriginSecret")],
			["secretsmanager:PutSecretValue", secret("SessionSecret")],
			["secretsmanager:GetSecretValue", `arn:aws:secretsmanager:${at}:secret:other-a1B2c3`],
			["ssm:GetParametersByPath", parameter("chat/dev/env")],
			["ssm:PutParameter", parameter("chat/prod/env/PUBLIC_URL")],
			["logs:DeleteLogGroup", `arn:aws:logs:${at}:log-group:/chat/prod/audit:*`],
			["logs:DeleteLogStream", log("audit")],
			["logs:GetLogEvents", log("audit")],
			["logs:PutRetentionPolicy", `arn:aws:logs:${at}:log-group:/chat/prod/app:*`],
			["cloudwatch:PutMetricData", "*", { "cloudwatch:namespace": "Chat" }],
			["s3:PutObject", `${bucket("Releases")}/chat/release.zip`],
			["s3:DeleteObject", `${bucket("Releases")}/chat/release.zip`],
			["s3:GetObject", `${bucket("AccessLogs")}/balancer/a`],
			// Until messages have files, nobody needs them.
			["s3:GetObject", `${bucket("Uploads")}/2026/a`],
			["s3:PutObject", `${bucket("Uploads")}/2026/a`],
			["s3:PutObject", `${bucket("Archive")}/a`],
			["s3:PutObject", `${assets}/assets/entry.client-a1b2c3.js`],
			["kinesis:GetRecords", stream],
			["dynamodb:DeleteItem", table("Carts")],
			["dynamodb:DeleteTable", table("Items")],
			["dynamodb:PutItem", table("Activity")],
			["rds:DeleteDBInstance", `arn:aws:rds:${at}:db:chat-prod`],
			["ec2:TerminateInstances", `arn:aws:ec2:${at}:instance/i-0abc`],
			["autoscaling:SetDesiredCapacity", `arn:aws:autoscaling:${at}:autoScalingGroup:1:autoScalingGroupName/chat`],
			["iam:PassRole", "arn:aws:iam::123456789012:role/anything"],
			["sts:AssumeRole", "arn:aws:iam::123456789012:role/anything"],
			["lambda:InvokeFunction", `arn:aws:lambda:${at}:function:chat-prod-shop`],
			["codepipeline:StartPipelineExecution", `arn:aws:codepipeline:${at}:chat-prod`],
		],
	},
	shop: {
		role: "api/ShopRole",
		may: [
			["dynamodb:Query", table("Items")],
			["dynamodb:BatchGetItem", table("Items")],
			["dynamodb:PutItem", table("Carts")],
			["dynamodb:UpdateItem", table("Carts")],
			["dynamodb:GetItem", table("Carts")],
			["dynamodb:Query", `${table("Carts")}/index/room`],
			["logs:PutLogEvents", log("functions/shop")],
		],
		mayNot: [
			["dynamodb:PutItem", table("Items")],
			["dynamodb:DeleteItem", table("Carts")],
			["dynamodb:Scan", table("Carts")],
			["dynamodb:GetItem", table("Activity")],
			["secretsmanager:GetSecretValue", secret("DatabaseSecret")],
			["logs:PutLogEvents", log("functions/upload")],
			["s3:GetObject", `${imports}/inbox/a.json`],
		],
	},
	upload: {
		role: "api/UploadRole",
		may: [
			["s3:GetObject", `${imports}/inbox/items.json`],
			["s3:DeleteObject", `${imports}/inbox/items.json`],
			["s3:PutObject", `${imports}/reports/items.json.report`],
			["s3:PutObject", `${imports}/quarantine/items.json`],
			["s3:ListBucket", imports],
			["sqs:SendMessage", queue("ImportsFound")],
			["sqs:SendMessage", queue("UploadFailures")],
			["logs:PutLogEvents", log("functions/upload")],
		],
		mayNot: [
			// It would call itself for ever.
			["s3:PutObject", `${imports}/inbox/again.json`],
			["s3:DeleteObject", `${imports}/quarantine/items.json`],
			["s3:GetObject", `${bucket("Uploads")}/a`],
			["sqs:ReceiveMessage", queue("ImportsFound")],
			["dynamodb:PutItem", table("Items")],
		],
	},
	stream: {
		role: "api/StreamRole",
		may: [
			["kinesis:GetRecords", stream],
			["kinesis:GetShardIterator", stream],
			["kinesis:DescribeStream", stream],
			["dynamodb:PutItem", table("Activity")],
			["dynamodb:Query", table("Activity")],
			["s3:PutObject", `${bucket("Archive")}/2026/11/a.gz`],
			["sqs:SendMessage", queue("StreamFailures")],
		],
		mayNot: [
			["kinesis:PutRecords", stream],
			["s3:GetObject", `${bucket("Archive")}/2026/11/a.gz`],
			["s3:DeleteObject", `${bucket("Archive")}/2026/11/a.gz`],
			["dynamodb:PutItem", table("Carts")],
			["sqs:SendMessage", queue("UploadFailures")],
		],
	},
	canary: {
		role: "observe/TwoPeopleRole",
		may: [
			["cloudwatch:PutMetricData", "*", { "cloudwatch:namespace": "CloudWatchSynthetics" }],
			["logs:CreateLogGroup", `arn:aws:logs:${at}:log-group:/aws/lambda/cwsyn-chat-prod-1234`],
		],
		mayNot: [
			["cloudwatch:PutMetricData", "*", { "cloudwatch:namespace": "Chat" }],
			["secretsmanager:GetSecretValue", secret("SessionSecret")],
			["s3:PutObject", `${bucket("Releases")}/a`],
		],
	},
	source: {
		role: "delivery/PipelineSourceCodePipelineActionRole",
		may: [
			// By its new name; the construct grants the old one alone.
			["codeconnections:UseConnection", connection],
			["s3:PutObject", `${bucket("Releases")}/source.zip`],
		],
		mayNot: [
			["codeconnections:UseConnection", `arn:aws:codeconnections:${at}:connection/another`],
			["codebuild:StartBuild", project],
			["codedeploy:CreateDeployment", deploymentGroup],
		],
	},
	"start of a build": {
		role: "delivery/PipelineBuildCodePipelineActionRole",
		may: [
			["codebuild:StartBuild", project],
			["codebuild:BatchGetBuilds", project],
			["codebuild:StopBuild", project],
		],
		mayNot: [
			["codebuild:UpdateProject", project],
			["codeconnections:UseConnection", connection],
			["codedeploy:CreateDeployment", deploymentGroup],
		],
	},
	"start of a deployment": {
		role: "delivery/PipelineDeployCodePipelineActionRole",
		may: [
			["codedeploy:CreateDeployment", deploymentGroup],
			["codedeploy:GetDeployment", deploymentGroup],
			["codedeploy:RegisterApplicationRevision", `arn:aws:codedeploy:${at}:application:chat-prod`],
			["codedeploy:GetDeploymentConfig", `arn:aws:codedeploy:${at}:deploymentconfig:CodeDeployDefault.OneAtATime`],
			["s3:GetObject", `${bucket("Releases")}/release.zip`],
		],
		mayNot: [
			["codedeploy:CreateDeployment", `arn:aws:codedeploy:${at}:deploymentgroup:other/other`],
			["codebuild:StartBuild", project],
			["ec2:TerminateInstances", `arn:aws:ec2:${at}:instance/i-0abc`],
		],
	},
	build: {
		role: "delivery/BuildRole",
		may: [
			["s3:GetObject", `${bucket("Releases")}/source.zip`],
			["s3:PutObject", `${bucket("Releases")}/release.zip`],
			["logs:PutLogEvents", log("build")],
			["s3:PutObject", `${assets}/assets/entry.client-a1b2c3.js`],
		],
		mayNot: [
			["s3:DeleteObject", `${assets}/assets/entry.client-a1b2c3.js`],
			["s3:PutObject", `${assets}/index.html`],
			["secretsmanager:GetSecretValue", secret("DatabaseSecret")],
			["ssm:GetParametersByPath", parameter("chat/prod/env")],
			["s3:GetObject", `${bucket("Uploads")}/a`],
			["codedeploy:CreateDeployment", `arn:aws:codedeploy:${at}:deploymentgroup:chat-prod/chat-prod`],
			["iam:PassRole", "arn:aws:iam::123456789012:role/anything"],
		],
	},
};

async function decision(role: string, [action, resource, contextVariables = {}]: Asked): Promise<string> {
	const found = [...roles].filter(([key]) => key.startsWith(role));
	assert.equal(found.length, 1, `${role}: ${[...roles.keys()].join(", ")}`);
	const { statements } = (found[0] as (typeof found)[0])[1];
	const result = await runSimulation(
		{
			request: {
				principal: "arn:aws:iam::123456789012:role/Simulated",
				action,
				resource: { resource, accountId: "123456789012" },
				contextVariables,
			},
			identityPolicies: [{ name: "whole", policy: { Version: "2012-10-17", Statement: statements } }],
			serviceControlPolicies: [],
			resourceControlPolicies: [],
		},
		{},
	);
	if (result.resultType === "error") throw new Error(`${action} on ${resource}: ${JSON.stringify(result.errors)}`);
	return result.overallResult;
}

for (const [name, { role, may, mayNot }] of Object.entries(tables))
	describe(name, () => {
		for (const asked of may)
			test(`may ${asked.slice(0, 2).join(" ")} ${asked[2] ? JSON.stringify(asked[2]) : ""}`, async () => {
				assert.equal(await decision(role, asked), "Allowed");
			});
		for (const asked of mayNot)
			test(`may not ${asked.slice(0, 2).join(" ")} ${asked[2] ? JSON.stringify(asked[2]) : ""}`, async () => {
				assert.match(await decision(role, asked), /Denied$/);
			});
	});

test("[W7] nobody may do everything of anything, or hand on a role", () => {
	for (const [role, { statements, managed }] of roles) {
		for (const { Effect, Action, Resource } of statements) {
			const actions = [Action].flat() as string[];
			if (Effect !== "Allow") continue;
			for (const action of actions) assert.doesNotMatch(action, /^\*$|^[a-z0-9-]+:\*$|^iam:(?!PassRole)/, `${role}: ${action}`);
			if (actions.includes("iam:PassRole")) assert.notDeepEqual([Resource].flat(), ["*"], role);
		}
		for (const policy of managed) assert.doesNotMatch(policy, /AdministratorAccess|PowerUser|FullAccess/, `${role}: ${policy}`);
	}
});

test("what AWS's own policies add is known: three roles have one each", () => {
	const added = [...roles].flatMap(([role, { managed }]) => managed.map((policy) => `${role.split("/")[0]}: ${policy.split("/").at(-1)}`));
	assert.deepEqual(added.sort(), [
		"api: AmazonAPIGatewayPushToCloudWatchLogs",
		"delivery: AWSCodeDeployRole",
		"web: AmazonSSMManagedInstanceCore",
	]);
});

test("every role that exists is in a table or is one of the pipeline's own", () => {
	const known = Object.values(tables).map(({ role }) => role);
	const others = [...roles.keys()].filter((role) => !known.some((begin) => role.startsWith(begin)));
	assert.deepEqual(others.map((role) => role.replace(/[A-F0-9]{8}$/, "")).sort(), [
		"api/ShoppinApiCloudWatchRole",
		"delivery/GroupRole",
		"delivery/PipelineRole",
		"network/VpcRejectedIAMRole",
	]);
});

test("every bucket and queue refuses what comes without TLS, and nobody outside the account is let in", () => {
	const { footprint } = prod as { footprint: Footprint };
	assert.ok(footprint);
	let policies = 0;
	for (const part of parts)
		for (const type of ["AWS::S3::BucketPolicy", "AWS::SQS::QueuePolicy", "AWS::SNS::TopicPolicy"])
			for (const [id, { Properties }] of ofType(prod.templates[part], type)) {
				const { Statement } = Properties.PolicyDocument as { Statement: Record<string, unknown>[] };
				policies++;
				assert.ok(
					Statement.some(
						({ Effect, Condition }) => Effect === "Deny" && JSON.stringify(Condition) === '{"Bool":{"aws:SecureTransport":"false"}}',
					),
					id,
				);
				for (const { Effect, Principal } of Statement)
					if (Effect === "Allow") assert.ok(Principal !== "*" && JSON.stringify(Principal) !== '{"AWS":"*"}', id);
			}
	assert.ok(policies >= 12, String(policies));
});
