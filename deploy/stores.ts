import { GetSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { paginateGetParametersByPath, SSMClient } from "@aws-sdk/client-ssm";
import type { Stores } from "./fetch-config.ts";

/** A request that takes longer has failed, ms: systemd starts us anew, so waiting is never for ever. */
const within = { requestTimeout: 5000, connectionTimeout: 5000, throwOnRequestTimeout: true };

/** The stores in AWS. Credentials are the instance's own, as the SDK finds them; a request is tried five times. */
export function awsStores(region: string): Stores {
	const common = { region, maxAttempts: 5, requestHandler: within };
	const ssm = new SSMClient(common);
	const secrets = new SecretsManagerClient(common);
	return {
		async parameters(path) {
			const found: { name: string; value: string }[] = [];
			for await (const page of paginateGetParametersByPath({ client: ssm }, { Path: path, WithDecryption: true }))
				for (const { Name, Value } of page.Parameters ?? []) if (Name && Value !== undefined) found.push({ name: Name, value: Value });
			return found;
		},
		async secret(arn) {
			const { SecretString } = await secrets.send(new GetSecretValueCommand({ SecretId: arn }));
			if (SecretString === undefined) throw new Error("binary");
			return SecretString;
		},
	};
}
