/** `npm run preflight -- --stage prod`: whether this account is ready for a stage; names every permission, quota and setting that is missing. */
import { awsClients, preflight, report } from "./preflight-checks.ts";
import { ask, run } from "./stage.ts";

run(async () => {
	const { config } = ask(process.argv.slice(2), process.env);
	const checks = await preflight(config, awsClients(config));
	for (const line of report(checks)) console.log(line);
	return checks.some(({ state }) => state === "missing") ? 1 : 0;
});
