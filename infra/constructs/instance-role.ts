import { Stack } from "aws-cdk-lib";
import { Effect, ManagedPolicy, PolicyStatement, Role, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import type { Construct } from "constructs";
import type { StageConfig } from "../config.ts";
import type { DataStack } from "../stacks/data.ts";
import { hostNamespace } from "./agent-config.ts";
import { importsBucketName } from "./bucket.ts";

/** Everything an instance may do. What is not here it cannot do, and infra/permissions.test.ts says so for what would hurt. */
export function instanceRole(
	scope: Construct,
	id: string,
	given: { config: StageConfig; data: DataStack; envPath: string; agentParameter: string },
): Role {
	const { config, data, envPath, agentParameter } = given;
	const { partition, region, account } = Stack.of(scope);
	const role = new Role(scope, id, {
		assumedBy: new ServicePrincipal("ec2.amazonaws.com"),
		description: "Charla: what an instance may do",
		// A way in without a key or an open port.
		managedPolicies: [ManagedPolicy.fromAwsManagedPolicyName("AmazonSSMManagedInstanceCore")],
	});
	const may = (sid: string, actions: string[], resources: string[], conditions?: Record<string, Record<string, string | string[]>>) =>
		role.addToPolicy(new PolicyStatement({ sid, effect: Effect.ALLOW, actions, resources, conditions }));
	const parameter = (name: string) => `arn:${partition}:ssm:${region}:${account}:parameter/${name.replace(/^\//, "")}`;

	may("ReadItsConfiguration", ["ssm:GetParametersByPath"], [parameter(envPath)]);
	may("ReadTheAgentsConfiguration", ["ssm:GetParameter"], [parameter(agentParameter)]);
	may(
		"ReadItsSecrets",
		["secretsmanager:GetSecretValue"],
		[data.databaseSecret, data.cacheSecret, data.sessionSecret].map((secret) => secret.secretArn).concat(config.newRelicSecretArn ?? []),
	);
	const groups = [data.logs.app, data.logs.audit, data.logs.access, data.logs.system, data.logs.deploy].map((group) => group.logGroupArn);
	may("WriteLogs", ["logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogStreams"], groups);
	may("CountAtHome", ["cloudwatch:PutMetricData"], ["*"], { StringEquals: { "cloudwatch:namespace": hostNamespace } });
	// Whose instance it is, for the agent; this cannot be asked of one instance alone.
	may("KnowItsGroup", ["ec2:DescribeTags"], ["*"]);
	may("TellTheStream", ["kinesis:PutRecords", "kinesis:PutRecord", "kinesis:DescribeStreamSummary"], [data.stream.streamArn]);
	// Orders made in rooms are those of ShoppinAPI.
	const table = (action: string) => `dynamodb:${action}`;
	may("ReadTheCatalogue", ["GetItem", "BatchGetItem", "Query", "PutItem", "BatchWriteItem"].map(table), [data.items.tableArn]);
	may("ReadAndWriteCarts", ["GetItem", "PutItem", "UpdateItem", "Query"].map(table), [
		data.carts.tableArn,
		`${data.carts.tableArn}/index/*`,
	]);
	may("ReadWhatHappened", [table("Query")], [data.activity.tableArn, `${data.activity.tableArn}/index/*`]);
	const imports = `arn:${partition}:s3:::${importsBucketName(config.stage)}`;
	may("HandleImports", ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"], [`${imports}/*`]);
	may("FindImports", ["s3:ListBucket"], [imports]);
	may("HearOfImports", ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility"], [data.imports.queueArn]);
	may("FetchReleases", ["s3:GetObject", "s3:GetObjectVersion"], [data.releases.arnForObjects("*")]);
	may("FetchTheDeploymentAgent", ["s3:GetObject"], [`arn:${partition}:s3:::aws-codedeploy-${region}/*`]);
	return role;
}
