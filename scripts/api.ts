/** `npm run api`: ShoppinAPI alone, without the chat, on Charla's own database. Stop Charla first: it serves the same under /api. */

import { randomUUID } from "node:crypto";
import { createServer } from "node:http";
import { openThrottle } from "../app/auth/index.server.ts";
import { openChat, openFacts, uuidv7 } from "../app/chat/index.server.ts";
import { readConfig } from "../app/config.server.ts";
import { rates } from "../app/contract/limits.ts";
import { openKeys, openSqlStore } from "../app/shop/index.server.ts";
import { isUnavailable, openStorage } from "../app/storage/index.server.ts";
import { smallCatalogue } from "../lambdas/shop/catalogue.ts";
import { openStore, serveApi } from "../lambdas/shop/serve.ts";
import { openShop } from "../lambdas/shop/shop.ts";
import { errorFields, openLog } from "../observability/log.ts";

/** Beside Charla's own 3000. */
const usualPort = "3001";

try {
	await main();
} catch (error) {
	console.error(error instanceof Error ? error.message : error);
	process.exitCode = 1;
}

async function main(): Promise<void> {
	const config = readConfig({ ...process.env, PORT: process.env.PORT?.trim() || usualPort });
	const log = openLog({ level: config.logLevel, build: "api", terminal: process.stdout.isTTY === true });
	const storage = await openStorage({ databaseUrl: config.databaseUrl, dataDir: config.dataDir, log });
	await storage.migrate();
	const { sql } = storage;
	const shop = openShop({ store: await openStore(config.shopTables, openSqlStore(sql)), ids: uuidv7 });
	const { items } = await shop.items({ after: null, limit: 1 });
	if (items.length === 0) await shop.put(smallCatalogue);
	// The domain without sockets: it knows people and rooms, and an order's card is in its room when Charla starts again.
	const { orders } = openChat({ sql, publish: () => {}, ids: uuidv7, askFact: openFacts(null), desk: shop, log });
	const throttle = openThrottle({ clock: Date.now, off: !config.rateLimits });
	const report = (error: unknown) => log.error("exception", { ...errorFields(error), path: "/", handled: true });
	const serve = serveApi({
		shop,
		findKey: openKeys({ sql, ids: uuidv7 }).find,
		isOpen: config.shopOpen,
		person: orders.person,
		room: orders.linkedRoom,
		limit: (key) => throttle(rates.api, key),
		ordered: () => void orders.showWaiting().catch(report),
		isUnavailable,
		report,
		requestId: () => randomUUID(),
		address: (request) => request.socket.remoteAddress ?? "",
	});
	const http = createServer((request, response) => {
		const startedAt = performance.now();
		response.on("finish", () =>
			log.info("http.request", {
				method: request.method ?? "",
				path: (request.url ?? "").split("?")[0]?.slice(0, 200) ?? "",
				status: response.statusCode,
				duration_ms: Math.round((performance.now() - startedAt) * 10) / 10,
			}),
		);
		serve(request, response).catch((error: unknown) => {
			report(error);
			response.destroy();
		});
	});
	let isStopping = false;
	const stop = () => {
		// npm passes Ctrl-C on to a process that the terminal has told already.
		if (isStopping) return;
		isStopping = true;
		new Promise<void>((done) => {
			http.close(() => done());
			http.closeIdleConnections();
		})
			.then(() => storage.close())
			.finally(() => process.exit(process.exitCode ?? 0));
	};
	process.on("SIGTERM", stop);
	process.on("SIGINT", stop);
	http.once("error", (error: NodeJS.ErrnoException) => {
		console.error(
			error.code === "EADDRINUSE" ? `Port ${config.port} is in use. Choose another, for example: PORT=3002 npm run api` : error,
		);
		process.exitCode = 1;
		stop();
	});
	http.listen({ port: config.port, host: config.host }, () => {
		const { port } = http.address() as { port: number };
		const url = `http://${config.host === "127.0.0.1" ? "localhost" : config.host}:${port}`;
		log.info("service.ready", { url, port });
		console.log(`\n  ShoppinAPI is ready at ${url}\n
  curl ${url}/item
  curl ${url}/cart -H 'content-type: application/json' -d '{"items":["123456","789012"],"user":"me"}'
`);
	});
}
