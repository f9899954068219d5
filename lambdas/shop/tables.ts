import type { CreateTableCommandInput } from "@aws-sdk/client-dynamodb";
import { roomIndex, waitingIndex } from "./dynamo-store.ts";

/** The two tables as DynamoDB's own API makes them: what tests create, and what the infrastructure has to match. */
export const itemsTable = (TableName: string): CreateTableCommandInput => ({
	TableName,
	BillingMode: "PAY_PER_REQUEST",
	AttributeDefinitions: [
		{ AttributeName: "shelf", AttributeType: "S" },
		{ AttributeName: "id", AttributeType: "S" },
	],
	KeySchema: [
		{ AttributeName: "shelf", KeyType: "HASH" },
		{ AttributeName: "id", KeyType: "RANGE" },
	],
});

export const cartsTable = (TableName: string): CreateTableCommandInput => ({
	TableName,
	BillingMode: "PAY_PER_REQUEST",
	AttributeDefinitions: ["pk", "queue", "room", "made"].map((AttributeName) => ({ AttributeName, AttributeType: "S" as const })),
	KeySchema: [{ AttributeName: "pk", KeyType: "HASH" }],
	GlobalSecondaryIndexes: [[waitingIndex, "queue"] as const, [roomIndex, "room"] as const].map(([IndexName, key]) => ({
		IndexName,
		KeySchema: [
			{ AttributeName: key, KeyType: "HASH" as const },
			{ AttributeName: "made", KeyType: "RANGE" as const },
		],
		Projection: { ProjectionType: "ALL" as const },
	})),
});
