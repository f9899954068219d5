/** `npm run seed`: the people and rooms of the documentation, in the database Charla would use. Stop Charla first, or set DATABASE_URL. */
import { uuidOf } from "../app/chat/ids.ts";
import { openChat, openFacts, uuidv7 } from "../app/chat/index.server.ts";
import { readConfig } from "../app/config.server.ts";
import { openSqlStore } from "../app/shop/index.server.ts";
import { openStorage } from "../app/storage/index.server.ts";
import { smallCatalogue } from "../lambdas/shop/catalogue.ts";
import { openStore } from "../lambdas/shop/serve.ts";
import { openShop } from "../lambdas/shop/shop.ts";
import { openLog } from "../observability/log.ts";
import { seedContent } from "./seed-content.ts";

const config = readConfig(process.env);
const log = openLog({ level: "warn", build: "seed", terminal: true });
try {
	const storage = await openStorage({ databaseUrl: config.databaseUrl, dataDir: config.dataDir, log });
	await storage.migrate();
	const shop = openShop({ store: await openStore(config.shopTables, openSqlStore(storage.sql)), ids: uuidv7 });
	await shop.put(smallCatalogue);
	const chat = openChat({ sql: storage.sql, publish: () => {}, ids: uuidv7, askFact: openFacts(null), desk: shop, log });
	const { people, rooms } = await seedContent(chat);
	// Under a key, so that seeding again orders nothing twice.
	const body = "/cart add 123456 789012*2";
	await chat.messages.post(people.Elena, {
		roomId: rooms.design.id,
		clientId: uuidOf("seed", rooms.design.id, "order"),
		body,
		replyTo: null,
	});
	// The bot answers after the message it was asked by; give it the moment it takes.
	await new Promise((done) => setTimeout(done, 200));
	await storage.close();
	console.log(
		`Seeded ${Object.keys(people).join(", ")} and the rooms Lobby, ${rooms.design.name}, ${rooms.deploys.name} and a direct one, and ${smallCatalogue.length} items.`,
	);
} catch (error) {
	console.error(error instanceof Error ? error.message : error);
	process.exitCode = 1;
}
