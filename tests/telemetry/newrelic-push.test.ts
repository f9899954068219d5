import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { alarms } from "../../observability/alarms.ts";
import { slos } from "../../observability/contract.ts";
import { type NerdGraphStandIn, startNerdGraph } from "../support/nerdgraph.ts";

const script = fileURLToPath(new URL("../../scripts/newrelic.ts", import.meta.url));
const account = { userKey: "NRAK-TEST", accountId: 4242 };

async function newrelic(args: string[], env: Record<string, string> = {}) {
	const {
		NEW_RELIC_USER_KEY: _1,
		NEW_RELIC_ACCOUNT_ID: _2,
		NEW_RELIC_REGION: _3,
		TELEMETRY: _4,
		TELEMETRY_ENV: _5,
		...clean
	} = process.env;
	const run = spawn(process.execPath, [script, ...args], { env: { ...clean, ...env } });
	const [out, err, code] = await Promise.all([
		text(run.stdout),
		text(run.stderr),
		new Promise<number | null>((resolve) => run.once("exit", resolve)),
	]);
	return { out, err, code };
}

const envFor = (nerdgraph: NerdGraphStandIn, more: Record<string, string> = {}) => ({
	NEW_RELIC_USER_KEY: account.userKey,
	NEW_RELIC_ACCOUNT_ID: String(account.accountId),
	NEW_RELIC_NERDGRAPH_URL: nerdgraph.url,
	RUNBOOK_URL: "https://git.example.org/charla/blob/main/",
	...more,
});

async function withNerdGraph(
	run: (nerdgraph: NerdGraphStandIn) => Promise<void>,
	services = [{ name: "chat-web", domain: "EXT" as const }],
) {
	const nerdgraph = await startNerdGraph({ ...account, services });
	try {
		await run(nerdgraph);
	} finally {
		await nerdgraph.close();
	}
}

// The canary is CloudWatch's, and what tells that nothing can be exported is not exported.
const atNewRelic = alarms.filter(({ name, signal }) => signal.kind !== "canary" && name !== "telemetry-export-failing");

test("a push makes everything once; the next one finds it all and changes nothing", () =>
	withNerdGraph(async (nerdgraph) => {
		const first = await newrelic(["push"], envFor(nerdgraph));
		assert.equal(first.err, "");
		assert.equal(first.code, 0, first.out);
		const levels = Object.keys(slos).length;
		assert.match(first.out, new RegExp(`${1 + 2 + atNewRelic.length + levels} created, 0 updated, 0 unchanged, 0 failed`));
		assert.equal(nerdgraph.dashboards.length, 1);
		assert.deepEqual(nerdgraph.policies.map(({ name }) => name).sort(), ["Charla (prod): page", "Charla (prod): ticket"]);
		assert.deepEqual(nerdgraph.conditions.map(({ name }) => name).sort(), atNewRelic.map(({ name }) => name).sort());
		assert.equal(nerdgraph.indicators.length, levels);
		for (const { runbookUrl } of nerdgraph.conditions)
			assert.match(String(runbookUrl), /^https:\/\/git\.example\.org\/charla\/blob\/main\/docs\/runbooks\/[a-z-]+\.md$/);
		assert.ok(!JSON.stringify(nerdgraph.dashboards).includes('"accountIds":[0]'), "the account is put in");

		const sent = nerdgraph.mutations.length;
		const second = await newrelic(["push"], envFor(nerdgraph));
		assert.equal(second.code, 0, second.err);
		assert.match(second.out, /0 created, 0 updated, \d+ unchanged, 0 failed/);
		assert.equal(nerdgraph.mutations.length, sent);
	}));

test("what somebody changed by hand is put right, alone; a condition that is none of ours is told and left", () =>
	withNerdGraph(async (nerdgraph) => {
		await newrelic(["push"], envFor(nerdgraph));
		const sent = nerdgraph.mutations.length;
		const condition = nerdgraph.conditions.find(({ name }) => name === "send-burn-fast")!;
		condition.enabled = false;
		(nerdgraph.dashboards[0] as { pages: { name: string }[] }).pages[0]!.name = "Later";
		nerdgraph.indicators[0]!.description = "mine";
		const [policy] = nerdgraph.policies;
		nerdgraph.conditions.push({ ...condition, id: "own", name: "my-own", policyId: policy?.id });
		const again = await newrelic(["push"], envFor(nerdgraph));
		assert.equal(again.code, 0, again.err);
		assert.match(again.out, /0 created, 3 updated/);
		assert.match(again.out, /stale {5}condition my-own/);
		assert.deepEqual(
			nerdgraph.mutations
				.slice(sent)
				.map(({ name }) => name)
				.sort(),
			["alertsNrqlConditionStaticUpdate", "dashboardUpdate", "serviceLevelUpdate"],
		);
		assert.equal(condition.enabled, true);
		assert.ok(nerdgraph.conditions.some(({ name }) => name === "my-own"));
	}));

test("a dry run says what it would do and sends no mutation", () =>
	withNerdGraph(async (nerdgraph) => {
		const dry = await newrelic(["push", "--dry-run"], envFor(nerdgraph));
		assert.equal(dry.code, 0, dry.err);
		assert.match(dry.out, /created {3}dashboard Charla \(prod\)/);
		assert.match(dry.out, /Dry run, nothing was sent/);
		assert.deepEqual(nerdgraph.mutations, []);
		assert.ok(nerdgraph.queries.length > 0, "it did look");
	}));

test("another environment stands beside the first", () =>
	withNerdGraph(async (nerdgraph) => {
		await newrelic(["push"], envFor(nerdgraph));
		await newrelic(["push"], envFor(nerdgraph, { TELEMETRY_ENV: "staging" }));
		assert.equal(nerdgraph.dashboards.length, 2);
		assert.equal(nerdgraph.policies.length, 4);
		assert.ok(JSON.stringify(nerdgraph.dashboards[1]).includes("deployment.environment.name = 'staging'"));
	}));

test("errors within an answer of 200 are told, the rest is done, and the exit code is 1", () =>
	withNerdGraph(async (nerdgraph) => {
		nerdgraph.fail("dashboardCreate", "a widget is too wide");
		nerdgraph.fail("serviceLevelCreate", "no permission");
		const run = await newrelic(["push"], envFor(nerdgraph));
		assert.equal(run.code, 1);
		assert.match(run.out, /failed {4}dashboard Charla \(prod\): dashboardCreate: INVALID_INPUT: a widget is too wide/);
		assert.match(run.out, /failed {4}service level .*: serviceLevelCreate: no permission/);
		assert.equal(nerdgraph.conditions.length, atNewRelic.length);
		nerdgraph.heal();
		const healed = await newrelic(["push"], envFor(nerdgraph));
		assert.equal(healed.code, 0);
		assert.match(healed.out, new RegExp(`${1 + Object.keys(slos).length} created, 0 updated`));
	}));

test("without a service that reports there are no service levels, and it says what to do", () =>
	withNerdGraph(async (nerdgraph) => {
		const run = await newrelic(["push"], envFor(nerdgraph));
		assert.equal(run.code, 1);
		assert.match(run.out, /knows no service chat-web yet: start Charla with NEW_RELIC_LICENSE_KEY/);
		assert.equal(nerdgraph.dashboards.length, 1);
	}, []));

test("what is missing or wrong is told all at once, with examples; a wrong key and a wrong account by name", () =>
	withNerdGraph(async (nerdgraph) => {
		const none = await newrelic(["push"]);
		assert.equal(none.code, 2);
		for (const line of [
			/NEW_RELIC_USER_KEY is missing, for example NEW_RELIC_USER_KEY=NRAK-/,
			/NEW_RELIC_ACCOUNT_ID=1234567/,
			/RUNBOOK_URL=https/,
		])
			assert.match(none.err, line);
		const wrong = await newrelic(
			["push"],
			envFor(nerdgraph, { NEW_RELIC_ACCOUNT_ID: "mine", NEW_RELIC_REGION: "Mars", TELEMETRY: "both" }),
		);
		assert.equal(wrong.code, 2);
		for (const line of [/NEW_RELIC_ACCOUNT_ID is a number/, /NEW_RELIC_REGION is us or eu/, /TELEMETRY is split or bridge/])
			assert.match(wrong.err, line);
		const key = await newrelic(["push"], envFor(nerdgraph, { NEW_RELIC_USER_KEY: "NRAK-OTHER" }));
		assert.equal(key.code, 1);
		assert.match(key.out, /does not accept NEW_RELIC_USER_KEY/);
		assert.ok(!key.out.includes("NRAK-OTHER"));
		const gone = await startNerdGraph(account);
		await gone.close();
		const away = await newrelic(["push"], envFor(nerdgraph, { NEW_RELIC_NERDGRAPH_URL: gone.url }));
		assert.equal(away.code, 1);
		assert.match(away.out, /ECONNREFUSED/);
		const unknown = await newrelic(["pull"]);
		assert.equal(unknown.code, 2);
		assert.match(unknown.err, /There is no pull[\s\S]*Usage/);
	}));

test("a deployment is marked on the one entity Charla reports as; in bridge that is the agent's", () =>
	withNerdGraph(
		async (nerdgraph) => {
			const args = [
				"mark",
				"--version",
				"a1b2c3d4e5f6",
				"--deployment",
				"d-ABC",
				"--commit",
				"a1b2c3d",
				"--link",
				"https://ci.example.org/7",
			];
			const run = await newrelic(args, envFor(nerdgraph));
			assert.equal(run.code, 0, run.err);
			assert.match(run.out, /Marked: MARK-/);
			const [marker] = nerdgraph.markers as { timestamp: number }[];
			assert.ok(Math.abs((marker?.timestamp ?? 0) - Date.now()) < 60_000);
			assert.deepEqual(
				{ ...marker, timestamp: 0, changeTrackingId: "" },
				{
					changeTrackingId: "",
					categoryAndTypeData: {
						kind: { category: "deployment", type: "rolling" },
						categoryFields: { deployment: { version: "a1b2c3d4e5f6", commit: "a1b2c3d", deepLink: "https://ci.example.org/7" } },
					},
					entitySearch: { query: "name = 'chat-web' AND domain = 'EXT' AND type = 'SERVICE'" },
					groupId: "d-ABC",
					shortDescription: "Charla a1b2c3d4e5f6",
					timestamp: 0,
					user: "charla",
				},
			);
			const bridge = await newrelic(args, envFor(nerdgraph, { TELEMETRY: "bridge" }));
			assert.equal(bridge.code, 1, "no such entity here");
			assert.match(bridge.err, /exactly one entity, it finds 0/);
			const without = await newrelic(["mark", "--version", "a"], envFor(nerdgraph));
			assert.equal(without.code, 2);
			assert.match(without.err, /needs --version and --deployment/);
		},
		[{ name: "chat-web", domain: "EXT" }],
	));
