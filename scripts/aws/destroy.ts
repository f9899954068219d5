/**
 * `npm run destroy -- --stage dev --confirm dev`: takes a stage down, last stack first. A stage whose data is protected is refused until
 * somebody lifts the protection by hand; what is kept even then is named.
 */
import { type Cdk, cdk } from "./cdk.ts";
import { type Asked, ask, run } from "./stage.ts";

export async function destroy(asked: Asked, tools: { cdk: Cdk; say: (line: string) => void }): Promise<number> {
	const { config, env, values } = asked;
	const { stage } = config;
	if (values.get("confirm") !== stage) {
		tools.say(
			`This deletes ${stage} with everything people wrote in it. To mean it: npm run destroy -- --stage ${stage} --confirm ${stage}`,
		);
		return 1;
	}
	if (config.protect) {
		tools.say(`${stage} is protected, so that nobody deletes it by a slip. To lift that, one after the other:`);
		for (const part of ["data", "api"])
			tools.say(`  aws cloudformation update-termination-protection --no-enable-termination-protection --stack-name chat-${stage}-${part}`);
		tools.say(`  aws rds modify-db-instance --no-deletion-protection --apply-immediately --db-instance-identifier chat-${stage}`);
		tools.say(
			"Then delete the stacks in the console or by aws cloudformation delete-stack, last first: delivery, observe, edge, web, api, data, network.",
		);
		tools.say("The database leaves a last snapshot; buckets, tables, the stream and the audit log stay until you delete them yourself.");
		return 1;
	}
	const code = await tools.cdk(["destroy", "--all", "--force"], env);
	if (code === 0) tools.say(`${stage} is gone. Snapshots made by hand and the CDK's own bucket are still there.`);
	else
		tools.say(
			`\n${stage} is not wholly gone. A bucket that is not empty is the usual reason: aws s3 rm --recursive s3://<bucket>, and for one with versions "Empty" in the console; then run the same again.`,
		);
	return code;
}

if (import.meta.main) run(async () => destroy(ask(process.argv.slice(2), process.env, { values: ["confirm"] }), { cdk, say: console.log }));
