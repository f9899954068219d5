import type { StageConfig } from "../../infra/config.ts";

/** What the CDK writes after a deployment: the outputs of each stack. */
export type Outputs = Record<string, Record<string, string>>;

/** Where everything is, and what no template can do, in the order it should be done. */
export function nextSteps(config: StageConfig, outputs: Outputs): string[] {
	const { stage, source, domain, alarmEmail } = config;
	const of = (part: string, name: string): string => outputs[`chat-${stage}-${part}`]?.[name] ?? "(not told)";
	const steps: string[] = [];
	if (source.kind === "connection" && source.arn === null)
		steps.push(
			`Let AWS into the repository: in the console, Developer Tools, Settings, Connections, chat-${stage}, "Update pending connection". ${of("delivery", "ConnectionArn")}`,
		);
	if (source.kind === "s3")
		steps.push(`Deploy for the first time: git archive -o charla.zip HEAD && aws s3 cp charla.zip ${of("delivery", "SourceUpload")}`);
	else steps.push(`Deploy for the first time: aws codepipeline start-pipeline-execution --name ${of("delivery", "PipelineName")}`);
	if (domain && !domain.hostedZoneId) steps.push(`Point ${domain.name} (CNAME, or ALIAS) to ${of("edge", "CloudFrontName")}`);
	if (alarmEmail) steps.push(`Confirm the two mails AWS has sent to ${alarmEmail}: without that nobody hears an alarm.`);
	else
		steps.push(
			`Subscribe somebody to the alarms: aws sns subscribe --protocol email --topic-arn ${of("observe", "PagesTopic")} --notification-endpoint on-call@example.org`,
		);
	steps.push(`Open ${of("edge", "Url")}. Until the first deployment has come through it says so itself.`);
	return [
		"",
		`${stage} is there.`,
		"",
		`  Charla       ${of("edge", "Url")}`,
		`  ShoppinAPI   ${of("api", "ShoppinApiUrl")}`,
		`  Dashboard    ${of("observe", "DashboardUrl")}`,
		`  Imports      ${of("api", "ImportsBucket")}`,
		`  Alarms       ${of("observe", "PagesTopic")}`,
		`               ${of("observe", "TicketsTopic")}`,
		"",
		"Next:",
		...steps.map((step, n) => `  ${n + 1}. ${step}`),
	];
}
