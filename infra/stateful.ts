import { readFileSync, writeFileSync } from "node:fs";
import { fullDiff, ResourceImpact } from "@aws-cdk/cloudformation-diff";
import type { Stage } from "./config.ts";

/** What holds something nobody can make again, or what everything else holds on to. */
const statefulTypes = new Set([
	"AWS::RDS::DBInstance",
	"AWS::DynamoDB::GlobalTable",
	"AWS::S3::Bucket",
	"AWS::Kinesis::Stream",
	"AWS::SQS::Queue",
	"AWS::SecretsManager::Secret",
	"AWS::Logs::LogGroup",
	"AWS::EC2::VPC",
	"AWS::EC2::Subnet",
	"AWS::AutoScaling::AutoScalingGroup",
	"AWS::CloudFront::Distribution",
	"AWS::SNS::Topic",
	// Their addresses and names are known elsewhere, or a person had to say yes to them.
	"AWS::ApiGateway::RestApi",
	"AWS::CodeConnections::Connection",
	"AWS::ElastiCache::ReplicationGroup",
	"AWS::ElasticLoadBalancingV2::LoadBalancer",
]);
type Resources = Record<string, { Type: string }>;
export type Baseline = Record<string, { Resources: Resources }>;

const file = (stage: Stage) => new URL(`baseline/${stage}.json`, import.meta.url);

/** The part of a stage's templates that must not be replaced by a slip. */
export function statefulOf(templates: Record<string, { Resources: Resources }>): Baseline {
	return Object.fromEntries(
		Object.entries(templates).flatMap(([part, { Resources }]) => {
			const kept = Object.entries(Resources).filter(([, { Type }]) => statefulTypes.has(Type));
			return kept.length > 0 ? [[part, { Resources: Object.fromEntries(kept) }]] : [];
		}),
	);
}

/** What was accepted last. */
export const readBaseline = (stage: Stage): Baseline => JSON.parse(readFileSync(file(stage), "utf8")) as Baseline;

/** Accepts a stage as it is now: `npm run synth -- --accept`. */
export function writeBaseline(stage: Stage, templates: Record<string, { Resources: Resources }>): void {
	writeFileSync(file(stage), `${JSON.stringify(statefulOf(templates), null, "\t")}\n`);
}

const losing = new Set([ResourceImpact.WILL_REPLACE, ResourceImpact.MAY_REPLACE, ResourceImpact.WILL_DESTROY, ResourceImpact.WILL_ORPHAN]);

/** What of the accepted would be replaced, deleted or left behind by a deployment of what there is now; a line each. */
export function losses(accepted: Baseline, now: Baseline): string[] {
	const empty = { Resources: {} };
	return Object.keys(accepted).flatMap((part) => {
		const lines: string[] = [];
		fullDiff(accepted[part] ?? empty, now[part] ?? empty).resources.forEachDifference(
			(id, { changeImpact, resourceType, propertyUpdates }) => {
				if (!losing.has(changeImpact)) return;
				const because = Object.entries(propertyUpdates).flatMap(([name, update]) =>
					losing.has(update.changeImpact as never) ? [name] : [],
				);
				lines.push(`${part}/${id} (${resourceType}): ${changeImpact}${because.length > 0 ? ` because of ${because.join(", ")}` : ""}`);
			},
		);
		return lines;
	});
}
