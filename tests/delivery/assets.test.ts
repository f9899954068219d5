import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { S3Client } from "@aws-sdk/client-s3";
import { publishAssets } from "../../scripts/publish-assets.ts";
import { openAssetsBucket, readSaved } from "../../scripts/rehearse/assets-bucket.ts";
import { openEdge, readEdgeRoutes } from "../../scripts/rehearse/edge.ts";

function folderOf(t: TestContext, files: Record<string, string>): string {
	const folder = mkdtempSync(join(tmpdir(), "charla-assets-"));
	t.after(() => rmSync(folder, { recursive: true, force: true }));
	for (const [name, text] of Object.entries(files)) {
		mkdirSync(join(folder, name, ".."), { recursive: true });
		writeFileSync(join(folder, name), text);
	}
	return folder;
}

async function bucketOf(t: TestContext) {
	const bucket = await openAssetsBucket();
	const credentials = { accessKeyId: bucket.env.AWS_ACCESS_KEY_ID, secretAccessKey: bucket.env.AWS_SECRET_ACCESS_KEY };
	const s3 = new S3Client({ endpoint: bucket.env.AWS_ENDPOINT_URL_S3, region: bucket.env.AWS_REGION, credentials });
	t.after(async () => {
		s3.destroy();
		await bucket.close();
	});
	return { bucket, publish: (folder: string) => publishAssets(s3, bucket.env.ASSETS_BUCKET, folder) };
}

/** What a browser gets, through an edge that has one bucket and one instance. */
async function edgeOf(t: TestContext, saved: string) {
	const instance = createServer((request, response) => response.end(`instance ${request.url}`));
	await new Promise<void>((done) => instance.listen(0, "127.0.0.1", done));
	const routes = readEdgeRoutes({
		Resources: {
			D: {
				Type: "AWS::CloudFront::Distribution",
				Properties: {
					DistributionConfig: {
						Origins: [
							{ Id: "b", VpcOriginConfig: {} },
							{ Id: "a", S3OriginConfig: {} },
						],
						CacheBehaviors: [{ PathPattern: "/assets/*", TargetOriginId: "a" }],
						DefaultCacheBehavior: { TargetOriginId: "b" },
					},
				},
			},
		},
	});
	assert.deepEqual(routes, [
		{ pattern: "/assets/*", from: "bucket" },
		{ pattern: "*", from: "balancer" },
	]);
	const balancer = `http://127.0.0.1:${(instance.address() as AddressInfo).port}`;
	const edge = await openEdge({ routes, bucket: readSaved(saved), balancer, host: "127.0.0.1" });
	t.after(async () => {
		await edge.close();
		instance.close();
	});
	return async (path: string) => {
		const answer = await fetch(`${edge.url}${path}`);
		return [answer.status, answer.headers.get("content-type"), answer.headers.get("cache-control"), await answer.text()];
	};
}

test("assets of every build are published beside one another, as what they are, for ever, and CloudFront has them from the bucket", async (t) => {
	const { bucket, publish } = await bucketOf(t);
	await publish(folderOf(t, { "a-1.js": "one", "a-1.css": "one" }));
	assert.deepEqual((await publish(folderOf(t, { "a-2.js": "two", "deep/a-2.woff2": "two" }))).sort(), ["a-2.js", "deep/a-2.woff2"]);
	assert.deepEqual(await bucket.names(), ["assets/a-1.css", "assets/a-1.js", "assets/a-2.js", "assets/deep/a-2.woff2"]);
	const saved = folderOf(t, {});
	await bucket.save(saved);
	const get = await edgeOf(t, saved);
	const forEver = "public, max-age=31536000, immutable";
	assert.deepEqual(await get("/assets/a-1.js"), [200, "text/javascript; charset=utf-8", forEver, "one"]);
	assert.deepEqual(await get("/assets/a-1.css"), [200, "text/css; charset=utf-8", forEver, "one"]);
	assert.deepEqual(await get("/assets/deep/a-2.woff2"), [200, "font/woff2", forEver, "two"]);
	assert.equal((await get("/assets/a-3.js"))[0], 403);
	assert.deepEqual((await get("/rooms/1?x=2"))[3], "instance /rooms/1?x=2");
});

test("an asset of no known kind keeps all of them from being published", async (t) => {
	const { bucket, publish } = await bucketOf(t);
	await assert.rejects(publish(folderOf(t, { "a.js": "", "b.wasm": "" })), /Of no known type: b\.wasm/);
	assert.deepEqual(await bucket.names(), []);
});
