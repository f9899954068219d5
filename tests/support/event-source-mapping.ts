import { type _Record, GetRecordsCommand, GetShardIteratorCommand, type KinesisClient, ListShardsCommand } from "@aws-sdk/client-kinesis";

export type Mapping = {
	batchSize: number;
	/** Attempts after the first. */
	retries: number;
	bisect: boolean;
	/** Older records are given up, ms. */
	maxAge?: number;
	clock?: () => number;
	/** Hears of what was given up: as AWS, of where it is and never what it holds. */
	onFailure(failure: {
		condition: string;
		shardId: string;
		startSequenceNumber: string;
		endSequenceNumber: string;
		batchSize: number;
	}): Promise<void>;
};

/**
 * What AWS does between a stream and a function, for tests: each shard's records in order, in batches; a failed batch is done
 * again from the first record that failed (or from its beginning when the function threw), in halves when it may be bisected,
 * and given up after so many attempts or at an age. A shard never goes past what is neither done nor given up. Runs until
 * everything in the stream has been through; answers how many calls that took.
 */
export async function mapToFunction(
	client: KinesisClient,
	stream: string,
	invoke: (event: unknown) => Promise<unknown>,
	mapping: Mapping,
): Promise<number> {
	const { clock = Date.now } = mapping;
	let calls = 0;
	const { Shards = [] } = await client.send(new ListShardsCommand({ StreamName: stream }));
	for (const { ShardId: shardId = "" } of Shards) {
		const records = await readShard(client, stream, shardId);
		for (let i = 0; i < records.length; i += mapping.batchSize) await deliver(shardId, records.slice(i, i + mapping.batchSize), 0);
	}
	return calls;

	async function deliver(shardId: string, batch: _Record[], attempts: number): Promise<void> {
		const young = batch.findIndex(
			(record) => clock() - (record.ApproximateArrivalTimestamp?.getTime() ?? 0) <= (mapping.maxAge ?? Number.POSITIVE_INFINITY),
		);
		const aged = young === -1 ? batch : batch.slice(0, young);
		if (aged.length > 0) await giveUp("RecordAgeExceeded", shardId, aged);
		const due = batch.slice(aged.length);
		if (due.length === 0) return;
		const failed = await call(shardId, due);
		if (failed === -1) return;
		const rest = due.slice(failed);
		if (mapping.bisect && rest.length > 1) {
			const middle = Math.ceil(rest.length / 2);
			await deliver(shardId, rest.slice(0, middle), attempts);
			return deliver(shardId, rest.slice(middle), attempts);
		}
		if (attempts < mapping.retries) return deliver(shardId, rest, attempts + 1);
		await giveUp("RetryAttemptsExhausted", shardId, rest);
	}

	/** The place of the first record that failed; -1 for none. */
	async function call(shardId: string, batch: _Record[]): Promise<number> {
		calls++;
		try {
			const answer = (await invoke({ Records: batch.map((record) => toEventRecord(record, shardId, stream)) })) as {
				batchItemFailures?: { itemIdentifier: string }[];
			} | null;
			const failures = answer?.batchItemFailures ?? [];
			if (failures.length === 0) return -1;
			// The lowest counts; an identifier that is not of this batch fails it whole.
			const places = failures.map(({ itemIdentifier }) => batch.findIndex((record) => record.SequenceNumber === itemIdentifier));
			return places.includes(-1) ? 0 : Math.min(...places);
		} catch {
			return 0;
		}
	}

	function giveUp(condition: string, shardId: string, batch: _Record[]): Promise<void> {
		return mapping.onFailure({
			condition,
			shardId,
			startSequenceNumber: batch[0]?.SequenceNumber ?? "",
			endSequenceNumber: batch.at(-1)?.SequenceNumber ?? "",
			batchSize: batch.length,
		});
	}
}

async function readShard(client: KinesisClient, StreamName: string, ShardId: string): Promise<_Record[]> {
	const found: _Record[] = [];
	let { ShardIterator: iterator } = await client.send(
		new GetShardIteratorCommand({ StreamName, ShardId, ShardIteratorType: "TRIM_HORIZON" }),
	);
	for (let idle = 0; iterator && idle < 2; ) {
		const { Records = [], NextShardIterator } = await client.send(new GetRecordsCommand({ ShardIterator: iterator }));
		found.push(...Records);
		idle = Records.length === 0 ? idle + 1 : 0;
		iterator = NextShardIterator;
	}
	return found;
}

function toEventRecord(record: _Record, shardId: string, stream: string) {
	return {
		kinesis: {
			kinesisSchemaVersion: "1.0",
			partitionKey: record.PartitionKey,
			sequenceNumber: record.SequenceNumber,
			data: Buffer.from(record.Data ?? []).toString("base64"),
			approximateArrivalTimestamp: (record.ApproximateArrivalTimestamp?.getTime() ?? 0) / 1000,
		},
		eventSource: "aws:kinesis",
		eventVersion: "1.0",
		eventID: `${shardId}:${record.SequenceNumber}`,
		eventName: "aws:kinesis:record",
		invokeIdentityArn: "arn:aws:iam::123456789012:role/stream",
		awsRegion: "eu-west-1",
		eventSourceARN: `arn:aws:kinesis:eu-west-1:123456789012:stream/${stream}`,
	};
}
