import { ConditionalCheckFailedException, DynamoDBClient, PutItemCommand, QueryCommand } from "@aws-sdk/client-dynamodb";
import type { ActivityStore, RoomDay } from "../../app/contract/activity.ts";

/** Rooms asked for at once. */
const together = 10;

/**
 * Documents in a table with the key `room`, `day` and an index `by-day` (`day`, `room`). Each is one item, written whole
 * and only over the one it was made from.
 */
export function dynamoStore(given: { client?: DynamoDBClient; table: string }): ActivityStore {
	const { table, client = new DynamoDBClient({}) } = given;

	async function newestOf(roomId: string): Promise<RoomDay | undefined> {
		const { Items } = await client.send(
			new QueryCommand({
				TableName: table,
				KeyConditionExpression: "room = :room",
				ExpressionAttributeValues: { ":room": { S: roomId } },
				ScanIndexForward: false,
				Limit: 1,
				// What was written a moment ago decides what is written next.
				ConsistentRead: true,
			}),
		);
		return Items?.[0] && toDoc(Items[0]);
	}

	return {
		async newest(roomIds) {
			const found = new Map<string, RoomDay>();
			for (let i = 0; i < roomIds.length; i += together) {
				const docs = await Promise.all(roomIds.slice(i, i + together).map(newestOf));
				for (const doc of docs) if (doc) found.set(doc.roomId, doc);
			}
			return found;
		},
		async keep(doc, from) {
			try {
				await client.send(
					new PutItemCommand({
						TableName: table,
						Item: { room: { S: doc.roomId }, day: { S: doc.day }, seq: { N: String(doc.seq) }, doc: { S: JSON.stringify(doc) } },
						ConditionExpression: from === null ? "attribute_not_exists(room)" : "seq = :from",
						...(from === null ? {} : { ExpressionAttributeValues: { ":from": { N: String(from) } } }),
					}),
				);
				return true;
			} catch (error) {
				if (error instanceof ConditionalCheckFailedException) return false;
				throw error;
			}
		},
		async days(days) {
			const docs: RoomDay[] = [];
			for (const day of days) {
				let from: Record<string, unknown> | undefined;
				do {
					const page = await client.send(
						new QueryCommand({
							TableName: table,
							IndexName: "by-day",
							KeyConditionExpression: "#day = :day",
							ExpressionAttributeNames: { "#day": "day" },
							ExpressionAttributeValues: { ":day": { S: day } },
							ExclusiveStartKey: from as never,
						}),
					);
					docs.push(...(page.Items ?? []).map(toDoc));
					from = page.LastEvaluatedKey;
				} while (from);
			}
			return docs;
		},
	};
}

const toDoc = (item: Record<string, { S?: string }>): RoomDay => JSON.parse(item.doc?.S ?? "{}") as RoomDay;
