/** What a stage looks like in AWS. Everything an operator decides about the footprint is here, and nowhere else. */
export type StageConfig = Readonly<{
	stage: Stage;
	/** null: whichever account and region whoever deploys is in. Templates then hold no account and no region. */
	account: string | null;
	region: string | null;
	/** The name people type. null: the name CloudFront gives. */
	domain: {
		name: string;
		/** Of CloudFront, so in us-east-1. */
		certificateArn: string;
		/** Of the load balancer, so in our region; CloudFront asks it for the same name. */
		originCertificateArn: string;
		/** Where the name is kept, when that is Route 53 in the same account; null: the record is made by hand. */
		hostedZoneId: string | null;
	} | null;
	/** vpc-origin: the load balancer has no public address at all; public: it has, and believes CloudFront alone. */
	exposure: "vpc-origin" | "public";
	/** CloudFront's address list in this region; with it the public load balancer does not even answer others. */
	cloudFrontPrefixList: string | null;
	waf: { kind: "none" } | { kind: "managed" } | { kind: "existing"; arn: string };
	instances: { min: number; max: number; type: string; natGateways: number };
	database: { size: string; multiAz: boolean; storageGb: number; maxStorageGb: number; backupDays: number };
	cache: { nodeType: string; nodes: number };
	/** null: on demand. */
	streamShards: number | null;
	/** Deletion of what keeps data is refused by AWS, and its stacks are protected. */
	protect: boolean;
	source:
		| { kind: "connection"; repository: string; branch: string; arn: string | null }
		| { kind: "codecommit"; repository: string; branch: string }
		| { kind: "s3"; key: string };
	/** A secret made by hand, with the keys `licenseKey` and, for markers, `userKey`. */
	newRelicSecretArn: string | null;
	alarmEmail: string | null;
	/** USD a month. */
	budget: number;
	/** How often the two made-up people talk, minutes; null: never. */
	canaryEvery: number | null;
}>;

export const stages = ["dev", "prod"] as const;
export type Stage = (typeof stages)[number];

/** Stands where nobody said which repository it is. Templates can be made with it; preflight and deploy refuse it. */
export const noRepository = "your-team/charla";

/** What is asked for: never fewer than two, never more than five. */
const fleet = { min: 2, max: 5 };

type Defaults = Omit<
	StageConfig,
	"stage" | "account" | "region" | "domain" | "waf" | "source" | "cloudFrontPrefixList" | "newRelicSecretArn"
>;

/** docs/aws.md has what each costs. */
const defaults: Record<Stage, Defaults> = {
	dev: {
		exposure: "vpc-origin",
		// Two as in production, so that what a rolling deployment does is seen here first.
		instances: { ...fleet, type: "t3a.small", natGateways: 0 },
		database: { size: "t4g.micro", multiAz: false, storageGb: 20, maxStorageGb: 50, backupDays: 1 },
		cache: { nodeType: "cache.t4g.micro", nodes: 1 },
		streamShards: 1,
		protect: false,
		alarmEmail: null,
		budget: 150,
		canaryEvery: null,
	},
	prod: {
		exposure: "vpc-origin",
		instances: { ...fleet, type: "t3a.small", natGateways: 1 },
		database: { size: "t4g.small", multiAz: true, storageGb: 20, maxStorageGb: 200, backupDays: 14 },
		cache: { nodeType: "cache.t4g.micro", nodes: 2 },
		streamShards: 1,
		protect: true,
		alarmEmail: null,
		budget: 350,
		canaryEvery: 5,
	},
};

type Env = Record<string, string | undefined>;

/** Everything that makes a stage impossible, one line each, with an example that works. */
export class StageError extends Error {
	readonly problems: readonly string[];
	constructor(problems: readonly string[]) {
		super(`This stage cannot be built:\n${problems.map((problem) => `  - ${problem}`).join("\n")}`);
		this.name = "StageError";
		this.problems = problems;
	}
}

/** The variables that are read, for the documentation to be held to. */
export const variables = [
	"CHAT_STAGE",
	"CHAT_ACCOUNT",
	"CHAT_REGION",
	"CHAT_DOMAIN",
	"CHAT_CERTIFICATE_ARN",
	"CHAT_ORIGIN_CERTIFICATE_ARN",
	"CHAT_HOSTED_ZONE_ID",
	"CHAT_EXPOSURE",
	"CHAT_CLOUDFRONT_PREFIX_LIST",
	"CHAT_WAF",
	"CHAT_MIN_INSTANCES",
	"CHAT_MAX_INSTANCES",
	"CHAT_INSTANCE_TYPE",
	"CHAT_NAT_GATEWAYS",
	"CHAT_SOURCE",
	"CHAT_REPOSITORY",
	"CHAT_BRANCH",
	"CHAT_CONNECTION_ARN",
	"CHAT_NEW_RELIC_SECRET_ARN",
	"CHAT_ALARM_EMAIL",
	"CHAT_BUDGET",
	"CHAT_CANARY_MINUTES",
] as const;
type Variable = (typeof variables)[number];

/**
 * Reads a stage from the environment. Throws a StageError that lists every problem. With nothing set it is `dev`, without a
 * domain, in whichever account and region one deploys from.
 */
export function readStage(env: Env): StageConfig {
	const problems: string[] = [];
	const text = (name: Variable): string | null => env[name]?.trim() || null;
	const wrong = (problem: string, example: string) => problems.push(`${problem}. Example: ${example}`);

	function oneOf<T extends string>(name: Variable, choices: readonly T[], fallback: T): T {
		const given = text(name);
		if (given === null) return fallback;
		if ((choices as readonly string[]).includes(given)) return given as T;
		wrong(`${name}=${given} is none of ${choices.join(", ")}`, `${name}=${fallback}`);
		return fallback;
	}
	function integer(name: Variable, fallback: number, min: number, max: number): number {
		const given = text(name);
		if (given === null) return fallback;
		const value = Number(given);
		if (Number.isInteger(value) && value >= min && value <= max) return value;
		wrong(`${name}=${given} is not a whole number from ${min} to ${max}`, `${name}=${fallback}`);
		return fallback;
	}
	function shaped(name: Variable, shape: RegExp, what: string, example: string): string | null {
		const given = text(name);
		if (given === null || shape.test(given)) return given;
		wrong(`${name}=${given} is not ${what}`, `${name}=${example}`);
		return null;
	}

	const stage = oneOf("CHAT_STAGE", stages, "dev");
	const own = defaults[stage];
	const account = shaped("CHAT_ACCOUNT", /^\d{12}$/, "an account's twelve digits", "123456789012");
	const region = shaped("CHAT_REGION", /^[a-z]{2}(-[a-z]+)+-\d$/, "a region", "eu-west-1");

	const name = shaped("CHAT_DOMAIN", /^(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,}$/, "a domain", "chat.example.org");
	const certificate = shaped(
		"CHAT_CERTIFICATE_ARN",
		/^arn:aws:acm:us-east-1:\d{12}:certificate\/[\w-]+$/,
		"a certificate of us-east-1, where CloudFront looks for it",
		"arn:aws:acm:us-east-1:123456789012:certificate/0a1b",
	);
	const originShape = region
		? new RegExp(`^arn:aws:acm:${region}:\\d{12}:certificate/[\\w-]+$`)
		: /^arn:aws:acm:[a-z0-9-]+:\d{12}:certificate\/[\w-]+$/;
	const originExample = `arn:aws:acm:${region ?? "eu-west-1"}:123456789012:certificate/2c3d`;
	const originCertificate = shaped(
		"CHAT_ORIGIN_CERTIFICATE_ARN",
		originShape,
		`a certificate${region ? ` of ${region}, where the load balancer is` : ""}`,
		originExample,
	);
	const hostedZoneId = shaped("CHAT_HOSTED_ZONE_ID", /^Z[A-Z0-9]{6,31}$/, "a hosted zone's id", "Z0123456789ABC");
	const isGiven = (variable: Variable) => text(variable) !== null;
	if (isGiven("CHAT_DOMAIN")) {
		if (!isGiven("CHAT_CERTIFICATE_ARN"))
			wrong(
				"CHAT_DOMAIN is set and CHAT_CERTIFICATE_ARN is not",
				"CHAT_CERTIFICATE_ARN=arn:aws:acm:us-east-1:123456789012:certificate/0a1b",
			);
		if (!isGiven("CHAT_ORIGIN_CERTIFICATE_ARN"))
			wrong("CHAT_DOMAIN is set and CHAT_ORIGIN_CERTIFICATE_ARN is not", `CHAT_ORIGIN_CERTIFICATE_ARN=${originExample}`);
	} else
		for (const variable of ["CHAT_CERTIFICATE_ARN", "CHAT_ORIGIN_CERTIFICATE_ARN", "CHAT_HOSTED_ZONE_ID"] as const)
			if (isGiven(variable)) wrong(`${variable} is set and CHAT_DOMAIN is not`, "CHAT_DOMAIN=chat.example.org");

	const exposure = oneOf("CHAT_EXPOSURE", ["vpc-origin", "public"], own.exposure);
	const cloudFrontPrefixList = shaped("CHAT_CLOUDFRONT_PREFIX_LIST", /^pl-[0-9a-f]{8,17}$/, "a prefix list", "pl-4fa04526");
	if (exposure === "public" && !isGiven("CHAT_DOMAIN"))
		wrong(
			"CHAT_EXPOSURE=public without CHAT_DOMAIN would carry sessions from CloudFront to the load balancer unencrypted over the internet",
			"CHAT_EXPOSURE=vpc-origin",
		);
	if (exposure !== "public" && cloudFrontPrefixList)
		wrong("CHAT_CLOUDFRONT_PREFIX_LIST is of use with a public load balancer only", "CHAT_EXPOSURE=public");

	const waf = readWaf();
	const instances = readInstances();
	const source = readSource();
	const newRelicSecretArn = shaped(
		"CHAT_NEW_RELIC_SECRET_ARN",
		/^arn:aws:secretsmanager:[a-z0-9-]+:\d{12}:secret:[\w/+=.@-]+-[A-Za-z0-9]{6}$/,
		"the whole address of a secret",
		"arn:aws:secretsmanager:eu-west-1:123456789012:secret:chat/new-relic-a1B2c3",
	);
	const alarmEmail = shaped("CHAT_ALARM_EMAIL", /^[^\s@]+@[^\s@]+\.[^\s@]+$/, "a mail address", "on-call@example.org");
	const budget = integer("CHAT_BUDGET", own.budget, 1, 1_000_000);
	const canaryEvery = text("CHAT_CANARY_MINUTES") === "off" ? null : integer("CHAT_CANARY_MINUTES", own.canaryEvery ?? 0, 1, 60) || null;

	for (const given of Object.keys(env))
		if (given.startsWith("CHAT_") && !(variables as readonly string[]).includes(given))
			wrong(`${given} is no setting of a stage (${nearest(given)}?)`, `unset ${given}`);
	if (problems.length > 0) throw new StageError(problems);

	return Object.freeze({
		...own,
		stage,
		account,
		region,
		domain:
			name && certificate && originCertificate
				? { name, certificateArn: certificate, originCertificateArn: originCertificate, hostedZoneId }
				: null,
		exposure,
		cloudFrontPrefixList,
		waf,
		instances,
		source,
		newRelicSecretArn,
		alarmEmail: alarmEmail ?? own.alarmEmail,
		budget,
		canaryEvery,
	});

	function readWaf(): StageConfig["waf"] {
		const given = text("CHAT_WAF") ?? "none";
		if (given === "none") return { kind: "none" };
		if (given === "managed") {
			// What protects CloudFront can only be made there.
			if (region !== "us-east-1")
				wrong(
					`CHAT_WAF=managed needs CHAT_REGION=us-east-1, and it is ${region ?? "not set"}`,
					"CHAT_WAF=arn:aws:wafv2:us-east-1:123456789012:global/webacl/chat/0a1b",
				);
			return { kind: "managed" };
		}
		if (!/^arn:aws:wafv2:us-east-1:\d{12}:global\/webacl\/[\w-]+\/[\w-]+$/.test(given))
			wrong(`CHAT_WAF=${given} is neither none, managed nor a global web ACL`, "CHAT_WAF=none");
		return { kind: "existing", arn: given };
	}

	function readInstances(): StageConfig["instances"] {
		const min = integer("CHAT_MIN_INSTANCES", own.instances.min, 1, 100);
		const max = integer("CHAT_MAX_INSTANCES", own.instances.max, 1, 100);
		if (max < min)
			wrong(`CHAT_MAX_INSTANCES=${max} is below CHAT_MIN_INSTANCES=${min}`, `CHAT_MAX_INSTANCES=${Math.max(min, own.instances.max)}`);
		if (stage === "prod" && min < 2)
			wrong(`CHAT_MIN_INSTANCES=${min} leaves nobody to talk to while one is replaced`, "CHAT_MIN_INSTANCES=2");
		const type = shaped("CHAT_INSTANCE_TYPE", /^[a-z][a-z0-9-]*\.[a-z0-9]+$/, "an instance type", "t3a.small") ?? own.instances.type;
		// t4g, m7g, c8gd, x2gd ...: a g after the generation.
		if (/^[a-z]+\d+g/.test(type) || type.startsWith("a1."))
			wrong(`CHAT_INSTANCE_TYPE=${type} is an ARM machine, and the artefact brings a Node for x86-64`, "CHAT_INSTANCE_TYPE=t3a.small");
		return { min, max, type, natGateways: integer("CHAT_NAT_GATEWAYS", own.instances.natGateways, 0, 2) };
	}

	function readSource(): StageConfig["source"] {
		const kind = oneOf("CHAT_SOURCE", ["connection", "codecommit", "s3"], "connection");
		const branch = shaped("CHAT_BRANCH", /^(?!\/)[\w./-]{1,200}(?<!\/)$/, "a branch", "main") ?? "main";
		const arn = shaped(
			"CHAT_CONNECTION_ARN",
			/^arn:aws:(codeconnections|codestar-connections):[a-z0-9-]+:\d{12}:connection\/[\w-]+$/,
			"a connection",
			"arn:aws:codeconnections:eu-west-1:123456789012:connection/0a1b",
		);
		if (arn && kind !== "connection") wrong(`CHAT_CONNECTION_ARN is set and CHAT_SOURCE is ${kind}`, "CHAT_SOURCE=connection");
		if (kind === "s3") {
			if (isGiven("CHAT_REPOSITORY")) wrong("CHAT_REPOSITORY is set and CHAT_SOURCE is s3", "CHAT_SOURCE=connection");
			return { kind, key: "source/charla.zip" };
		}
		if (kind === "codecommit") {
			const repository = shaped("CHAT_REPOSITORY", /^[\w.-]{1,100}$/, "the name of a CodeCommit repository", "charla");
			return { kind, repository: repository ?? "charla", branch };
		}
		const repository = shaped("CHAT_REPOSITORY", /^[\w.-]+(\/[\w.-]+)+$/, "owner/name", "my-team/charla");
		return { kind, repository: repository ?? noRepository, branch, arn };
	}
}

/** The setting that looks most like what was written: somebody meant one. */
function nearest(given: string): Variable {
	const parts = (name: string) => new Set(name.match(/../g)?.concat(name.slice(1).match(/../g) ?? []));
	const meant = parts(given);
	const alike = (name: string) => [...parts(name)].filter((part) => meant.has(part)).length / name.length;
	return variables.reduce((best, name) => (alike(name) > alike(best) ? name : best));
}
