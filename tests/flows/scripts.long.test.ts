import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { names } from "../../scripts/seed-content.ts";
import { testCharla } from "../support/charla.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const run = promisify(execFile);

test("npm run seed fills a database with people who talk, and a second time changes nothing", { timeout: 60_000 }, async () => {
	await using charla = await testCharla();
	const env = { ...process.env, DATABASE_URL: charla.database.url };
	const counts = async () => {
		const { sql } = charla.storage;
		const [people] = await sql.query("", "select count(*) n from app_user where not is_bot");
		const [messages] = await sql.query("", "select count(*) n from room_log where kind = 0");
		return { people, messages };
	};
	const { stdout } = await run(process.execPath, ["scripts/seed.ts"], { cwd: root, env });
	assert.match(stdout, /^Seeded Ana, Bruno, Carla/);
	const first = await counts();
	assert.deepEqual(first.people, { n: names.length });
	await run(process.execPath, ["scripts/seed.ts"], { cwd: root, env });
	assert.deepEqual(await counts(), first);
});

test("npm run flood enters by the form, talks, and finds everything complete and in order", { timeout: 60_000 }, async () => {
	await using charla = await testCharla({ pages: true });
	const { stdout } = await run(process.execPath, ["scripts/flood.ts", "--url", charla.url, "--people", "4", "--seconds", "2"], {
		cwd: root,
	});
	assert.match(stdout, /heard everything in order: 4 of 4, complete: 4 of 4/);
	assert.ok(Number(/stored (\d+), asked/.exec(stdout)?.[1]) > 4, stdout);
});
