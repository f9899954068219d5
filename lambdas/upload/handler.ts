import { GetObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { SendMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import type { S3Event, S3EventRecord } from "aws-lambda";
import type { FileFault, ImportHeader, Rejected } from "../../app/contract/imports.ts";
import { lambda, readTraceparent, type SpanTools, type Tools } from "../runtime/index.ts";
import { BadFile } from "./bad-file.ts";
import { belowInbox, nameOf, prefixes, setAside } from "./inbox-bucket.ts";
import { faultOf, fileLimits, readImport } from "./read-import.ts";

/** What the application is told of a file; it looks at the file itself before it asks anybody to say yes. */
export type Told = {
	v: 1;
	bucket: string;
	key: string;
	etag: string;
	/** Which of the uploads under this key: the object's version, or else its place in their order. */
	version: string;
	name: string;
	bytes: number;
	sha256: string | null;
	header: ImportHeader | null;
	records: number;
	rejected: number;
	fault: { code: FileFault; line: number | null } | null;
	/** The trace the file came with. */
	tp: string;
};

/** Rejected lines written into the report; more say nothing new. */
const linesKept = 1000;

type Given = { s3: Pick<S3Client, "send">; sqs: Pick<SQSClient, "send">; queueUrl: string };

/**
 * Checks each file that was put into the inbox as it streams in, writes what was found beside it, moves what is no good into
 * quarantine with the reason, and tells the application. A file that is gone was dealt with by an earlier call.
 */
export function takeFiles(given: Given) {
	return async (event: S3Event, tools: Tools): Promise<{ checked: number; refused: number }> => {
		const outcome = { checked: 0, refused: 0 };
		for (const record of event.Records ?? []) {
			const key = keyOf(record);
			if (!key.startsWith(prefixes.inbox) || key.endsWith("/")) continue;
			const told = await tools.span("process upload", "consumer", { "chat.file.bytes": record.s3.object.size ?? 0 }, (span) =>
				takeFile(given, record, key, span, tools),
			);
			if (!told) continue;
			outcome[told.fault ? "refused" : "checked"]++;
			tools.records(told.fault ? 0 : 1, told.fault ? 1 : 0);
		}
		return outcome;
	};
}

/** The key as the object is called: events have it as a form would send it, with + for a space. */
const keyOf = (record: S3EventRecord): string => decodeURIComponent(record.s3.object.key.replaceAll("+", " "));

async function takeFile(given: Given, record: S3EventRecord, key: string, span: SpanTools, tools: Tools): Promise<Told | null> {
	const { s3 } = given;
	const bucket = record.s3.bucket.name;
	const name = nameOf(key);
	let object: {
		Body?: AsyncIterable<Uint8Array> | undefined;
		ContentLength?: number | undefined;
		ETag?: string | undefined;
		Metadata?: Record<string, string> | undefined;
	};
	try {
		object = (await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }))) as typeof object;
	} catch (error) {
		if ((error as { name?: string }).name === "NoSuchKey") return null;
		throw error;
	}
	const came = object.Metadata?.traceparent;
	const cause = readTraceparent(came);
	if (cause) span.link(cause);
	const tp = cause ? (came as string) : span.traceparent;
	const told: Told = {
		v: 1,
		bucket,
		key,
		etag: object.ETag ?? "",
		version: record.s3.object.versionId ?? record.s3.object.sequencer ?? "",
		name,
		bytes: object.ContentLength ?? 0,
		sha256: null,
		header: null,
		records: 0,
		rejected: 0,
		fault: null,
		tp,
	};
	const lines: Rejected[] = [];
	try {
		if (told.bytes > fileLimits.bytes) throw new BadFile("too-large");
		const reading = readImport(object.Body as AsyncIterable<Uint8Array>, name);
		for (;;) {
			const { value, done } = await reading.next();
			if (done) {
				Object.assign(told, { sha256: value.sha256, header: value.header, records: value.records, bytes: value.bytes });
				break;
			}
			told.rejected += value.rejected.length;
			lines.push(...value.rejected.slice(0, linesKept - lines.length));
		}
		span.set({ outcome: "ok" });
	} catch (error) {
		const fault = faultOf(error);
		if (!fault) throw error;
		told.fault = fault;
		span.set({ outcome: "refused", "error.type": fault.code });
	}
	if (!told.fault)
		await s3.send(
			new PutObjectCommand({
				Bucket: bucket,
				Key: `${prefixes.reports}${belowInbox(key)}.report`,
				Body: JSON.stringify({ ...told, tp: undefined, lines }),
				ContentType: "application/json",
			}),
		);
	// Before a bad file leaves: done again after that, it would find nothing to tell of.
	await given.sqs.send(new SendMessageCommand({ QueueUrl: given.queueUrl, MessageBody: JSON.stringify(told) }));
	if (told.fault) await setAside(s3, bucket, key, reasonOf(told.fault));
	tools.log.info("import.checked", {
		state: told.fault ? "refused" : "ready",
		kind: told.header?.kind ?? null,
		error_code: told.fault?.code ?? null,
		bytes: told.bytes,
		records: told.records,
		records_failed: told.rejected,
	});
	return told;
}

const reasonOf = ({ code, line }: NonNullable<Told["fault"]>) => `${code}${line === null ? "" : ` (line ${line})`}`;

export const handler = lambda<S3Event, { checked: number; refused: number }>(
	{ name: "upload", trigger: "datasource" },
	takeFiles({ s3: new S3Client({}), sqs: new SQSClient({}), queueUrl: process.env.IMPORT_QUEUE_URL ?? "" }),
);
