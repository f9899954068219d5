import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { CreateTableCommand, DescribeTableCommand, DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { CreateStreamCommand, DescribeStreamCommand, KinesisClient } from "@aws-sdk/client-kinesis";
import { S3Client } from "@aws-sdk/client-s3";
import { SQSClient } from "@aws-sdk/client-sqs";
import { NodeHttpHandler } from "@smithy/node-http-handler";
import dynalite from "dynalite";
import { startFauxqs } from "fauxqs";
import kinesalite from "kinesalite";
import { activityTable } from "../../lambdas/stream/table.ts";
import { bundleLambda } from "../../scripts/bundle-lambdas.ts";

const region = "eu-west-1";
const credentials = { accessKeyId: "emulated", secretAccessKey: "emulated" };

/** S3, SQS, Kinesis and DynamoDB on ports of this machine, speaking AWS's own protocols. */
export async function startAws() {
	const queues = await startFauxqs({ port: 0, host: "127.0.0.1", logger: false });
	const stream = kinesalite({ createStreamMs: 0, deleteStreamMs: 0, updateStreamMs: 0 });
	const tables = dynalite({ createTableMs: 0, updateTableMs: 0, deleteTableMs: 0 });
	for (const server of [stream, tables]) {
		server.listen(0, "127.0.0.1");
		await once(server, "listening");
	}
	const urlOf = (server: typeof stream) => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
	const url = `http://127.0.0.1:${queues.port}`;
	const s3 = new S3Client({ endpoint: url, region, credentials });
	const sqs = new SQSClient({ endpoint: url, region, credentials });
	// By default this one client speaks HTTP/2, which the emulator does not.
	const kinesis = new KinesisClient({ endpoint: urlOf(stream), region, credentials, requestHandler: new NodeHttpHandler() });
	const dynamo = new DynamoDBClient({ endpoint: urlOf(tables), region, credentials });
	const clients = [s3, sqs, kinesis, dynamo];
	/** For a function that makes its own clients. */
	const env: Record<string, string> = {
		AWS_ENDPOINT_URL_S3: url,
		AWS_ENDPOINT_URL_SQS: url,
		AWS_ENDPOINT_URL_DYNAMODB: urlOf(tables),
		AWS_REGION: region,
		AWS_ACCESS_KEY_ID: credentials.accessKeyId,
		AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
	};
	return {
		s3,
		sqs,
		kinesis,
		dynamo,
		env,
		queues,
		/** The queue by an address of this machine: its own has a host that is none. */
		queueUrl: (name: string) => `${url}/000000000000/${name}`,
		async createTable(name: string): Promise<void> {
			await dynamo.send(new CreateTableCommand(activityTable(name)));
			for (let state = ""; state !== "ACTIVE"; )
				state = (await dynamo.send(new DescribeTableCommand({ TableName: name }))).Table?.TableStatus ?? "";
		},
		async createStream(name: string, shards: number): Promise<void> {
			await kinesis.send(new CreateStreamCommand({ StreamName: name, ShardCount: shards }));
			for (let state = ""; state !== "ACTIVE"; )
				state = (await kinesis.send(new DescribeStreamCommand({ StreamName: name }))).StreamDescription?.StreamStatus ?? "";
		},
		async [Symbol.asyncDispose]() {
			for (const client of clients) client.destroy();
			for (const server of [stream, tables]) {
				server.close();
				server.closeAllConnections?.();
			}
			await queues.stop();
		},
	};
}
export type Aws = Awaited<ReturnType<typeof startAws>>;

type Handler = (event: unknown, context: { awsRequestId: string; getRemainingTimeInMillis: () => number }) => Promise<unknown>;

/**
 * A function as it is deployed: bundled, in a module of its own, with its environment. Its log lines go to `lines` instead of
 * standard output.
 */
export async function loadBundle(name: string, env: Record<string, string>) {
	const folder = mkdtempSync(join(tmpdir(), "charla-bundle-"));
	const { file, bytes } = await bundleLambda(name, { folder, whole: true });
	const before = { ...process.env };
	Object.assign(process.env, env);
	const startedAt = performance.now();
	const { handler } = (await import(pathToFileURL(file).href)) as { handler: Handler };
	const coldStartMs = performance.now() - startedAt;
	const lines: Record<string, unknown>[] = [];
	let calls = 0;
	return {
		bytes,
		coldStartMs,
		lines,
		async invoke(event: unknown): Promise<unknown> {
			const write = process.stdout.write.bind(process.stdout);
			process.stdout.write = ((text: unknown, ...rest: never[]) => {
				try {
					const line = JSON.parse(String(text));
					if (line.service || line._aws) return lines.push(line) > 0;
				} catch {}
				return write(text as string, ...rest);
			}) as typeof process.stdout.write;
			try {
				return await handler(event, { awsRequestId: `call-${++calls}`, getRemainingTimeInMillis: () => 30_000 });
			} finally {
				process.stdout.write = write;
			}
		},
		[Symbol.dispose]() {
			for (const key of Object.keys(env)) if (before[key] === undefined) delete process.env[key];
			rmSync(folder, { recursive: true, force: true });
		},
	};
}
