import { readFileSync } from "node:fs";

/** An instance's metadata is a hop away; where nothing answers within this, ms, it is no instance. */
const answersWithin = 1000;

/**
 * What telemetry says of the machine and its deployment, and nobody has configured: from the instance's own metadata, and from
 * the file start.sh wrote the deployment's id to (`deploymentFile`). What cannot be found out is left out: the server starts all the same.
 */
export async function aboutInstance(
	deploymentFile: URL | string,
	endpoint = process.env.AWS_EC2_METADATA_SERVICE_ENDPOINT ?? "http://169.254.169.254",
): Promise<Record<string, string>> {
	const { accountId, availabilityZone, imageId, instanceType } = await identity(endpoint);
	const found = {
		AWS_ACCOUNT_ID: accountId,
		AVAILABILITY_ZONE: availabilityZone,
		IMAGE_ID: imageId,
		INSTANCE_TYPE: instanceType,
		DEPLOYMENT_ID: deployment(deploymentFile),
	};
	return Object.fromEntries(
		Object.entries(found).filter((entry): entry is [string, string] => typeof entry[1] === "string" && entry[1] !== ""),
	);
}

async function identity(endpoint: string): Promise<Record<string, unknown>> {
	try {
		const signal = AbortSignal.timeout(answersWithin);
		const asked = { method: "PUT", headers: { "x-aws-ec2-metadata-token-ttl-seconds": "60" }, signal };
		const token = await (await fetch(`${endpoint}/latest/api/token`, asked)).text();
		const document = `${endpoint}/latest/dynamic/instance-identity/document`;
		const answer = await fetch(document, { headers: { "x-aws-ec2-metadata-token": token }, signal });
		return answer.ok ? ((await answer.json()) as Record<string, unknown>) : {};
	} catch {
		return {};
	}
}

function deployment(file: URL | string): string | undefined {
	try {
		return readFileSync(file, "utf8").trim();
	} catch {
		return undefined;
	}
}
