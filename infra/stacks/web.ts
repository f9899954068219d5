import { readFileSync } from "node:fs";
import { Duration } from "aws-cdk-lib";
import {
	AdditionalHealthCheckType,
	AutoScalingGroup,
	BlockDeviceVolume,
	EbsDeviceVolumeType,
	GroupMetrics,
	HealthChecks,
	InstanceRefreshStrategy,
	UpdatePolicy,
} from "aws-cdk-lib/aws-autoscaling";
import { InstanceType, LaunchTemplate, MachineImage, UserData } from "aws-cdk-lib/aws-ec2";
import {
	ApplicationListener,
	ApplicationLoadBalancer,
	ApplicationProtocol,
	ApplicationTargetGroup,
	ListenerAction,
	ListenerCertificate,
	ListenerCondition,
	SslPolicy,
	TargetType,
} from "aws-cdk-lib/aws-elasticloadbalancingv2";
import type { Role } from "aws-cdk-lib/aws-iam";
import { StringParameter } from "aws-cdk-lib/aws-ssm";
import type { Construct } from "constructs";
import type { StageConfig } from "../config.ts";
import { agentConfig } from "../constructs/agent-config.ts";
import { CpuScaling, warmUp } from "../constructs/cpu-scaling.ts";
import { envPath, instanceEnvironment, putVariable } from "../constructs/instance-environment.ts";
import { instanceRole } from "../constructs/instance-role.ts";
import { ports } from "../constructs/ports.ts";
import { ChatStack } from "./chat-stack.ts";
import type { DataStack } from "./data.ts";
import type { NetworkStack } from "./network.ts";

/** What CloudFront shows the load balancer, so that nobody can go around it. */
export const originHeader = "x-chat-origin";
/** Amazon Linux 2023, whichever is newest when an instance starts: looked up then, not at a deployment, which would replace all. */
const image = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64";

/** The fleet and what stands in front of it. */
export class WebStack extends ChatStack {
	readonly balancer: ApplicationLoadBalancer;
	readonly targets: ApplicationTargetGroup;
	readonly fleet: AutoScalingGroup;
	readonly scaling: CpuScaling;
	readonly role: Role;

	constructor(scope: Construct, config: StageConfig, network: NetworkStack, data: DataStack) {
		super(scope, "web", config, { description: "Charla: auto-scaling group and load balancer" });
		const { stage, domain, instances } = config;
		const { vpc } = network;

		for (const [name, value] of Object.entries(instanceEnvironment(config, data))) putVariable(this, config, name, value);
		const agent = new StringParameter(this, "AgentConfiguration", {
			// The prefix is what AWS's own policies for the agent ask for.
			parameterName: `AmazonCloudWatch-chat-${stage}`,
			description: "Charla: what the CloudWatch agent follows",
			stringValue: JSON.stringify(agentConfig(stage)),
		});
		const agentParameter = `AmazonCloudWatch-chat-${stage}`;
		this.role = instanceRole(this, "InstanceRole", { config, data, envPath: envPath(config), agentParameter });

		const userData = UserData.forLinux({ shebang: "#!/bin/bash" });
		userData.addCommands(
			`export CHAT_STAGE=${stage} CHAT_ENV_PATH=${envPath(config)} CHAT_AGENT_CONFIG=${agentParameter} AWS_REGION=${this.region}`,
			readFileSync(new URL("../user-data.sh", import.meta.url), "utf8").trim(),
		);
		const launchTemplate = new LaunchTemplate(this, "LaunchTemplate", {
			machineImage: MachineImage.resolveSsmParameterAtLaunch(image),
			instanceType: new InstanceType(instances.type),
			securityGroup: network.instances,
			role: this.role,
			userData,
			requireImdsv2: true,
			// One hop: what runs in a container of an instance, or is tricked into asking, gets no credentials.
			httpPutResponseHopLimit: 1,
			instanceMetadataTags: false,
			detailedMonitoring: true,
			blockDevices: [
				{
					deviceName: "/dev/xvda",
					// The system, five releases of some 200 MB, and logs that wait.
					volume: BlockDeviceVolume.ebs(20, { volumeType: EbsDeviceVolumeType.GP3, encrypted: true, deleteOnTermination: true }),
				},
			],
		});

		this.fleet = new AutoScalingGroup(this, "Fleet", {
			vpc,
			vpcSubnets: network.instanceSubnets,
			launchTemplate,
			minCapacity: instances.min,
			// No desired capacity: it would put a grown fleet back to it at every deployment.
			maxCapacity: instances.max,
			healthChecks: HealthChecks.withAdditionalChecks({
				additionalTypes: [AdditionalHealthCheckType.ELB],
				// The first boot installs packages, and then the deployment comes.
				gracePeriod: Duration.minutes(10),
			}),
			defaultInstanceWarmup: warmUp,
			groupMetrics: [GroupMetrics.all()],
			// Brings every instance to the newest image by itself.
			maxInstanceLifetime: Duration.days(30),
			updatePolicy: UpdatePolicy.instanceRefresh({
				strategy: InstanceRefreshStrategy.ROLLING,
				// Never fewer than there are: the new one comes before the old one goes.
				minHealthyPercentage: 100,
				maxHealthyPercentage: 150,
				instanceWarmup: warmUp,
			}),
		});
		this.scaling = new CpuScaling(this, "Scaling", this.fleet, stage);
		this.fleet.node.addDependency(agent);

		this.targets = new ApplicationTargetGroup(this, "Targets", {
			vpc,
			targetType: TargetType.INSTANCE,
			protocol: ApplicationProtocol.HTTP,
			port: ports.chat,
			targets: [this.fleet],
			// Not /readyz: that also asks the database, and a database that is away would have every instance replaced.
			healthCheck: {
				path: "/healthz",
				healthyHttpCodes: "200",
				// As often as can be: until they have failed, every other newcomer is sent to an instance that is gone. Three and not two: what
				// fails is also replaced, and a server that crashed is back after some seven seconds by itself.
				interval: Duration.seconds(5),
				timeout: Duration.seconds(4),
				healthyThresholdCount: 2,
				unhealthyThresholdCount: 3,
			},
			// Long-polling needs one and the same instance, and only who polls has this cookie (app/realtime). The load balancer's own would
			// keep everybody, and send whoever was on an instance that died to it again and again.
			stickinessCookieName: "charla-polls",
			stickinessCookieDuration: Duration.days(1),
			// As long as a stop takes: sockets are asked to move within drainSeconds, and the rest is for what was accepted.
			deregistrationDelay: Duration.seconds(60),
			// No slow start: while a new instance gets little, one that died gets the rest. Too many at once are told to wait by the server.
		});

		this.balancer = new ApplicationLoadBalancer(this, "Balancer", {
			vpc,
			internetFacing: config.exposure === "public",
			vpcSubnets: network.balancerSubnets,
			securityGroup: network.balancer,
			// Longer than the sockets' ping (20 s) and CloudFront's patience (60 s), and shorter than the server keeps a silent connection (75 s,
			// server.ts): the load balancer, which sends into it, has to be the one who closes it, or some requests end in a 502.
			idleTimeout: Duration.seconds(70),
			dropInvalidHeaderFields: true,
			deletionProtection: config.protect,
		});
		// Where the region is not known, neither is the account AWS writes these logs from.
		if (config.region) this.balancer.logAccessLogs(data.accessLogs, "balancer");
		const listener = new ApplicationListener(this, "Listener", {
			loadBalancer: this.balancer,
			// Which addresses may come is said in the network stack.
			open: false,
			...(domain
				? {
						protocol: ApplicationProtocol.HTTPS,
						port: ports.https,
						certificates: [ListenerCertificate.fromArn(domain.originCertificateArn)],
						sslPolicy: SslPolicy.RECOMMENDED_TLS,
					}
				: { protocol: ApplicationProtocol.HTTP, port: ports.http }),
			defaultAction: ListenerAction.fixedResponse(403, { contentType: "text/plain", messageBody: "Come in by the front door." }),
		});
		listener.addAction("FromCloudFront", {
			priority: 10,
			conditions: [ListenerCondition.httpHeader(originHeader, [data.originSecret.secretValue.unsafeUnwrap()])],
			action: ListenerAction.forward([this.targets]),
		});
	}
}
