import assert from "node:assert/strict";
import { test } from "node:test";
import { startDynamo } from "../../tests/support/dynamo.ts";
import { storeSuite } from "../../tests/support/store-suite.ts";
import { hashOf } from "./api.ts";
import { openDynamoKeys, openDynamoStore } from "./dynamo-store.ts";
import type { ApiKey } from "./store.ts";

storeSuite("DynamoDB", async () => {
	const dynamo = await startDynamo();
	const { client } = dynamo;
	return {
		store: openDynamoStore({ client, itemsTable: dynamo.env.ITEMS_TABLE, cartsTable: dynamo.env.CARTS_TABLE }),
		[Symbol.asyncDispose]: () => dynamo[Symbol.asyncDispose](),
	};
});

test("[O4] DynamoDB: a key is found by its hash until it is revoked", async () => {
	await using dynamo = await startDynamo();
	const keys = openDynamoKeys({ client: dynamo.client, cartsTable: dynamo.env.CARTS_TABLE });
	const key: ApiKey = { id: "k", name: "shop floor", owner: { id: null, name: "Ana" }, scopes: ["items:read"], room: null };
	assert.equal(await keys.find(hashOf("secret")), null);
	await keys.put(hashOf("secret"), key);
	assert.deepEqual(await keys.find(hashOf("secret")), key);
	await keys.remove(hashOf("secret"));
	assert.equal(await keys.find(hashOf("secret")), null);
});
