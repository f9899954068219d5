import {
	FlowLogDestination,
	FlowLogTrafficType,
	GatewayVpcEndpointAwsService,
	IpAddresses,
	Peer,
	Port,
	SecurityGroup,
	type SubnetSelection,
	SubnetType,
	Vpc,
} from "aws-cdk-lib/aws-ec2";
import type { Construct } from "constructs";
import type { StageConfig } from "../config.ts";
import { logGroup } from "../constructs/log-groups.ts";
import { ports } from "../constructs/ports.ts";
import { ChatStack } from "./chat-stack.ts";

/** The network over two zones, and who may talk to whom: every rule between parts stands here. */
export class NetworkStack extends ChatStack {
	readonly vpc: Vpc;
	readonly balancer: SecurityGroup;
	readonly instances: SecurityGroup;
	readonly database: SecurityGroup;
	readonly cache: SecurityGroup;
	readonly instanceSubnets: SubnetSelection;
	readonly balancerSubnets: SubnetSelection;
	readonly dataSubnets: SubnetSelection = { subnetGroupName: "inside" };

	constructor(scope: Construct, config: StageConfig) {
		super(scope, "network", config, { description: "Charla: network over two zones, and who may talk to whom" });
		const { natGateways } = config.instances;

		this.vpc = new Vpc(this, "Vpc", {
			maxAzs: 2,
			natGateways,
			ipAddresses: IpAddresses.cidr("10.20.0.0/16"),
			subnetConfiguration: [
				{ name: "public", subnetType: SubnetType.PUBLIC, cidrMask: 24, mapPublicIpOnLaunch: natGateways === 0 },
				...(natGateways > 0 ? [{ name: "instances", subnetType: SubnetType.PRIVATE_WITH_EGRESS, cidrMask: 22 }] : []),
				{ name: "inside", subnetType: SubnetType.PRIVATE_ISOLATED, cidrMask: 24 },
			],
			gatewayEndpoints: {
				S3: { service: GatewayVpcEndpointAwsService.S3 },
				DynamoDB: { service: GatewayVpcEndpointAwsService.DYNAMODB },
			},
			// Would need a function of its own; nothing here uses the default group.
			restrictDefaultSecurityGroup: false,
			flowLogs: {
				Rejected: {
					trafficType: FlowLogTrafficType.REJECT,
					destination: FlowLogDestination.toCloudWatchLogs(logGroup(this, "FlowLog", config, "network")),
				},
			},
		});
		// Without a NAT gateway instances have public addresses, and no rule that lets anybody in but the load balancer.
		this.instanceSubnets = { subnetGroupName: natGateways > 0 ? "instances" : "public" };
		this.balancerSubnets = { subnetGroupName: config.exposure === "public" ? "public" : natGateways > 0 ? "instances" : "inside" };

		const group = (id: string, description: string) =>
			new SecurityGroup(this, id, { vpc: this.vpc, description, allowAllOutbound: false, disableInlineRules: true });
		this.balancer = group("Balancer", "Charla: load balancer");
		this.instances = group("Instances", "Charla: instances");
		this.database = group("Database", "Charla: PostgreSQL");
		this.cache = group("Cache", "Charla: Valkey");

		const front = Port.tcp(config.domain ? ports.https : ports.http);
		if (config.exposure === "vpc-origin") {
			// CloudFront reaches in by network interfaces of its own within the VPC.
			this.balancer.addIngressRule(Peer.ipv4(this.vpc.vpcCidrBlock), front, "CloudFront, through its VPC origin");
		} else {
			const from = config.cloudFrontPrefixList ? Peer.prefixList(config.cloudFrontPrefixList) : Peer.anyIpv4();
			this.balancer.addIngressRule(from, front, "CloudFront; whoever lacks its secret is refused by the listener");
		}
		const allow = (from: SecurityGroup, to: SecurityGroup, port: number, what: string) => {
			to.addIngressRule(from, Port.tcp(port), what);
			from.addEgressRule(to, Port.tcp(port), what);
		};
		allow(this.balancer, this.instances, ports.chat, "pages and sockets");
		allow(this.instances, this.database, ports.postgres, "PostgreSQL");
		allow(this.instances, this.cache, ports.valkey, "Valkey");
		// AWS's interfaces, New Relic, the source of facts, and the packages of the first boot.
		this.instances.addEgressRule(Peer.anyIpv4(), Port.tcp(ports.https), "AWS and whoever answers by https");
	}
}
