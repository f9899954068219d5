import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { lobbyId } from "../../app/contract/fixed.ts";
import { openStorage } from "../../app/storage/index.server.ts";
import { testCharla } from "../support/charla.ts";
import { posts, say, until } from "../support/cluster.ts";
import { freshDatabase } from "../support/database.ts";
import { long } from "../support/long.ts";
import { tcpFault } from "../support/tcp-fault.ts";

/** The test database's address, with another port of this machine in it. */
function through(url: string, port: number): { url: string; target: { path: string } | { host: string; port: number } } {
	const socketDir = /[?&]host=([^&]+)/.exec(url)?.[1];
	if (!socketDir) {
		const parsed = new URL(url);
		const target = { host: parsed.hostname, port: Number(parsed.port || 5432) };
		parsed.hostname = "127.0.0.1";
		parsed.port = String(port);
		return { url: parsed.href, target };
	}
	const name = /^postgres(?:ql)?:\/\/([^/?]*)\/([^?]*)/.exec(url);
	const own = /[?&]port=(\d+)/.exec(url)?.[1] ?? "5432";
	return {
		url: `postgres://${(name?.[1] ?? "").replace(/@$/, "")}@127.0.0.1:${port}/${name?.[2]}`,
		target: { path: `${decodeURIComponent(socketDir)}/.s.PGSQL.${own}` },
	};
}

// Each with a database and a server of its own, and most of the time waiting for one to give up the other.
describe("a database that is away", { concurrency: true }, () => {
	for (const fault of ["refuse", "swallow"] as const)
		test(`[N8] the database is away (${fault}): sends and reads are refused quickly, nothing accepted is lost, and it heals by itself`, async () => {
			await using database = await freshDatabase();
			await using way = await tcpFault(through(database.url, 0).target);
			await using charla = await testCharla({ database: { url: through(database.url, way.port).url } });
			const ana = await charla.person("Ana");
			const atA = await charla.connect(ana.cookie);
			await say(atA, "before");
			way[fault]();
			const key = randomUUID();
			const send = () => atA.call("message:post", { roomId: lobbyId, clientId: key, body: "during" });
			// The first may wait until it is known; from then on nobody waits.
			const first = await send();
			assert.ok(!first.ok && first.code === "unavailable", JSON.stringify(first));
			for (let i = 0; i < 20; i++) {
				const [sent, read, page] = await Promise.all([
					send(),
					atA.call("message:stretch", { roomId: lobbyId }),
					fetch(`${charla.url}/readyz`).then((answer) => answer.status),
				]);
				assert.ok(!sent.ok && sent.code === "unavailable", JSON.stringify(sent));
				assert.ok(!read.ok && read.code === "unavailable", JSON.stringify(read));
				assert.equal(page, 503);
				// Refused without asking: nobody has or waits for a connection.
				assert.deepEqual(charla.storage.pool(), { total: 0, idle: 0, waiting: 0 });
				await sleep(20);
			}
			assert.ok(atA.raw.connected, "whoever is here stays");
			way.pass();
			let back = await send();
			for (const end = Date.now() + 30_000; !back.ok && Date.now() < end; await sleep(100)) back = await send();
			assert.ok(back.ok, JSON.stringify(back));
			await until(() => posts(atA.facts).includes("during"));
			assert.deepEqual(posts(atA.facts), ["before", "during"]);
		});
});

// Long because PostgreSQL's own patience passes; a transaction that does nothing lets go in app/storage/storage.test.ts.
long(
	"[I17] an instance whose network swallows everything in the middle of a change does not keep the room locked for the others",
	{
		timeout: 60_000,
	},
	async (t) => {
		await using database = await freshDatabase();
		await using way = await tcpFault(through(database.url, 0).target);
		await using charla = await testCharla({ database });
		const log = { info() {}, warn() {}, error() {} };
		const lost = await openStorage({ databaseUrl: through(database.url, way.port).url, dataDir: "", log });
		t.after(() => lost.close());
		const ana = await charla.person("Ana");
		const atA = await charla.connect(ana.cookie);
		const never = Promise.withResolvers<void>();
		const locked = Promise.withResolvers<void>();
		const change = lost.sql.transaction(async (sql) => {
			await sql.query("", "select 1 from room where id = $1 for update", [lobbyId]);
			locked.resolve();
			await never.promise;
		});
		await locked.promise;
		way.swallow();
		const began = performance.now();
		// Whoever waits for the room gets it: no second attempt.
		const sent = await atA.call("message:post", { roomId: lobbyId, clientId: randomUUID(), body: "meanwhile" });
		const took = performance.now() - began;
		t.diagnostic(`the room was free again after ${Math.round(took)} ms`);
		assert.ok(sent.ok, JSON.stringify(sent));
		assert.ok(took > 2000, "the premise: it was locked");
		never.reject(new Error("over"));
		await assert.rejects(change);
		await until(() => posts(atA.facts).includes("meanwhile"));
	},
);
