import type { StageConfig } from "../../infra/config.ts";

/** `counts`: the type of resource that uses it up, where AWS can be asked for those there are. */
export type Quota = { name: string; service: string; code: string; needs: number; counts?: string };

/** Two vCPUs each: t3, t3a, and most `large` ones. */
const vcpus = (type: string): number => {
	const size = type.split(".")[1] ?? "";
	const times = /^(\d*)xlarge$/.exec(size);
	return times ? 4 * Number(times[1] || 1) : 2;
};

/** The limits of a new account that a stage of this size can run into. */
export function quotas(config: StageConfig): Quota[] {
	const { instances } = config;
	return [
		// One more than the fleet has: a replacement comes before what it replaces goes.
		{ name: "vCPUs of standard instances", service: "ec2", code: "L-1216C47A", needs: (instances.max + 1) * vcpus(instances.type) },
		{ name: "VPCs in a region", service: "vpc", code: "L-F678F1CE", needs: 1, counts: "AWS::EC2::VPC" },
		...(instances.natGateways > 0
			? [{ name: "Elastic IP addresses", service: "ec2", code: "L-0263D0A3", needs: instances.natGateways, counts: "AWS::EC2::EIP" }]
			: []),
		{
			name: "load balancers",
			service: "elasticloadbalancing",
			code: "L-53DA6B97",
			needs: 1,
			counts: "AWS::ElasticLoadBalancingV2::LoadBalancer",
		},
		{ name: "database instances", service: "rds", code: "L-7B6409FD", needs: 1, counts: "AWS::RDS::DBInstance" },
		{ name: "shards of a region's streams", service: "kinesis", code: "L-8A3BBC4D", needs: config.streamShards ?? 4 },
		// New accounts sometimes have ten.
		{ name: "functions that run at once", service: "lambda", code: "L-B99A9384", needs: 20 },
	];
}
