import type { ISecret } from "aws-cdk-lib/aws-secretsmanager";
import { StringParameter } from "aws-cdk-lib/aws-ssm";
import type { Construct } from "constructs";
import type { StageConfig } from "../config.ts";
import type { DataStack } from "../stacks/data.ts";
import { importsBucketName } from "./bucket.ts";
import { logGroupName } from "./log-groups.ts";
import { ports } from "./ports.ts";

/** Below it lies a parameter for each environment variable of the server. */
export const envPath = (config: StageConfig): string => `/chat/${config.stage}/env`;

/** A secret, or one key of it, where a value is written: whoever starts the server puts it in (infra/README.md). */
const fromSecret = (secret: Pick<ISecret, "secretArn">, key?: string): string => `{{${secret.secretArn}${key ? `#${key}` : ""}}}`;

/** How long people get to move to another instance on a stop, s. The unit waits 90 s for it, the hook 120 s. */
export const drainSeconds = 30;

/** The server's environment on an instance, by variable. No value is a secret; some name one. */
export function instanceEnvironment(config: StageConfig, data: DataStack): Record<string, string> {
	const { stage, domain, newRelicSecretArn } = config;
	const host = data.database.dbInstanceEndpointAddress;
	return {
		HOST: "0.0.0.0",
		PORT: String(ports.chat),
		// CloudFront and the load balancer.
		PROXY_HOPS: "2",
		DRAIN_SECONDS: String(drainSeconds),
		DATA_DIR: "/var/lib/chat",
		SESSION_SECRET: fromSecret(data.sessionSecret),
		DATABASE_URL: `postgres://chat:${fromSecret(data.databaseSecret, "password")}@${host}:${ports.postgres}/chat?sslmode=verify-full&sslrootcert=/etc/chat/rds-ca.pem`,
		REDIS_URL: `rediss://:${fromSecret(data.cacheSecret)}@${data.cacheHost}:${ports.valkey}`,
		ITEMS_TABLE: data.items.tableName,
		CARTS_TABLE: data.carts.tableName,
		KINESIS_STREAM: data.stream.streamName,
		ACTIVITY_TABLE: data.activity.tableName,
		IMPORT_BUCKET: importsBucketName(stage),
		IMPORT_QUEUE_URL: data.imports.queueUrl,
		UPLOADS_BUCKET: data.uploads.bucketName,
		TELEMETRY_ENV: stage,
		// With a key the default; here it can be found, and changed to bridge or off.
		TELEMETRY: newRelicSecretArn ? "split" : "kept",
		LOG_GROUP: logGroupName(stage, "app"),
		LOG_GROUP_ACCESS: logGroupName(stage, "access"),
		LOG_GROUP_AUDIT: logGroupName(stage, "audit"),
		...(domain ? { PUBLIC_URL: `https://${domain.name}` } : {}),
		...(newRelicSecretArn
			? {
					NEW_RELIC_LICENSE_KEY: fromSecret({ secretArn: newRelicSecretArn }, "licenseKey"),
					NEW_RELIC_USER_KEY: fromSecret({ secretArn: newRelicSecretArn }, "userKey"),
					// The default; to be found and changed like TELEMETRY.
					NEW_RELIC_BROWSER: "off",
				}
			: {}),
	};
}

/** Writes one variable where instances find it at their next start. */
export function putVariable(scope: Construct, config: StageConfig, name: string, value: string): StringParameter {
	return new StringParameter(scope, `Env-${name}`, {
		parameterName: `${envPath(config)}/${name}`,
		description: `Charla's ${name}`,
		stringValue: value,
	});
}
