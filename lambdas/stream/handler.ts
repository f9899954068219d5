import { SendMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import type { KinesisStreamBatchResponse, KinesisStreamEvent, KinesisStreamRecord } from "aws-lambda";
import type { Activity, ActivityStore, ArchiveStore } from "../../app/contract/activity.ts";
import { lambda, readTraceparent, type Tools } from "../runtime/index.ts";
import { archiveFiles } from "./archive.ts";
import { dynamoStore } from "./dynamo-store.ts";
import { BadRecord, readRecord } from "./event.ts";
import { s3Archive } from "./s3-archive.ts";
import { takeIn } from "./take-in.ts";

/** Where a record is that nothing can be made of, and why; never what it holds. */
export type BadOne = { condition: "BadRecord"; reason: string; room: string; shardId: string; sequenceNumber: string; arrivedAt: number };

type Given = {
	store: ActivityStore | null;
	archive: ArchiveStore | null;
	/** Hears of bad records. Null: one is tried again like everything that fails. */
	aside: ((bad: BadOne) => Promise<void>) | null;
};

/**
 * Takes a batch of the stream in, record by record and in order. One that nothing can be made of goes to the queue of failures and the batch
 * goes on: it is no better the next time. Whatever else fails may be over in a minute, so it is answered as the first that failed, and there it
 * stops: Lambda would send everything after it again anyway, and a room's events must not be taken in around it. What is before it is done and
 * archived. The same batch again, whole or halved, changes nothing.
 */
export function takeBatch(given: Given) {
	return async (event: KinesisStreamEvent, tools: Tools): Promise<KinesisStreamBatchResponse> => {
		const done: Activity[] = [];
		const records = event.Records ?? [];
		let failed: string | null = null;
		let bad = 0;
		for (const record of records) {
			const how = await takeRecord(record, tools, given, done);
			if (how === "bad") bad++;
			if (how !== "failed") continue;
			failed = record.kinesis.sequenceNumber;
			break;
		}
		if (given.archive && done.length > 0) {
			const [first] = records as [KinesisStreamRecord];
			// eventID is "<shard>:<sequence number>".
			for (const file of archiveFiles(done, first.eventID)) await given.archive.put(file.key, file.bytes);
		}
		if (failed !== null) tools.outcome("failed", "internal");
		else if (bad > 0) tools.outcome("refused", "bad-record");
		return { batchItemFailures: failed === null ? [] : [{ itemIdentifier: failed }] };
	};
}

async function takeRecord(record: KinesisStreamRecord, tools: Tools, given: Given, done: Activity[]): Promise<"done" | "bad" | "failed"> {
	try {
		const bytes = Buffer.from(record.kinesis.data, "base64");
		const events = readRecord(bytes);
		const [first] = events as [Activity];
		await tools.span(
			"process activity",
			"consumer",
			{ "chat.records": events.length, "chat.room.id": first.roomId, "chat.iterator_age_ms": ageOf(record) },
			async () => {
				if (given.store) await takeIn(given.store, events);
			},
			// The first few: a message's trace leads here, and a busy second would not fit on one span.
			events.slice(0, 8).map((each) => readTraceparent(each.tp)),
		);
		done.push(...events);
		tools.records(1, 0);
		return "done";
	} catch (error) {
		tools.records(0, 1);
		tools.log.error("activity.record_failed", {
			record_id: record.eventID,
			exception_type: error instanceof Error ? error.name : "Error",
			// A bad record's own words never hold what was in it; another's may hold an address.
			exception_message: error instanceof BadRecord ? error.message : "",
		});
		return error instanceof BadRecord && (await setAside(record, error.message, tools, given)) ? "bad" : "failed";
	}
}

async function setAside({ kinesis, eventID }: KinesisStreamRecord, reason: string, tools: Tools, { aside }: Given): Promise<boolean> {
	if (!aside) return false;
	const [shardId = "", sequenceNumber = ""] = eventID.split(":");
	try {
		const arrivedAt = Math.round(kinesis.approximateArrivalTimestamp * 1000);
		await aside({ condition: "BadRecord", reason, room: kinesis.partitionKey, shardId, sequenceNumber, arrivedAt });
		return true;
	} catch (error) {
		// Not told of, it would be lost without a word.
		const about = {
			exception_type: error instanceof Error ? error.name : "Error",
			exception_message: "the queue of failures does not take it",
		};
		tools.log.error("activity.record_failed", { record_id: eventID, ...about });
		return false;
	}
}

const ageOf = (record: KinesisStreamRecord): number =>
	Math.max(0, Math.round(Date.now() - record.kinesis.approximateArrivalTimestamp * 1000)) || 0;

const { ACTIVITY_TABLE, ARCHIVE_BUCKET, FAILURES_QUEUE_URL } = process.env;

function toQueue(QueueUrl: string): (bad: BadOne) => Promise<void> {
	const sqs = new SQSClient({});
	return async (bad) => void (await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: JSON.stringify(bad) })));
}

export const handler = lambda<KinesisStreamEvent, KinesisStreamBatchResponse>(
	{ name: "stream", trigger: "pubsub" },
	takeBatch({
		store: ACTIVITY_TABLE ? dynamoStore({ table: ACTIVITY_TABLE }) : null,
		archive: ARCHIVE_BUCKET ? s3Archive({ bucket: ARCHIVE_BUCKET }) : null,
		aside: FAILURES_QUEUE_URL ? toQueue(FAILURES_QUEUE_URL) : null,
	}),
);
