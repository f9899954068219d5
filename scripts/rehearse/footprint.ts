import { readFileSync } from "node:fs";
import { App, type Stack } from "aws-cdk-lib";
import { readStage } from "../../infra/config.ts";
import { DataStack } from "../../infra/stacks/data.ts";
import { EdgeStack } from "../../infra/stacks/edge.ts";
import { NetworkStack } from "../../infra/stacks/network.ts";
import { WebStack } from "../../infra/stacks/web.ts";
import { type EdgeRoutes, readEdgeRoutes } from "./edge.ts";
import { readTargetGroup, type TargetGroup } from "./target-group.ts";

type Template = { Resources: Record<string, { Type: string; Properties?: Record<string, unknown> }> };

/** A file the CloudWatch agent follows, as its configuration has it. */
export type Followed = { file_path: string; timestamp_format?: string; multi_line_start_pattern?: string };
/** What a rehearsal takes from infra/: the target group, CloudFront's origins, user data, and what the CloudWatch agent follows. */
export type Footprint = { targetGroup: TargetGroup; routes: EdgeRoutes; userData: string; followed: Followed[] };

/** Synthesizes the fleet of a stage into `outdir`, and reads from its template. The functions are left out: none runs on an instance. */
export function readFootprint(stage: string, outdir: string): Footprint {
	const flags = JSON.parse(readFileSync(new URL("../../infra/cdk.json", import.meta.url), "utf8")) as { context: Record<string, unknown> };
	const app = new App({ outdir, analyticsReporting: false, context: flags.context });
	const config = readStage({ CHAT_STAGE: stage });
	const network = new NetworkStack(app, config);
	const data = new DataStack(app, config, network);
	const web = new WebStack(app, config, network, data);
	const edge = new EdgeStack(app, config, data, web);
	const assembly = app.synth();
	const templateOf = (stack: Stack) => assembly.getStackByName(stack.stackName).template as Template;
	return { ...fromWeb(web.stackName, templateOf(web)), routes: readEdgeRoutes(templateOf(edge)) };
}

function fromWeb(from: string, template: Template): Omit<Footprint, "routes"> {
	const resources = Object.values(template.Resources);
	const launch = resources.find(({ Type }) => Type === "AWS::EC2::LaunchTemplate")?.Properties?.LaunchTemplateData as
		| { UserData?: unknown }
		| undefined;
	const agent = resources.find(
		({ Type, Properties }) => Type === "AWS::SSM::Parameter" && String(Properties?.Name).startsWith("AmazonCloudWatch-"),
	);
	if (!launch?.UserData || !agent)
		throw new Error(`${from} has no launch template with user data, or no configuration of the CloudWatch agent.`);
	const { logs } = JSON.parse(flat(agent.Properties?.Value)) as {
		logs: { logs_collected: { files: { collect_list: Followed[] } } };
	};
	return {
		targetGroup: readTargetGroup(template),
		userData: withSettings(flat(launch.UserData)),
		followed: logs.logs_collected.files.collect_list,
	};
}

/** The text of a value, with CloudFormation's functions carried out as far as text goes; what a stage would fill in is the rehearsal's. */
function flat(value: unknown): string {
	if (typeof value === "string") return value;
	const { "Fn::Base64": base64, "Fn::Join": join, "Fn::Sub": sub, Ref: ref } = (value ?? {}) as Record<string, unknown>;
	if (base64 !== undefined) return flat(base64);
	if (Array.isArray(join)) return (join[1] as unknown[]).map(flat).join(String(join[0]));
	if (sub !== undefined) return flat(Array.isArray(sub) ? sub[0] : sub).replaceAll("$" + "{AWS::Region}", "eu-west-1");
	return ref === "AWS::Region" ? "eu-west-1" : "rehearsal";
}

/** The launch template's own settings give way to the rehearsal's: another stage, the same script. */
function withSettings(script: string): string {
	const settings =
		"export CHAT_STAGE=rehearsal CHAT_ENV_PATH=/chat/rehearsal/env CHAT_AGENT_CONFIG=AmazonCloudWatch-chat-rehearsal AWS_REGION=eu-west-1";
	const own = /^export CHAT_STAGE=.*$/m;
	return own.test(script) ? script.replace(own, settings) : `${settings}\n${script.replace(/^#!.*\n/, "")}`;
}
