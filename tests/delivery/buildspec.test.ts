import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { readBuildspec, runBuildspec } from "../../scripts/rehearse/buildspec.ts";

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

test("our own installs, checks, tests, builds, packages and publishes assets, in this order, and keeps what the next one needs", () => {
	const spec = readBuildspec(readFileSync(new URL("buildspec.yml", root), "utf8"));
	const commands = Object.values(spec.phases).flatMap((phase) => phase.commands);
	const order = ["npm ci", "npm run check", "npm test", "npm run build", "npm run package", "npm run publish-assets"].map((begin) =>
		commands.findIndex((each) => each.startsWith(begin)),
	);
	assert.ok(
		order.every((at, i) => at >= 0 && (i === 0 || at > (order[i - 1] as number))),
		`${order}`,
	);
	assert.deepEqual(spec.artifacts, { base: "artefact", files: ["**/*"] });
	assert.deepEqual(spec.cache, ["/root/.npm/**/*"]);
});
