import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../", import.meta.url));
/** On a machine that is three times slower and busy; ms. */
const patience = 240_000;

/** Whether this machine can take the network away from a process. */
const canUnshare = spawnSync("unshare", ["-n", "true"]).status === 0;

/** Synthesizes prod as a process of its own: nothing of AWS in its environment, and where possible no network. */
function synthesize(folder: string, through: "cdk" | "node"): { code: number | null; said: string } {
	const command =
		through === "cdk"
			? ["node_modules/aws-cdk/bin/cdk", "synth", "--quiet", "--output", folder, "--app", `${process.execPath} bin.ts`]
			: ["infra/bin.ts"];
	const whole = [process.execPath, ...command.map((part) => (part.startsWith("node_modules") ? join(root, part) : part))];
	const [file, ...args] = canUnshare ? ["unshare", "-n", ...whole] : whole;
	const { status, stdout, stderr } = spawnSync(file as string, args, {
		cwd: through === "cdk" ? join(root, "infra") : root,
		encoding: "utf8",
		timeout: patience,
		env: {
			PATH: "/usr/bin:/bin",
			HOME: folder,
			CHAT_STAGE: "prod",
			CDK_DISABLE_CLI_TELEMETRY: "true",
			...(through === "node" ? { CDK_OUTDIR: folder } : {}),
		} as unknown as NodeJS.ProcessEnv,
	});
	return { code: status, said: `${stdout}${stderr}` };
}

/** Every file below a folder, with what is in it. */
function contents(folder: string): Map<string, string> {
	const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => statSync(join(folder, name)).isFile());
	// The CDK's own caches, not what it was asked for.
	return new Map(files.filter((name) => !name.startsWith(".")).map((name) => [name, readFileSync(join(folder, name), "base64")]));
}

describe("synthesis with no account, no Docker and no look-ups", () => {
	let folders: string[];
	before(() => {
		folders = [1, 2].map(() => mkdtempSync(join(tmpdir(), "charla-synth-")));
	});
	after(() => {
		for (const folder of folders) rmSync(folder, { recursive: true, force: true });
	});

	test("[W8] by the CDK's command and by itself, bundles included, and byte for byte the same", { timeout: 2 * patience }, (t) => {
		if (!canUnshare) t.diagnostic("This machine cannot take the network away; what would go out is not stopped here.");
		const [byCdk, byNode] = folders as [string, string];
		for (const [folder, through] of [
			[byCdk, "cdk"],
			[byNode, "node"],
		] as const) {
			const { code, said } = synthesize(folder, through);
			assert.equal(code, 0, said);
			assert.doesNotMatch(said, /lookup|context value|docker/i);
		}
		const [one, two] = [contents(byCdk), contents(byNode)];
		assert.deepEqual([...one.keys()].sort(), [...two.keys()].sort());
		for (const [name, text] of one) assert.ok(two.get(name) === text, `${name} differs`);
		assert.equal([...one.keys()].filter((name) => name.endsWith(".template.json")).length, 7);
		assert.ok(!existsSync(join(root, "infra/cdk.context.json")), "something was looked up and kept");

		// What Lambda gets is one file that runs, and what the canary gets is JavaScript.
		const bundles = [...one.keys()].filter((name) => /^asset\.[0-9a-f]+\/index\.mjs$/.test(name));
		assert.equal(bundles.length, 3);
		for (const name of bundles) assert.ok(statSync(join(byCdk, name)).size < 1_000_000, name);
		const canary = [...one.keys()].filter((name) => /^asset\.[0-9a-f]+\/(handler|two-people)\.mjs$/.test(name));
		assert.equal(canary.length, 2);
		for (const name of canary) {
			const { status, stderr } = spawnSync(process.execPath, ["--check", join(byCdk, name)], { encoding: "utf8" });
			assert.equal(status, 0, stderr);
		}
	});

	test("[W8] an impossible stage is refused before anything is built", () => {
		const { status, stderr } = spawnSync(process.execPath, ["infra/bin.ts"], {
			cwd: root,
			encoding: "utf8",
			env: {
				PATH: "/usr/bin:/bin",
				CHAT_STAGE: "staging",
				CHAT_MIN_INSTANCES: "5",
				CHAT_MAX_INSTANCES: "3",
			} as unknown as NodeJS.ProcessEnv,
		});
		assert.equal(status, 1);
		assert.match(
			stderr,
			/^This stage cannot be built:\n {2}- CHAT_STAGE=staging is none of dev, prod\. .*\n {2}- CHAT_MAX_INSTANCES=3 is below/,
		);
	});
});
