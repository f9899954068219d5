/**
 * `npm run api-key`: keys of ShoppinAPI, made by whoever administers the installation.
 *   npm run api-key -- create --name "shop floor" --owner Ana --scopes items:read,carts:write [--room Lobby]
 *   npm run api-key -- list
 *   npm run api-key -- revoke <id>
 * With the embedded database, stop Charla first; where ITEMS_TABLE and CARTS_TABLE are set, the functions learn of it too.
 */
import { parseArgs } from "node:util";
import { openChat, openFacts, uuidv7 } from "../app/chat/index.server.ts";
import { readConfig } from "../app/config.server.ts";
import { type Scope, scopes } from "../app/contract/orders.ts";
import { openKeys, openSqlStore } from "../app/shop/index.server.ts";
import { openStorage } from "../app/storage/index.server.ts";
import { openDynamo, openDynamoKeys } from "../lambdas/shop/dynamo-store.ts";
import { openShop } from "../lambdas/shop/shop.ts";
import { openLog } from "../observability/log.ts";

const usage = `npm run api-key -- create --name NAME --owner PERSON [--scopes ${scopes.join(",")}] [--room ROOM]
npm run api-key -- list
npm run api-key -- revoke ID`;

try {
	await main();
} catch (error) {
	console.error(error instanceof Error ? error.message : error);
	process.exitCode = 1;
}

async function main(): Promise<void> {
	const { values, positionals } = parseArgs({
		allowPositionals: true,
		options: { name: { type: "string" }, owner: { type: "string" }, scopes: { type: "string" }, room: { type: "string" } },
	});
	const [verb, id] = positionals;
	const config = readConfig(process.env);
	const log = openLog({ level: "warn", build: "api-key", terminal: true });
	const storage = await openStorage({ databaseUrl: config.databaseUrl, dataDir: config.dataDir, log });
	try {
		await storage.migrate();
		const { sql } = storage;
		const keys = openKeys({ sql, ids: uuidv7 });
		const functions = config.shopTables ? openDynamoKeys({ client: openDynamo(), cartsTable: config.shopTables.carts }) : null;
		if (verb === "create") {
			const { name, owner, room } = values;
			if (!name?.trim() || !owner) throw new Error(usage);
			const desk = openShop({ store: openSqlStore(sql) });
			const { orders } = openChat({ sql, publish: () => {}, ids: uuidv7, askFact: openFacts(null), desk, log });
			const person = await orders.person(owner);
			if (!person) throw new Error(`There is nobody called ${owner}: a key belongs to somebody who has entered.`);
			const wanted = (values.scopes ?? scopes.join(",")).split(",").map((scope) => scope.trim());
			const unknown = wanted.filter((scope) => !(scopes as readonly string[]).includes(scope));
			if (unknown.length > 0) throw new Error(`There is no scope ${unknown.join(", ")}. There are ${scopes.join(", ")}.`);
			const roomId = room === undefined ? null : await orders.linkedRoom(room);
			if (room !== undefined && roomId === null)
				throw new Error(`No room called ${room} takes orders from the API: its owner says /cart link in it first.`);
			const made = await keys.create({ name: name.trim(), ownerId: person.id, scopes: wanted as Scope[], room: roomId });
			await functions?.put(made.hash, {
				id: made.id,
				name: name.trim(),
				owner: { id: person.id, name: person.name },
				scopes: wanted as Scope[],
				room: roomId,
			});
			console.log(`${made.secret}\n\nShown once: keep it where secrets are kept. To take it back: npm run api-key -- revoke ${made.id}`);
		} else if (verb === "list") {
			for (const key of await keys.list())
				console.log(
					[
						key.id,
						key.revokedAt === null ? "open" : "revoked",
						key.name,
						key.owner.name,
						key.scopes.join(","),
						key.room ?? "any room",
					].join("  "),
				);
		} else if (verb === "revoke" && id && /^[0-9a-f-]{36}$/i.test(id)) {
			const hash = await keys.revoke(id);
			if (hash === null) throw new Error(`There is no key ${id}.`);
			await functions?.remove(hash);
			console.log(`${id} opens nothing any more.`);
		} else throw new Error(usage);
	} finally {
		await storage.close();
	}
}
