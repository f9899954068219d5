import { Aws, Duration, type RemovalPolicy } from "aws-cdk-lib";
import { BlockPublicAccess, Bucket, BucketEncryption, type CfnBucket, ObjectOwnership, type StorageClass } from "aws-cdk-lib/aws-s3";
import type { Construct } from "constructs";
import type { Stage } from "../config.ts";

/** Known before the bucket is there: its function and the server name it without waiting for it, or for each other. */
export const importsBucketName = (stage: Stage): string => `chat-${stage}-imports-${Aws.ACCOUNT_ID}-${Aws.REGION}`;
/** What lies where in it, as lambdas/upload has it. */
export const importPrefixes = { inbox: "inbox/", quarantine: "quarantine/", reports: "reports/" } as const;

/** A bucket nobody reads without leave: no public access, TLS only, encrypted, no access lists, half uploads cleared away. */
export function ownBucket(
	scope: Construct,
	id: string,
	options: {
		keep: RemovalPolicy;
		/** Who read what is written there. */
		logsTo?: Bucket;
		versioned?: boolean;
		expires?: Duration;
		colder?: { after: Duration; class: StorageClass };
		/** Tells EventBridge of every object. */
		events?: boolean;
		/** Only for whoever writes with access lists: CloudFront's logs. */
		ownership?: ObjectOwnership;
	},
): Bucket {
	const { keep, logsTo, versioned, expires, colder, events } = options;
	const bucket = new Bucket(scope, id, {
		blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
		enforceSSL: true,
		encryption: BucketEncryption.S3_MANAGED,
		objectOwnership: options.ownership ?? ObjectOwnership.BUCKET_OWNER_ENFORCED,
		removalPolicy: keep,
		versioned,
		serverAccessLogsBucket: logsTo,
		serverAccessLogsPrefix: logsTo ? `${id.toLowerCase()}/` : undefined,
		lifecycleRules: [
			{
				abortIncompleteMultipartUploadAfter: Duration.days(2),
				expiration: expires,
				noncurrentVersionExpiration: versioned ? Duration.days(30) : undefined,
				transitions: colder ? [{ storageClass: colder.class, transitionAfter: colder.after }] : undefined,
			},
		],
	});
	// The construct's own switch brings a function with a role; the property alone does the same.
	if (events)
		(bucket.node.defaultChild as CfnBucket).addPropertyOverride("NotificationConfiguration.EventBridgeConfiguration", {
			EventBridgeEnabled: true,
		});
	return bucket;
}
