import { CfnOutput, Duration, Fn, RemovalPolicy } from "aws-cdk-lib";
import { Certificate } from "aws-cdk-lib/aws-certificatemanager";
import {
	AllowedMethods,
	type BehaviorOptions,
	CachePolicy,
	Distribution,
	HttpVersion,
	type IOrigin,
	OriginProtocolPolicy,
	OriginRequestPolicy,
	ResponseHeadersPolicy,
	SecurityPolicyProtocol,
	ViewerProtocolPolicy,
} from "aws-cdk-lib/aws-cloudfront";
import { LoadBalancerV2Origin, S3BucketOrigin, VpcOrigin } from "aws-cdk-lib/aws-cloudfront-origins";
import { AaaaRecord, ARecord, HostedZone, RecordTarget } from "aws-cdk-lib/aws-route53";
import { CloudFrontTarget } from "aws-cdk-lib/aws-route53-targets";
import { type Bucket, ObjectOwnership } from "aws-cdk-lib/aws-s3";
import { CfnWebACL } from "aws-cdk-lib/aws-wafv2";
import type { Construct } from "constructs";
import type { StageConfig } from "../config.ts";
import { ownBucket } from "../constructs/bucket.ts";
import { putVariable } from "../constructs/instance-environment.ts";
import { ChatStack } from "./chat-stack.ts";
import type { DataStack } from "./data.ts";
import { originHeader, type WebStack } from "./web.ts";

/** CloudFront in front of everything, with a bucket for its logs. */
export class EdgeStack extends ChatStack {
	readonly distribution: Distribution;
	readonly logs: Bucket;
	/** The pages' assets of every build. The pipeline puts them there before it deploys the release. */
	readonly assets: Bucket;
	/** What people type. */
	readonly url: string;

	constructor(scope: Construct, config: StageConfig, data: DataStack, web: WebStack) {
		super(scope, "edge", config, { description: "Charla: CloudFront" });
		const { domain, exposure, stage } = config;

		const keep = config.protect ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY;

		this.logs = ownBucket(this, "Logs", {
			keep,
			logsTo: data.accessLogs,
			expires: Duration.days(90),
			// CloudFront writes its logs with an access list, and into no bucket that has none.
			ownership: ObjectOwnership.BUCKET_OWNER_PREFERRED,
		});
		// Nothing in it ends: less than a megabyte a build, and a page may be open for weeks, or a release come back after months.
		this.assets = ownBucket(this, "Assets", { keep, logsTo: data.accessLogs });

		const options = {
			protocolPolicy: domain ? OriginProtocolPolicy.HTTPS_ONLY : OriginProtocolPolicy.HTTP_ONLY,
			customHeaders: { [originHeader]: data.originSecret.secretValue.unsafeUnwrap() },
			// The longest without asking AWS for more. A poll that waits lasts 20 s at most, and a socket is under no such rule.
			readTimeout: Duration.seconds(60),
			// Shorter than the load balancer's 70 s, so that CloudFront never sends into a connection that is being closed.
			keepaliveTimeout: Duration.seconds(60),
		};
		const origin: IOrigin =
			exposure === "vpc-origin"
				? VpcOrigin.withApplicationLoadBalancer(web.balancer, { ...options, vpcOriginName: `chat-${stage}` })
				: new LoadBalancerV2Origin(web.balancer, options);

		/** Pages, forms and sockets: everything goes through to the server, as it came. */
		const through: BehaviorOptions = {
			origin,
			allowedMethods: AllowedMethods.ALLOW_ALL,
			viewerProtocolPolicy: ViewerProtocolPolicy.REDIRECT_TO_HTTPS,
			cachePolicy: CachePolicy.CACHING_DISABLED,
			// With it the upgrade to a socket, the cookies of session and stickiness, and the name people typed.
			originRequestPolicy: OriginRequestPolicy.ALL_VIEWER,
			// A page's length would tell what repeats in it (docs/decisions/053), and frames are too small.
			compress: false,
		};
		this.distribution = new Distribution(this, "Distribution", {
			comment: `Charla, ${stage}`,
			defaultBehavior: through,
			additionalBehaviors: {
				"/socket.io/*": through,
				// Named after what is in them: they never change, and belong to nobody. From no instance: while a deployment rolls, a page of
				// the new release would ask for its own at an instance that still has the old one.
				"/assets/*": {
					origin: S3BucketOrigin.withOriginAccessControl(this.assets),
					responseHeadersPolicy: ResponseHeadersPolicy.SECURITY_HEADERS,
					allowedMethods: AllowedMethods.ALLOW_GET_HEAD,
					viewerProtocolPolicy: ViewerProtocolPolicy.REDIRECT_TO_HTTPS,
					cachePolicy: CachePolicy.CACHING_OPTIMIZED,
					compress: true,
				},
			},
			// Untold, CloudFront keeps each for 10 s, whatever the policy says. What is missing for a moment must not be missing for everybody afterwards. A bucket says 403 of what it does not have.
			errorResponses: [403, 404, 500, 501, 502, 503, 504].map((httpStatus) => ({ httpStatus, ttl: Duration.seconds(0) })),
			httpVersion: HttpVersion.HTTP2_AND_3,
			enableLogging: true,
			logBucket: this.logs,
			logFilePrefix: "cloudfront/",
			// Session cookies do not belong into logs.
			logIncludesCookies: false,
			webAclId: this.firewall(),
			...(domain
				? {
						domainNames: [domain.name],
						certificate: Certificate.fromCertificateArn(this, "Certificate", domain.certificateArn),
						minimumProtocolVersion: SecurityPolicyProtocol.TLS_V1_2_2021,
					}
				: {}),
		});

		this.url = `https://${domain?.name ?? this.distribution.distributionDomainName}`;
		// The name CloudFront gives is known only now, so this one variable is told from here. Instances read it when they start.
		if (!domain) putVariable(this, config, "PUBLIC_URL", this.url);
		if (domain?.hostedZoneId) {
			const zone = HostedZone.fromHostedZoneAttributes(this, "Zone", {
				hostedZoneId: domain.hostedZoneId,
				// Not asked of AWS: the record is named in full.
				zoneName: domain.name,
			});
			const record = { zone, recordName: `${domain.name}.`, target: RecordTarget.fromAlias(new CloudFrontTarget(this.distribution)) };
			new ARecord(this, "Name", record);
			new AaaaRecord(this, "Name6", record);
		}
		new CfnOutput(this, "Url", { value: this.url, description: "Where people chat" });
		new CfnOutput(this, "CloudFrontName", {
			value: this.distribution.distributionDomainName,
			description: "What the domain's record (CNAME or ALIAS) has to point to",
		});
	}

	/** A firewall of AWS's own rules, with those that would take a message for an attack only counting. */
	private firewall(): string | undefined {
		const { waf, stage } = this.config;
		if (waf.kind === "none") return undefined;
		if (waf.kind === "existing") return waf.arn;
		const visible = (metricName: string) => ({ cloudWatchMetricsEnabled: true, sampledRequestsEnabled: false, metricName });
		const managed = (name: string, priority: number, counting: string[] = []) => ({
			name,
			priority,
			overrideAction: { none: {} },
			visibilityConfig: visible(name),
			statement: {
				managedRuleGroupStatement: {
					vendorName: "AWS",
					name,
					ruleActionOverrides: counting.map((rule) => ({ name: rule, actionToUse: { count: {} } })),
				},
			},
		});
		const acl = new CfnWebACL(this, "Firewall", {
			name: `chat-${stage}`,
			scope: "CLOUDFRONT",
			defaultAction: { allow: {} },
			visibilityConfig: visible("chat"),
			rules: [
				managed("AWSManagedRulesAmazonIpReputationList", 0),
				managed("AWSManagedRulesKnownBadInputsRuleSet", 1),
				// People write about code, and long messages are messages.
				managed("AWSManagedRulesCommonRuleSet", 2, [
					"CrossSiteScripting_BODY",
					"SizeRestrictions_BODY",
					"GenericLFI_BODY",
					"GenericRFI_BODY",
				]),
				{
					name: "TooMany",
					priority: 3,
					action: { block: {} },
					visibilityConfig: visible("TooMany"),
					// An office of a hundred behind one address opens a page with some twenty files.
					statement: { rateBasedStatement: { aggregateKeyType: "IP", limit: 5000, evaluationWindowSec: 300 } },
				},
			],
		});
		return Fn.getAtt(acl.logicalId, "Arn").toString();
	}
}
