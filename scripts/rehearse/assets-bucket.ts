import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { CreateBucketCommand, GetObjectCommand, paginateListObjectsV2, S3Client } from "@aws-sdk/client-s3";
import { startFauxqs } from "fauxqs";

/** An object as it was put: its headers, and its contents in a file of its name. */
export type Kept = { type: string; cacheControl: string };

/** The bucket the build publishes assets to, as S3 speaks; `env` is what the build is told of it. */
export async function openAssetsBucket() {
	const server = await startFauxqs({ port: 0, host: "127.0.0.1", logger: false });
	const endpoint = `http://127.0.0.1:${server.port}`;
	const env = {
		ASSETS_BUCKET: "charla-assets",
		AWS_ENDPOINT_URL_S3: endpoint,
		AWS_REGION: "eu-west-1",
		AWS_ACCESS_KEY_ID: "rehearsal",
		AWS_SECRET_ACCESS_KEY: "rehearsal",
	};
	const credentials = { accessKeyId: env.AWS_ACCESS_KEY_ID, secretAccessKey: env.AWS_SECRET_ACCESS_KEY };
	const s3 = new S3Client({ endpoint, region: env.AWS_REGION, credentials });
	const Bucket = env.ASSETS_BUCKET;
	await s3.send(new CreateBucketCommand({ Bucket }));

	async function names(): Promise<string[]> {
		const found: string[] = [];
		for await (const page of paginateListObjectsV2({ client: s3 }, { Bucket }))
			for (const { Key } of page.Contents ?? []) found.push(Key ?? "");
		return found.sort();
	}
	return {
		env,
		names,
		/** Writes all of it into a folder, for where there is no network to here. */
		async save(folder: string): Promise<void> {
			const kept: Record<string, Kept> = {};
			for (const Key of await names()) {
				const { Body, ContentType = "", CacheControl = "" } = await s3.send(new GetObjectCommand({ Bucket, Key }));
				mkdirSync(dirname(join(folder, Key)), { recursive: true });
				writeFileSync(join(folder, Key), await (Body as NonNullable<typeof Body>).transformToByteArray());
				kept[Key] = { type: ContentType, cacheControl: CacheControl };
			}
			writeFileSync(join(folder, "objects.json"), JSON.stringify(kept));
		},
		async close(): Promise<void> {
			s3.destroy();
			await server.stop();
		},
	};
}

/** What `save` wrote. */
export function readSaved(folder: string): Map<string, Kept & { body: Buffer }> {
	const kept = JSON.parse(readFileSync(join(folder, "objects.json"), "utf8")) as Record<string, Kept>;
	return new Map(Object.entries(kept).map(([name, one]) => [name, { ...one, body: readFileSync(join(folder, name)) }]));
}
