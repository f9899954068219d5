import { CfnOutput, Duration } from "aws-cdk-lib";
import { BuildSpec, Cache, ComputeType, LinuxBuildImage, LocalCacheMode, PipelineProject } from "aws-cdk-lib/aws-codebuild";
import { Repository } from "aws-cdk-lib/aws-codecommit";
import { CfnConnection } from "aws-cdk-lib/aws-codeconnections";
import { LoadBalancer, ServerApplication, ServerDeploymentConfig, ServerDeploymentGroup } from "aws-cdk-lib/aws-codedeploy";
import {
	type ActionBindOptions,
	type ActionConfig,
	Artifact,
	ExecutionMode,
	type IAction,
	type IStage,
	Pipeline,
	PipelineType,
} from "aws-cdk-lib/aws-codepipeline";
import {
	CodeBuildAction,
	CodeCommitSourceAction,
	CodeDeployServerDeployAction,
	CodeStarConnectionsSourceAction,
	type CodeStarConnectionsSourceActionProps,
	S3SourceAction,
	S3Trigger,
} from "aws-cdk-lib/aws-codepipeline-actions";
import { Rule } from "aws-cdk-lib/aws-events";
import { CodePipeline } from "aws-cdk-lib/aws-events-targets";
import { PolicyStatement } from "aws-cdk-lib/aws-iam";
import { CfnResourcePolicy } from "aws-cdk-lib/aws-logs";
import type { Construct } from "constructs";
import type { StageConfig } from "../config.ts";
import { ChatStack } from "./chat-stack.ts";
import type { DataStack } from "./data.ts";
import type { EdgeStack } from "./edge.ts";
import type { ObserveStack } from "./observe.ts";
import type { WebStack } from "./web.ts";

/** From a push to the instances: CodePipeline, CodeBuild, CodeDeploy. It delivers the server; the footprint itself is deployed by hand. */
export class DeliveryStack extends ChatStack {
	readonly pipeline: Pipeline;
	readonly group: ServerDeploymentGroup;
	readonly build: PipelineProject;

	constructor(scope: Construct, config: StageConfig, given: { data: DataStack; web: WebStack; edge: EdgeStack; observe: ObserveStack }) {
		super(scope, "delivery", config, { description: "Charla: the pipeline" });
		const { stage } = config;
		const { data, web, edge, observe } = given;

		this.build = new PipelineProject(this, "Build", {
			projectName: `chat-${stage}`,
			description: "Charla: install, check, test, build, package, publish assets (buildspec.yml)",
			// The instances' own system: what is built here finds the libraries it was linked with.
			environment: { buildImage: LinuxBuildImage.AMAZON_LINUX_2023_5, computeType: ComputeType.MEDIUM, privileged: false },
			environmentVariables: { CI: { value: "true" }, ASSETS_BUCKET: { value: edge.assets.bucketName } },
			buildSpec: BuildSpec.fromSourceFilename("buildspec.yml"),
			cache: Cache.local(LocalCacheMode.CUSTOM, LocalCacheMode.SOURCE),
			timeout: Duration.minutes(60),
			queuedTimeout: Duration.hours(2),
			logging: { cloudWatch: { logGroup: data.logs.build } },
		});
		this.build.addToRolePolicy(
			new PolicyStatement({ sid: "AddAssets", actions: ["s3:PutObject"], resources: [edge.assets.arnForObjects("assets/*")] }),
		);

		const application = new ServerApplication(this, "Application", { applicationName: `chat-${stage}` });
		this.group = new ServerDeploymentGroup(this, "Group", {
			application,
			deploymentGroupName: `chat-${stage}`,
			// In place: the group of instances belongs to this footprint, and blue/green would make another and delete it.
			deploymentConfig: ServerDeploymentConfig.ONE_AT_A_TIME,
			autoScalingGroups: [web.fleet],
			loadBalancers: [LoadBalancer.application(web.targets)],
			// User data does that.
			installAgent: false,
			// The hooks stop an instance that is taken away like one that is deployed to: people are moved first.
			terminationHook: true,
			autoRollback: { failedDeployment: true, stoppedDeployment: true, deploymentInAlarm: true },
			alarms: observe.rollback,
			// Who cannot see whether it burns does not go on.
			ignorePollAlarmsFailure: false,
		});

		const source = new Artifact("Source");
		const artefact = new Artifact("Release");
		this.pipeline = new Pipeline(this, "Pipeline", {
			pipelineName: `chat-${stage}`,
			pipelineType: PipelineType.V2,
			// A newer push overtakes one that waits: what is deployed last is what is on main.
			executionMode: ExecutionMode.SUPERSEDED,
			artifactBucket: data.releases,
			crossAccountKeys: false,
			stages: [
				{ stageName: "Source", actions: [this.source(source, data)] },
				{
					stageName: "Build",
					actions: [new CodeBuildAction({ actionName: "Build", project: this.build, input: source, outputs: [artefact] })],
				},
				{
					stageName: "Deploy",
					actions: [new CodeDeployServerDeployAction({ actionName: "Deploy", deploymentGroup: this.group, input: artefact })],
				},
			],
		});
		this.startOnUpload(data);
		this.keepEvents(data, web);
		new CfnOutput(this, "PipelineName", { value: this.pipeline.pipelineName, description: "The pipeline" });
	}

	private source(output: Artifact, data: DataStack): IAction {
		const { source, stage } = this.config;
		switch (source.kind) {
			case "s3":
				new CfnOutput(this, "SourceUpload", {
					value: `s3://${data.releases.bucketName}/${source.key}`,
					description: "Put a zip of the repository here to deploy it",
				});
				return new S3SourceAction({
					actionName: "Source",
					bucket: data.releases,
					bucketKey: source.key,
					output,
					// Neither asked again and again, nor told by a CloudTrail nobody made: see startOnUpload.
					trigger: S3Trigger.NONE,
				});
			case "codecommit":
				return new CodeCommitSourceAction({
					actionName: "Source",
					repository: Repository.fromRepositoryName(this, "Repository", source.repository),
					branch: source.branch,
					output,
				});
			case "connection": {
				const [owner = "", ...rest] = source.repository.split("/");
				const connection =
					source.arn ??
					new CfnConnection(this, "Connection", { connectionName: `chat-${stage}`, providerType: "GitHub" }).attrConnectionArn;
				new CfnOutput(this, "ConnectionArn", {
					value: connection,
					description: "The connection to the repository; a new one waits for a click",
				});
				return new ConnectionSourceAction({
					actionName: "Source",
					connectionArn: connection,
					owner,
					repo: rest.join("/"),
					branch: source.branch,
					triggerOnPush: true,
					output,
				});
			}
		}
	}

	/** A zip that is put into the release bucket starts the pipeline: the bucket tells EventBridge of every object by itself. */
	private startOnUpload(data: DataStack): void {
		const { source } = this.config;
		if (source.kind !== "s3") return;
		new Rule(this, "SourceUploaded", {
			description: "Charla: a new source starts the pipeline",
			eventPattern: {
				source: ["aws.s3"],
				detailType: ["Object Created"],
				detail: { bucket: { name: [data.releases.bucketName] }, object: { key: [source.key] } },
			},
			targets: [new CodePipeline(this.pipeline)],
		});
	}

	/** Every step of pipeline, build, deployment and scaling as a line of the deploy log, where alarms count them. */
	private keepEvents(data: DataStack, web: WebStack): void {
		const { stage } = this.config;
		const log = data.logs.deploy;
		// Said to the log group itself: the construct's own target would bring a function to say it.
		new CfnResourcePolicy(this, "EventsMayWrite", {
			policyName: `chat-${stage}-events`,
			policyDocument: this.toJsonString({
				Version: "2012-10-17",
				Statement: [
					{
						Sid: "EventsMayWrite",
						Effect: "Allow",
						Principal: { Service: ["events.amazonaws.com", "delivery.logs.amazonaws.com"] },
						Action: ["logs:CreateLogStream", "logs:PutLogEvents"],
						Resource: log.logGroupArn,
					},
				],
			}),
		});
		const to = { bind: () => ({ arn: `arn:${this.partition}:logs:${this.region}:${this.account}:log-group:${log.logGroupName}` }) };
		const rule = (id: string, source: string, detail: Record<string, string[]>) =>
			new Rule(this, id, { description: "Charla: into the deploy log", eventPattern: { source: [source], detail }, targets: [to] });
		rule("PipelineEvents", "aws.codepipeline", { pipeline: [`chat-${stage}`] });
		rule("BuildEvents", "aws.codebuild", { "project-name": [`chat-${stage}`] });
		rule("DeployEvents", "aws.codedeploy", { application: [`chat-${stage}`] });
		rule("ScalingEvents", "aws.autoscaling", { AutoScalingGroupName: [web.fleet.autoScalingGroupName] });
	}
}

/** The construct grants the use of a connection by its old name alone; what is made today is asked for by the new one. */
class ConnectionSourceAction extends CodeStarConnectionsSourceAction {
	readonly #connection: string;

	constructor(props: CodeStarConnectionsSourceActionProps) {
		super(props);
		this.#connection = props.connectionArn;
	}

	protected override bound(scope: Construct, stage: IStage, options: ActionBindOptions): ActionConfig {
		options.role.addToPrincipalPolicy(
			new PolicyStatement({ sid: "UseTheConnection", actions: ["codeconnections:UseConnection"], resources: [this.#connection] }),
		);
		return super.bound(scope, stage, options);
	}
}
