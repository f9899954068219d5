import { after } from "node:test";
import { freshDatabase } from "../../tests/support/database.ts";
import { storeSuite } from "../../tests/support/store-suite.ts";
import { openSqlStore } from "./sql-store.ts";

// One database for all of them: making one takes longer than everything they do with it.
const database = await freshDatabase();
after(() => database[Symbol.asyncDispose]());

storeSuite("PostgreSQL", async () => {
	await database.sql.query("", "truncate shop_item, shop_cart");
	return { store: openSqlStore(database.sql), async [Symbol.asyncDispose]() {} };
});
