import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { followedFiles } from "./constructs/agent-config.ts";
import { logGroups } from "./constructs/log-groups.ts";
import { acknowledged, isAbout } from "./nag.ts";
import { ofType, only, type Resource, settle, synthesized, variants } from "./testing.ts";

/** The figures Charla was asked to have, by their value, from the templates themselves. */
const prod = synthesized("prod");
const { web, data, edge, api, delivery, observe, network } = prod.templates;
const names = Object.keys(variants) as (keyof typeof variants)[];
type Properties = Record<string, unknown>;
const properties = (resource: Resource) => resource.Properties as Properties;

describe("the fleet", () => {
	const group = only(web, "AWS::AutoScaling::AutoScalingGroup");
	test("[W1] is never fewer than two and never more than five, in every stage", () => {
		for (const name of names) {
			const { MinSize, MaxSize, DesiredCapacity } = only(synthesized(name).templates.web, "AWS::AutoScaling::AutoScalingGroup").Properties;
			assert.deepEqual([MinSize, MaxSize], ["2", "5"], name);
			// It would put a grown fleet back at every deployment of the footprint.
			assert.equal(DesiredCapacity, undefined, name);
		}
	});

	test("[W2] above 50 % CPU one more, below 10 % one less, strictly", () => {
		const alarms = ofType(web, "AWS::CloudWatch::Alarm").map(([, { Properties }]) => Properties);
		const policies = new Map(ofType(web, "AWS::AutoScaling::ScalingPolicy").map(([id, { Properties }]) => [id, Properties]));
		const rules = alarms.map((alarm) => {
			const [action] = alarm.AlarmActions as [{ Ref: string }];
			const policy = policies.get(action.Ref) as Properties;
			const [step, ...more] = policy.StepAdjustments as Properties[];
			assert.deepEqual(more, []);
			assert.deepEqual([policy.PolicyType, policy.AdjustmentType], ["StepScaling", "ChangeInCapacity"]);
			assert.deepEqual([alarm.MetricName, alarm.Namespace, alarm.Statistic, alarm.Period], ["CPUUtilization", "AWS/EC2", "Average", 60]);
			return [alarm.ComparisonOperator, alarm.Threshold, alarm.EvaluationPeriods, step?.ScalingAdjustment];
		});
		assert.deepEqual(rules, [
			["GreaterThanThreshold", 50, 3, 1],
			["LessThanThreshold", 10, 15, -1],
		]);
	});

	test("is watched by the minute, checked by the load balancer, and renewed every 30 days without a gap", () => {
		const template = only(web, "AWS::EC2::LaunchTemplate").Properties.LaunchTemplateData as Properties;
		assert.deepEqual(template.Monitoring, { Enabled: true });
		assert.equal(group.Properties.MaxInstanceLifetime, 30 * 86_400);
		assert.match(JSON.stringify(group.Properties), /"HealthCheckType":"ELB"/);
		assert.equal(group.Properties.HealthCheckGracePeriod, 600);
		assert.match(JSON.stringify(group.UpdatePolicy), /"MinHealthyPercentage":100/);
	});

	test("asks for metadata by session only, has no key and no open port, and is reached by SSM", () => {
		const template = only(web, "AWS::EC2::LaunchTemplate").Properties.LaunchTemplateData as Properties;
		assert.deepEqual(template.MetadataOptions, { HttpTokens: "required", HttpPutResponseHopLimit: 1, InstanceMetadataTags: "disabled" });
		assert.equal(template.KeyName, undefined);
		assert.equal(template.ImageId, "resolve:ssm:/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64");
		for (const name of names) {
			const rules = ofType(synthesized(name).templates.network, "AWS::EC2::SecurityGroupIngress").map(([, { Properties }]) => Properties);
			assert.ok(rules.length === 4, name);
			assert.deepEqual(
				[...new Set(rules.map(({ FromPort }) => FromPort))].sort(),
				name === "everything" ? [3000, 443, 5432, 6379] : [3000, 5432, 6379, 80],
			);
			for (const { FromPort, CidrIp } of rules) if (CidrIp === "0.0.0.0/0") assert.deepEqual([name, FromPort], ["everything", 443]);
		}
		const volume = (template.BlockDeviceMappings as { Ebs: Properties }[])[0]?.Ebs;
		assert.deepEqual([volume?.Encrypted, volume?.VolumeType], [true, "gp3"]);
	});

	test("stands in two zones", () => {
		assert.equal(ofType(network, "AWS::EC2::Subnet").length, 6);
		assert.equal(
			new Set(ofType(network, "AWS::EC2::Subnet").map(([, { Properties }]) => JSON.stringify(Properties.AvailabilityZone))).size,
			2,
		);
		assert.equal(ofType(network, "AWS::EC2::NatGateway").length, 1);
		assert.equal(ofType(synthesized("dev").templates.network, "AWS::EC2::NatGateway").length, 0);
	});
});

describe("the load balancer", () => {
	test("[W11] checks /healthz on port 3000 as often as it can, keeps only those who poll on their instance, and drains in 60 s", () => {
		const targets = only(web, "AWS::ElasticLoadBalancingV2::TargetGroup").Properties;
		assert.deepEqual(
			[
				targets.Port,
				targets.Protocol,
				targets.HealthCheckPath,
				targets.HealthCheckIntervalSeconds,
				targets.HealthyThresholdCount,
				targets.UnhealthyThresholdCount,
			],
			[3000, "HTTP", "/healthz", 5, 2, 3],
		);
		const attributes = Object.fromEntries(
			(targets.TargetGroupAttributes as { Key: string; Value: string }[]).map(({ Key, Value }) => [Key, Value]),
		);
		assert.equal(attributes["stickiness.enabled"], "true");
		assert.equal(attributes["stickiness.type"], "app_cookie");
		assert.equal(attributes["stickiness.app_cookie.cookie_name"], "charla-polls");
		assert.equal(attributes["stickiness.app_cookie.duration_seconds"], "86400");
		assert.equal(attributes["deregistration_delay.timeout_seconds"], "60");
		assert.equal(attributes["slow_start.duration_seconds"], undefined);
	});

	test("waits longer than a socket's ping and than CloudFront, and less long than the server", () => {
		const balancer = only(web, "AWS::ElasticLoadBalancingV2::LoadBalancer").Properties;
		const attributes = Object.fromEntries(
			(balancer.LoadBalancerAttributes as { Key: string; Value: string }[]).map(({ Key, Value }) => [Key, Value]),
		);
		const idle = Number(attributes["idle_timeout.timeout_seconds"]);
		assert.equal(idle, 70);
		const source = (file: string) => readFileSync(new URL(`../${file}`, import.meta.url), "utf8");
		const server = Number(/keepAliveTimeout = ([\d_]+);/.exec(source("server.ts"))?.[1]?.replaceAll("_", "")) / 1000;
		const ping = Number(/pingInterval: ([\d_]+),/.exec(source("app/realtime/index.server.ts"))?.[1]?.replaceAll("_", "")) / 1000;
		assert.ok(server >= idle + 5, `the server hangs up after ${server} s, the load balancer after ${idle}`);
		assert.ok(idle >= 2 * ping, `a ping comes every ${ping} s`);
		const { Origins } = only(edge, "AWS::CloudFront::Distribution").Properties.DistributionConfig as { Origins: Properties[] };
		const asking = Origins.flatMap(({ VpcOriginConfig }) => (VpcOriginConfig ? [VpcOriginConfig as Record<string, number>] : []));
		assert.equal(asking.length, 1);
		for (const { OriginReadTimeout = Number.NaN, OriginKeepaliveTimeout = Number.NaN } of asking)
			assert.ok(idle > OriginReadTimeout && idle > OriginKeepaliveTimeout, `CloudFront: ${OriginReadTimeout}, ${OriginKeepaliveTimeout}`);
		assert.equal(attributes["routing.http.drop_invalid_header_fields.enabled"], "true");
		assert.equal(balancer.Scheme, "internal");
	});

	test("[W4] answers nobody who does not show CloudFront's secret", () => {
		const [listener] = ofType(web, "AWS::ElasticLoadBalancingV2::Listener").map(([, { Properties }]) => Properties);
		assert.deepEqual(
			((listener as Properties).DefaultActions as Properties[]).map(({ Type, FixedResponseConfig }) => [
				Type,
				(FixedResponseConfig as Properties).StatusCode,
			]),
			[["fixed-response", "403"]],
		);
		const rule = only(web, "AWS::ElasticLoadBalancingV2::ListenerRule").Properties;
		const [condition] = rule.Conditions as { Field: string; HttpHeaderConfig: { HttpHeaderName: string; Values: unknown[] } }[];
		assert.deepEqual([condition?.Field, condition?.HttpHeaderConfig.HttpHeaderName], ["http-header", "x-chat-origin"]);
		assert.match(
			JSON.stringify(settle(prod.templates, "web", condition?.HttpHeaderConfig.Values)),
			/resolve:secretsmanager:.*OriginSecret/,
		);
	});

	test("speaks TLS when a certificate is given, and writes its log where the region is known", () => {
		const { templates } = synthesized("everything");
		const listener = only(templates.web, "AWS::ElasticLoadBalancingV2::Listener").Properties;
		assert.deepEqual([listener.Port, listener.Protocol], [443, "HTTPS"]);
		assert.deepEqual(listener.Certificates, [{ CertificateArn: variants.everything.CHAT_ORIGIN_CERTIFICATE_ARN }]);
		const balancer = only(templates.web, "AWS::ElasticLoadBalancingV2::LoadBalancer").Properties;
		assert.equal(balancer.Scheme, "internet-facing");
		assert.match(JSON.stringify(balancer.LoadBalancerAttributes), /"access_logs.s3.enabled","Value":"true"/);
	});
});

describe("CloudFront", () => {
	const config = only(edge, "AWS::CloudFront::Distribution").Properties.DistributionConfig as Properties & {
		DefaultCacheBehavior: Properties;
		CacheBehaviors: Properties[];
		Logging: Properties;
		Origins: Properties[];
	};
	/** AWS's own policies, by their published ids. */
	const cachingDisabled = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad";
	const cachingOptimized = "658327ea-f89d-4fab-a63d-7e88639e58f6";
	const allViewer = "216adef6-5c7f-47e4-b989-5492eafa07d3";

	test("[W3] passes sockets, pages and forms through as they come", () => {
		const sockets = config.CacheBehaviors.find(({ PathPattern }) => PathPattern === "/socket.io/*");
		for (const behavior of [sockets, config.DefaultCacheBehavior]) {
			assert.equal(behavior?.CachePolicyId, cachingDisabled);
			assert.equal(behavior?.OriginRequestPolicyId, allViewer);
			assert.equal(behavior?.ViewerProtocolPolicy, "redirect-to-https");
			assert.deepEqual(behavior?.AllowedMethods, ["GET", "HEAD", "OPTIONS", "PUT", "PATCH", "POST", "DELETE"]);
			assert.equal(behavior?.Compress, false);
		}
	});

	test("[W3] keeps hashed assets, which come from a bucket nobody else may read, and no failure of them", () => {
		const assets = config.CacheBehaviors.find(({ PathPattern }) => PathPattern === "/assets/*");
		const origin = config.Origins.find(({ Id }) => Id === assets?.TargetOriginId);
		assert.ok(origin?.S3OriginConfig && origin.OriginAccessControlId);
		const name = String(settle(prod.templates, "edge", (origin.DomainName as Record<string, string[]>)["Fn::GetAtt"]?.[0]));
		const policies = ofType(edge, "AWS::S3::BucketPolicy").filter(([, { Properties }]) => JSON.stringify(Properties.Bucket).includes(name));
		assert.equal(policies.length, 1);
		const { Statement } = (policies[0] as (typeof policies)[0])[1].Properties.PolicyDocument as { Statement: Properties[] };
		const allowed = Statement.filter(({ Effect }) => Effect === "Allow");
		assert.deepEqual(
			allowed.map(({ Principal, Action }) => [Principal, Action]),
			[[{ Service: "cloudfront.amazonaws.com" }, "s3:GetObject"]],
		);
		assert.match(JSON.stringify(allowed[0]?.Condition), /AWS:SourceArn.*Distribution/);
		assert.deepEqual([assets?.CachePolicyId, assets?.OriginRequestPolicyId], [cachingOptimized, undefined]);
		assert.deepEqual(
			(config.CustomErrorResponses as Properties[]).map(({ ErrorCode, ErrorCachingMinTTL }) => [ErrorCode, ErrorCachingMinTTL]),
			[
				[403, 0],
				[404, 0],
				[500, 0],
				[501, 0],
				[502, 0],
				[503, 0],
				[504, 0],
			],
		);
	});

	test("writes its logs, without cookies, into a bucket that lets it", () => {
		const bucket = settle(prod.templates, "edge", config.Logging.Bucket);
		assert.match(String(bucket), /^logs/);
		assert.equal(config.Logging.IncludeCookies, false);
		const [, logs] = ofType(edge, "AWS::S3::Bucket").find(([id]) => id.startsWith("Logs")) as [string, { Properties: Properties }];
		assert.deepEqual(logs.Properties.OwnershipControls, { Rules: [{ ObjectOwnership: "BucketOwnerPreferred" }] });
	});

	test("reaches a load balancer that has no public address, and shows it the secret", () => {
		const [origin, ...others] = config.Origins.filter(({ S3OriginConfig }) => !S3OriginConfig);
		assert.equal(others.length, 0);
		assert.ok(origin?.VpcOriginConfig);
		assert.match(JSON.stringify(origin.OriginCustomHeaders), /"HeaderName":"x-chat-origin"/);
		const { templates } = synthesized("everything");
		const chosen = only(templates.edge, "AWS::CloudFront::Distribution").Properties.DistributionConfig as Properties & {
			Origins: Properties[];
			ViewerCertificate: Properties;
		};
		assert.equal(((chosen.Origins[0] as Properties).CustomOriginConfig as Properties).OriginProtocolPolicy, "https-only");
		assert.deepEqual(chosen.Aliases, ["chat.example.org"]);
		assert.equal(chosen.ViewerCertificate.MinimumProtocolVersion, "TLSv1.2_2021");
		assert.ok(chosen.WebACLId);
		assert.equal(ofType(templates.edge, "AWS::Route53::RecordSet").length, 2);
		assert.equal(only(templates.edge, "AWS::WAFv2::WebACL").Properties.Scope, "CLOUDFRONT");
	});
});

describe("what is kept", () => {
	test("[W5] PostgreSQL: two zones in prod, encrypted, backed up, TLS only, not to be deleted", () => {
		const database = only(data, "AWS::RDS::DBInstance");
		const { MultiAZ, StorageEncrypted, BackupRetentionPeriod, DeletionProtection, PubliclyAccessible, Engine, EngineVersion, StorageType } =
			database.Properties;
		assert.deepEqual(
			{ MultiAZ, StorageEncrypted, BackupRetentionPeriod, DeletionProtection, PubliclyAccessible, Engine, StorageType },
			{
				MultiAZ: true,
				StorageEncrypted: true,
				BackupRetentionPeriod: 14,
				DeletionProtection: true,
				PubliclyAccessible: false,
				Engine: "postgres",
				StorageType: "gp3",
			},
		);
		assert.match(String(EngineVersion), /^18/);
		assert.equal(database.DeletionPolicy, "Snapshot");
		assert.equal((only(data, "AWS::RDS::DBParameterGroup").Properties.Parameters as Properties)["rds.force_ssl"], "1");
		const dev = only(synthesized("dev").templates.data, "AWS::RDS::DBInstance").Properties;
		assert.deepEqual([dev.MultiAZ, dev.BackupRetentionPeriod, dev.StorageEncrypted], [false, 1, true]);
	});

	test("Valkey: TLS, a password, two nodes in prod", () => {
		const cache = only(data, "AWS::ElastiCache::ReplicationGroup").Properties;
		assert.deepEqual(
			[
				cache.Engine,
				cache.TransitEncryptionEnabled,
				cache.AtRestEncryptionEnabled,
				cache.NumCacheClusters,
				cache.MultiAZEnabled,
				cache.AutomaticFailoverEnabled,
			],
			["valkey", true, true, 2, true, true],
		);
		assert.match(JSON.stringify(cache.AuthToken), /resolve:secretsmanager/);
	});

	test("every bucket is private, encrypted and stays; every table and queue is encrypted", () => {
		let buckets = 0;
		for (const [part, id, resource] of prod.all) {
			if (resource.Type === "AWS::S3::Bucket") {
				buckets++;
				const { PublicAccessBlockConfiguration, BucketEncryption } = properties(resource);
				assert.deepEqual(Object.values(PublicAccessBlockConfiguration as Properties), [true, true, true, true], id);
				assert.match(JSON.stringify(BucketEncryption), /AES256/, id);
				assert.deepEqual([resource.DeletionPolicy, resource.UpdateReplacePolicy], ["Retain", "Retain"], `${part}/${id}`);
			}
			if (resource.Type === "AWS::SQS::Queue") assert.equal(properties(resource).SqsManagedSseEnabled, true, id);
			if (resource.Type === "AWS::DynamoDB::GlobalTable")
				assert.match(JSON.stringify(properties(resource)), /"PointInTimeRecoveryEnabled":true.*|"SSEEnabled":true/, id);
		}
		assert.equal(buckets, 8);
	});

	test("the tables are those the functions know", async () => {
		const { itemsTable, cartsTable } = await import("../lambdas/shop/tables.ts");
		for (const [begins, known] of [
			["Items", itemsTable("x")],
			["Carts", cartsTable("x")],
		] as const) {
			const found = ofType(data, "AWS::DynamoDB::GlobalTable").find(([id]) => id.startsWith(begins))?.[1].Properties as Properties;
			assert.deepEqual(found.KeySchema, known.KeySchema);
			const indexes = (list: unknown) => ((list ?? []) as Properties[]).map(({ IndexName, KeySchema }) => ({ IndexName, KeySchema }));
			assert.deepEqual(indexes(found.GlobalSecondaryIndexes), indexes(known.GlobalSecondaryIndexes));
		}
	});
});

describe("ShoppinAPI and functions", () => {
	test("GET /item and POST /cart by themselves, everything else through the function as well, throttled", () => {
		const paths = new Map(ofType(api, "AWS::ApiGateway::Resource").map(([id, { Properties }]) => [id, Properties]));
		const path = (id: string): string => {
			const { PathPart, ParentId } = paths.get(id) as { PathPart: string; ParentId: { Ref?: string } };
			return `${ParentId.Ref ? path(ParentId.Ref) : ""}/${PathPart}`;
		};
		const methods = ofType(api, "AWS::ApiGateway::Method").map(([, { Properties }]) => Properties);
		assert.deepEqual(
			methods
				.map(
					({ HttpMethod, ResourceId }) =>
						`${HttpMethod} ${(ResourceId as { Ref?: string }).Ref ? path((ResourceId as { Ref: string }).Ref) : "root"}`,
				)
				.sort(),
			["ANY /cart", "ANY /cart/{proxy+}", "ANY /item", "ANY /item/{proxy+}", "ANY /{proxy+}", "ANY root", "GET /item", "POST /cart"],
		);
		for (const { Integration, RequestValidatorId, RequestModels } of methods) {
			assert.equal((Integration as Properties).Type, "AWS_PROXY");
			assert.deepEqual([RequestValidatorId, RequestModels], [undefined, undefined], "the function says more");
		}
		const stage = only(api, "AWS::ApiGateway::Stage").Properties;
		const [settings] = stage.MethodSettings as Properties[];
		assert.deepEqual([settings?.ThrottlingRateLimit, settings?.ThrottlingBurstLimit, settings?.DataTraceEnabled], [20, 40, false]);
	});

	test("each function has its own role and log, and Node 24", () => {
		const functions = ofType(api, "AWS::Lambda::Function").map(([, { Properties }]) => Properties);
		assert.deepEqual(functions.map(({ FunctionName }) => FunctionName).sort(), ["chat-prod-shop", "chat-prod-stream", "chat-prod-upload"]);
		assert.equal(new Set(functions.map(({ Role }) => JSON.stringify(Role))).size, 3);
		for (const { Runtime, Handler, FunctionName, Environment, LoggingConfig } of functions) {
			assert.deepEqual([Runtime, Handler], ["nodejs24.x", "index.handler"]);
			assert.equal((Environment as { Variables: Properties }).Variables.TELEMETRY_ENV, "prod");
			assert.equal((LoggingConfig as Properties).LogFormat, "Text", String(FunctionName));
		}
	});

	test("a file put into the inbox calls its function, and nothing the function writes does", () => {
		const [, bucket] = ofType(api, "AWS::S3::Bucket")[0] as [string, { Properties: Properties }];
		const { LambdaConfigurations } = bucket.Properties.NotificationConfiguration as { LambdaConfigurations: Properties[] };
		assert.deepEqual(
			LambdaConfigurations.map(({ Event, Filter }) => [Event, Filter]),
			[["s3:ObjectCreated:*", { S3Key: { Rules: [{ Name: "prefix", Value: "inbox/" }] } }]],
		);
	});

	test("a file whose function fails three times is kept where somebody sees it", () => {
		const invoked = only(api, "AWS::Lambda::EventInvokeConfig").Properties;
		// As lambdas/upload/handler.test.ts has it: two more times after the first.
		assert.deepEqual([invoked.MaximumRetryAttempts, invoked.MaximumEventAgeInSeconds], [2, 6 * 3600]);
		assert.match(JSON.stringify(settle(prod.templates, "api", invoked.DestinationConfig)), /OnFailure.*UploadFailures/);
	});

	test("a record nobody can read does not block its shard", () => {
		const mapping = only(api, "AWS::Lambda::EventSourceMapping").Properties;
		assert.deepEqual(
			[mapping.BisectBatchOnFunctionError, mapping.FunctionResponseTypes, mapping.MaximumRetryAttempts, mapping.MaximumRecordAgeInSeconds],
			[true, ["ReportBatchItemFailures"], undefined, 43_200],
			"what fails for a moment is tried until it works",
		);
		const [, streamed] = ofType(api, "AWS::Lambda::Function").find(([id]) => id.startsWith("Stream")) as [
			string,
			{ Properties: Properties },
		];
		const { Variables } = streamed.Properties.Environment as { Variables: Properties };
		assert.match(String(settle(prod.templates, "api", Variables.FAILURES_QUEUE_URL)), /streamfailures/i);
		assert.match(JSON.stringify(settle(prod.templates, "api", mapping.DestinationConfig)), /StreamFailures/);
		assert.equal(only(data, "AWS::Kinesis::Stream").Properties.ShardCount, 1);
	});
});

describe("logs", () => {
	test("each group has its class, its time and its indexes", () => {
		const groups = new Map(
			prod.all.flatMap(([part, , resource]) =>
				resource.Type === "AWS::Logs::LogGroup"
					? [[String(settle(prod.templates, part, properties(resource).LogGroupName)), properties(resource)] as const]
					: [],
			),
		);
		const expected: Record<string, [days: number, indexes: readonly string[] | undefined]> = {
			app: [30, ["trace_id", "request_id", "message_id", "room_id", "user_id", "event"]],
			audit: [400, ["user_id", "event", "trace_id"]],
			access: [14, ["trace_id", "request_id", "user_id", "event"]],
			system: [14, undefined],
			deploy: [90, ["deploymentId", "detail.deploymentId", "detail.state"]],
			build: [30, undefined],
			network: [7, undefined],
			api: [30, ["requestId", "resourcePath", "status"]],
			cache: [7, undefined],
			"functions/shop": [30, ["trace_id", "request_id", "message_id", "event"]],
			"functions/upload": [30, ["trace_id", "request_id", "message_id", "event"]],
			"functions/stream": [30, ["trace_id", "request_id", "message_id", "event"]],
		};
		for (const [name, [days, indexes]] of Object.entries(expected)) {
			const group = groups.get(`/chat/prod/${name}`);
			assert.equal(group?.RetentionInDays, days, name);
			assert.deepEqual(group?.FieldIndexPolicies, indexes && [{ Fields: indexes }], name);
		}
		assert.equal(groups.get("/chat/prod/audit")?.DeletionProtectionEnabled, true);
		// Not one without an end.
		for (const [name, group] of groups) assert.ok(Number(group.RetentionInDays) > 0, name);
		assert.deepEqual(new Set(Object.keys(expected).map((name) => name.split("/")[0])), new Set(Object.keys(logGroups)));
	});

	test("what feeds alarms is of the standard class", () => {
		for (const [, { Properties }] of ofType(observe, "AWS::Logs::MetricFilter")) {
			const name = String(settle(prod.templates, "observe", Properties.LogGroupName));
			assert.match(name, /app|deploy/i);
		}
		for (const name of ["app", "deploy", "audit"] as const) assert.equal(logGroups[name].class, "STANDARD");
	});

	test("the agent follows files into groups that exist, and not what the server ships itself", () => {
		const config = ofType(web, "AWS::SSM::Parameter").find(([, { Properties }]) => Properties.Name === "AmazonCloudWatch-chat-prod")?.[1]
			.Properties;
		const { logs, metrics } = JSON.parse(String(config?.Value)) as {
			logs: { logs_collected: { files: { collect_list: Properties[] } } };
			metrics: Properties;
		};
		const list = logs.logs_collected.files.collect_list;
		assert.deepEqual(
			list.map(({ file_path }) => file_path),
			followedFiles.map(({ file }) => file),
		);
		for (const { log_group_name, log_stream_name } of list) {
			assert.ok(["/chat/prod/system", "/chat/prod/deploy"].includes(String(log_group_name)));
			assert.match(String(log_stream_name), /^\{instance_id\}\/[a-z-]+$/);
		}
		assert.equal(metrics.namespace, "Chat/Host");
		assert.ok(String(config?.Value).length <= 4096, "a parameter of the standard kind");
	});
});

describe("an instance's configuration", () => {
	test("[W6] is a parameter for each variable, and none holds a secret", () => {
		const parameters = new Map(
			prod.all.flatMap(([part, , resource]) =>
				resource.Type === "AWS::SSM::Parameter"
					? [[String(properties(resource).Name), String(settle(prod.templates, part, properties(resource).Value))] as const]
					: [],
			),
		);
		const value = (name: string) => parameters.get(`/chat/prod/env/${name}`);
		assert.match(
			String(value("DATABASE_URL")),
			/^postgres:\/\/chat:\{\{arn:aws:secretsmanager:[^}]*DatabaseSecret[^}]*#password\}\}@\S+:5432\/chat\?sslmode=verify-full&sslrootcert=\/etc\/chat\/rds-ca\.pem$/i,
		);
		assert.match(String(value("REDIS_URL")), /^rediss:\/\/:\{\{arn:aws:secretsmanager:[^}]*CacheSecret[^}]*\}\}@\S+:6379$/i);
		assert.match(String(value("SESSION_SECRET")), /^\{\{arn:aws:secretsmanager:[^}]*SessionSecret[^}]*\}\}$/i);
		assert.deepEqual([value("PORT"), value("HOST"), value("PROXY_HOPS"), value("LOG_GROUP")], ["3000", "0.0.0.0", "2", "/chat/prod/app"]);
		assert.match(String(value("PUBLIC_URL")), /^https:\/\//);
		for (const [name, text] of parameters) assert.doesNotMatch(text, /resolve:secretsmanager/, name);
	});

	test("user data names where it is, and holds no secret", () => {
		const { UserData } = only(web, "AWS::EC2::LaunchTemplate").Properties.LaunchTemplateData as Properties;
		const script = String(settle(prod.templates, "web", (UserData as { "Fn::Base64": unknown })["Fn::Base64"]));
		assert.match(
			script,
			/^#!\/bin\/bash\nexport CHAT_STAGE=prod CHAT_ENV_PATH=\/chat\/prod\/env CHAT_AGENT_CONFIG=AmazonCloudWatch-chat-prod AWS_REGION=eu-west-1\n/,
		);
		assert.doesNotMatch(script, /secretsmanager|password/i);
		assert.ok(script.endsWith("systemctl enable --now codedeploy-agent"), "CodeDeploy's agent comes last");
		assert.ok(Buffer.byteLength(script) < 16_384 * 0.7, "user data is at most 16 KB, in base64");
	});
});

describe("delivery", () => {
	test("a push goes through CodeBuild to CodeDeploy; a newer one overtakes", () => {
		const pipeline = only(delivery, "AWS::CodePipeline::Pipeline").Properties;
		assert.deepEqual([pipeline.PipelineType, pipeline.ExecutionMode], ["V2", "SUPERSEDED"]);
		const stages = pipeline.Stages as { Name: string; Actions: { ActionTypeId: { Provider: string }; Configuration: Properties }[] }[];
		assert.deepEqual(
			stages.map(({ Name, Actions }) => [Name, Actions.map(({ ActionTypeId }) => ActionTypeId.Provider)]),
			[
				["Source", ["CodeStarSourceConnection"]],
				["Build", ["CodeBuild"]],
				["Deploy", ["CodeDeploy"]],
			],
		);
		assert.deepEqual([stages[0]?.Actions[0]?.Configuration.BranchName, stages[0]?.Actions[0]?.Configuration.DetectChanges], ["main", true]);
		const providers = (name: keyof typeof variants) =>
			JSON.stringify(only(synthesized(name).templates.delivery, "AWS::CodePipeline::Pipeline").Properties.Stages);
		assert.match(providers("dev"), /"Provider":"S3"/);
		assert.match(providers("everything"), /"Provider":"CodeCommit"/);
		assert.equal((only(delivery, "AWS::CodeBuild::Project").Properties.Source as Properties).BuildSpec, "buildspec.yml");
	});

	test("[W9] one instance at a time, behind the load balancer, back by itself when it fails or alarms", () => {
		const group = only(delivery, "AWS::CodeDeploy::DeploymentGroup").Properties;
		assert.equal(group.DeploymentConfigName, "CodeDeployDefault.OneAtATime");
		assert.deepEqual(group.DeploymentStyle, { DeploymentOption: "WITH_TRAFFIC_CONTROL" });
		assert.deepEqual(group.AutoRollbackConfiguration, {
			Enabled: true,
			Events: ["DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_REQUEST", "DEPLOYMENT_STOP_ON_ALARM"],
		});
		assert.equal(group.TerminationHookEnabled, true);
		const { Alarms, Enabled } = group.AlarmConfiguration as { Alarms: unknown[]; Enabled: boolean };
		assert.equal(Enabled, true);
		assert.equal(Alarms.length, 3);
	});

	test("everything that happens is a line of the deploy log", () => {
		const sources = ofType(delivery, "AWS::Events::Rule").flatMap(([, { Properties }]) =>
			/DeployLog|log-group/.test(JSON.stringify(Properties.Targets)) ? (Properties.EventPattern as { source: string[] }).source : [],
		);
		assert.deepEqual(sources.sort(), ["aws.autoscaling", "aws.codebuild", "aws.codedeploy", "aws.codepipeline"]);
	});
});

test("an alarm may tell both topics, and nobody of another account", () => {
	const policies = ofType(observe, "AWS::SNS::TopicPolicy").map(([, { Properties }]) => Properties);
	assert.equal(policies.length, 2);
	for (const { PolicyDocument } of policies) {
		const { Statement } = PolicyDocument as { Statement: Properties[] };
		const allowed = Statement.filter(({ Effect }) => Effect === "Allow");
		assert.ok(allowed.some(({ Principal }) => JSON.stringify(Principal) === '{"Service":"cloudwatch.amazonaws.com"}'));
		for (const { Condition } of allowed) assert.deepEqual(Condition, { StringEquals: { "aws:SourceAccount": { Ref: "AWS::AccountId" } } });
	}
});

test("the release an instance starts with never ends", () => {
	const releases = ofType(data, "AWS::S3::Bucket").find(([id]) => id.startsWith("Releases"))?.[1].Properties as Properties;
	const { Rules } = releases.LifecycleConfiguration as { Rules: Properties[] };
	assert.equal(Rules.length, 1);
	assert.equal(Rules[0]?.ExpirationInDays, undefined);
});

test("the budget tells at four fifths, and when more than all of it is foreseen", () => {
	const { Budget, NotificationsWithSubscribers } = only(observe, "AWS::Budgets::Budget").Properties as {
		Budget: Properties;
		NotificationsWithSubscribers: { Notification: Properties }[];
	};
	assert.deepEqual(Budget.BudgetLimit, { Amount: 350, Unit: "USD" });
	assert.deepEqual(
		NotificationsWithSubscribers.map(({ Notification }) => [Notification.NotificationType, Notification.Threshold]),
		[
			["ACTUAL", 80],
			["FORECASTED", 100],
		],
	);
});

describe("cdk-nag", () => {
	test("finds nothing that is not acknowledged, in any variant", () => {
		// Synthesis would have failed; this makes sure that something was looked at.
		for (const name of names) {
			const { found } = synthesized(name).footprint.rules;
			assert.ok(found.length > 30, `${name}: ${found.length}`);
		}
	});

	test("every acknowledgement has a reason and is needed somewhere", () => {
		const found = names.flatMap((name) => synthesized(name).footprint.rules.found);
		for (const entry of acknowledged) {
			assert.ok(entry.because.length > 20, entry.at.join());
			for (const at of entry.at)
				for (const rule of entry.rules)
					assert.ok(
						found.some((finding) => isAbout({ ...entry, at: entry.at.length > 1 ? entry.at : [at], rules: [rule] }, finding)),
						`${at}: ${rule} is acknowledged and nothing breaks it`,
					);
		}
	});

	test("a wildcard nobody acknowledged is found", () => {
		const entry = acknowledged.find(({ at }) => at.includes("api/ShopRole"));
		assert.ok(entry);
		assert.equal(isAbout(entry, { rule: "AwsSolutions-IAM5[Resource::*]", path: "chat-prod-api/ShopRole/DefaultPolicy/Resource" }), false);
	});
});

test("the stages are documented with every variable", async () => {
	const { variables } = await import("./config.ts");
	const text = readFileSync(new URL("../docs/aws.md", import.meta.url), "utf8");
	for (const name of variables) assert.ok(text.includes(`\`${name}\``), name);
});

test("a zip put into the release bucket starts the pipeline of a stage without a connection, and no CloudTrail is waited for", () => {
	const { templates } = synthesized("dev");
	const [stage] = only(templates.delivery, "AWS::CodePipeline::Pipeline").Properties.Stages as {
		Actions: { Configuration: Properties }[];
	}[];
	const { S3ObjectKey, PollForSourceChanges } = stage?.Actions[0]?.Configuration ?? {};
	assert.equal(PollForSourceChanges, false);
	const rules = ofType(templates.delivery, "AWS::Events::Rule").map(([, { Properties }]) => Properties);
	assert.ok(rules.every((rule) => !/CloudTrail/.test(JSON.stringify(rule))));
	const starting = rules.filter(({ EventPattern }) => /aws\.s3/.test(JSON.stringify(EventPattern)));
	assert.equal(starting.length, 1);
	const releases = ofType(templates.data, "AWS::S3::Bucket").find(([id]) => id.startsWith("Releases")) as [string, Resource];
	assert.deepEqual(settle(templates, "delivery", starting[0]?.EventPattern), {
		source: ["aws.s3"],
		"detail-type": ["Object Created"],
		detail: { bucket: { name: [settle(templates, "data", { Ref: releases[0] })] }, object: { key: [S3ObjectKey] } },
	});
	assert.match(JSON.stringify(settle(templates, "delivery", starting[0]?.Targets)), /pipeline/i);
	assert.match(JSON.stringify(properties(releases[1]).NotificationConfiguration), /"EventBridgeEnabled":true/);
});

test("a launch that failed is counted from the fleet's own events", () => {
	const rule = ofType(delivery, "AWS::Events::Rule").find(([, { Properties }]) => /aws\.autoscaling/.test(JSON.stringify(Properties)))?.[1];
	const [group] = ofType(web, "AWS::AutoScaling::AutoScalingGroup")[0] as [string, Resource];
	const { detail } = settle(prod.templates, "delivery", rule?.Properties.EventPattern) as { detail: Properties };
	assert.deepEqual(detail.AutoScalingGroupName, [group.toLowerCase()]);
	const filter = ofType(observe, "AWS::Logs::MetricFilter").find(([, { Properties }]) =>
		String(Properties.FilterPattern).includes("Launch Unsuccessful"),
	)?.[1];
	const [counted] = (filter?.Properties.MetricTransformations ?? []) as Properties[];
	assert.ok(counted);
	const alarm = ofType(observe, "AWS::CloudWatch::Alarm").find(
		([, { Properties }]) => Properties.AlarmName === "chat-prod-launch-failed",
	)?.[1];
	assert.deepEqual([alarm?.Properties.Namespace, alarm?.Properties.MetricName], [counted.MetricNamespace, counted.MetricName]);
});

test("what API Gateway answers by itself is JSON of the function's shape with plain variables, and any page may read it", () => {
	const answers = ofType(api, "AWS::ApiGateway::GatewayResponse").map(([, { Properties }]) => Properties);
	assert.deepEqual(answers.map(({ ResponseType, StatusCode }) => [ResponseType, StatusCode]).sort(), [
		["DEFAULT_4XX", undefined],
		["DEFAULT_5XX", undefined],
		["REQUEST_TOO_LARGE", "413"],
		["THROTTLED", "429"],
	]);
	for (const { ResponseTemplates, ResponseParameters } of answers) {
		const text = (ResponseTemplates as Record<string, string>)["application/json"] as string;
		const { error } = JSON.parse(text) as { error: Properties };
		assert.match(String(error.code), /^[a-z-]+$/);
		assert.deepEqual(text.match(/\$[\w.]+/g), ["$context.requestId"], "nothing of a caller's, and nothing to evaluate");
		assert.equal((ResponseParameters as Properties)["gatewayresponse.header.Access-Control-Allow-Origin"], "'*'");
	}
});

test("lambdas/README.md says of each function what the templates say", () => {
	const text = readFileSync(new URL("../lambdas/README.md", import.meta.url), "utf8");
	const said = Array.from(
		text.matchAll(/^## (shop|upload|stream)\n\nHandler `index\.handler`, Node 24, (\d+) MB, (\d+) s\b/gm),
		([, name, memory, seconds]) => [`chat-prod-${name}`, Number(memory), Number(seconds)],
	);
	const functions = ofType(api, "AWS::Lambda::Function").map(([, { Properties }]) => Properties);
	assert.deepEqual(said.sort(), functions.map(({ FunctionName, MemorySize, Timeout }) => [FunctionName, MemorySize, Timeout]).sort());
	const { BatchSize, MaximumBatchingWindowInSeconds, MaximumRecordAgeInSeconds } = only(api, "AWS::Lambda::EventSourceMapping").Properties;
	for (const part of [
		`batch size ${BatchSize}`,
		`window ${MaximumBatchingWindowInSeconds} s`,
		`maximum age ${Number(MaximumRecordAgeInSeconds) / 3600} h`,
	])
		assert.ok(text.includes(part), part);
});

test("audit's log is kept where a stage protects what it has, and nowhere else", () => {
	for (const [name, stage, expected] of [
		["prod", "prod", [true, "Retain"]],
		["dev", "dev", [false, "Delete"]],
	] as const) {
		const { templates } = synthesized(name);
		const audit = ofType(templates.data, "AWS::Logs::LogGroup").find(
			([, { Properties }]) => Properties.LogGroupName === `/chat/${stage}/audit`,
		)?.[1];
		assert.deepEqual([audit?.Properties.DeletionProtectionEnabled ?? false, audit?.DeletionPolicy], expected);
	}
});
