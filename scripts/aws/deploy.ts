/**
 * `npm run deploy -- --stage dev`: looks whether the account is ready, deploys every stack in its order with what happens on the way, and says
 * where things are and what is left to do. `--yes` asks nothing about permissions that widen; `--skip-preflight` does not look.
 */
import { readFileSync } from "node:fs";
import { type Cdk, cdk, cdkOut } from "./cdk.ts";
import { nextSteps, type Outputs } from "./next-steps.ts";
import { awsClients, type Clients, preflight, report } from "./preflight-checks.ts";
import { type Asked, ask, run } from "./stage.ts";

export async function deploy(asked: Asked, tools: { cdk: Cdk; clients: () => Clients; say: (line: string) => void }): Promise<number> {
	const { config, env, switches } = asked;
	if (!switches.has("skip-preflight")) {
		const checks = await preflight(config, tools.clients());
		for (const line of report(checks)) tools.say(line);
		if (checks.some(({ state }) => state === "missing")) {
			tools.say("Nothing was deployed. docs/aws.md, From an empty account, says how to get what is missing.");
			return 1;
		}
	}
	tools.say(`\nDeploying ${config.stage}. The first time takes 25 to 40 minutes: a database and CloudFront take their time.\n`);
	const outputs = `${cdkOut}-outputs.json`;
	const code = await tools.cdk(
		[
			"deploy",
			"--all",
			"--progress",
			"events",
			"--require-approval",
			switches.has("yes") ? "never" : "broadening",
			"--outputs-file",
			outputs,
		],
		env,
	);
	if (code !== 0) {
		tools.say("\nIt did not come to its end. What is there stays there: mend what the last red line names, and run the same again.");
		tools.say("docs/aws.md, When something is wrong, has the usual ones.");
		return code;
	}
	for (const line of nextSteps(config, JSON.parse(readFileSync(outputs, "utf8")) as Outputs)) tools.say(line);
	return 0;
}

if (import.meta.main)
	run(() => {
		const asked = ask(process.argv.slice(2), process.env, { switches: ["yes", "skip-preflight"] });
		return deploy(asked, { cdk, clients: () => awsClients(asked.config), say: console.log });
	});
