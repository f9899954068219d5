import { CfnResource, CrossStackReferences, Duration, ReferenceStrength, RemovalPolicy } from "aws-cdk-lib";
import { AttributeType, Billing, TableEncryptionV2, TableV2 } from "aws-cdk-lib/aws-dynamodb";
import { InstanceType } from "aws-cdk-lib/aws-ec2";
import { CfnReplicationGroup, CfnSubnetGroup } from "aws-cdk-lib/aws-elasticache";
import { Stream, StreamEncryption, StreamMode } from "aws-cdk-lib/aws-kinesis";
import { LogGroup, RetentionDays } from "aws-cdk-lib/aws-logs";
import {
	CaCertificate,
	Credentials,
	DatabaseInstance,
	DatabaseInstanceEngine,
	ParameterGroup,
	PostgresEngineVersion,
	StorageType,
} from "aws-cdk-lib/aws-rds";
import { type Bucket, StorageClass } from "aws-cdk-lib/aws-s3";
import { type ISecret, Secret } from "aws-cdk-lib/aws-secretsmanager";
import { Queue, QueueEncryption, type QueueProps } from "aws-cdk-lib/aws-sqs";
import type { Construct } from "constructs";
import type { StageConfig } from "../config.ts";
import { ownBucket } from "../constructs/bucket.ts";
import { type LogGroupName, logGroup } from "../constructs/log-groups.ts";
import { ports } from "../constructs/ports.ts";
import { ChatStack } from "./chat-stack.ts";
import type { NetworkStack } from "./network.ts";

/** What must not be lost, and what would make a circle elsewhere: the release bucket, secrets, log groups. */
export class DataStack extends ChatStack {
	readonly database: DatabaseInstance;
	readonly databaseSecret: ISecret;
	readonly cacheSecret: ISecret;
	readonly sessionSecret: ISecret;
	/** CloudFront shows it to the load balancer, which answers nobody else. */
	readonly originSecret: ISecret;
	readonly cacheHost: string;
	readonly accessLogs: Bucket;
	/** Files people put into messages. */
	readonly uploads: Bucket;
	/** What happened in rooms, as compressed files, for whoever analyses it. */
	readonly archive: Bucket;
	readonly releases: Bucket;
	readonly items: TableV2;
	readonly carts: TableV2;
	readonly activity: TableV2;
	readonly stream: Stream;
	/** What was found in a file that was imported, for the server to hear. */
	readonly imports: Queue;
	/** What the server could not make sense of, time after time. */
	readonly importFailures: Queue;
	readonly uploadFailures: Queue;
	readonly streamFailures: Queue;
	readonly logs: Record<Extract<LogGroupName, "app" | "audit" | "access" | "system" | "deploy" | "build">, LogGroup>;

	constructor(scope: Construct, config: StageConfig, network: NetworkStack) {
		super(scope, "data", config, { description: "Charla: databases, buckets, queues, secrets and log groups", keepsData: true });
		const { stage, protect } = config;
		const keep = protect ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY;

		const secret = (id: string, description: string, length: number) =>
			new Secret(this, id, {
				description,
				removalPolicy: keep,
				// Letters and digits alone: nothing has to be escaped in an address or a header.
				generateSecretString: { passwordLength: length, excludePunctuation: true },
			});
		this.sessionSecret = secret("SessionSecret", "Charla: signs session cookies", 64);
		this.originSecret = secret("OriginSecret", "Charla: what CloudFront shows to the load balancer", 40);
		this.cacheSecret = secret("CacheSecret", "Charla: password of Valkey", 64);
		this.databaseSecret = new Secret(this, "DatabaseSecret", {
			description: "Charla: the database's account",
			removalPolicy: keep,
			generateSecretString: {
				secretStringTemplate: JSON.stringify({ username: "chat" }),
				generateStringKey: "password",
				passwordLength: 40,
				excludePunctuation: true,
			},
		});

		const engine = DatabaseInstanceEngine.postgres({ version: PostgresEngineVersion.VER_18_3 });
		const databaseLog = new LogGroup(this, "DatabaseLog", {
			// RDS writes to a group of this name, and makes one that never forgets where there is none.
			logGroupName: `/aws/rds/instance/chat-${stage}/postgresql`,
			retention: RetentionDays.ONE_MONTH,
			removalPolicy: RemovalPolicy.DESTROY,
		});
		this.database = new DatabaseInstance(this, "Database", {
			engine,
			// Named: a change that would replace it fails instead of beginning anew beside it.
			instanceIdentifier: `chat-${stage}`,
			databaseName: "chat",
			credentials: Credentials.fromSecret(this.databaseSecret, "chat"),
			vpc: network.vpc,
			vpcSubnets: network.dataSubnets,
			securityGroups: [network.database],
			port: ports.postgres,
			instanceType: new InstanceType(config.database.size),
			multiAz: config.database.multiAz,
			storageType: StorageType.GP3,
			allocatedStorage: config.database.storageGb,
			maxAllocatedStorage: config.database.maxStorageGb,
			storageEncrypted: true,
			caCertificate: CaCertificate.RDS_CA_RSA2048_G1,
			backupRetention: Duration.days(config.database.backupDays),
			preferredBackupWindow: "03:00-04:00",
			preferredMaintenanceWindow: "sun:04:30-sun:05:30",
			copyTagsToSnapshot: true,
			deleteAutomatedBackups: !protect,
			deletionProtection: protect,
			removalPolicy: protect ? RemovalPolicy.SNAPSHOT : RemovalPolicy.DESTROY,
			autoMinorVersionUpgrade: true,
			cloudwatchLogsExports: ["postgresql"],
			parameterGroup: new ParameterGroup(this, "DatabaseParameters", {
				engine,
				description: "Charla: TLS only, slow statements in the log",
				parameters: { "rds.force_ssl": "1", log_min_duration_statement: "500", log_lock_waits: "1" },
			}),
		});
		this.database.node.addDependency(databaseLog);

		const cacheSubnets = new CfnSubnetGroup(this, "CacheSubnets", {
			description: "Charla: Valkey",
			subnetIds: network.vpc.selectSubnets(network.dataSubnets).subnetIds,
		});
		const twice = config.cache.nodes > 1;
		const cache = new CfnReplicationGroup(this, "Cache", {
			replicationGroupDescription: "Charla: hints between instances",
			replicationGroupId: `chat-${stage}`,
			engine: "valkey",
			engineVersion: "8.1",
			cacheNodeType: config.cache.nodeType,
			numCacheClusters: config.cache.nodes,
			automaticFailoverEnabled: twice,
			multiAzEnabled: twice,
			cacheSubnetGroupName: cacheSubnets.ref,
			securityGroupIds: [network.cache.securityGroupId],
			port: ports.valkey,
			transitEncryptionEnabled: true,
			atRestEncryptionEnabled: true,
			authToken: this.cacheSecret.secretValue.unsafeUnwrap(),
			// Nothing in it is worth a copy: the database is the truth, and what is lost here is made up for from there.
			snapshotRetentionLimit: 0,
			preferredMaintenanceWindow: "sun:05:30-sun:06:30",
			logDeliveryConfigurations: [
				{
					destinationType: "cloudwatch-logs",
					logFormat: "json",
					logType: "slow-log",
					destinationDetails: { cloudWatchLogsDetails: { logGroup: logGroup(this, "CacheLog", config, "cache").logGroupName } },
				},
			],
		});
		this.cacheHost = cache.attrPrimaryEndPointAddress;

		this.accessLogs = ownBucket(this, "AccessLogs", { keep, expires: Duration.days(90) });
		const bucket = (id: string, more: Omit<Parameters<typeof ownBucket>[2], "keep" | "logsTo">) =>
			ownBucket(this, id, { keep, logsTo: this.accessLogs, ...more });
		this.uploads = bucket("Uploads", { versioned: true });
		this.archive = bucket("Archive", { colder: { after: Duration.days(30), class: StorageClass.INFREQUENT_ACCESS } });
		// Nothing in it ends: an instance that is launched gets the last release, whenever that was, and one rolls back to older ones.
		// CodePipeline reads an S3 source by its versions.
		this.releases = bucket("Releases", {
			versioned: true,
			events: true,
			colder: { after: Duration.days(30), class: StorageClass.INFREQUENT_ACCESS },
		});

		const table = (id: string, keys: { hash: string; range?: string }, indexes: { name: string; hash: string; range: string }[] = []) => {
			const text = (name: string) => ({ name, type: AttributeType.STRING });
			return new TableV2(this, id, {
				partitionKey: text(keys.hash),
				sortKey: keys.range ? text(keys.range) : undefined,
				globalSecondaryIndexes: indexes.map(({ name, hash, range }) => ({
					indexName: name,
					partitionKey: text(hash),
					sortKey: text(range),
				})),
				billing: Billing.onDemand(),
				encryption: TableEncryptionV2.awsManagedKey(),
				pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
				deletionProtection: protect,
				removalPolicy: keep,
			});
		};
		this.items = table("Items", { hash: "shelf", range: "id" });
		this.carts = table("Carts", { hash: "pk" }, [
			{ name: "waiting", hash: "queue", range: "made" },
			{ name: "room", hash: "room", range: "made" },
		]);
		this.activity = table("Activity", { hash: "room", range: "day" }, [{ name: "by-day", hash: "day", range: "room" }]);

		this.stream = new Stream(this, "Stream", {
			...(config.streamShards === null
				? { streamMode: StreamMode.ON_DEMAND }
				: { streamMode: StreamMode.PROVISIONED, shardCount: config.streamShards }),
			encryption: StreamEncryption.MANAGED,
			retentionPeriod: Duration.hours(24),
			removalPolicy: keep,
		});

		const queue = (id: string, more: QueueProps = {}) =>
			new Queue(this, id, {
				encryption: QueueEncryption.SQS_MANAGED,
				enforceSSL: true,
				// The longest there is: somebody has to find the time to look.
				retentionPeriod: Duration.days(14),
				removalPolicy: keep,
				...more,
			});
		this.importFailures = queue("ImportFailures");
		this.imports = queue("ImportsFound", {
			visibilityTimeout: Duration.minutes(5),
			receiveMessageWaitTime: Duration.seconds(20),
			deadLetterQueue: { queue: this.importFailures, maxReceiveCount: 5 },
		});
		this.uploadFailures = queue("UploadFailures");
		this.streamFailures = queue("StreamFailures");

		this.logs = {
			app: logGroup(this, "AppLog", config, "app"),
			audit: logGroup(this, "AuditLog", config, "audit"),
			access: logGroup(this, "AccessLog", config, "access"),
			system: logGroup(this, "SystemLog", config, "system"),
			deploy: logGroup(this, "DeployLog", config, "deploy"),
			build: logGroup(this, "BuildLog", config, "build"),
		};
		// What others stand on here cannot be taken away under them: CloudFormation refuses, where elsewhere a name that is gone would be found out
		// by whoever asks for it.
		for (const each of this.node.findAll())
			if (CfnResource.isCfnResource(each)) CrossStackReferences.of(each).produce(ReferenceStrength.STRONG);
	}
}
