import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export type Cloud = Awaited<ReturnType<typeof openCloud>>;

const credentials = { AccessKeyId: "ASIAREHEARSAL", SecretAccessKey: "a key of the rehearsal", Token: "a token of the rehearsal" };
/** As AWS answers a page at most; the smallest page shows whether the next is asked for. */
const pageSize = 10;

/**
 * Stands in for what an instance asks AWS for, on the wire: the metadata service (version 2 only: a token first), the Parameter Store and
 * the Secrets Manager. Requests have to be signed, for the right service, with the role's own credentials where metadata gave them.
 */
export async function openCloud(given: {
	host: string;
	/** Where the metadata service is asked; without, there is none. */
	metadata?: string;
	parameters: Record<string, string>;
	secrets: Record<string, string>;
	/** Who asks, by address. */
	instanceOf?: (address: string) => string;
}) {
	const asked: string[] = [];
	const actions: Record<string, (body: Record<string, unknown>) => unknown> = {
		"AmazonSSM.GetParametersByPath"({ Path, NextToken }) {
			const path = String(Path).replace(/\/$/, "");
			const all = Object.entries(given.parameters).filter(
				([name]) => name.startsWith(`${path}/`) && !name.slice(path.length + 1).includes("/"),
			);
			const from = Number(NextToken ?? 0);
			const page = all.slice(from, from + pageSize);
			return {
				Parameters: page.map(([Name, Value]) => ({ Name, Value, Type: "String", Version: 1 })),
				...(from + pageSize < all.length ? { NextToken: String(from + pageSize) } : {}),
			};
		},
		"secretsmanager.GetSecretValue"({ SecretId }) {
			const secret = given.secrets[String(SecretId)];
			if (secret === undefined) throw new Error("ResourceNotFoundException");
			return { ARN: SecretId, Name: "secret", VersionId: "1", SecretString: secret };
		},
	};

	async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
		const chunks: Buffer[] = [];
		for await (const chunk of request) chunks.push(chunk as Buffer);
		const target = String(request.headers["x-amz-target"]);
		asked.push(target);
		const service = target.startsWith("AmazonSSM.") ? "ssm" : "secretsmanager";
		const signed = new RegExp(`^AWS4-HMAC-SHA256 Credential=[^/]+/\\d{8}/[a-z0-9-]+/${service}/aws4_request`);
		const answer = (status: number, body: unknown) => {
			response.writeHead(status, { "content-type": "application/x-amz-json-1.1" });
			response.end(JSON.stringify(body));
		};
		if (!signed.test(request.headers.authorization ?? "")) return answer(400, { __type: "MissingAuthenticationTokenException" });
		if (given.metadata && request.headers["x-amz-security-token"] !== credentials.Token)
			return answer(400, { __type: "UnrecognizedClientException" });
		try {
			const run = actions[target];
			if (!run) throw new Error("UnknownOperationException");
			answer(200, run(JSON.parse(String(Buffer.concat(chunks))) as Record<string, unknown>));
		} catch (error) {
			answer(400, { __type: (error as Error).message, message: "not here" });
		}
	}

	function metadata(request: IncomingMessage, response: ServerResponse): void {
		const { url, method, headers } = request;
		asked.push(`metadata ${method} ${url}`);
		const say = (text: string) => void response.writeHead(200, { "content-type": "text/plain" }).end(text);
		if (method === "PUT" && url === "/latest/api/token") return say("a-token-of-version-2");
		if (headers["x-aws-ec2-metadata-token"] !== "a-token-of-version-2") return void response.writeHead(401).end();
		const roles = "/latest/meta-data/iam/security-credentials/";
		if (url === "/latest/meta-data/instance-id") return say(given.instanceOf?.(request.socket.remoteAddress ?? "") ?? "i-rehearsal");
		if (url === "/latest/dynamic/instance-identity/document")
			return say(
				JSON.stringify({ accountId: "123456789012", availabilityZone: "eu-west-1a", imageId: "ami-rehearsal", instanceType: "t3.small" }),
			);
		if (url === roles) return say("rehearsal-role");
		if (url === `${roles}rehearsal-role`)
			return say(
				JSON.stringify({ Code: "Success", Type: "AWS-HMAC", ...credentials, Expiration: new Date(Date.now() + 3_600_000).toISOString() }),
			);
		response.writeHead(404).end();
	}

	const listen = (server: Server, host: string, port: number) =>
		new Promise<void>((resolve, reject) => server.once("error", reject).listen(port, host, resolve));
	const services = createServer((request, response) => void serve(request, response));
	await listen(services, given.host, 0);
	const instances = given.metadata ? createServer(metadata) : null;
	if (instances) await listen(instances, given.metadata as string, 80);
	const { port } = services.address() as AddressInfo;
	return {
		endpoint: `http://${given.host}:${port}`,
		/** What was asked, by name of the action. */
		asked,
		parameters: given.parameters,
		async close(): Promise<void> {
			for (const server of [services, instances]) {
				server?.closeAllConnections();
				await new Promise((done) => (server ? server.close(done) : done(null)));
			}
		},
	};
}
