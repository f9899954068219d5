import assert from "node:assert/strict";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { after, before, describe, test } from "node:test";
import { CloudControlClient } from "@aws-sdk/client-cloudcontrol";
import { IAMClient } from "@aws-sdk/client-iam";
import { ServiceQuotasClient } from "@aws-sdk/client-service-quotas";
import { SSMClient } from "@aws-sdk/client-ssm";
import { STSClient } from "@aws-sdk/client-sts";
import { StageError } from "../../infra/config.ts";
import { cdkOut } from "./cdk.ts";
import { deploy } from "./deploy.ts";
import { destroy } from "./destroy.ts";
import { nextSteps, type Outputs } from "./next-steps.ts";
import { type Clients, preflight, principalOf, report } from "./preflight-checks.ts";
import { quotas } from "./quotas.ts";
import { ask } from "./stage.ts";

/** What the account of a test is like; AWS's own wire formats, answered by a server of this machine. */
type Account = {
	arn: string | null;
	bootstrap: string | null;
	denied: string[];
	/** null: asking is forbidden. */
	quota: Record<string, number> | null;
	used: Record<string, number>;
};
const good: Account = {
	arn: "arn:aws:sts::123456789012:assumed-role/AWSReservedSSO_Admin_0a1b/ana",
	bootstrap: "30",
	denied: [],
	quota: {},
	used: {},
};

let server: Server;
let account: Account;
let asked: string[];
let clients: Clients;

before(async () => {
	server = createServer((request, response) => {
		const chunks: Buffer[] = [];
		request.on("data", (chunk: Buffer) => chunks.push(chunk));
		request.on("end", () => {
			const body = Buffer.concat(chunks).toString();
			const target = String(request.headers["x-amz-target"] ?? new URLSearchParams(body).get("Action"));
			asked.push(target);
			const { status, type, text } = answer(target, body);
			response.writeHead(status, { "content-type": type, "x-amzn-requestid": "test" }).end(text);
		});
	});
	await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
	const { port } = server.address() as { port: number };
	const common = {
		region: "eu-west-1",
		endpoint: `http://127.0.0.1:${port}`,
		credentials: { accessKeyId: "test", secretAccessKey: "test" },
		maxAttempts: 1,
	};
	clients = {
		sts: new STSClient(common),
		iam: new IAMClient(common),
		quotas: new ServiceQuotasClient(common),
		ssm: new SSMClient(common),
		control: new CloudControlClient(common),
	};
});
after(() => server.close());

function answer(target: string, body: string): { status: number; type: string; text: string } {
	const json = (status: number, value: unknown) => ({ status, type: "application/x-amz-json-1.1", text: JSON.stringify(value) });
	const xml = (status: number, text: string) => ({ status, type: "text/xml", text });
	const refused = (code: string) => json(400, { __type: code, message: "no" });
	if (target.endsWith("GetCallerIdentity")) {
		if (account.arn === null)
			return xml(403, "<ErrorResponse><Error><Type>Sender</Type><Code>ExpiredToken</Code><Message>no</Message></Error></ErrorResponse>");
		return xml(
			200,
			`<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult><Arn>${account.arn}</Arn><Account>123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>`,
		);
	}
	if (target.endsWith("SimulatePrincipalPolicy")) {
		const given = [...new URLSearchParams(body)].filter(([name]) => name.startsWith("ActionNames.")).map(([, action]) => action);
		const results = given.map(
			(action) =>
				`<member><EvalActionName>${action}</EvalActionName><EvalDecision>${account.denied.includes(action) ? "implicitDeny" : "allowed"}</EvalDecision></member>`,
		);
		return xml(
			200,
			`<SimulatePrincipalPolicyResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><SimulatePrincipalPolicyResult><EvaluationResults>${results.join("")}</EvaluationResults></SimulatePrincipalPolicyResult></SimulatePrincipalPolicyResponse>`,
		);
	}
	if (target.endsWith("GetParameter"))
		return account.bootstrap === null ? refused("ParameterNotFound") : json(200, { Parameter: { Name: "x", Value: account.bootstrap } });
	const asks = body ? (JSON.parse(body) as Record<string, string>) : {};
	if (target.endsWith("GetServiceQuota"))
		return account.quota === null
			? refused("AccessDeniedException")
			: json(200, { Quota: { Value: account.quota[String(asks.QuotaCode)] ?? 100 } });
	if (target.endsWith("ListResources"))
		return json(200, {
			TypeName: asks.TypeName,
			ResourceDescriptions: Array.from({ length: account.used[String(asks.TypeName)] ?? 0 }, (_each, n) => ({
				Identifier: `r-${n}`,
				Properties: "{}",
			})),
		});
	return json(500, {});
}

const prod = () => ask([], { CHAT_STAGE: "prod", CHAT_REGION: "eu-west-1", CHAT_REPOSITORY: "team/charla" }).config;
async function look(change: Partial<Account>, config = prod()) {
	account = { ...good, ...change };
	asked = [];
	return preflight(config, clients);
}

describe("preflight", () => {
	test("an account that has everything is ready", async () => {
		const checks = await look({});
		assert.deepEqual(
			checks.filter(({ state }) => state !== "ready"),
			[],
		);
		assert.equal(report(checks).at(-1), "Ready to deploy.");
		// Every quota was asked for and none made up.
		assert.equal(asked.filter((target) => target.endsWith("GetServiceQuota")).length, quotas(prod()).length);
	});

	test("names everything that is missing, at once, each with what to do", async () => {
		const checks = await look(
			{
				bootstrap: null,
				denied: ["sts:AssumeRole", "codepipeline:GetPipelineState"],
				quota: { "L-1216C47A": 5, "L-F678F1CE": 5 },
				used: { "AWS::EC2::VPC": 5 },
			},
			ask([], { CHAT_STAGE: "prod" }).config,
		);
		const missing = checks.filter(({ state }) => state === "missing");
		const text = report(checks).join("\n");
		assert.ok(
			missing.every(({ how }) => how && how.length > 10),
			text,
		);
		for (const part of [
			/MISSING {2}a region\n.*export CHAT_REGION=eu-west-1/,
			/MISSING {2}a repository to deploy from\n.*CHAT_REPOSITORY=my-team\/charla/,
			/MISSING {2}the CDK's own stack, version 6 or newer\n.*npx cdk bootstrap aws:\/\/123456789012/,
			/MISSING {2}permission sts:AssumeRole on arn:aws:iam::123456789012:role\/cdk-hnb659fds-deploy-role-\*/,
			/MISSING {2}permission codepipeline:GetPipelineState on /,
			/MISSING {2}quota vCPUs of standard instances: 5, 12 needed\n.*servicequotas/,
		])
			assert.match(text, part);
		assert.match(String(report(checks).at(-1)), /^\d+ things are missing\.$/);
		// All five VPCs may be in use by this very stage.
		assert.match(text, /unknown {2}quota VPCs in a region: 5, 5 used, 1 needed/);
	});

	test("without credentials it says so, and asks nothing more", async () => {
		const checks = await look({ arn: null });
		assert.deepEqual(checks.at(-1)?.state, "missing");
		assert.match(String(checks.at(-1)?.how), /aws sso login.*ExpiredToken/);
		assert.equal(asked.length, 1);
	});

	test("what may not be looked at stops nobody, and says where to look", async () => {
		const checks = await look({ quota: null });
		const unknown = checks.filter(({ state }) => state === "unknown");
		assert.equal(unknown.length, quotas(prod()).length);
		assert.ok(unknown.every(({ how }) => how?.includes("AccessDeniedException")));
		assert.equal(report(checks).at(-1), "Ready to deploy.");
	});

	test("the wrong account is refused", async () => {
		const checks = await look({}, ask([], { CHAT_REGION: "eu-west-1", CHAT_SOURCE: "s3", CHAT_ACCOUNT: "999999999999" }).config);
		assert.match(String(checks.find(({ state }) => state === "missing")?.how), /CHAT_ACCOUNT is 999999999999, and you are in 123456789012/);
	});

	test("a session is asked about by its role", () => {
		const of = (arn: string) => principalOf({ account: "1", arn });
		assert.equal(of("arn:aws:iam::1:root"), null);
		assert.equal(of("arn:aws:iam::1:user/ana"), "arn:aws:iam::1:user/ana");
		assert.equal(of("arn:aws:sts::1:assumed-role/deployer/ana"), "arn:aws:iam::1:role/deployer");
		assert.equal(of(good.arn as string), "arn:aws:iam::1:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Admin_0a1b");
	});
});

const outputs: Outputs = {
	"chat-dev-edge": { Url: "https://d1.cloudfront.net", CloudFrontName: "d1.cloudfront.net" },
	"chat-dev-api": { ShoppinApiUrl: "https://a/dev/", ImportsBucket: "chat-dev-imports" },
	"chat-dev-observe": { DashboardUrl: "https://dash", PagesTopic: "arn:pages", TicketsTopic: "arn:tickets" },
	"chat-dev-delivery": { PipelineName: "chat-dev", ConnectionArn: "arn:connection", SourceUpload: "s3://b/source/charla.zip" },
};
const dev = { CHAT_REGION: "eu-west-1", CHAT_REPOSITORY: "team/charla" };

describe("deploy and destroy", () => {
	const run = async (env: Record<string, string>, code: number, argv: string[] = ["--yes"]) => {
		const said: string[] = [];
		const ran: string[][] = [];
		const result = await deploy(ask(argv, env, { switches: ["yes", "skip-preflight"] }), {
			clients: () => clients,
			say: (line) => said.push(line),
			cdk: async (args) => {
				ran.push(args);
				mkdirSync(new URL(".", `file://${cdkOut}`), { recursive: true });
				writeFileSync(`${cdkOut}-outputs.json`, JSON.stringify(outputs));
				return code;
			},
		});
		return { result, ran, said: said.join("\n") };
	};
	after(() => rmSync(`${cdkOut}-outputs.json`, { force: true }));

	test("looks first, then deploys all of it with its progress, then tells addresses and next steps", async () => {
		account = good;
		asked = [];
		const { result, ran, said } = await run(dev, 0);
		assert.equal(result, 0, said);
		assert.deepEqual(
			ran.map((args) => args.slice(0, 6)),
			[["deploy", "--all", "--progress", "events", "--require-approval", "never"]],
		);
		assert.ok(said.indexOf("Ready to deploy.") < said.indexOf("Deploying dev."));
		assert.match(said, /Charla {7}https:\/\/d1\.cloudfront\.net/);
		assert.match(
			said,
			/1\. Let AWS into the repository: .* arn:connection\n {2}2\. Deploy for the first time: aws codepipeline start-pipeline-execution --name chat-dev\n {2}3\. Subscribe/,
		);
	});

	test("deploys nothing where something is missing", async () => {
		account = { ...good, bootstrap: null };
		asked = [];
		const { result, ran, said } = await run(dev, 0);
		assert.deepEqual([result, ran.length], [1, 0]);
		assert.match(said, /Nothing was deployed/);
	});

	test("says what to do when it does not come to its end", async () => {
		const { result, said } = await run(dev, 3, ["--skip-preflight"]);
		assert.equal(result, 3);
		assert.match(said, /run the same again/);
	});

	test("the next steps follow from the stage", () => {
		const steps = (env: Record<string, string>) => nextSteps(ask([], { ...dev, ...env }).config, outputs).join("\n");
		assert.match(
			steps({ CHAT_SOURCE: "s3", CHAT_REPOSITORY: "" }),
			/git archive -o charla\.zip HEAD && aws s3 cp charla\.zip s3:\/\/b\/source\/charla\.zip/,
		);
		assert.match(steps({ CHAT_ALARM_EMAIL: "a@example.org" }), /Confirm the two mails AWS has sent to a@example\.org/);
		assert.match(
			steps({
				CHAT_DOMAIN: "chat.example.org",
				CHAT_CERTIFICATE_ARN: "arn:aws:acm:us-east-1:123456789012:certificate/0a1b",
				CHAT_ORIGIN_CERTIFICATE_ARN: "arn:aws:acm:eu-west-1:123456789012:certificate/2c3d",
			}),
			/Point chat\.example\.org \(CNAME, or ALIAS\) to d1\.cloudfront\.net/,
		);
	});

	test("a stage is destroyed only by whoever says its name twice, and a protected one not at all", async () => {
		const tear = async (argv: string[], env: Record<string, string> = {}) => {
			const said: string[] = [];
			const ran: string[][] = [];
			const asked = ask(argv, { ...dev, ...env }, { values: ["confirm"] });
			const code = await destroy(asked, { say: (line) => said.push(line), cdk: async (args) => ran.push(args) && 0 });
			return { code, ran, said: said.join("\n") };
		};
		assert.deepEqual((await tear(["--stage", "dev"])).ran, []);
		assert.match((await tear(["--stage", "dev"])).said, /--confirm dev/);
		assert.deepEqual((await tear(["--stage", "dev", "--confirm", "prod"])).ran, []);
		const done = await tear(["--stage", "dev", "--confirm", "dev"]);
		assert.deepEqual([done.code, done.ran], [0, [["destroy", "--all", "--force"]]]);
		const kept = await tear(["--stage", "prod", "--confirm", "prod"]);
		assert.deepEqual([kept.code, kept.ran], [1, []]);
		assert.match(kept.said, /no-deletion-protection/);
	});

	test("what is not known on the command line is refused together with what is wrong in the stage", () => {
		assert.throws(
			() => ask(["--stag", "dev", "--stage", "staging", "--confirm"], {}, { values: ["confirm"] }),
			(error) => {
				assert.ok(error instanceof StageError);
				assert.match(error.message, /--stag is not known here/);
				assert.match(error.message, /--confirm needs a value/);
				assert.match(error.message, /CHAT_STAGE=staging is none of/);
				return true;
			},
		);
		assert.equal(ask(["--stage=prod"], { AWS_REGION: "eu-west-1" }).config.region, "eu-west-1");
	});
});
