import { type App, type IPolicyValidationContext, type PolicyValidationPluginReport, Validations } from "aws-cdk-lib";
import { AwsSolutionsChecks } from "cdk-nag";

/**
 * A rule of cdk-nag that is not followed somewhere, and why. `at` is a path below the stage's stacks; what lies below it is meant too.
 * A finding of IAM4 or IAM5 names the policy, action or resource in brackets, and each is acknowledged by itself.
 */
export type Acknowledged = { at: readonly string[]; rules: readonly (string | RegExp)[]; because: string };

/** What the pipeline's constructs grant on an artefact bucket. */
const artefacts =
	/^IAM5\[(Action::s3:(GetBucket|GetObject|List|Abort|DeleteObject)|Resource::chat-\w+-data:ExportsOutputFnGetAttReleases\w+\/)\*\]$/;

/** Every exception there is. One that nothing needs any more fails a test, as does a rule that is broken and not named here. */
export const acknowledged: readonly Acknowledged[] = [
	{
		at: ["network/Balancer"],
		rules: ["EC23"],
		because:
			"The one rule that lets anybody in is the public load balancer's where no prefix list of CloudFront is given: its listener refuses with 403 whoever does not show the secret CloudFront alone knows. With a VPC origin the rule names the VPC's own addresses, which the check cannot read.",
	},
	{
		at: ["data/SessionSecret", "data/OriginSecret", "data/CacheSecret", "data/DatabaseSecret"],
		rules: ["SMG4"],
		because:
			"Rotated by hand (docs/runbooks/aws/secrets.md): a new session secret signs everybody out, and a new password reaches an instance only when it starts anew, so a rotation nobody watches would be an outage. Decision 042.",
	},
	{
		at: ["data/Database"],
		rules: ["RDS11"],
		because: "PostgreSQL on its usual port, reachable from the instances' security group alone: another number would hide nothing.",
	},
	{
		at: ["data/Database"],
		rules: ["RDS3", "RDS10"],
		because: "Only in dev: one zone, and it may be deleted. prod has both (infra/config.ts), and a test says so.",
	},
	{
		at: ["data/Cache"],
		rules: ["AEC4"],
		because: "Only in dev: a single node. It holds hints, and what is lost with it is made up for from the database.",
	},
	{
		at: ["data/UploadFailures", "data/StreamFailures"],
		rules: ["SQS3"],
		because: "These are the queues of what failed: nobody reads them but a person, and an alarm tells of the first message.",
	},
	{
		at: ["web/InstanceRole"],
		rules: [/^IAM4\[Policy::.*\/AmazonSSMManagedInstanceCore\]$/],
		because: "AmazonSSMManagedInstanceCore is the way onto an instance without a key or an open port; AWS keeps it in step with its agent.",
	},
	{
		at: ["web/InstanceRole"],
		rules: [
			artefacts,
			"IAM5[Resource::*]",
			/^IAM5\[Resource::.*(GetAtt(Carts|Activity)\w+\/index|s3:::aws-codedeploy-[\w<>:-]+|s3:::chat-\w+-imports-[\w<>:-]+-[\w<>:-]+)\/\*\]$/,
		],
		because:
			"Indexes of two tables, objects of two buckets of its own and of AWS's bucket with the deployment agent. PutMetricData (held to one namespace) and ec2:DescribeTags cannot be said of one resource. s3:GetObject*, GetBucket* and List* are what the pipeline's construct grants on the release bucket.",
	},
	{
		at: ["web/Fleet"],
		rules: ["AS3"],
		because:
			"A message for each instance that comes or goes would teach people not to read them. The group's own metrics and the alarms fleet-full and no-instance tell what matters.",
	},
	{
		at: ["web/Balancer"],
		rules: ["ELB2"],
		because:
			"Its access log is on wherever CHAT_REGION is set, which npm run deploy does. Templates of no region cannot name the account AWS writes it from.",
	},
	{
		at: ["api/ShopRole"],
		rules: [/^IAM5\[Resource::.*GetAttCarts\w+\/index\/\*\]$/],
		because: "The indexes of the one table of carts.",
	},
	{
		at: ["api/UploadRole", "api/StreamRole"],
		rules: [/^IAM5\[Resource::.*(GetAttArchive\w+|s3:::chat-\w+-imports-[\w<>:-]+-[\w<>:-]+\/\w+)\/\*\]$/],
		because: "The objects of one bucket, or of one folder of it: their names are not known beforehand.",
	},
	{
		at: ["api/ShoppinApi/CloudWatchRole"],
		rules: [/^IAM4\[Policy::.*\/AmazonAPIGatewayPushToCloudWatchLogs\]$/],
		because: "The account's setting for API Gateway's logs takes this policy and no other.",
	},
	{
		at: ["api/ShoppinApi"],
		rules: ["APIG3"],
		because: "A firewall costs more than the whole API; it is throttled, and every key is checked by the function.",
	},
	{
		at: ["api/ShoppinApi"],
		rules: ["APIG2"],
		because:
			"The function judges every order itself and names each field that is wrong; a schema here would refuse the same with less to say, and by other codes.",
	},
	{
		at: ["api/ShoppinApi"],
		rules: ["APIG4", "COG4"],
		because:
			"The function asks for a key itself (Authorization: Bearer), the same as ShoppinAPI does without AWS, and answers in the same words.",
	},
	{
		at: ["edge/Distribution"],
		rules: ["CFR1"],
		because: "A team may be anywhere.",
	},
	{
		at: ["edge/Distribution"],
		rules: ["CFR2"],
		because:
			"Where no firewall was asked for: CHAT_WAF=managed or the address of one. It costs 8 USD a month; rate limits are Charla's own.",
	},
	{
		at: ["edge/Distribution"],
		rules: ["CFR4"],
		because:
			"Without a domain the certificate is CloudFront's own and so is the choice of TLS; and to a load balancer within the VPC CloudFront's private connection is unencrypted without a certificate to ask for. With a domain both are TLS 1.2 and newer.",
	},
	{
		at: ["observe/TwoPeople/Role"],
		rules: ["IAM5[Resource::*]", /^IAM5\[Resource::(<TwoPeopleArtifacts\w+\.Arn>\/|.*log-group:\/aws\/lambda\/cwsyn-chat-\w+-)\*\]$/],
		because:
			"Objects of the canary's own bucket, the log groups Synthetics names itself, and PutMetricData, which is held to one namespace instead.",
	},
	{
		at: ["delivery/Build/Role", "delivery/Pipeline"],
		rules: [artefacts, /^IAM5\[Resource::.*(log-group:\/aws\/codebuild\/<Build\w+>:|report-group\/<Build\w+>-)\*\]$/],
		because: "What the constructs grant: artefacts of the one release bucket, reports and streams of the one project.",
	},
	{
		at: ["delivery/Build/Role"],
		rules: [/^IAM5\[Resource::.*GetAttAssets\w+"\}\}\/assets\/\*\]$/],
		because: "The objects below assets/ of one bucket, which a build adds to: they are named after what is in them.",
	},
	{
		at: ["delivery/Build"],
		rules: ["CB4"],
		because:
			"Artefacts lie encrypted in the release bucket; a key of our own would cost a dollar a month and keep nobody out who is not out already.",
	},
	{
		at: ["delivery/Group/Role"],
		rules: [/^IAM4\[Policy::.*\/AWSCodeDeployRole\]$/],
		because: "AWSCodeDeployRole: AWS extends it when CodeDeploy learns to do more with a group.",
	},
];

/** One rule one construct does not follow, as cdk-nag says it. */
export type Finding = { rule: string; path: string };

/** Whether an entry of the list is about a finding. */
export function isAbout({ at, rules }: Acknowledged, { rule, path }: Finding): boolean {
	const [stack = "", ...below] = path.split("/");
	const place = [stack.replace(/^chat-[a-z]+-/, ""), ...below].join("/");
	const name = rule.replace("AwsSolutions-", "");
	return (
		at.some((each) => place === each || place.startsWith(`${each}/`)) &&
		rules.some((each) => (typeof each === "string" ? each === name : each.test(name)))
	);
}

/**
 * cdk-nag's AwsSolutions, less what is acknowledged here. cdk-nag's own acknowledgements want the exact text of a finding, and that
 * holds logical ids the CDK makes up only while it synthesizes.
 */
export class Rules extends AwsSolutionsChecks {
	/** Everything that was found, acknowledged or not. */
	readonly found: Finding[] = [];

	override validate(context: IPolicyValidationContext): PolicyValidationPluginReport {
		const { violations } = super.validate(context);
		const left = violations.flatMap((violation) => {
			const violatingResources = violation.violatingResources.filter(({ constructPath = "" }) => {
				const finding = { rule: violation.ruleName, path: constructPath };
				this.found.push(finding);
				return !acknowledged.some((entry) => isAbout(entry, finding));
			});
			return violatingResources.length > 0 ? [{ ...violation, violatingResources }] : [];
		});
		return { success: left.length === 0, violations: left };
	}
}

/** Holds every stack to the rules: synthesis fails on what is neither followed nor acknowledged. */
export function checkRules(app: App): Rules {
	const rules = new Rules(app);
	Validations.of(app).addPlugins(rules);
	return rules;
}
