import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { readBuildspec, runBuildspec } from "../../scripts/rehearse/buildspec.ts";
import { type Program, programs } from "../support/debian-package.ts";

const root = new URL("../../", import.meta.url);

async function run(t: TestContext, text: string, env: Record<string, string> = {}) {
	const cwd = mkdtempSync(join(tmpdir(), "charla-buildspec-test-"));
	t.after(() => rmSync(cwd, { recursive: true, force: true }));
	const said: string[] = [];
	const result = await runBuildspec(readBuildspec(text), { cwd, env: { PATH: process.env.PATH, ...env }, tell: (line) => said.push(line) });
	return { ...result, said: said.filter((line) => !/^(Entering|Phase|Running|Command)/.test(line)) };
}

describe("a buildspec is run as CodeBuild runs it", { concurrency: true }, () => {
	test("variables and the folder last from command to command and from phase to phase", async (t) => {
		const { said, succeeded } = await run(
			t,
			`{version: 0.2, phases: {install: {commands: ["mkdir sub", "cd sub", "kept='a b'", "export KEPT=\\"$kept\\""]}, build: {commands: ["echo $KEPT in $(basename $PWD)"]}}}`,
		);
		assert.deepEqual(said, ["a b in sub"]);
		assert.equal(succeeded, true);
	});

	test("a command that fails ends its phase; finally runs all the same", async (t) => {
		const { said, succeeded, phases } = await run(
			t,
			`{version: 0.2, phases: {pre_build: {commands: ["echo one", "false", "echo two"], finally: ["echo at last"]}, build: {commands: ["echo never"]}}}`,
		);
		assert.deepEqual(said, ["one", "at last"]);
		assert.deepEqual([succeeded, phases.map(({ name }) => name)], [false, ["pre_build"]]);
	});

	test("post_build follows a failed build, and is told", async (t) => {
		const { said, succeeded } = await run(
			t,
			`{version: 0.2, phases: {build: {commands: ["exit 3"]}, post_build: {commands: ["echo succeeding $CODEBUILD_BUILD_SUCCEEDING"]}}}`,
		);
		assert.deepEqual(said, ["succeeding 0"]);
		assert.equal(succeeded, false);
	});

	test("a phase that may fail does not fail the build", async (t) => {
		const { said, succeeded } = await run(
			t,
			`{version: 0.2, phases: {install: {on-failure: CONTINUE, commands: ["false"]}, build: {commands: ["echo built"]}}}`,
		);
		assert.deepEqual([said, succeeded], [["built"], true]);
	});

	test("a variable the build was started with goes before the buildspec's own", async (t) => {
		const text = `{version: 0.2, env: {variables: {A: own, B: own}}, phases: {build: {commands: ["echo $A $B"]}}}`;
		assert.deepEqual((await run(t, text, { A: "given" })).said, ["given own"]);
	});

	test("what CodeBuild would refuse or ignore is told, all of it", () => {
		const wrong = () =>
			readBuildspec(`{version: 0.1, phases: {bild: {}, build: {commands: "npm test", on-failure: MAYBE}}, artefacts: {}}`);
		assert.throws(wrong, (error: Error) =>
			["0.2", "bild", "list of commands", "ABORT", "artefacts"].every((word) => error.message.includes(word)),
		);
	});
});

test("our own installs, tests, builds, packages and publishes assets, in this order, and keeps what the next one needs", () => {
	const spec = readBuildspec(readFileSync(new URL("buildspec.yml", root), "utf8"));
	const commands = Object.values(spec.phases).flatMap((phase) => phase.commands);
	const order = ["npm ci", "npm test", "npm run build", "npm run package", "npm run publish-assets"].map((begin) =>
		commands.findIndex((each) => each.startsWith(begin)),
	);
	assert.ok(
		order.every((at, i) => at >= 0 && (i === 0 || at > (order[i - 1] as number))),
		`${order}`,
	);
	assert.deepEqual(spec.artifacts, { base: "artefact", files: ["**/*"] });
	assert.deepEqual(spec.cache, ["/root/.npm/**/*"]);
});

test("our own brings every program the tests need, and checks once, whether all tests run or some", () => {
	const { phases } = readBuildspec(readFileSync(new URL("buildspec.yml", root), "utf8"));
	const brought = /dnf install -y ([\w ]+);/.exec((phases.install?.commands ?? []).join("\n"))?.[1]?.split(" ") ?? [];
	const needed = new Set(
		globSync("**/*.test.ts", { cwd: root, exclude: (path) => path === "node_modules" })
			.filter((path) => !path.endsWith(".long.test.ts"))
			.flatMap((path) => Array.from(readFileSync(new URL(path, root), "utf8").matchAll(/withPrograms\(([^)]*)\)/g), ([, names]) => names))
			.flatMap((names) => Array.from(names?.matchAll(/"([\w-]+)"/g) ?? [], ([, name]) => name as Program)),
	);
	assert.ok(needed.has("redis-server") && needed.has("nginx"));
	for (const name of needed) assert.ok(brought.includes(programs[name].amazon ?? ""), `nothing brings ${name}`);

	const commands = Object.values(phases).flatMap((phase) => phase.commands);
	const checking = commands.filter((command) => command.includes("npm run check"));
	assert.equal(checking.length, 1);
	assert.match(checking[0] as string, /^if \[ -n "\$TEST_SELECTION" \]/, "npm test checks by itself");
});

test("what needs a program that cannot be had is skipped and says what to install, and fails where CI is set", async () => {
	const cwd = mkdtempSync(join(tmpdir(), "charla-programs-test-"));
	try {
		const file = join(cwd, "needs.test.ts");
		writeFileSync(
			file,
			`import { programs } from ${JSON.stringify(new URL("tests/support/debian-package.ts", root).href)};
			import { withPrograms } from ${JSON.stringify(new URL("tests/support/programs.ts", root).href)};
			Object.assign(programs.haproxy, { names: ["no-such-program"], debian: "no-such-package" });
			Object.defineProperty(process, "getuid", { value: () => 1000 });
			const { test, before } = await withPrograms("haproxy");
			before(() => { throw new Error("nothing to begin with"); });
			test("needs it", () => { throw new Error("ran"); });`,
		);
		const run = (CI: string) =>
			spawnSync(process.execPath, ["--test-reporter=tap", file], {
				encoding: "utf8",
				env: { PATH: process.env.PATH, CI } as unknown as NodeJS.ProcessEnv,
			});
		const skipping = run("");
		assert.equal(skipping.status, 0, skipping.stdout + skipping.stderr);
		assert.match(
			skipping.stdout,
			/needs it # SKIP This test needs haproxy: install it \(Debian: .*no-such-package; Amazon Linux: .*haproxy/,
		);
		const demanded = run("true");
		assert.notEqual(demanded.status, 0);
		assert.match(demanded.stderr, /This test needs haproxy/);
	} finally {
		rmSync(cwd, { recursive: true, force: true });
	}
});
