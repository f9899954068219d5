import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readStage } from "./config.ts";
import { buildFootprint, type Footprint, type Part, parts } from "./footprint.ts";

export type Resource = {
	Type: string;
	Properties?: Record<string, unknown>;
	DeletionPolicy?: string;
	UpdateReplacePolicy?: string;
	UpdatePolicy?: Record<string, unknown>;
};
export type Template = { Resources: Record<string, Resource>; Outputs?: Record<string, { Value: unknown; Export?: { Name: string } }> };
export type Synthesized = { footprint: Footprint; templates: Record<Part, Template>; all: [part: Part, id: string, resource: Resource][] };

const certificate = "certificate/0a1b";
/** The stages tests look at: both as they are, and one with everything that can be chosen. */
export const variants = {
	prod: { CHAT_STAGE: "prod" },
	dev: { CHAT_STAGE: "dev", CHAT_SOURCE: "s3" },
	everything: {
		CHAT_STAGE: "prod",
		CHAT_REGION: "us-east-1",
		CHAT_ACCOUNT: "123456789012",
		CHAT_DOMAIN: "chat.example.org",
		CHAT_CERTIFICATE_ARN: `arn:aws:acm:us-east-1:123456789012:${certificate}`,
		CHAT_ORIGIN_CERTIFICATE_ARN: `arn:aws:acm:us-east-1:123456789012:${certificate}`,
		CHAT_HOSTED_ZONE_ID: "Z0123456789ABC",
		CHAT_EXPOSURE: "public",
		CHAT_WAF: "managed",
		CHAT_SOURCE: "codecommit",
		CHAT_REPOSITORY: "charla",
		CHAT_ALARM_EMAIL: "on-call@example.org",
		CHAT_NEW_RELIC_SECRET_ARN: "arn:aws:secretsmanager:us-east-1:123456789012:secret:chat/new-relic-a1B2c3",
	},
} as const;

const made = new Map<string, Synthesized>();

/** A variant's templates, synthesized once for each test file, without the functions' bundles. Throws where cdk-nag finds something. */
export function synthesized(name: keyof typeof variants): Synthesized {
	const known = made.get(name);
	if (known) return known;
	const outdir = mkdtempSync(join(tmpdir(), "charla-infra-"));
	try {
		const footprint = buildFootprint(readStage(variants[name]), { outdir, bundle: false });
		const assembly = footprint.app.synth();
		const templates = Object.fromEntries(
			parts.map((part) => [part, assembly.getStackByName(footprint[part].stackName).template as Template]),
		) as Record<Part, Template>;
		const all = parts.flatMap((part) =>
			Object.entries(templates[part].Resources).map(([id, resource]): [Part, string, Resource] => [part, id, resource]),
		);
		const result = { footprint, templates, all };
		made.set(name, result);
		return result;
	} finally {
		rmSync(outdir, { recursive: true, force: true });
	}
}

/** The resources of one type, by their logical id. */
export function ofType(template: Template, type: string): [id: string, resource: Resource & { Properties: Record<string, unknown> }][] {
	return Object.entries(template.Resources).flatMap(([id, resource]) =>
		resource.Type === type ? [[id, { ...resource, Properties: resource.Properties ?? {} }] as const] : [],
	) as never;
}

/** The one resource of a type. */
export function only(template: Template, type: string) {
	const found = ofType(template, type);
	if (found.length !== 1) throw new Error(`${found.length} of ${type}, not one`);
	return (found[0] as (typeof found)[0])[1];
}

const account = "123456789012";
const region = "eu-west-1";

/**
 * What a value of a template comes to, with made-up addresses in place of what AWS will give: an ARN by the resource's type and logical
 * id, a value of another stack by looking it up there.
 */
export function settle(templates: Record<Part, Template>, part: Part, value: unknown): unknown {
	const go = (inner: unknown) => settle(templates, part, inner);
	if (Array.isArray(value)) return value.map(go);
	if (typeof value !== "object" || value === null) return value;
	const [[key, argument] = ["", null]] = Object.entries(value);
	if (Object.keys(value).length === 1) {
		if (key === "Ref") return ref(argument as string);
		if (key === "Fn::GetAtt") return attribute(argument as [string, string]);
		if (key === "Fn::Join") {
			const [between, pieces] = argument as [string, unknown[]];
			return pieces.map((piece) => String(go(piece))).join(between);
		}
		if (key === "Fn::Sub") return String(argument).replace(/\$\{(AWS::\w+)\}/g, (_all, name: string) => ref(name));
		if (key === "Fn::GetStackOutput") {
			const { StackName, OutputName } = argument as { StackName: string; OutputName: string };
			const other = StackName.replace(/^chat-[a-z]+-/, "") as Part;
			return settle(templates, other, templates[other].Outputs?.[OutputName]?.Value);
		}
		if (key === "Fn::ImportValue") {
			for (const other of parts)
				for (const { Value, Export } of Object.values(templates[other].Outputs ?? {}))
					if (Export?.Name === argument) return settle(templates, other, Value);
			throw new Error(`nobody exports ${argument}`);
		}
	}
	return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, go(inner)]));

	function ref(name: string): string {
		const pseudo: Record<string, string> = {
			"AWS::Region": region,
			"AWS::AccountId": account,
			"AWS::Partition": "aws",
			"AWS::URLSuffix": "amazonaws.com",
		};
		if (name in pseudo) return pseudo[name] as string;
		const resource = templates[part].Resources[name];
		const { BucketName, LogGroupName, DeploymentGroupName, ApplicationName } = resource?.Properties ?? {};
		const named = BucketName ?? LogGroupName ?? DeploymentGroupName ?? ApplicationName;
		if (named) return String(go(named));
		// A secret, a topic and a policy are referred to by their ARN, everything else by its name.
		return resource && ["AWS::SecretsManager::Secret", "AWS::SNS::Topic"].includes(resource.Type) ? arn(name) : name.toLowerCase();
	}
	function attribute([id, name]: [string, string]): string {
		return /arn$/i.test(name) ? arn(id) : `${id}.${name}`.toLowerCase();
	}
	function arn(id: string): string {
		const type = templates[part].Resources[id]?.Type ?? "";
		const shapes: Record<string, string> = {
			"AWS::S3::Bucket": `arn:aws:s3:::${templates[part].Resources[id]?.Properties?.BucketName ? ref(id) : id.toLowerCase()}`,
			"AWS::DynamoDB::GlobalTable": `arn:aws:dynamodb:${region}:${account}:table/${id}`,
			"AWS::Kinesis::Stream": `arn:aws:kinesis:${region}:${account}:stream/${id}`,
			"AWS::SQS::Queue": `arn:aws:sqs:${region}:${account}:${id}`,
			"AWS::Logs::LogGroup": `arn:aws:logs:${region}:${account}:log-group:${String(go(templates[part].Resources[id]?.Properties?.LogGroupName))}:*`,
			"AWS::SNS::Topic": `arn:aws:sns:${region}:${account}:${id}`,
			"AWS::SecretsManager::Secret": `arn:aws:secretsmanager:${region}:${account}:secret:${id}-a1B2c3`,
			"AWS::Lambda::Function": `arn:aws:lambda:${region}:${account}:function:${String(templates[part].Resources[id]?.Properties?.FunctionName)}`,
			"AWS::IAM::Role": `arn:aws:iam::${account}:role/${id}`,
			"AWS::CodeConnections::Connection": `arn:aws:codeconnections:${region}:${account}:connection/${id}`,
			"AWS::CodeBuild::Project": `arn:aws:codebuild:${region}:${account}:project/${String(templates[part].Resources[id]?.Properties?.Name)}`,
		};
		return shapes[type] ?? `arn:aws:other:${region}:${account}:${id}`;
	}
}

/** The roles of every stack, by "part/what it begins with", with their policies settled. */
export function rolesOf({ templates }: Synthesized): Map<string, { statements: Record<string, unknown>[]; managed: string[] }> {
	const roles = new Map<string, { statements: Record<string, unknown>[]; managed: string[] }>();
	for (const part of parts) {
		for (const [id, role] of ofType(templates[part], "AWS::IAM::Role")) {
			const inline = (role.Properties.Policies ?? []) as { PolicyDocument: { Statement: unknown[] } }[];
			roles.set(`${part}/${id}`, {
				statements: inline.flatMap(({ PolicyDocument }) => settle(templates, part, PolicyDocument.Statement) as Record<string, unknown>[]),
				managed: ((role.Properties.ManagedPolicyArns ?? []) as unknown[]).map((each) => String(settle(templates, part, each))),
			});
		}
	}
	// A policy stands in the stack that granted it, which need not be the role's.
	for (const part of parts)
		for (const [, policy] of [...ofType(templates[part], "AWS::IAM::Policy"), ...ofType(templates[part], "AWS::IAM::ManagedPolicy")]) {
			const statements = settle(templates, part, (policy.Properties.PolicyDocument as { Statement: unknown[] }).Statement);
			for (const to of (policy.Properties.Roles ?? []) as unknown[]) {
				const id =
					typeof to === "object" && to !== null && "Ref" in to
						? `${part}/${to.Ref}`
						: [...roles.keys()].find((key) => key.split("/")[1]?.toLowerCase() === settle(templates, part, to));
				roles.get(id ?? "")?.statements.push(...(statements as Record<string, unknown>[]));
			}
		}
	return roles;
}
