import { RemovalPolicy } from "aws-cdk-lib";
import { DataIdentifier, DataProtectionPolicy, FieldIndexPolicy, LogGroup, LogGroupClass, RetentionDays } from "aws-cdk-lib/aws-logs";
import type { Construct } from "constructs";
import type { Stage, StageConfig } from "../config.ts";

type Purpose = {
	retention: RetentionDays;
	/** Infrequent access costs half, and can feed no alarm, no metric and no live tail. It cannot be changed later. */
	class: LogGroupClass;
	/** By these a question reads only what holds them, not everything. At most 20 a group. */
	indexes?: readonly string[];
	/** Cannot be deleted, not even by who may delete everything else. */
	kept?: boolean;
	what: string;
};
const standard = LogGroupClass.STANDARD;
const infrequent = LogGroupClass.INFREQUENT_ACCESS;

/** The log groups of a stage, `/chat/<stage>/<name>`: what goes where, and how long it stays. */
export const logGroups = {
	app: {
		retention: RetentionDays.ONE_MONTH,
		class: standard,
		indexes: ["trace_id", "request_id", "message_id", "room_id", "user_id", "event"],
		what: "what the server writes, and the metrics of each minute",
	},
	audit: {
		retention: RetentionDays.THIRTEEN_MONTHS,
		class: standard,
		indexes: ["user_id", "event", "trace_id"],
		kept: true,
		what: "who entered, who was refused, what operators did",
	},
	// Standard, though it feeds no alarm: field indexes are worth more here than the half price.
	access: {
		retention: RetentionDays.TWO_WEEKS,
		class: standard,
		indexes: ["trace_id", "request_id", "user_id", "event"],
		what: "one line for each request of a page or form",
	},
	system: { retention: RetentionDays.TWO_WEEKS, class: infrequent, what: "the instances' own log and their first boot" },
	deploy: {
		retention: RetentionDays.THREE_MONTHS,
		class: standard,
		indexes: ["deploymentId", "detail.deploymentId", "detail.state"],
		what: "CodeDeploy's agent, the hooks, and what happens in the pipeline",
	},
	build: { retention: RetentionDays.ONE_MONTH, class: standard, what: "CodeBuild" },
	network: { retention: RetentionDays.ONE_WEEK, class: infrequent, what: "connections the network refused" },
	api: {
		retention: RetentionDays.ONE_MONTH,
		class: standard,
		indexes: ["requestId", "resourcePath", "status"],
		what: "one line for each request of ShoppinAPI",
	},
	functions: {
		retention: RetentionDays.ONE_MONTH,
		class: standard,
		indexes: ["trace_id", "request_id", "message_id", "event"],
		what: "what functions write",
	},
	cache: { retention: RetentionDays.ONE_WEEK, class: standard, what: "Valkey's slow log" },
} as const satisfies Record<string, Purpose>;
export type LogGroupName = keyof typeof logGroups;

/** The name of a log group; `of` is what it belongs to where there are several, such as a function. */
export const logGroupName = (stage: Stage, name: LogGroupName, of?: string): string => `/chat/${stage}/${name}${of ? `/${of}` : ""}`;

/** Makes a log group. Only what has to be kept (audit) outlives its stack, and only where a stage protects what it has. */
export function logGroup(
	scope: Construct,
	id: string,
	config: Pick<StageConfig, "stage" | "protect">,
	name: LogGroupName,
	of?: string,
): LogGroup {
	const purpose: Purpose = logGroups[name];
	const isKept = config.protect && purpose.kept === true;
	const isPersonal = name === "app" || name === "audit" || name === "access";
	return new LogGroup(scope, id, {
		logGroupName: logGroupName(config.stage, name, of),
		retention: purpose.retention,
		logGroupClass: purpose.class,
		removalPolicy: isKept ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
		deletionProtectionEnabled: isKept || undefined,
		fieldIndexPolicies: purpose.indexes ? [new FieldIndexPolicy({ fields: [...purpose.indexes] })] : undefined,
		// A second net: no line should hold any of these, and a test looks for them in everything that leaves.
		dataProtectionPolicy: isPersonal
			? new DataProtectionPolicy({
					name: "masked",
					description: "Masks what no line should hold",
					identifiers: [DataIdentifier.EMAILADDRESS, DataIdentifier.AWSSECRETKEY],
				})
			: undefined,
	});
}
