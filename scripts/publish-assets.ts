/**
 * `npm run publish-assets`: puts the built pages' assets into the bucket CloudFront takes them from (ASSETS_BUCKET), beside those of earlier
 * builds. The pipeline does it before it deploys; without the variable there is no such bucket, and instances serve their own.
 */
import { readdirSync, readFileSync } from "node:fs";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { PutObjectCommand, S3Client } from "@aws-sdk/client-s3";

/** What a build makes. CloudFront compresses by it, and browsers run nothing of another kind. */
const types: Record<string, string> = {
	".js": "text/javascript; charset=utf-8",
	".css": "text/css; charset=utf-8",
	".svg": "image/svg+xml",
	".png": "image/png",
	".webp": "image/webp",
	".woff2": "font/woff2",
};
const atOnce = 8;

/** Puts every file of a folder below `assets/` of a bucket. Resolves with their names; throws where one is of no known kind, before any is put. */
export async function publishAssets(s3: S3Client, bucket: string, folder: string): Promise<string[]> {
	const names = readdirSync(folder, { recursive: true, withFileTypes: true })
		.filter((entry) => entry.isFile())
		.map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1));
	const unknown = names.filter((name) => !types[extname(name)]);
	if (unknown.length > 0) throw new Error(`Of no known type: ${unknown.join(", ")}. Say in scripts/publish-assets.ts what they are.`);
	const left = [...names];
	const lane = async () => {
		for (let name = left.pop(); name !== undefined; name = left.pop())
			await s3.send(
				new PutObjectCommand({
					Bucket: bucket,
					Key: `assets/${name}`,
					Body: readFileSync(join(folder, name)),
					ContentType: types[extname(name)],
					CacheControl: "public, max-age=31536000, immutable",
				}),
			);
	};
	await Promise.all(Array.from({ length: atOnce }, lane));
	return names;
}

if (import.meta.main) {
	const bucket = process.env.ASSETS_BUCKET;
	try {
		if (!bucket) console.log("ASSETS_BUCKET is not set: the assets are in the artefact alone, for instances to serve.");
		else {
			const names = await publishAssets(new S3Client({}), bucket, fileURLToPath(new URL("../build/client/assets", import.meta.url)));
			console.log(`${names.length} assets are in ${bucket}`);
		}
	} catch (error) {
		console.error(error instanceof Error ? error.message : error);
		process.exitCode = 1;
	}
}
