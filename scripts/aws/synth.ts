/**
 * `npm run synth -- --stage prod`: the templates of a stage, in build/cdk.out. Asks nobody: no account, no network. `--accept` takes what is
 * there now for what must not be replaced (infra/baseline).
 */
import { cdk, cdkOut } from "./cdk.ts";
import { ask, run } from "./stage.ts";

run(async () => {
	const { config, env, switches } = ask(process.argv.slice(2), process.env, { switches: ["accept"] });
	if (switches.has("accept")) {
		await import("./accept.ts");
		return 0;
	}
	const code = await cdk(["synth", "--quiet"], env);
	if (code === 0)
		console.log(`The templates of ${config.stage} are in ${cdkOut}. Nothing was asked of AWS, and nothing was changed there.`);
	return code;
});
