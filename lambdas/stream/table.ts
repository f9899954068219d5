import type { CreateTableCommandInput } from "@aws-sdk/client-dynamodb";

/** The table of rooms' days as DynamoDB's own API makes it: what tests create, and what the infrastructure has to match. */
export const activityTable = (TableName: string): CreateTableCommandInput => ({
	TableName,
	BillingMode: "PAY_PER_REQUEST",
	AttributeDefinitions: [
		{ AttributeName: "room", AttributeType: "S" },
		{ AttributeName: "day", AttributeType: "S" },
	],
	KeySchema: [
		{ AttributeName: "room", KeyType: "HASH" },
		{ AttributeName: "day", KeyType: "RANGE" },
	],
	GlobalSecondaryIndexes: [
		{
			IndexName: "by-day",
			KeySchema: [
				{ AttributeName: "day", KeyType: "HASH" },
				{ AttributeName: "room", KeyType: "RANGE" },
			],
			Projection: { ProjectionType: "ALL" },
		},
	],
});
