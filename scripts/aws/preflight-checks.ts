import { CloudControlClient, paginateListResources } from "@aws-sdk/client-cloudcontrol";
import { IAMClient, SimulatePrincipalPolicyCommand } from "@aws-sdk/client-iam";
import { GetServiceQuotaCommand, ServiceQuotasClient } from "@aws-sdk/client-service-quotas";
import { GetParameterCommand, SSMClient } from "@aws-sdk/client-ssm";
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { noRepository, type StageConfig } from "../../infra/config.ts";
import { deployedBy } from "./permissions.ts";
import { type Quota, quotas } from "./quotas.ts";

export type Check = {
	what: string;
	/** unknown: AWS did not let us look. It stops nobody, and says what to look at. */
	state: "ready" | "missing" | "unknown";
	/** What to do when it is not ready. */
	how?: string;
};
export type Clients = { sts: STSClient; iam: IAMClient; quotas: ServiceQuotasClient; ssm: SSMClient; control: CloudControlClient };

/** The CDK's own stack in the account has to be at least this new for templates of this CDK. */
const bootstrapVersion = 6;

/** AWS as this machine's settings reach it. */
export function awsClients(config: StageConfig): Clients {
	const common = { region: config.region ?? "us-east-1", maxAttempts: 3 };
	return {
		sts: new STSClient(common),
		iam: new IAMClient(common),
		quotas: new ServiceQuotasClient(common),
		ssm: new SSMClient(common),
		control: new CloudControlClient(common),
	};
}

/** Everything that has to be so before a stage can be deployed, each looked at by itself: one that fails hides no other. */
export async function preflight(config: StageConfig, clients: Clients): Promise<Check[]> {
	const checks: Check[] = [];
	const add = (what: string, isReady: boolean, how: string) =>
		checks.push({ what, state: isReady ? "ready" : "missing", how: isReady ? undefined : how });
	add(
		`a region${config.region ? `: ${config.region}` : ""}`,
		config.region !== null,
		"Set AWS_REGION or CHAT_REGION. Example: export CHAT_REGION=eu-west-1",
	);
	if (config.source.kind === "connection")
		add(
			"a repository to deploy from",
			config.source.repository !== noRepository,
			"Set CHAT_REPOSITORY, or deploy from a bucket. Example: export CHAT_REPOSITORY=my-team/charla, or CHAT_SOURCE=s3",
		);

	let caller: { account: string; arn: string };
	try {
		const { Account = "", Arn = "" } = await clients.sts.send(new GetCallerIdentityCommand({}));
		caller = { account: Account, arn: Arn };
		add(`credentials: ${Arn}`, true, "");
	} catch (error) {
		// Nothing else can be asked without them.
		add(
			"credentials",
			false,
			`Sign in, such as by aws sso login or aws configure, and try aws sts get-caller-identity (${(error as Error).name}).`,
		);
		return checks;
	}
	if (config.account !== null)
		add(
			`the account ${config.account}`,
			caller.account === config.account,
			`CHAT_ACCOUNT is ${config.account}, and you are in ${caller.account}.`,
		);

	const looks = [
		bootstrap(clients, config, caller.account),
		permissions(clients, caller, config.region ?? "us-east-1"),
		...quotas(config).map((quota) => room(clients, quota)),
	];
	for (const found of await Promise.all(looks)) checks.push(...found);
	return checks;
}

async function bootstrap({ ssm }: Clients, config: StageConfig, account: string): Promise<Check[]> {
	const what = `the CDK's own stack, version ${bootstrapVersion} or newer`;
	const how = `npx cdk bootstrap aws://${account}/${config.region ?? "<region>"}`;
	try {
		const { Parameter } = await ssm.send(new GetParameterCommand({ Name: "/cdk-bootstrap/hnb659fds/version" }));
		const version = Number(Parameter?.Value ?? 0);
		return [version >= bootstrapVersion ? { what, state: "ready" } : { what: `${what} (it is ${version})`, state: "missing", how }];
	} catch (error) {
		if ((error as Error).name === "ParameterNotFound") return [{ what, state: "missing", how }];
		return [
			{ what, state: "unknown", how: `May not be read (${(error as Error).name}: ssm:GetParameter). If a deployment says so too: ${how}` },
		];
	}
}

/** Asks IAM what whoever deploys may do. CloudFormation itself works with the role the CDK's stack made, which may do everything. */
async function permissions({ iam }: Clients, caller: { account: string; arn: string }, region: string): Promise<Check[]> {
	const principal = principalOf(caller);
	if (principal === null) return [{ what: "permissions: the account's root user may do everything", state: "ready" }];
	const missing: string[] = [];
	try {
		for (const { actions, resource } of deployedBy(caller.account, region)) {
			const { EvaluationResults = [] } = await iam.send(
				new SimulatePrincipalPolicyCommand({ PolicySourceArn: principal, ActionNames: actions, ResourceArns: [resource] }),
			);
			for (const { EvalActionName, EvalDecision } of EvaluationResults)
				if (EvalDecision !== "allowed") missing.push(`${EvalActionName} on ${resource}`);
		}
	} catch (error) {
		const how = `May not be asked (${(error as Error).name}: iam:SimulatePrincipalPolicy). Whoever deploys needs: ${deployedBy(
			caller.account,
			region,
		)
			.map(({ actions, resource }) => `${actions.join(", ")} on ${resource}`)
			.join("; ")}`;
		return [{ what: `permissions of ${principal}`, state: "unknown", how }];
	}
	if (missing.length === 0) return [{ what: `permissions of ${principal}`, state: "ready" }];
	return missing.map((permission) => ({
		what: `permission ${permission}`,
		state: "missing",
		how: `Ask whoever runs the account to allow it to ${principal}.`,
	}));
}

/** The user or role behind a caller: a session of a role is asked about by its role. null: root. */
export function principalOf({ account, arn }: { account: string; arn: string }): string | null {
	if (arn.endsWith(":root")) return null;
	const role = /:assumed-role\/([^/]+)\//.exec(arn)?.[1];
	if (!role) return arn;
	// Sessions do not tell the path of their role; those of single sign-on always lie under this one.
	return `arn:aws:iam::${account}:role/${role.startsWith("AWSReservedSSO_") ? "aws-reserved/sso.amazonaws.com/" : ""}${role}`;
}

async function room(clients: Clients, quota: Quota): Promise<Check[]> {
	const { name, service, code, needs, counts } = quota;
	const link = `https://console.aws.amazon.com/servicequotas/home/services/${service}/quotas/${code}`;
	try {
		const { Quota: found } = await clients.quotas.send(new GetServiceQuotaCommand({ ServiceCode: service, QuotaCode: code }));
		const limit = found?.Value ?? 0;
		let used = 0;
		if (counts)
			for await (const page of paginateListResources({ client: clients.control }, { TypeName: counts }))
				used += page.ResourceDescriptions?.length ?? 0;
		const what = `quota ${name}: ${limit}, ${counts ? `${used} used, ` : ""}${needs} needed`;
		// A second deployment of the same stage has its part already: then what is used counts what is needed.
		return [
			limit - used >= needs
				? { what, state: "ready" }
				: { what, state: counts && limit >= used ? soft(quota, used) : "missing", how: `Ask for more: ${link}` },
		];
	} catch (error) {
		return [
			{ what: `quota ${name}: ${needs} needed`, state: "unknown", how: `May not be read (${(error as Error).name}). Look at ${link}` },
		];
	}
}

/** What is in use may be this very stage. */
const soft = ({ needs }: Quota, used: number): Check["state"] => (used >= needs ? "unknown" : "missing");

/** What people read: a line each, with what to do below it. */
export function report(checks: readonly Check[]): string[] {
	const sign = { ready: "ready   ", missing: "MISSING ", unknown: "unknown " } as const;
	const lines = checks.flatMap(({ what, state, how }) => [`${sign[state]} ${what}`, ...(how ? [`          ${how}`] : [])]);
	const missing = checks.filter(({ state }) => state === "missing").length;
	return [...lines, "", missing === 0 ? "Ready to deploy." : `${missing} thing${missing === 1 ? " is" : "s are"} missing.`];
}
