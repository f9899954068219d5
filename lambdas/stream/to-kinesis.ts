import { KinesisClient, PutRecordsCommand } from "@aws-sdk/client-kinesis";
import type { Activity } from "../../app/contract/activity.ts";
import { writeRecord } from "./event.ts";

/** Events in one record: some 40 KB, and what one bad record takes with it to the queue of failures. */
const perRecord = 100;
/** Kinesis takes so many records, and 5 MB, in one go. */
const perCall = 100;

/**
 * Sends what happened in each room as records of its own, with the room as partition key. Answers how far each room got: a
 * call may fail in part, and within one call Kinesis promises no order, so a call has one record of a room at most and a room
 * that failed is left alone until next time.
 */
export function toKinesis(given: { client?: KinesisClient; stream: string }) {
	const { stream, client = new KinesisClient({}) } = given;
	return async function send(rooms: ReadonlyMap<string, readonly Activity[]>): Promise<Map<string, number>> {
		const reached = new Map<string, number>();
		const failed = new Set<string>();
		for (let begin = 0; ; begin += perRecord) {
			const waiting = [...rooms]
				.filter(([roomId, events]) => events.length > begin && !failed.has(roomId))
				.map(([roomId, events]) => ({ roomId, events: events.slice(begin, begin + perRecord) }));
			if (waiting.length === 0) return reached;
			for (let i = 0; i < waiting.length; i += perCall) {
				const those = waiting.slice(i, i + perCall);
				const { Records } = await client.send(
					new PutRecordsCommand({
						StreamName: stream,
						Records: those.map(({ roomId, events }) => ({ PartitionKey: roomId, Data: writeRecord(events) })),
					}),
				);
				those.forEach(({ roomId, events }, n) => {
					if (Records?.[n]?.ErrorCode) failed.add(roomId);
					else reached.set(roomId, events.at(-1)?.seq as number);
				});
			}
		}
	};
}
