/**
 * `npm run newrelic -- generate`: writes observability/newrelic/*.json from the contract.
 * `npm run newrelic -- push [--dry-run]`: brings them to New Relic; again, it changes nothing.
 * `npm run newrelic -- mark --version <v> --deployment <id> [--commit --link --changes --by]`: marks a deployment on the charts.
 */
import { relative } from "node:path";
import { parseArgs } from "node:util";
import { generate } from "../observability/newrelic/generate.ts";
import { mark } from "../observability/newrelic/mark.ts";
import { endpoints, NerdGraphError, openNerdGraph, type Region } from "../observability/newrelic/nerdgraph.ts";
import { push } from "../observability/newrelic/push.ts";

const usage = `Usage:
  npm run newrelic -- generate
  npm run newrelic -- push [--dry-run]
  npm run newrelic -- mark --version <version> --deployment <id> [--commit <sha>] [--link <url>] [--changes <text>] [--by <who>]

Read from the environment:
  NEW_RELIC_USER_KEY     a user key (not the licence key), for example NRAK-ABC123
  NEW_RELIC_ACCOUNT_ID   the account's number, for example 1234567
  NEW_RELIC_REGION       us (default) or eu
  TELEMETRY              split (default) or bridge, as Charla runs
  TELEMETRY_ENV          which environment, default prod
  RUNBOOK_URL            where this repository is read, for example https://github.com/you/charla/blob/main (push only)`;

process.exitCode = await main();

async function main(): Promise<number> {
	try {
		const { positionals, values } = parseArgs({
			allowPositionals: true,
			options: {
				"dry-run": { type: "boolean", default: false },
				help: { type: "boolean", short: "h", default: false },
				version: { type: "string" },
				deployment: { type: "string" },
				commit: { type: "string" },
				link: { type: "string" },
				changes: { type: "string" },
				by: { type: "string" },
			},
		});
		if (values.help) return told(usage, 0);
		const [command] = positionals;
		if (command === "generate") return generated();
		if (command === "push") return await pushed(values["dry-run"]);
		if (command === "mark") return await marked(values);
		return refused(command ? `There is no ${command}.` : "What shall it do?");
	} catch (error) {
		if ((error as { code?: string }).code?.startsWith("ERR_PARSE_ARGS")) return refused((error as Error).message);
		console.error(error instanceof NerdGraphError || error instanceof Error ? error.message : error);
		return 1;
	}
}

function generated(): number {
	const changed = generate().map((file) => relative(process.cwd(), file));
	return told(changed.length > 0 ? `Written: ${changed.join(", ")}` : "Nothing to write: the files are what the contract says.", 0);
}

async function pushed(dryRun: boolean): Promise<number> {
	const given = readEnvironment(["RUNBOOK_URL"]);
	if (!given) return 2;
	const done = await push({
		...given,
		dryRun,
		tell: ({ what, did, problem }) => console.log(`${did.padEnd(9)} ${what}${problem ? `: ${problem}` : ""}`),
	});
	const count = (did: string) => done.filter((one) => one.did === did).length;
	const failed = count("failed");
	console.log(
		`${dryRun ? "Dry run, nothing was sent: would be " : ""}${count("created")} created, ${count("updated")} updated, ${count("unchanged")} unchanged, ${failed} failed`,
	);
	return failed > 0 ? 1 : 0;
}

async function marked(values: Partial<Record<"version" | "deployment" | "commit" | "link" | "changes" | "by", string>>): Promise<number> {
	const { version, deployment, ...more } = values;
	if (!version || !deployment)
		return refused("mark needs --version and --deployment, for example: --version a1b2c3d --deployment d-ABC123");
	const given = readEnvironment([]);
	if (!given) return 2;
	return told(`Marked: ${await mark(given.ask, given.mode, { version, deployment, ...more })}`, 0);
}

/** What is missing or wrong is told all at once, each with an example. */
function readEnvironment(also: "RUNBOOK_URL"[]) {
	const { env } = process;
	const examples: Record<string, string> = {
		NEW_RELIC_USER_KEY: "NRAK-ABC123",
		NEW_RELIC_ACCOUNT_ID: "1234567",
		RUNBOOK_URL: "https://github.com/you/charla/blob/main",
	};
	const problems = ["NEW_RELIC_USER_KEY", "NEW_RELIC_ACCOUNT_ID", ...also].flatMap((name) =>
		env[name] ? [] : [`${name} is missing, for example ${name}=${examples[name]}`],
	);
	const accountId = Number(env.NEW_RELIC_ACCOUNT_ID);
	if (env.NEW_RELIC_ACCOUNT_ID && !(Number.isSafeInteger(accountId) && accountId > 0))
		problems.push("NEW_RELIC_ACCOUNT_ID is a number, for example NEW_RELIC_ACCOUNT_ID=1234567");
	const region = (env.NEW_RELIC_REGION ?? "us").toLowerCase();
	if (!(region in endpoints)) problems.push("NEW_RELIC_REGION is us or eu, for example NEW_RELIC_REGION=eu");
	const mode = env.TELEMETRY ?? "split";
	if (mode !== "split" && mode !== "bridge") problems.push("TELEMETRY is split or bridge, for example TELEMETRY=split");
	const environment = env.TELEMETRY_ENV ?? "prod";
	// It stands within queries.
	if (!/^[\w-]{1,40}$/.test(environment)) problems.push("TELEMETRY_ENV is a word, for example TELEMETRY_ENV=prod");
	if (problems.length > 0) {
		console.error(problems.join("\n"));
		return null;
	}
	const url = env.NEW_RELIC_NERDGRAPH_URL ?? endpoints[region as Region];
	return {
		ask: openNerdGraph({ url, userKey: env.NEW_RELIC_USER_KEY as string }),
		accountId,
		environment,
		mode: mode as "split" | "bridge",
		runbooks: env.RUNBOOK_URL ?? "",
	};
}

function told(text: string, code: number): number {
	console.log(text);
	return code;
}

function refused(reason: string): number {
	console.error(`${reason}\n\n${usage}`);
	return 2;
}
