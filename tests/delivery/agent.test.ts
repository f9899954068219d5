import assert from "node:assert/strict";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { HookFailure, openAgent } from "../../scripts/rehearse/agent.ts";
import { lifecycle, readAppspec } from "../../scripts/rehearse/appspec.ts";
import { runProgram } from "../../scripts/rehearse/program.ts";

const group = { application: "chat", name: "chat-test", id: "g1" };
const events = lifecycle.filter((event) => event !== "BlockTraffic" && event !== "AllowTraffic");

/** An agent on a folder that stands for a machine's disk, and releases made of hooks that write down that they ran. */
function machine(t: TestContext) {
	const root = mkdtempSync(join(tmpdir(), "charla-agent-test-"));
	t.after(() => rmSync(root, { recursive: true, force: true }));
	const owners: string[] = [];
	const agent = openAgent(
		{
			root,
			run(file, args, options) {
				if (file === "chown") owners.push(args.join(" "));
				const known = file === "chown" ? "/bin/true" : join(root, file);
				return runProgram(known, args, { ...options, env: { PATH: process.env.PATH, RAN: join(root, "ran"), ...options.env } });
			},
		},
		group,
	);
	let made = 0;
	/** A bundle; `hooks` are the bodies of scripts by event. */
	function bundle(
		name: string,
		given: { hooks?: Record<string, string>; more?: string; files?: Record<string, string>; timeout?: number } = {},
	) {
		const folder = join(root, "bundles", `${name}-${++made}`);
		mkdirSync(folder, { recursive: true });
		const hooks = Object.entries(given.hooks ?? {});
		for (const [event, body] of hooks)
			writeFileSync(join(folder, `${event}.sh`), `#!/bin/bash\necho ${name} $LIFECYCLE_EVENT $DEPLOYMENT_ID >>$RAN\n${body}\n`);
		for (const [file, text] of Object.entries(given.files ?? { "app.txt": name })) writeFileSync(join(folder, file), text);
		const files = Object.keys(given.files ?? { "app.txt": name }).map((file) => `{source: ${file}, destination: /srv/app}`);
		const scripts = hooks.map(([event]) => `${event}: [{location: ${event}.sh, timeout: ${given.timeout ?? 60}}]`);
		writeFileSync(join(folder, "appspec.yml"), `{version: 0.0, os: linux, files: [${files}], hooks: {${scripts}} ${given.more ?? ""}}`);
		return folder;
	}
	async function deploy(deploymentId: string, folder: string): Promise<void> {
		for (const event of events) await agent.execute(event, { deploymentId, bundle: folder });
	}
	const ran = () => (existsSync(join(root, "ran")) ? readFileSync(join(root, "ran"), "utf8").trim().split("\n") : []);
	return { root, agent, bundle, deploy, ran, owners, at: (path: string) => join(root, path) };
}

const all = Object.fromEntries(events.filter((event) => event !== "Install" && event !== "DownloadBundle").map((event) => [event, "true"]));

describe("a deployment on a machine, as CodeDeploy's agent does it", { concurrency: true }, () => {
	test("hooks run in the order of the lifecycle; those before the install are of the release installed last", async (t) => {
		const { bundle, deploy, ran } = machine(t);
		await deploy("d-1", bundle("one", { hooks: all }));
		await deploy("d-2", bundle("two", { hooks: all }));
		const after = ["BeforeInstall", "AfterInstall", "ApplicationStart", "ValidateService", "BeforeAllowTraffic", "AfterAllowTraffic"];
		const before = ["BeforeBlockTraffic", "AfterBlockTraffic", "ApplicationStop"];
		assert.deepEqual(ran(), [
			...after.map((event) => `one ${event} d-1`),
			...before.map((event) => `one ${event} d-2`),
			...after.map((event) => `two ${event} d-2`),
		]);
	});

	test("a release counts as installed once its files are, so a broken one's stop hook is what the rollback runs", async (t) => {
		const { bundle, deploy, ran } = machine(t);
		await deploy("d-1", bundle("good", { hooks: { ApplicationStop: "true" } }));
		await assert.rejects(deploy("d-2", bundle("bad", { hooks: { ApplicationStop: "true", ValidateService: "exit 7" } })), /exit code 7/);
		await deploy("d-3", bundle("good", { hooks: { ApplicationStop: "true" } }));
		assert.equal(ran().at(-1), "bad ApplicationStop d-3");
	});

	test("[D3] a stop hook that fails blocks every later deployment: ours must not", async (t) => {
		const { bundle, deploy } = machine(t);
		await deploy("d-1", bundle("one", { hooks: { ApplicationStop: "exit 1" } }));
		for (const id of ["d-2", "d-3"]) await assert.rejects(deploy(id, bundle("two")), /ApplicationStop/);
		assert.match(readFileSync(new URL("../../deploy/hooks/stop.sh", import.meta.url), "utf8"), /\nexit 0\n$/);
	});

	test("a hook that takes longer than its timeout is ended, with what it started, and fails with what it said", {
		timeout: 60_000,
	}, async (t) => {
		const { bundle, deploy, agent, at } = machine(t);
		const slow = bundle("slow", {
			hooks: { ApplicationStart: `echo about to hang; (sleep 600; touch $RAN.child) & sleep 600` },
			timeout: 1,
		});
		await assert.rejects(
			deploy("d-1", slow),
			(error) => error instanceof HookFailure && /in 1 seconds/.test(error.message) && /about to hang/.test(error.message),
		);
		assert.equal(existsSync(at("ran.child")), false);
		assert.match(agent.log(), /\[d-1\]LifecycleEvent - ApplicationStart\n.*Script - ApplicationStart\.sh\n.*\[stdout\]about to hang/);
	});

	test("a hook that is not there fails; one that may not be executed is made so", async (t) => {
		const { bundle, deploy, ran } = machine(t);
		const folder = bundle("one", { hooks: { AfterInstall: "true", ApplicationStart: "true" } });
		chmodSync(join(folder, "AfterInstall.sh"), 0o644);
		rmSync(join(folder, "ApplicationStart.sh"));
		await assert.rejects(deploy("d-1", folder), /does not exist at specified location: ApplicationStart.sh/);
		assert.deepEqual(ran(), ["one AfterInstall d-1"]);
	});

	test("files of the release before are taken away, and what is not ours in the way counts by file_exists_behavior", async (t) => {
		const { bundle, deploy, at } = machine(t);
		await deploy("d-1", bundle("one", { files: { "old.txt": "1", "app.txt": "1" } }));
		await deploy("d-2", bundle("two", { files: { "app.txt": "2", "new.txt": "2" } }));
		assert.deepEqual(readdirSync(at("/srv/app")).sort(), ["app.txt", "new.txt"]);
		writeFileSync(at("/srv/app/more.txt"), "somebody else's");
		const next = (more: string) => bundle("three", { files: { "app.txt": "3", "more.txt": "3" }, more });
		await assert.rejects(deploy("d-3", next("")), /already exists at this location: \/srv\/app\/more.txt/);
		await deploy("d-4", next(", file_exists_behavior: RETAIN"));
		assert.equal(readFileSync(at("/srv/app/more.txt"), "utf8"), "somebody else's");
		await deploy("d-5", next(", file_exists_behavior: OVERWRITE"));
		assert.equal(readFileSync(at("/srv/app/more.txt"), "utf8"), "3");
	});

	test("permissions are set on what was copied", async (t) => {
		const { bundle, deploy, at, owners } = machine(t);
		const more = `, permissions: [{object: /srv/app, pattern: "app.*", owner: root, group: wheel, mode: 640, type: [file]}]`;
		await deploy("d-1", bundle("one", { files: { "app.txt": "1", "other.txt": "1" }, more }));
		assert.equal(statSync(at("/srv/app/app.txt")).mode & 0o777, 0o640);
		assert.deepEqual(owners, ["root:wheel /srv/app/app.txt"]);
	});

	test("five releases are kept", async (t) => {
		const { bundle, deploy, at } = machine(t);
		for (let n = 1; n <= 7; n++) await deploy(`d-${n}`, bundle(`release${n}`));
		assert.equal(readdirSync(at(`/opt/codedeploy-agent/deployment-root/${group.id}`)).length, 5);
	});
});

test("what the agent would refuse is told, all of it", () => {
	const wrong = () =>
		readAppspec(
			`{version: 1, os: windows, files: [{source: a, destination: b}], file_exists_behavior: MAYBE, hooks: {Install: [], AfterStart: []}}`,
		);
	assert.throws(wrong, (error: Error) =>
		["0.0", "linux", "begins with /", "DISALLOW", "at Install", "at AfterStart"].every((word) => error.message.includes(word)),
	);
});

test("our own appspec.yml: in place, whatever is in the way, every hook timed and there", () => {
	const root = new URL("../../", import.meta.url);
	const spec = readAppspec(readFileSync(new URL("appspec.yml", root), "utf8"));
	assert.equal(spec.fileExists, "OVERWRITE");
	const unit = readFileSync(new URL("deploy/chat.service", root), "utf8");
	for (const [event, hooks] of Object.entries(spec.hooks))
		for (const { location, timeout } of hooks) {
			assert.ok(statSync(new URL(location, root)).mode & 0o100, `${location} may not be executed`);
			assert.ok(timeout < 600, `${location} may take ${timeout} s`);
			if (event === "ApplicationStop")
				assert.ok(timeout > Number(/TimeoutStopSec=(\d+)/.exec(unit)?.[1]), "stopping may take longer than its hook");
		}
});
