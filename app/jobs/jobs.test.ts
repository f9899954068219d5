import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { type FreshDatabase, freshDatabase } from "../../tests/support/database.ts";
import { openStorage } from "../storage/index.server.ts";
import { openJobs } from "./index.server.ts";

const silent = { info() {}, warn() {}, error() {} };

async function until(condition: () => boolean, within = 60_000): Promise<void> {
	for (const end = Date.now() + within; !condition(); await sleep(50)) assert.ok(Date.now() < end, String(condition));
}

/** Repeats a statement until it gives a row. */
async function untilIn(database: FreshDatabase, statement: string, within = 60_000): Promise<void> {
	for (const end = Date.now() + within; (await database.sql.query("", statement)).length === 0; await sleep(50))
		assert.ok(Date.now() < end, statement);
}

// Each with a database of its own, and most of the time waiting for the queue to look again.
describe("jobs", { concurrency: true }, () => {
	test("[I11] what two instances are asked to do is done once, by one of them, and tried again by another when it fails", async () => {
		await using database = await freshDatabase();
		const storages = [0, 1].map(() => openStorage({ databaseUrl: database.url, dataDir: "", log: silent }));
		const done: [instance: number, key: string][] = [];
		let failures = 0;
		const instances = await Promise.all(
			storages.map(async (opening, instance) => {
				const storage = await opening;
				const jobs = openJobs<"letter" | "hourly">({ run: storage.run, log: silent, around: (_name, work) => work() });
				jobs.on<{ key: string }>("letter", async ({ key }) => {
					if (key === "bad" && failures++ === 0) throw new Error("the post office is closed");
					done.push([instance, key]);
				});
				jobs.every("hourly", "0 * * * *", async () => {});
				jobs.start();
				return { jobs, storage };
			}),
		);
		const [a, b] = instances as [(typeof instances)[number], (typeof instances)[number]];
		const keys = Array.from({ length: 10 }, (_, i) => `letter ${i}`);
		for (const [i, key] of keys.entries()) await (i % 2 ? a : b).jobs.send("letter", { key });
		await a.jobs.send("letter", { key: "bad" });
		await until(() => done.length === keys.length);
		// What failed waits for seconds, here until the test has seen that it does.
		await untilIn(
			database,
			"update charla_jobs.job set start_after = now() where name = 'letter' and state = 'retry' and start_after > now() returning id",
		);
		await until(() => done.length === keys.length + 1);
		assert.deepEqual(done.map(([, key]) => key).sort(), ["bad", ...keys]);
		assert.equal(failures, 2, "once in vain, once well");
		const schedules = await database.sql.query<{ name: string }>("", "select name from charla_jobs.schedule");
		assert.deepEqual(schedules, [{ name: "hourly" }]);
		for (const { jobs, storage } of instances) {
			await jobs.stop();
			await storage.close();
		}
	});

	test("[I11] the queue goes on after the database was away", async () => {
		await using database = await freshDatabase();
		const storage = await openStorage({ databaseUrl: database.url, dataDir: "", log: silent });
		const done: string[] = [];
		const jobs = openJobs<"letter">({ run: storage.run, log: silent, around: (_name, work) => work() });
		jobs.on<{ key: string }>("letter", async ({ key }) => void done.push(key));
		jobs.start();
		await jobs.send("letter", { key: "before" });
		await until(() => done.length === 1);
		await database.sql.query(
			"",
			"select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()",
		);
		let isSent = false;
		for (const end = Date.now() + 60_000; !isSent && Date.now() < end; await sleep(50))
			isSent = await jobs.send("letter", { key: "after" }).then(
				() => true,
				() => false,
			);
		try {
			assert.ok(isSent);
			await until(() => done.includes("after"));
		} finally {
			await jobs.stop();
			await storage.close();
		}
	});

	test("[I11] five instances that start at once on an empty database all get their queue, and spoil no connection of the others", async () => {
		await using database = await freshDatabase();
		await database.sql.query("", "drop schema if exists charla_jobs cascade");
		const done: string[] = [];
		const instances = await Promise.all(
			[1, 2, 3, 4, 5].map(async (number) => {
				const storage = await openStorage({ databaseUrl: database.url, dataDir: "", log: silent });
				const jobs = openJobs<"letter">({ run: storage.run, log: silent, around: (_name, work) => work() });
				jobs.on<{ key: string }>("letter", async ({ key }) => void done.push(key));
				jobs.start();
				return { jobs, storage, number };
			}),
		);
		try {
			await Promise.all(instances.map(({ jobs, number }) => jobs.send("letter", { key: `from ${number}` })));
			await until(() => done.length === 5);
			for (const { storage } of instances) await Promise.all(Array.from({ length: 10 }, () => storage.sql.query("", "select 1")));
		} finally {
			for (const { jobs, storage } of instances) {
				await jobs.stop();
				await storage.close();
			}
		}
	});
});
