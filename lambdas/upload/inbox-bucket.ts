import { createHash, randomUUID } from "node:crypto";
import { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { CopyObjectCommand, DeleteObjectCommand, GetObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { DeleteMessageCommand, ReceiveMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import * as v from "valibot";
import type { FileFault } from "../../app/contract/imports.ts";

/** Where files arrive, where bad ones go, and where what was found in them is written. Nothing is written back into `inbox/`. */
export const prefixes = { inbox: "inbox/", quarantine: "quarantine/", reports: "reports/" };

/** One request of the queue waits so long for something, s. */
const patience = 20;
/** After an error it is tried again after this long, ms. */
const pause = 5000;

const told = v.object({
	v: v.literal(1),
	key: v.string(),
	etag: v.string(),
	/** Which of the uploads under this key it is. */
	version: v.optional(v.string(), ""),
	name: v.string(),
	bytes: v.number(),
	fault: v.nullable(v.object({ code: v.string(), line: v.nullable(v.number()) })),
	tp: v.optional(v.string()),
});

export type ArrivedObject = {
	id: string;
	name: string;
	place: string;
	bytes: number;
	fault?: { code: FileFault; line: number | null };
	/** The traceparent it came with. */
	tp?: string;
};

/**
 * Files in a bucket: what is put into `inbox/` is looked at by the function, which tells a queue; the application listens there
 * and reads the object itself. A place is the object's key.
 */
export function bucketInbox(given: { s3?: S3Client; sqs?: SQSClient; bucket: string; queueUrl: string }) {
	const { bucket: Bucket, queueUrl: QueueUrl, s3 = new S3Client({}), sqs = new SQSClient({}) } = given;

	return {
		async open(place: string): Promise<AsyncIterable<Uint8Array>> {
			try {
				const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key: place }));
				return Body as unknown as AsyncIterable<Uint8Array>;
			} catch (error) {
				if ((error as Error).name === "NoSuchKey") throw Object.assign(new Error("the object is gone"), { code: "ENOENT" });
				throw error;
			}
		},
		async quarantine(place: string, _name: string, reason: string): Promise<void> {
			// By the function already.
			if (place.startsWith(prefixes.quarantine)) return;
			await setAside(s3, Bucket, place, reason);
		},
		async discard(place: string): Promise<void> {
			await s3.send(new DeleteObjectCommand({ Bucket, Key: place }));
		},
		/** Puts what streams in into the inbox: the function looks at it and tells. It has to be known how long it is. */
		async receive(name: string, source: AsyncIterable<Uint8Array>, bytes: number, traceparent?: string | null): Promise<void> {
			await s3.send(
				new PutObjectCommand({
					Bucket,
					// In a folder of its own: somebody else's file of the same name stays what it is.
					Key: `${prefixes.inbox}${randomUUID()}/${name}`,
					Body: Readable.from(source),
					ContentLength: bytes,
					ContentType: "application/json",
					...(traceparent ? { Metadata: { traceparent } } : {}),
				}),
			);
		},
		/** Listens to the queue until it is stopped. What `onFile` throws at comes again; what cannot be read is left to the queue's own limit. */
		listen(onFile: (file: ArrivedObject) => Promise<void>, onError: (error: unknown) => void): { stop(): Promise<void> } {
			const ending = new AbortController();
			const running = (async () => {
				while (!ending.signal.aborted) {
					try {
						const { Messages = [] } = await sqs.send(
							new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: patience }),
							{ abortSignal: ending.signal },
						);
						for (const message of Messages) {
							try {
								await onFile(toArrived(v.parse(told, JSON.parse(message.Body ?? ""))));
								await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: message.ReceiptHandle }));
							} catch (error) {
								onError(error);
							}
						}
					} catch (error) {
						if (ending.signal.aborted) return;
						onError(error);
						await sleep(pause, undefined, { signal: ending.signal }).catch(() => undefined);
					}
				}
			})();
			return {
				async stop() {
					ending.abort();
					await running;
				},
			};
		},
	};
}

/** The same upload told of twice is one file: its id follows from what it is. The same content put there again is another. */
function toArrived(message: v.InferOutput<typeof told>): ArrivedObject {
	const hex = createHash("sha256").update(["import", message.key, message.etag, message.version].join("\u0000")).digest("hex");
	return {
		id: `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`,
		name: message.name,
		place: message.fault ? `${prefixes.quarantine}${belowInbox(message.key)}` : message.key,
		bytes: message.bytes,
		...(message.fault ? { fault: message.fault as ArrivedObject["fault"] } : {}),
		...(message.tp === undefined ? {} : { tp: message.tp }),
	} as ArrivedObject;
}

/** A key of the inbox without that: what lies where in quarantine and among the reports, too. */
export const belowInbox = (key: string): string => key.slice(prefixes.inbox.length);
/** What a file is called: without the folder `receive` made for it. */
export const nameOf = (key: string): string => belowInbox(key).replace(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\//, "");

/** Moves an object out of the inbox, with the reason beside it. The original goes last: what fails on the way is done again whole. */
export async function setAside(s3: Pick<S3Client, "send">, Bucket: string, key: string, reason: string): Promise<void> {
	const to = `${prefixes.quarantine}${belowInbox(key)}`;
	const CopySource = `${Bucket}/${key.split("/").map(encodeURIComponent).join("/")}`;
	try {
		await s3.send(new CopyObjectCommand({ Bucket, Key: to, CopySource }));
	} catch (error) {
		// Moved by an earlier attempt.
		if ((error as Error).name !== "NoSuchKey") throw error;
	}
	await s3.send(new PutObjectCommand({ Bucket, Key: `${to}.reason.txt`, Body: `${reason}\n`, ContentType: "text/plain" }));
	await s3.send(new DeleteObjectCommand({ Bucket, Key: key }));
}
