import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { CreateTableCommand, DescribeTableCommand, DynamoDBClient } from "@aws-sdk/client-dynamodb";
import dynalite from "dynalite";
import { cartsTable, itemsTable } from "../../lambdas/shop/tables.ts";

/** DynamoDB's wire protocol on a port of this machine, in memory, with the shop's two tables. */
export async function startDynamo() {
	const server = dynalite({ createTableMs: 0, updateTableMs: 0, deleteTableMs: 0 });
	server.listen(0, "127.0.0.1");
	await once(server, "listening");
	const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
	/** For a client in another process. */
	const env = {
		AWS_ENDPOINT_URL_DYNAMODB: url,
		AWS_REGION: "eu-west-1",
		AWS_ACCESS_KEY_ID: "emulated",
		AWS_SECRET_ACCESS_KEY: "emulated",
		ITEMS_TABLE: "items",
		CARTS_TABLE: "carts",
	};
	const client = new DynamoDBClient({
		endpoint: url,
		region: env.AWS_REGION,
		credentials: { accessKeyId: "emulated", secretAccessKey: "emulated" },
	});
	for (const table of [itemsTable(env.ITEMS_TABLE), cartsTable(env.CARTS_TABLE)]) {
		await client.send(new CreateTableCommand(table));
		for (let state = ""; state !== "ACTIVE"; )
			state = (await client.send(new DescribeTableCommand({ TableName: table.TableName }))).Table?.TableStatus ?? "";
	}
	return {
		url,
		env,
		client,
		async [Symbol.asyncDispose]() {
			client.destroy();
			server.close();
			(server as unknown as { closeAllConnections?: () => void }).closeAllConnections?.();
		},
	};
}
export type Dynamo = Awaited<ReturnType<typeof startDynamo>>;
