/**
 * `npm run rehearse [-- --people 21]`: a release from the sources to people, with no account. Runs buildspec.yml in a clean clone,
 * takes the artefact to machines booted for it by appspec.yml, and lets people talk while releases roll, fail and go back, and
 * while instances are taken away. Needs root on Linux; docs/delivery.md says what it shows.
 */
import { appendFileSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { ownFolder, runApart } from "./rehearse/apart.ts";
import { openAssetsBucket } from "./rehearse/assets-bucket.ts";
import { bringBase, bringTools, whyNot } from "./rehearse/base.ts";
import { breakRelease } from "./rehearse/break-release.ts";
import { type PhaseName, readBuildspec, runBuildspec } from "./rehearse/buildspec.ts";
import { readFootprint } from "./rehearse/footprint.ts";
import { sweepGroups } from "./rehearse/groups.ts";
import { mustRun } from "./rehearse/program.ts";
import type { Plan } from "./rehearse/stage.ts";

const root = fileURLToPath(new URL("../", import.meta.url));
/** All of it together, ms. */
const within = 15 * 60_000;
/** Nothing is said for longer, ms. */
const quiet = 10_000;
/** Run within the build, instead of everything, and never with us among it: one file that is quick and one that needs a database. */
const selection = "app/contract app/chat/rooms";

const { values } = parseArgs({
	options: {
		people: { type: "string", default: "21" },
		/** An artefact/ of before, so that only the machines are rehearsed; for work on them. */
		artefacts: { type: "string" },
	},
});
const began = performance.now();
let last = { line: "", at: began };
const tell = (line: string) => {
	last = { line: line.trim(), at: performance.now() };
	console.log(line);
};
// Whoever waits sees that it lives, and what it is at.
const patience = setInterval(() => {
	if (performance.now() - last.at >= quiet) console.log(`  ... ${seconds(last.at)} s since: ${last.line.slice(0, 80)}`);
}, quiet);
const ending = new AbortController();
// Every time: a terminal and whoever started us may both say so, and the second shall not keep us from clearing up.
process.on("SIGINT", () => ending.abort());
process.on("SIGTERM", () => ending.abort());
const late = setTimeout(() => ending.abort(), within);

const cache = process.env.REHEARSAL_CACHE ?? "/var/cache/charla-rehearsal";
const ground = await bringGround();
if ("missing" in ground) {
	console.log(`Not rehearsed: ${ground.missing}`);
	process.exit(3);
}
const folder = ownFolder("rehearsal");
let code = 1;
try {
	code = await rehearse(ground.base);
} catch (error) {
	console.error(error instanceof Error ? error.message : error);
} finally {
	clearTimeout(late);
	tell("Clearing up");
	sweepGroups(basename(folder));
	// Not all at once: it is a hundred thousand files, and whoever waits is still told so.
	await rm(folder, { recursive: true, force: true, maxRetries: 5 });
	clearInterval(patience);
}
console.log(`${code === 0 ? "Rehearsed" : ending.signal.aborted ? "Ended early" : "The rehearsal failed"} after ${seconds(began)} s`);
process.exit(code);

/** The tools and the machines' Debian, or why they cannot be had here. */
async function bringGround(): Promise<{ base: string } | { missing: string }> {
	const missing = whyNot();
	if (missing) return { missing };
	try {
		await bringTools(tell);
		return { base: await bringBase(cache, tell, ending.signal) };
	} catch (error) {
		return { missing: `what it needs cannot be installed: ${(error as Error).message}` };
	}
}

async function rehearse(base: string): Promise<number> {
	const built = values.artefacts ? kept(values.artefacts) : await build();
	const footprint = readFootprint("prod", join(folder, "cdk.out"));
	tell("Target group, user data, the agent's configuration and CloudFront's origins are from the synthesized templates of prod");
	const plan: Plan = { folder, base, ...footprint, people: Number(values.people), ...built };
	writeFileSync(join(folder, "plan.json"), JSON.stringify(plan));
	return onStage(join(folder, "plan.json"));
}

type Built = Pick<Plan, "artefacts" | "assets">;

/** Two releases by the real buildspec.yml in a clean clone, and one that is broken on purpose. */
async function build(): Promise<Built> {
	const clone = join(folder, "clone");
	const bucket = await openAssetsBucket();
	const changed = await mustRun("git", ["status", "--porcelain"], { cwd: root });
	if (changed) tell("What is not committed is not rehearsed: the build is of the last commit.");
	await mustRun("git", ["clone", "--quiet", "--no-hardlinks", root, clone]);
	const spec = () => readBuildspec(readFileSync(join(clone, "buildspec.yml"), "utf8"));
	const { HOME = "/root", PATH = "", npm_config_registry, NODE_EXTRA_CA_CERTS } = process.env;
	const run = async (name: string, only?: readonly PhaseName[]) => {
		const env = {
			HOME,
			PATH: cleanPath(PATH),
			TEST_SELECTION: selection,
			...bucket.env,
			...given({ npm_config_registry, NODE_EXTRA_CA_CERTS, CHROMIUM_PATH: process.env.CHROMIUM_PATH }),
		};
		tell(`${name}: ${only ? `only ${only.join(", ")} of buildspec.yml, as with everything else in the cache` : "buildspec.yml"}`);
		const said: string[] = [];
		const hear = (line: string) => {
			said.push(line);
			if (/^(Entering|Phase|Running|TEST_SELECTION|artefact|\d+ (assets|passed))/.test(line)) tell(`  ${line}`);
		};
		const result = await runBuildspec(spec(), { cwd: clone, env, tell: hear, signal: ending.signal, ...(only ? { only } : {}) });
		if (!result.succeeded) throw new Error(`buildspec.yml failed. The end of what it said:\n${said.slice(-60).join("\n")}`);
		return upload(join(clone, spec().artifacts?.base ?? "."), name);
	};
	const first = await run("first");
	const before = await published(bucket, clone);
	await changeSomething(clone);
	const next = await run("next", ["build", "post_build"]);
	const after = await published(bucket, clone);
	tell(`Published for the second build: ${after - before} assets beside the ${before} of the first`);
	if (after === before) throw new Error("The two builds have the same assets: nothing would be shown by them.");
	tell("A third release that cannot deliver, made of the second");
	const broken = await breakRelease(next, join(folder, "broken"));
	const assets = join(folder, "assets");
	await bucket.save(assets);
	await bucket.close();
	return { artefacts: { first, next, broken }, assets };
}

/** How many assets the bucket has. Throws where one of the build there is now is missing. */
async function published(bucket: Awaited<ReturnType<typeof openAssetsBucket>>, clone: string): Promise<number> {
	const names = new Set(await bucket.names());
	const missing = readdirSync(join(clone, "build/client/assets")).filter((asset) => !names.has(`assets/${asset}`));
	if (missing.length > 0) throw new Error(`The build did not publish ${missing.join(", ")}`);
	return names.size;
}

/** The next release differs in what browsers load: its script, its style, and so its manifest. */
async function changeSomething(clone: string): Promise<void> {
	appendFileSync(join(clone, "app/entry.client.tsx"), '\ndocument.documentElement.dataset.release = "next";\n');
	appendFileSync(join(clone, "app/styles/app.css"), "\n:root {\n\t--release: next;\n}\n");
	await mustRun(
		"git",
		["-c", "user.name=rehearsal", "-c", "user.email=rehearsal@localhost", "commit", "--quiet", "--all", "--message", "The next release."],
		{ cwd: clone },
	);
}

function upload(artefact: string, name: string): string {
	const to = join(folder, "bucket", name);
	mkdirSync(to, { recursive: true });
	cpSync(artefact, to, { recursive: true });
	return to;
}

function kept(place: string): Built {
	const artefacts = { first: join(place, "first"), next: join(place, "next"), broken: join(place, "broken") };
	for (const artefact of Object.values(artefacts)) if (!existsSync(artefact)) throw new Error(`There is no ${artefact}.`);
	return { artefacts, assets: join(place, "assets") };
}

async function onStage(plan: string): Promise<number> {
	const run = runApart(fileURLToPath(new URL("./rehearse/stage.ts", import.meta.url)), [plan], {
		cwd: root,
		hear: (_stream, line) => tell(`  ${line}`),
		signal: ending.signal,
	});
	return (await run).code ?? 1;
}

/** Without what npm put in front: the clone is to find its own. */
function cleanPath(path: string): string {
	return path
		.split(":")
		.filter((part) => !part.includes("node_modules"))
		.join(":");
}

function given(env: Record<string, string | undefined>): Record<string, string> {
	return Object.fromEntries(Object.entries(env).filter((each): each is [string, string] => each[1] !== undefined));
}

function seconds(since: number): string {
	return ((performance.now() - since) / 1000).toFixed(0);
}
