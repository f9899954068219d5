import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { AssetHashType, DockerImage, Duration, Stack } from "aws-cdk-lib";
import type { TableV2 } from "aws-cdk-lib/aws-dynamodb";
import { PolicyStatement, Role, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import { Architecture, Code, Function as LambdaFunction, LoggingFormat, Runtime } from "aws-cdk-lib/aws-lambda";
import type { Construct } from "constructs";
import { buildSync } from "esbuild";
import type { SavedQuery } from "../../observability/queries.ts";
import { bundleOptions } from "../../scripts/bundle-lambdas.ts";
import type { Stage, StageConfig } from "../config.ts";
import { logGroup, logGroupName } from "./log-groups.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** The functions there are, by their folder in lambdas/. What each may read and write stands in the api stack. */
export const functions = {
	shop: { what: "ShoppinAPI: what there is to order, and carts", seconds: 10, memory: 256 },
	upload: { what: "takes in JSON files as they are uploaded", seconds: 300, memory: 1024 },
	stream: { what: "counts and archives what happened in rooms", seconds: 60, memory: 512 },
} as const;
export type FunctionName = keyof typeof functions;

/** The names of the log groups a saved query asks. */
export const groupsOf = (stage: Stage, { groups }: SavedQuery): string[] =>
	groups.flatMap((group) =>
		group === "functions" ? Object.keys(functions).map((name) => logGroupName(stage, group, name)) : logGroupName(stage, group),
	);

/** The package's version: what is deployed here goes with the repository, not with the pipeline's artefact. */
const version = (JSON.parse(readFileSync(`${root}package.json`, "utf8")) as { version: string }).version;

/** A function of lambdas/, with a role and a log group of its own, and nothing it was not given. */
export function ownFunction(
	scope: Construct,
	name: FunctionName,
	config: StageConfig,
	environment: Record<string, string>,
): LambdaFunction {
	const { what, seconds, memory } = functions[name];
	const id = name[0]?.toUpperCase() + name.slice(1);
	const log = logGroup(scope, `${id}Log`, config, "functions", name);
	const role = new Role(scope, `${id}Role`, {
		assumedBy: new ServicePrincipal("lambda.amazonaws.com"),
		description: `Charla: what the function ${name} may do`,
	});
	role.addToPolicy(
		new PolicyStatement({ sid: "WriteItsLog", actions: ["logs:CreateLogStream", "logs:PutLogEvents"], resources: [log.logGroupArn] }),
	);
	return new LambdaFunction(scope, id, {
		functionName: `chat-${config.stage}-${name}`,
		description: `Charla: ${what}`,
		runtime: Runtime.NODEJS_24_X,
		architecture: Architecture.ARM_64,
		handler: "index.handler",
		code: bundled(scope, name),
		role,
		logGroup: log,
		// Lines are JSON already; Lambda's own format would put them into another.
		loggingFormat: LoggingFormat.TEXT,
		memorySize: memory,
		timeout: Duration.seconds(seconds),
		environment: { TELEMETRY_ENV: config.stage, SERVICE_VERSION: version, NODE_OPTIONS: "--enable-source-maps", ...environment },
	});
}

/** The bundle, made by esbuild on this machine. Left out where a synthesis asks for templates alone. */
function bundled(scope: Construct, name: FunctionName): Code {
	return Code.fromAsset(`${root}lambdas/${name}`, {
		...(Stack.of(scope).bundlingRequired ? { assetHashType: AssetHashType.OUTPUT } : {}),
		bundling: {
			// Never asked for: there is always a local answer.
			image: DockerImage.fromRegistry("none"),
			local: {
				tryBundle(folder) {
					buildSync(bundleOptions(name, join(folder, "index.mjs")));
					writeFileSync(join(folder, "package.json"), '{ "type": "module" }\n');
					return true;
				},
			},
		},
	});
}

/** What one function does with one table, said action by action. */
export function mayUse(fn: LambdaFunction, sid: string, table: TableV2, actions: string[], options: { indexes?: boolean } = {}): void {
	fn.addToRolePolicy(
		new PolicyStatement({
			sid,
			actions: actions.map((action) => `dynamodb:${action}`),
			resources: [table.tableArn, ...(options.indexes ? [`${table.tableArn}/index/*`] : [])],
		}),
	);
}
