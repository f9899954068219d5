import {
	type AttributeValue,
	BatchGetItemCommand,
	BatchWriteItemCommand,
	ConditionalCheckFailedException,
	DynamoDBClient,
	GetItemCommand,
	PutItemCommand,
	QueryCommand,
	UpdateItemCommand,
} from "@aws-sdk/client-dynamodb";
import type { Cart, ShelvedItem } from "../../app/contract/orders.ts";
import type { ApiKey, FindKey, Store } from "./store.ts";

type Row = Record<string, AttributeValue>;

/** All items share one partition, so that they can be read in order; a shelf takes 3,000 reads a second. */
const shelf = { shelf: { S: "items" } };
const batchWrite = 25;
/** How often what DynamoDB left undone in a batch is asked for again, and how long it is waited for first, ms. */
const batchTries = 8;
const batchPause = 50;

/** Indices of the carts table; both sparse. */
export const waitingIndex = "waiting";
export const roomIndex = "room";

/** Answers within seconds or not at all: a caller is waiting, and Lambda's own time is short. */
export function openDynamo(): DynamoDBClient {
	return new DynamoDBClient({ maxAttempts: 3, requestHandler: { connectionTimeout: 1000, requestTimeout: 3000 } });
}

/**
 * The shop's store in DynamoDB: one table of items (`shelf`, `id`), one of carts (`pk`), with the indices `waiting` (`queue`,
 * `made`) and `room` (`room`, `made`). A cart is one attribute, as JSON: it is read and replaced whole.
 */
export function openDynamoStore(given: { client: DynamoDBClient; itemsTable: string; cartsTable: string }): Store {
	const { client, itemsTable, cartsTable } = given;

	async function read(id: string): Promise<{ cart: Cart; digest: string } | null> {
		const { Item: row } = await client.send(new GetItemCommand({ TableName: cartsTable, Key: cartKey(id), ConsistentRead: true }));
		return row ? { cart: toCart(row), digest: row.digest?.S ?? "" } : null;
	}

	return {
		async items(after, limit) {
			const found: ShelvedItem[] = [];
			let from: Row | undefined = after === null ? undefined : { ...shelf, id: { S: after } };
			do {
				const page = await client.send(
					new QueryCommand({
						TableName: itemsTable,
						KeyConditionExpression: "shelf = :shelf",
						FilterExpression: "present = :yes",
						ExpressionAttributeValues: { ":shelf": shelf.shelf, ":yes": { BOOL: true } },
						ExclusiveStartKey: from,
						// The filter comes after the reading, so a page may hold fewer; the loop goes on until there are enough.
						Limit: limit,
					}),
				);
				found.push(...(page.Items ?? []).map(toItem));
				from = page.LastEvaluatedKey;
			} while (from && found.length < limit);
			return found.slice(0, limit).map(({ tp: _tp, ...item }) => item);
		},
		async find(ids) {
			let keys: Row[] | undefined = ids.map((id) => ({ ...shelf, id: { S: id } }));
			const found: ShelvedItem[] = [];
			for (let tried = 0; keys && keys.length > 0; tried++) {
				if (tried >= batchTries) throw new Error("DynamoDB leaves reads undone");
				if (tried > 0) await pause(tried);
				const page = await client.send(new BatchGetItemCommand({ RequestItems: { [itemsTable]: { Keys: keys, ConsistentRead: true } } }));
				found.push(...(page.Responses?.[itemsTable] ?? []).map(toItem));
				keys = page.UnprocessedKeys?.[itemsTable]?.Keys as Row[] | undefined;
			}
			return found;
		},
		async put(items) {
			// DynamoDB refuses a batch that names one key twice; the later mention stands, as in the other engine.
			const once = [...new Map(items.map((item) => [item.id, item])).values()];
			for (let at = 0; at < once.length; at += batchWrite) {
				let left = { [itemsTable]: once.slice(at, at + batchWrite).map((item) => ({ PutRequest: { Item: itemRow(item) } })) };
				for (let tried = 0; (left[itemsTable]?.length ?? 0) > 0; tried++) {
					if (tried >= batchTries) throw new Error("DynamoDB leaves writes undone");
					if (tried > 0) await pause(tried);
					left = ((await client.send(new BatchWriteItemCommand({ RequestItems: left }))).UnprocessedItems ?? {}) as typeof left;
				}
			}
		},
		async create(cart, digest) {
			try {
				await client.send(
					new PutItemCommand({
						TableName: cartsTable,
						Item: { ...cartRow(cart), digest: { S: digest } },
						ConditionExpression: "attribute_not_exists(pk)",
					}),
				);
				return { cart, digest, isNew: true };
			} catch (error) {
				if (!(error instanceof ConditionalCheckFailedException)) throw error;
				const stands = await read(cart.id);
				if (!stands) throw error;
				return { ...stands, isNew: false };
			}
		},
		cart: async (id) => (await read(id))?.cart ?? null,
		stands: read,
		async replace(cart) {
			const { pk: _pk, ...values } = cartRow(cart);
			const names = Object.keys(values);
			try {
				await client.send(
					new UpdateItemCommand({
						TableName: cartsTable,
						Key: cartKey(cart.id),
						UpdateExpression: `set ${names.map((name) => `#${name} = :${name}`).join(", ")}`,
						ConditionExpression: "#version = :before",
						ExpressionAttributeNames: Object.fromEntries(names.map((name) => [`#${name}`, name])),
						ExpressionAttributeValues: {
							...Object.fromEntries(names.map((name) => [`:${name}`, values[name] as AttributeValue])),
							":before": { N: String(cart.version - 1) },
						},
					}),
				);
				return true;
			} catch (error) {
				if (error instanceof ConditionalCheckFailedException) return false;
				throw error;
			}
		},
		async waiting(limit) {
			const { Items = [] } = await client.send(
				new QueryCommand({
					TableName: cartsTable,
					IndexName: waitingIndex,
					KeyConditionExpression: "queue = :queue",
					ExpressionAttributeValues: { ":queue": { S: "card" } },
					Limit: limit,
				}),
			);
			return Items.map(toCart);
		},
		async shown(id, version) {
			try {
				await client.send(
					new UpdateItemCommand({
						TableName: cartsTable,
						Key: cartKey(id),
						UpdateExpression: "remove queue",
						ConditionExpression: "#version <= :version",
						ExpressionAttributeNames: { "#version": "version" },
						ExpressionAttributeValues: { ":version": { N: String(version) } },
					}),
				);
			} catch (error) {
				// A newer version waits; or there is no such cart.
				if (!(error instanceof ConditionalCheckFailedException)) throw error;
			}
		},
		async ofRoom(roomId, before, limit) {
			const { Items = [] } = await client.send(
				new QueryCommand({
					TableName: cartsTable,
					IndexName: roomIndex,
					KeyConditionExpression: before ? "room = :room and made < :before" : "room = :room",
					ExpressionAttributeValues: { ":room": { S: roomId }, ...(before ? { ":before": { S: madeOf(before) } } : {}) },
					ScanIndexForward: false,
					Limit: limit,
				}),
			);
			return Items.map(toCart);
		},
	};
}

/** Keys of the API, beside the carts: whoever may read those may read these, and nothing else has to be granted. */
export function openDynamoKeys({ client, cartsTable }: { client: DynamoDBClient; cartsTable: string }): {
	find: FindKey;
	put(hash: string, key: ApiKey): Promise<void>;
	remove(hash: string): Promise<void>;
} {
	const pk = (hash: string) => ({ pk: { S: `key#${hash}` } });
	return {
		async find(hash) {
			const { Item: row } = await client.send(new GetItemCommand({ TableName: cartsTable, Key: pk(hash) }));
			return row?.key?.S && row.revoked?.BOOL !== true ? (JSON.parse(row.key.S) as ApiKey) : null;
		},
		async put(hash, key) {
			await client.send(new PutItemCommand({ TableName: cartsTable, Item: { ...pk(hash), key: { S: JSON.stringify(key) } } }));
		},
		async remove(hash) {
			await client.send(new PutItemCommand({ TableName: cartsTable, Item: { ...pk(hash), revoked: { BOOL: true } } }));
		},
	};
}

const cartKey = (id: string): { pk: AttributeValue } => ({ pk: { S: `cart#${id}` } });
/** Sorts as time does, and no two are alike. */
const madeOf = ({ createdAt, id }: Cart): string => `${String(createdAt).padStart(15, "0")}#${id}`;

/** With `queue` a cart waits to be shown in its room; a cart of no room never does. */
function cartRow(cart: Cart): Row {
	return {
		...cartKey(cart.id),
		cart: { S: JSON.stringify(cart) },
		version: { N: String(cart.version) },
		made: { S: madeOf(cart) },
		...(cart.room === null ? {} : { room: { S: cart.room }, queue: { S: "card" } }),
	};
}

const toCart = (row: Row): Cart => JSON.parse(row.cart?.S ?? "null") as Cart;

function itemRow({ id, name, price, currency, present, tp }: ShelvedItem): Row {
	return {
		...shelf,
		id: { S: id },
		name: { S: name },
		present: { BOOL: present },
		...(price === null ? {} : { price: { N: String(price) } }),
		...(currency === null ? {} : { currency: { S: currency } }),
		...(tp === undefined ? {} : { tp: { S: tp } }),
	};
}

const toItem = (row: Row): ShelvedItem => ({
	id: row.id?.S ?? "",
	name: row.name?.S ?? "",
	price: row.price?.N === undefined ? null : Number(row.price.N),
	currency: row.currency?.S ?? null,
	present: row.present?.BOOL === true,
	...(row.tp?.S === undefined ? {} : { tp: row.tp.S }),
});

const pause = (tried: number) => new Promise((done) => setTimeout(done, batchPause * 2 ** Math.min(tried, 5)));
