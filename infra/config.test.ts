import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { noRepository, readStage, StageError, variables } from "./config.ts";

const certificate = "arn:aws:acm:us-east-1:123456789012:certificate/0a1b";
const originCertificate = "arn:aws:acm:eu-west-1:123456789012:certificate/2c3d";
const domain = { CHAT_DOMAIN: "chat.example.org", CHAT_CERTIFICATE_ARN: certificate, CHAT_ORIGIN_CERTIFICATE_ARN: originCertificate };

test("with nothing set it is dev, in no account, with the figures that were asked for", () => {
	const config = readStage({});
	assert.equal(config.stage, "dev");
	assert.deepEqual([config.account, config.region, config.domain], [null, null, null]);
	assert.deepEqual([config.instances.min, config.instances.max], [2, 5]);
	assert.deepEqual(config.source, { kind: "connection", repository: noRepository, branch: "main", arn: null });
});

test("prod keeps its data twice and is protected", () => {
	const config = readStage({ CHAT_STAGE: "prod" });
	assert.deepEqual([config.database.multiAz, config.protect, config.cache.nodes], [true, true, 2]);
	assert.deepEqual([config.instances.min, config.instances.max], [2, 5]);
});

test("a whole stage is read as it was written", () => {
	const config = readStage({
		...domain,
		CHAT_STAGE: "prod",
		CHAT_ACCOUNT: "123456789012",
		CHAT_REGION: "eu-west-1",
		CHAT_HOSTED_ZONE_ID: "Z0123456789ABC",
		CHAT_EXPOSURE: "public",
		CHAT_CLOUDFRONT_PREFIX_LIST: "pl-4fa04526",
		CHAT_WAF: "arn:aws:wafv2:us-east-1:123456789012:global/webacl/chat/0a1b",
		CHAT_MAX_INSTANCES: "9",
		CHAT_CANARY_MINUTES: "off",
		CHAT_ALARM_EMAIL: "on-call@example.org",
		CHAT_REPOSITORY: "team/chat",
		PATH: "/usr/bin",
	});
	assert.deepEqual(config.domain, {
		name: "chat.example.org",
		certificateArn: certificate,
		originCertificateArn: originCertificate,
		hostedZoneId: "Z0123456789ABC",
	});
	assert.equal(config.exposure, "public");
	assert.equal(config.instances.max, 9);
	assert.equal(config.canaryEvery, null);
	assert.equal(config.waf.kind, "existing");
});

describe("what is impossible is refused, and shown how it works", () => {
	const impossible: [what: string, env: Record<string, string>, problem: RegExp][] = [
		["unknown stage", { CHAT_STAGE: "staging" }, /CHAT_STAGE=staging is none of dev, prod\. Example: CHAT_STAGE=dev/],
		[
			"certificate without domain",
			{ CHAT_CERTIFICATE_ARN: certificate },
			/CHAT_CERTIFICATE_ARN is set and CHAT_DOMAIN is not\. Example: CHAT_DOMAIN=/,
		],
		["domain without certificate", { CHAT_DOMAIN: "chat.example.org" }, /CHAT_CERTIFICATE_ARN is not\. Example: CHAT_CERTIFICATE_ARN=arn/],
		["domain without the origin's", { ...domain, CHAT_ORIGIN_CERTIFICATE_ARN: "" }, /CHAT_ORIGIN_CERTIFICATE_ARN is not\. Example/],
		["zone without domain", { CHAT_HOSTED_ZONE_ID: "Z0123456789ABC" }, /CHAT_HOSTED_ZONE_ID is set and CHAT_DOMAIN is not/],
		["CloudFront's certificate elsewhere", { ...domain, CHAT_CERTIFICATE_ARN: originCertificate }, /is not a certificate of us-east-1/],
		["the origin's elsewhere", { ...domain, CHAT_REGION: "eu-central-1" }, /is not a certificate of eu-central-1/],
		[
			"max below min",
			{ CHAT_MIN_INSTANCES: "5", CHAT_MAX_INSTANCES: "3" },
			/CHAT_MAX_INSTANCES=3 is below CHAT_MIN_INSTANCES=5\. Example: CHAT_MAX_INSTANCES=5/,
		],
		["prod alone", { CHAT_STAGE: "prod", CHAT_MIN_INSTANCES: "1" }, /CHAT_MIN_INSTANCES=1 leaves nobody/],
		["no number", { CHAT_MAX_INSTANCES: "many" }, /CHAT_MAX_INSTANCES=many is not a whole number from 1 to 100/],
		["half an instance", { CHAT_MIN_INSTANCES: "2.5" }, /not a whole number/],
		["ARM", { CHAT_INSTANCE_TYPE: "t4g.small" }, /ARM machine.*Example: CHAT_INSTANCE_TYPE=t3a\.small/],
		["no type", { CHAT_INSTANCE_TYPE: "small" }, /not an instance type/],
		["account", { CHAT_ACCOUNT: "1234" }, /twelve digits/],
		["region", { CHAT_REGION: "europe" }, /CHAT_REGION=europe is not a region/],
		["public without TLS", { CHAT_EXPOSURE: "public" }, /unencrypted over the internet.*Example: CHAT_EXPOSURE=vpc-origin/],
		["prefix list of nobody", { CHAT_CLOUDFRONT_PREFIX_LIST: "pl-4fa04526" }, /public load balancer only/],
		[
			"WAF elsewhere",
			{ CHAT_WAF: "managed", CHAT_REGION: "eu-west-1" },
			/CHAT_WAF=managed needs CHAT_REGION=us-east-1, and it is eu-west-1/,
		],
		["WAF that is none", { CHAT_WAF: "yes" }, /CHAT_WAF=yes is neither/],
		["repository", { CHAT_REPOSITORY: "charla" }, /not owner\/name/],
		["CodeCommit with an owner", { CHAT_SOURCE: "codecommit", CHAT_REPOSITORY: "team/charla" }, /name of a CodeCommit repository/],
		["S3 with a repository", { CHAT_SOURCE: "s3", CHAT_REPOSITORY: "team/charla" }, /CHAT_SOURCE is s3/],
		[
			"S3 with a connection",
			{ CHAT_SOURCE: "s3", CHAT_CONNECTION_ARN: "arn:aws:codeconnections:eu-west-1:123456789012:connection/0a1b" },
			/CHAT_SOURCE is s3/,
		],
		["source", { CHAT_SOURCE: "ftp" }, /CHAT_SOURCE=ftp is none of connection, codecommit, s3/],
		["mail", { CHAT_ALARM_EMAIL: "somebody" }, /not a mail address/],
		["budget", { CHAT_BUDGET: "0" }, /CHAT_BUDGET=0/],
		["secret", { CHAT_NEW_RELIC_SECRET_ARN: "abc" }, /whole address of a secret/],
		["a slip of the pen", { CHAT_DOMIAN: "chat.example.org" }, /CHAT_DOMIAN is no setting of a stage \(CHAT_DOMAIN\?\)/],
	];
	for (const [what, env, problem] of impossible)
		test(what, () => {
			assert.throws(
				() => readStage(env),
				(error) => {
					assert.ok(error instanceof StageError);
					assert.match(error.message, problem);
					assert.ok(
						error.problems.every((line) => / Example: \S/.test(line) || line.includes("Example: unset ")),
						error.message,
					);
					return true;
				},
			);
		});

	test("all of it is told at once", () => {
		assert.throws(
			() => readStage({ CHAT_STAGE: "x", CHAT_MIN_INSTANCES: "7", CHAT_CERTIFICATE_ARN: certificate, CHAT_BUDGET: "-1" }),
			(error) => error instanceof StageError && error.problems.length === 4,
		);
	});

	test("every variable is read", () => {
		// One that is not would be found by nobody: this gives each a value no setting takes.
		const nonsense = Object.fromEntries(variables.map((name) => [name, "?!"]));
		assert.throws(
			() => readStage(nonsense),
			(error) => {
				for (const name of variables) assert.ok((error as Error).message.includes(`${name}=?!`), name);
				return true;
			},
		);
	});
});
