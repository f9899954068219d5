import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { gunzipSync } from "node:zlib";
import { PutRecordCommand } from "@aws-sdk/client-kinesis";
import { GetObjectCommand, ListObjectsV2Command } from "@aws-sdk/client-s3";
import { ReceiveMessageCommand } from "@aws-sdk/client-sqs";
import type { Activity } from "../../app/contract/activity.ts";
import { events as declared } from "../../observability/contract.ts";
import { bundleLambda, bundleLimit } from "../../scripts/bundle-lambdas.ts";
import { type Aws, loadBundle, startAws } from "../../tests/support/aws.ts";
import { mapToFunction } from "../../tests/support/event-source-mapping.ts";
import { type OtlpReceiver, startOtlpReceiver } from "../../tests/support/otlp-receiver.ts";
import { declaredSpan } from "../../tests/support/recorded.ts";
import { dynamoStore } from "./dynamo-store.ts";
import type { BadOne } from "./handler.ts";
import { toKinesis } from "./to-kinesis.ts";

let aws: Aws;
let receiver: OtlpReceiver;
let stream: Awaited<ReturnType<typeof loadBundle>>;
before(async () => {
	[aws, receiver] = await Promise.all([startAws(), startOtlpReceiver()]);
	await aws.createTable("activity");
	aws.queues.createBucket("archive");
	aws.queues.createQueue("failures");
	stream = await loadBundle("stream", {
		...aws.env,
		ACTIVITY_TABLE: "activity",
		ARCHIVE_BUCKET: "archive",
		FAILURES_QUEUE_URL: aws.queueUrl("failures"),
		OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
	});
});
after(async () => {
	stream[Symbol.dispose]();
	await aws[Symbol.asyncDispose]();
	await receiver.close();
});

const rooms = Array.from({ length: 7 }, (_, i) => `0192bbbb-0000-7000-8000-00000000000${i}`);
const noon = Date.UTC(2026, 10, 25, 12);
const event = (roomId: string, seq: number, more: Partial<Activity> = {}): Activity => ({
	id: `${roomId}:${seq}`,
	roomId,
	seq,
	kind: "message",
	at: noon + seq * 1000,
	authorId: "0192aaaa-0000-7000-8000-00000000000a",
	bytes: 10,
	target: null,
	flags: [],
	reach: null,
	tp: `00-0192aaaa00007000800000000000${String(seq).padStart(4, "0")}-800000000000000a-01`,
	...more,
});

async function archived(): Promise<string[]> {
	const { Contents = [] } = await aws.s3.send(new ListObjectsV2Command({ Bucket: "archive" }));
	const ids: string[] = [];
	for (const { Key } of Contents) {
		assert.match(Key ?? "", /^activity\/date=2026-11-25\/shardId-\d{12}_\d+\.jsonl\.gz$/);
		const { Body } = await aws.s3.send(new GetObjectCommand({ Bucket: "archive", Key }));
		const lines = gunzipSync((await Body?.transformToByteArray()) as Uint8Array)
			.toString()
			.trim()
			.split("\n");
		ids.push(...lines.map((line) => (JSON.parse(line) as Activity).id));
	}
	return ids;
}
const messages = async () =>
	Object.fromEntries(
		[...(await dynamoStore({ client: aws.dynamo, table: "activity" }).newest(rooms))].map(([room, doc]) => [
			room,
			doc.hours[12]?.message?.[0],
		]),
	);

async function setAside(): Promise<BadOne[]> {
	const found: BadOne[] = [];
	for (const QueueUrl = aws.queueUrl("failures"); ; ) {
		const { Messages = [] } = await aws.sqs.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 }));
		if (Messages.length === 0) return found;
		found.push(...Messages.map((message) => JSON.parse(message.Body ?? "") as BadOne));
	}
}

test("[A8] the bundle takes a whole stream in: poison goes to the queue of failures and nothing waits behind it; again, nothing changes", async () => {
	await aws.createStream("activity", 2);
	const send = toKinesis({ client: aws.kinesis, stream: "activity" });
	for (let round = 0; round < 4; round++) {
		const part = new Map(rooms.map((room) => [room, Array.from({ length: 150 }, (_, i) => event(room, round * 150 + i + 1))]));
		const reached = await send(part);
		assert.deepEqual(
			[...reached.values()],
			rooms.map(() => (round + 1) * 150),
		);
		for (const [i, Data] of [Buffer.from("PK\u0003\u0004"), Buffer.from('{"v":1,"events":[{}]}'), Buffer.from([0xff, 0xfe])].entries())
			await aws.kinesis.send(new PutRecordCommand({ StreamName: "activity", PartitionKey: rooms[i * 2] as string, Data }));
	}
	const run = (batchSize: number) =>
		mapToFunction(aws.kinesis, "activity", stream.invoke, {
			batchSize,
			retries: 2,
			bisect: true,
			onFailure: async (failure) => assert.fail(`given up by the mapping: ${JSON.stringify(failure)}`),
		});
	await run(10);
	const expected = Object.fromEntries(rooms.map((room) => [room, 600]));
	assert.deepEqual(await messages(), expected);
	const ids = await archived();
	assert.deepEqual([ids.length, new Set(ids).size], [4200, 4200], "archived once each");
	const failures = await setAside();
	assert.deepEqual(
		failures.map(({ condition, reason, room }) => [condition, reason, room]).sort(),
		Array.from({ length: 4 }, () => [
			["BadRecord", "not JSON", rooms[0]],
			["BadRecord", "not UTF-8", rooms[4]],
			["BadRecord", "id: object", rooms[2]],
		])
			.flat()
			.sort(),
		"each once, with where it is and whose, and nothing of what it holds",
	);
	for (const { shardId, sequenceNumber } of failures) assert.match(`${shardId}:${sequenceNumber}`, /^shardId-\d{12}:\d+$/);
	await run(10);
	await run(7);
	assert.deepEqual(await messages(), expected, "the whole stream three times, in other batches too");
	assert.equal(new Set(await archived()).size, 4200);
});

test("[A8] a record nobody can read is told of and gone past; where nobody hears of it, it fails like everything else", async () => {
	const real = JSON.parse(readFileSync(new URL("event.json", import.meta.url), "utf8"));
	const [good, bad] = real.Records;
	const from = stream.lines.length;
	assert.deepEqual(await stream.invoke(real), { batchItemFailures: [] });
	assert.deepEqual(
		(await setAside()).filter(({ sequenceNumber }) => sequenceNumber === bad.kinesis.sequenceNumber).map(({ reason }) => reason),
		["not JSON"],
	);
	const store = dynamoStore({ client: aws.dynamo, table: "activity" });
	const lobby = "01900000-0000-7000-8000-000000000001";
	const doc = (await store.newest([lobby])).get(lobby);
	assert.deepEqual([doc?.seq, doc?.questions.length, doc?.reach], [1, 1, { here: 2, delivered: 2 }]);
	assert.deepEqual(await stream.invoke({ Records: [bad, good] }), { batchItemFailures: [] });
	using deaf = await loadBundle("stream", { ...aws.env, FAILURES_QUEUE_URL: aws.queueUrl("no-such-queue") });
	assert.deepEqual(await deaf.invoke({ Records: [good, bad, good] }), {
		batchItemFailures: [{ itemIdentifier: bad.kinesis.sequenceNumber }],
	});
	assert.deepEqual(await stream.invoke({ Records: [good, good] }), { batchItemFailures: [] });
	assert.deepEqual(await stream.invoke({ Records: [] }), { batchItemFailures: [] });
	const lines = stream.lines.slice(from);
	for (const line of lines.filter((each) => each.event !== "metrics.emf"))
		assert.ok(Object.hasOwn(declared, String(line.event)), String(line.event));
	const failed = lines.find((line) => line.event === "activity.record_failed");
	assert.deepEqual([failed?.record_id, failed?.exception_type, failed?.exception_message], [bad.eventID, "BadRecord", "not JSON"]);
	assert.ok(!JSON.stringify(lines).includes("only a test"), "what a record holds is in no line");
	const invoked = lines.filter((line) => line.event === "lambda.invoked");
	assert.deepEqual([invoked[0]?.records, invoked[0]?.records_failed, invoked[0]?.outcome], [2, 1, "refused"]);
	// The spans: one of the call, one of each record, linked to the message it is about.
	const spans = receiver.spans.filter((span) => span.traceId === invoked[0]?.trace_id);
	for (const span of spans) assert.deepEqual(declaredSpan({ ...span, kind: span.kind as "server" }, "lambda").problems, []);
	const process = spans.find((span) => span.name === "process activity");
	assert.deepEqual(process?.links, [{ traceId: "0192aaaa00007000800000000000000a", spanId: "800000000000000a" }]);
});

test("[A8] while the table is away the whole batch fails and is done again; records too old are given up and told of", async () => {
	await aws.createStream("aged", 1);
	const room = "0192cccc-0000-7000-8000-000000000000";
	await toKinesis({ client: aws.kinesis, stream: "aged" })(new Map([[room, [event(room, 1)]]]));
	const given: string[] = [];
	let isAway = true;
	const invoke = async (each: unknown) => {
		if (!isAway) return stream.invoke(each);
		const before = process.env.ACTIVITY_TABLE;
		using other = await loadBundle("stream", { ...aws.env, ACTIVITY_TABLE: "no-such-table" });
		const answer = await other.invoke(each);
		process.env.ACTIVITY_TABLE = before;
		isAway = false;
		return answer;
	};
	await mapToFunction(aws.kinesis, "aged", invoke, {
		batchSize: 10,
		retries: 1,
		bisect: true,
		onFailure: async ({ condition }) => void given.push(condition),
	});
	assert.equal(given.length, 0);
	assert.equal((await dynamoStore({ client: aws.dynamo, table: "activity" }).newest([room])).get(room)?.seq, 1);
	const broken = async () => ({ batchItemFailures: [{ itemIdentifier: "of another batch" }] });
	const later = { batchSize: 10, retries: 100, bisect: false, maxAge: 60_000, clock: () => Date.now() + 3_600_000 };
	await mapToFunction(aws.kinesis, "aged", broken, { ...later, onFailure: async ({ condition }) => void given.push(condition) });
	assert.deepEqual(given, ["RecordAgeExceeded"]);
	// Later events of the room are counted, and then its pointer is set back: what was given up is counted, and nothing twice.
	const store = dynamoStore({ client: aws.dynamo, table: "activity" });
	await aws.createStream("again", 1);
	const send = toKinesis({ client: aws.kinesis, stream: "again" });
	const take = () =>
		mapToFunction(aws.kinesis, "again", stream.invoke, { batchSize: 10, retries: 0, bisect: false, onFailure: async () => assert.fail() });
	await send(new Map([[room, [event(room, 4), event(room, 5)]]]));
	await take();
	assert.deepEqual((await store.newest([room])).get(room)?.gaps, [[2, 3]]);
	await send(new Map([[room, [1, 2, 3, 4, 5].map((seq) => event(room, seq))]]));
	await take();
	const mended = (await store.newest([room])).get(room);
	assert.deepEqual([mended?.hours[12]?.message?.[0], mended?.seq, mended?.gaps], [5, 5, undefined]);
});

test("[A8] Kinesis takes a part and refuses a part: a room goes on from where it got to, and never around a record that failed", async () => {
	const sent: string[] = [];
	let isFull = true;
	const client = {
		send: async ({ input }: { input: { Records: { PartitionKey: string; Data: Uint8Array }[] } }) => ({
			Records: input.Records.map(({ PartitionKey, Data }) => {
				if (isFull && PartitionKey === rooms[1]) return { ErrorCode: "ProvisionedThroughputExceededException" };
				sent.push(...JSON.parse(Buffer.from(Data).toString()).events.map((each: Activity) => each.id));
				return { SequenceNumber: "1", ShardId: "x" };
			}),
		}),
	};
	const send = toKinesis({ client: client as never, stream: "x" });
	const part = new Map(rooms.slice(0, 2).map((room) => [room, Array.from({ length: 250 }, (_, i) => event(room, i + 1))]));
	assert.deepEqual([...(await send(part))], [[rooms[0], 250]]);
	isFull = false;
	assert.equal((await send(part)).get(rooms[1] as never), 250);
	const ofSecond = sent.filter((id) => id.startsWith(rooms[1] as string));
	assert.deepEqual(
		ofSecond,
		Array.from({ length: 250 }, (_, i) => `${rooms[1]}:${i + 1}`),
	);
});

test("the bundle is small, and starts quickly enough to be measured", async (t) => {
	const { bytes } = await bundleLambda("stream");
	assert.ok(bytes < bundleLimit, `${bytes} bytes`);
	t.diagnostic(
		`${Math.round(bytes / 1024)} KiB; with AWS's clients ${Math.round(stream.bytes / 1024)} KiB, loaded in ${Math.round(stream.coldStartMs)} ms`,
	);
});
