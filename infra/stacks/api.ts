import { Aws, CfnOutput, Duration, Fn, RemovalPolicy } from "aws-cdk-lib";
import {
	AccessLogField,
	AccessLogFormat,
	EndpointType,
	GatewayResponse,
	LambdaIntegration,
	LogGroupLogDestination,
	MethodLoggingLevel,
	ResponseType,
	RestApi,
} from "aws-cdk-lib/aws-apigateway";
import { PolicyStatement } from "aws-cdk-lib/aws-iam";
import { CfnPermission, type Function as LambdaFunction, StartingPosition } from "aws-cdk-lib/aws-lambda";
import { SqsDestination } from "aws-cdk-lib/aws-lambda-destinations";
import { KinesisEventSource, SqsDlq } from "aws-cdk-lib/aws-lambda-event-sources";
import { LogGroup, RetentionDays } from "aws-cdk-lib/aws-logs";
import type { Bucket, CfnBucket } from "aws-cdk-lib/aws-s3";
import type { Construct } from "constructs";
import type { StageConfig } from "../config.ts";
import { importPrefixes, importsBucketName, ownBucket } from "../constructs/bucket.ts";
import { type FunctionName, mayUse, ownFunction } from "../constructs/functions.ts";
import { logGroup } from "../constructs/log-groups.ts";
import { ChatStack } from "./chat-stack.ts";
import type { DataStack } from "./data.ts";

/** Requests a second to ShoppinAPI that pass, and so many at once. */
const throttle = { rate: 20, burst: 40 };
/** A batch of the stream that keeps failing is halved and tried until it is so old; then it goes to the queue. */
const stream = { batch: 100, window: Duration.seconds(5), oldest: Duration.hours(12) };

/** ShoppinAPI and the functions that wait for files and for the stream. */
export class ApiStack extends ChatStack {
	readonly api: RestApi;
	/** JSON files put here are taken in. */
	readonly imports: Bucket;
	readonly functions: Record<FunctionName, LambdaFunction>;

	constructor(scope: Construct, config: StageConfig, data: DataStack) {
		super(scope, "api", config, { description: "Charla: ShoppinAPI and functions", keepsData: true });
		const { protect } = config;

		const shop = ownFunction(this, "shop", config, { ITEMS_TABLE: data.items.tableName, CARTS_TABLE: data.carts.tableName });
		mayUse(shop, "ReadTheCatalogue", data.items, ["GetItem", "BatchGetItem", "Query"]);
		mayUse(shop, "ReadAndWriteCarts", data.carts, ["GetItem", "PutItem", "UpdateItem", "Query"], { indexes: true });
		this.api = this.shoppinApi(shop);

		const upload = ownFunction(this, "upload", config, { IMPORT_QUEUE_URL: data.imports.queueUrl });
		upload.addToRolePolicy(
			new PolicyStatement({ sid: "TellWhatWasFound", actions: ["sqs:SendMessage"], resources: [data.imports.queueArn] }),
		);
		this.imports = ownBucket(this, "Imports", {
			keep: protect ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
			logsTo: data.accessLogs,
			versioned: true,
			expires: Duration.days(90),
		});
		this.whenUploaded(upload);
		upload.configureAsyncInvoke({ retryAttempts: 2, maxEventAge: Duration.hours(6), onFailure: new SqsDestination(data.uploadFailures) });

		const streamed = ownFunction(this, "stream", config, {
			ACTIVITY_TABLE: data.activity.tableName,
			ARCHIVE_BUCKET: data.archive.bucketName,
			FAILURES_QUEUE_URL: data.streamFailures.queueUrl,
		});
		mayUse(streamed, "CountWhatHappened", data.activity, ["Query", "PutItem"]);
		streamed.addToRolePolicy(
			new PolicyStatement({ sid: "ArchiveWhatHappened", actions: ["s3:PutObject"], resources: [data.archive.arnForObjects("*")] }),
		);
		streamed.addEventSource(
			new KinesisEventSource(data.stream, {
				startingPosition: StartingPosition.TRIM_HORIZON,
				batchSize: stream.batch,
				maxBatchingWindow: stream.window,
				// A record nobody can read the function sets aside itself. Whatever else fails is tried until it works: the table is back sooner or
				// later, and what was given up for a hiccup somebody would have to send again. Only its age ends it.
				reportBatchItemFailures: true,
				bisectBatchOnError: true,
				maxRecordAge: stream.oldest,
				onFailure: new SqsDlq(data.streamFailures),
			}),
		);
		this.functions = { shop, upload, stream: streamed };
		new CfnOutput(this, "ShoppinApiUrl", { value: this.api.url, description: "ShoppinAPI: GET item, POST cart" });
		new CfnOutput(this, "ImportsBucket", { value: this.imports.bucketName, description: "JSON files put here are taken in" });
	}

	private shoppinApi(shop: LambdaFunction): RestApi {
		const { stage } = this.config;
		const api = new RestApi(this, "ShoppinApi", {
			restApiName: `chat-${stage}-shoppin`,
			description: "ShoppinAPI",
			endpointTypes: [EndpointType.REGIONAL],
			cloudWatchRole: true,
			deployOptions: {
				stageName: stage,
				loggingLevel: MethodLoggingLevel.ERROR,
				// Bodies hold what people order.
				dataTraceEnabled: false,
				metricsEnabled: true,
				throttlingRateLimit: throttle.rate,
				throttlingBurstLimit: throttle.burst,
				accessLogDestination: new LogGroupLogDestination(logGroup(this, "ApiLog", this.config, "api")),
				accessLogFormat: AccessLogFormat.custom(
					JSON.stringify({
						requestId: AccessLogField.contextRequestId(),
						requestTime: AccessLogField.contextRequestTime(),
						httpMethod: AccessLogField.contextHttpMethod(),
						resourcePath: AccessLogField.contextResourcePath(),
						status: AccessLogField.contextStatus(),
						responseLength: AccessLogField.contextResponseLength(),
						latency: AccessLogField.contextResponseLatency(),
						error: AccessLogField.contextErrorMessage(),
					}),
				),
			},
		});
		const errors = new LogGroup(this, "ApiErrors", {
			logGroupName: Fn.join("", ["API-Gateway-Execution-Logs_", api.restApiId, `/${stage}`]),
			retention: RetentionDays.TWO_WEEKS,
			removalPolicy: RemovalPolicy.DESTROY,
		});
		// Before the stage: API Gateway makes one that never forgets where there is none.
		api.deploymentStage.node.addDependency(errors);
		this.gatewayAnswers(api);
		// Everything goes to the function: it says more of what is wrong with an order than a schema here could, answers preflights, and what it does
		// not know it refuses in its own words. A method of its own is for the two addresses everybody asks.
		const ask = new LambdaIntegration(shop, { proxy: true, allowTestInvoke: false });
		api.root.addMethod("ANY", ask);
		api.root.addResource("{proxy+}").addMethod("ANY", ask);
		for (const [path, method] of [
			["item", "GET"],
			["cart", "POST"],
		] as const) {
			const resource = api.root.addResource(path);
			resource.addMethod(method, ask);
			resource.addMethod("ANY", ask);
			resource.addResource("{proxy+}").addMethod("ANY", ask);
		}
		return api;
	}

	/**
	 * What API Gateway answers by itself, in the function's shape, and readable for a page of another site. These are no VTL: plain variables are
	 * put in and nothing is evaluated, so nothing a caller wrote may stand in them.
	 */
	private gatewayAnswers(api: RestApi): void {
		const answer = (id: string, type: ResponseType, about: { code: string; message: string; statusCode?: string; seconds?: number }) => {
			const { code, message, statusCode, seconds } = about;
			new GatewayResponse(this, id, {
				restApi: api,
				type,
				...(statusCode ? { statusCode } : {}),
				responseHeaders: {
					"Access-Control-Allow-Origin": "'*'",
					"Access-Control-Expose-Headers": "'retry-after'",
					"Cache-Control": "'no-store'",
					...(seconds ? { "Retry-After": `'${seconds}'` } : {}),
				},
				templates: {
					"application/json": JSON.stringify({
						error: { code, message, ...(seconds ? { seconds } : {}), request_id: "$context.requestId" },
					}),
				},
			});
		};
		answer("TooFast", ResponseType.THROTTLED, {
			code: "too-fast",
			message: "Too many requests; see Retry-After.",
			statusCode: "429",
			seconds: 1,
		});
		answer("TooLarge", ResponseType.REQUEST_TOO_LARGE, {
			code: "too-large",
			message: "The body is larger than 256 KiB.",
			statusCode: "413",
		});
		answer("Refused", ResponseType.DEFAULT_4XX, { code: "refused", message: "This request never reached the shop." });
		answer("Failed", ResponseType.DEFAULT_5XX, { code: "failed", message: "Something went wrong on our side." });
	}

	/**
	 * Calls the function for each file put into the inbox. The construct's own way brings a function of its own with far-reaching rights; said to the
	 * bucket itself it needs a name that is known before there is a bucket, or permission and bucket would wait for each other.
	 */
	private whenUploaded(upload: LambdaFunction): void {
		const name = importsBucketName(this.config.stage);
		const arn = `arn:${Aws.PARTITION}:s3:::${name}`;
		const bucket = this.imports.node.defaultChild as CfnBucket;
		bucket.bucketName = name;
		const permission = new CfnPermission(this, "ImportsMayCall", {
			action: "lambda:InvokeFunction",
			functionName: upload.functionArn,
			principal: "s3.amazonaws.com",
			sourceAccount: Aws.ACCOUNT_ID,
			sourceArn: arn,
		});
		bucket.addResourceDependency(permission);
		bucket.notificationConfiguration = {
			lambdaConfigurations: [
				{
					event: "s3:ObjectCreated:*",
					function: upload.functionArn,
					// What it writes itself lies elsewhere, or it would call itself for ever.
					filter: { s3Key: { rules: [{ name: "prefix", value: importPrefixes.inbox }] } },
				},
			],
		};
		const may = (sid: string, actions: string[], below: string[]) =>
			upload.addToRolePolicy(new PolicyStatement({ sid, actions, resources: below.map((prefix) => `${arn}/${prefix}*`) }));
		may("ReadAndClearTheInbox", ["s3:GetObject", "s3:DeleteObject"], [importPrefixes.inbox]);
		may("ReportAndSetAside", ["s3:PutObject"], [importPrefixes.reports, importPrefixes.quarantine]);
		// Without it an object that is gone looks like one that is forbidden.
		upload.addToRolePolicy(new PolicyStatement({ sid: "SeeWhatIsGone", actions: ["s3:ListBucket"], resources: [arn] }));
	}
}
