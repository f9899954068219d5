import { PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import type { ArchiveStore } from "../../app/contract/activity.ts";

/** The archive in a bucket. */
export function s3Archive(given: { client?: S3Client; bucket: string }): ArchiveStore {
	const { bucket, client = new S3Client({}) } = given;
	return {
		async put(Key, Body) {
			await client.send(new PutObjectCommand({ Bucket: bucket, Key, Body, ContentType: "application/gzip" }));
		},
	};
}
