/**
 * The real Charla without its pages (they need a build and carry no message): its own PostgreSQL in a folder of this run,
 * sessions by cookie, limits off. People, rooms and memberships are put in by SQL, as a flood of forms would be another bench.
 */
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readConfig } from "../../app/config.server.ts";
import { startCharla } from "../../server.ts";
import { makeRooms } from "./charla-rooms.ts";
import { serveParent, wanted } from "./parent.ts";

const dataDir = mkdtempSync(join(tmpdir(), "charla-bench-"));
// The account that runs PostgreSQL where we are root has to get in; what matters in it is closed by itself.
chmodSync(dataDir, 0o755);
const removeData = () => rmSync(dataDir, { recursive: true, force: true, maxRetries: 5 });
process.once("exit", removeData);

const config = readConfig({
	DATA_DIR: dataDir,
	SESSION_SECRET: "the bench needs no secret worth keeping",
	RATE_LIMITS: "off",
	FACT_URL: "off",
	DRAIN_SECONDS: "0",
	FANOUT: process.env.FANOUT,
});
const http = createServer();
const charla = await startCharla(config, http);

const rooms = await makeRooms(charla.storage.sql, charla.auth, wanted);
http.listen({ port: 0, host: "127.0.0.1", backlog: 4096 }, () => {
	serveParent((http.address() as { port: number }).port, rooms, () => charla.stop());
});
