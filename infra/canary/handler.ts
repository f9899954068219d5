/** What CloudWatch Synthetics runs. Its runtime brings both packages. */
import { GetObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import type { Browser } from "playwright-core";
import { type Kept, talk } from "./two-people.ts";

type Synthetics = {
	launch(): Promise<Browser>;
	close(): Promise<void>;
	executeStep<T>(name: string, work: () => Promise<T>): Promise<T>;
};
/** In no registry: only the runtime has it. */
const ofTheRuntime = "@amzn/synthetics-playwright";
const { synthetics } = (await import(ofTheRuntime)) as { synthetics: Synthetics };

const { CHAT_URL, KEPT_BUCKET } = process.env;
const kept = { Bucket: KEPT_BUCKET, Key: "kept.json" };
const s3 = new S3Client({});

export async function handler(): Promise<void> {
	const browser = await synthetics.launch();
	try {
		const before = await read();
		const after = await talk(browser, {
			url: CHAT_URL as string,
			kept: before,
			// A step is a metric with its duration, and a picture when it fails.
			step: (name, work) => synthetics.executeStep(name, work),
		});
		console.log(JSON.stringify({ event: "canary.talked", delivery_ms: after.delivery }));
		if (after.kept !== before)
			await s3.send(new PutObjectCommand({ ...kept, Body: JSON.stringify(after.kept), ContentType: "application/json" }));
	} finally {
		await synthetics.close();
	}
}

/** The two of last time; null the first time. */
async function read(): Promise<Kept | null> {
	try {
		const { Body } = await s3.send(new GetObjectCommand(kept));
		return Body ? (JSON.parse(await Body.transformToString()) as Kept) : null;
	} catch (error) {
		if ((error as Error).name === "NoSuchKey") return null;
		throw error;
	}
}
