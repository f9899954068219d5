import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { loadAwsServiceSpec } from "@aws-cdk/aws-service-spec";
import { alarms, metricFilters } from "../observability/alarms.ts";
import { logFields, slos } from "../observability/contract.ts";
import { emfDurations, emfNamespace, emfNumbers } from "../observability/emf.ts";
import { savedQueries } from "../observability/queries.ts";
import { hostMetrics, hostNamespace } from "./constructs/agent-config.ts";
import { deliveryFilters, deliveryNamespace } from "./constructs/own-alarms.ts";
import { parts } from "./footprint.ts";
import { losses, readBaseline, statefulOf } from "./stateful.ts";
import { ofType, settle, synthesized, variants } from "./testing.ts";

const names = Object.keys(variants) as (keyof typeof variants)[];
const prod = synthesized("prod");

describe("the current CloudFormation schema, to its full depth", async () => {
	const spec = await loadAwsServiceSpec();
	type Type = { type: string; element?: Type; reference?: { $ref: string }; types?: Type[] };
	type Property = { type: Type; required?: boolean; previousTypes?: Type[] };
	const properties = (owner: { properties: object }) => owner.properties as Record<string, Property>;
	const isIntrinsic = (value: unknown): boolean =>
		typeof value === "object" && value !== null && Object.keys(value).length === 1 && /^(Ref$|Fn::)/.test(Object.keys(value)[0] as string);

	/** Every way in which a value is not what a property takes; a line each. Intrinsics stand for anything of the right kind. */
	function faults(value: unknown, type: Type, at: string): string[] {
		if (isIntrinsic(value)) return [];
		const is = (kind: string, fits: boolean) => (fits ? [] : [`${at} is no ${kind}: ${JSON.stringify(value)?.slice(0, 80)}`]);
		switch (type.type) {
			case "string":
			case "date-time":
				return is("text", ["string", "number", "boolean"].includes(typeof value));
			case "number":
			case "integer":
				return is(
					type.type,
					typeof value === "number" ? type.type === "number" || Number.isInteger(value) : /^-?\d+(\.\d+)?$/.test(String(value)),
				);
			case "boolean":
				return is("boolean", typeof value === "boolean" || value === "true" || value === "false");
			case "array":
				if (!Array.isArray(value)) return is("list", false);
				return value.flatMap((each, n) => faults(each, type.element as Type, `${at}[${n}]`));
			case "map":
				if (typeof value !== "object" || value === null || Array.isArray(value)) return is("map", false);
				return Object.entries(value).flatMap(([key, each]) => faults(each, type.element as Type, `${at}.${key}`));
			case "union": {
				const tried = (type.types ?? []).map((each) => faults(each && value, each, at));
				return tried.some((found) => found.length === 0) ? [] : (tried[0] ?? []);
			}
			case "ref": {
				if (typeof value !== "object" || value === null || Array.isArray(value)) return is("object", false);
				return members(value as Record<string, unknown>, properties(spec.get("typeDefinition", type.reference as never) as never), at);
			}
			case "tag":
				return value !== null && typeof value === "object" ? [] : is("tag", false);
			default:
				return type.type === "json" ? [] : [`${at} has a type this test does not know: ${type.type}`];
		}
	}
	function members(value: Record<string, unknown>, known: Record<string, Property>, at: string): string[] {
		const unknown = Object.keys(value).filter((name) => !(name in known));
		const missing = Object.entries(known).flatMap(([name, { required }]) => (required && !(name in value) ? [name] : []));
		return [
			...unknown.map((name) => `${at}.${name} does not exist`),
			...missing.map((name) => `${at}.${name} is missing`),
			...Object.entries(value).flatMap(([name, inner]) => {
				const property = known[name];
				if (!property) return [];
				// What the newest schema calls otherwise, older ones still take.
				const tried = [property.type, ...(property.previousTypes ?? [])].map((type) => faults(inner, type, `${at}.${name}`));
				return tried.some((found) => found.length === 0) ? [] : (tried[0] as string[]);
			}),
		];
	}
	const check = (type: string, given: Record<string, unknown>, at: string): string[] => {
		const [resource] = spec.lookup("resource", "cloudFormationType", "equals", type);
		return resource ? members(given, properties(resource), at) : [`${at}: there is no ${type}`];
	};

	for (const name of names)
		test(`${name} fits`, () => {
			const { all } = synthesized(name);
			const looked = all.filter(([, , { Type }]) => !Type.startsWith("Custom::") && Type !== "AWS::CDK::Metadata");
			assert.ok(looked.length > 250, String(looked.length));
			assert.deepEqual(
				looked.flatMap(([part, id, { Type, Properties = {} }]) => check(Type, Properties, `${part}/${id}`)),
				[],
			);
		});

	test("what does not fit is found, however deep", () => {
		const template = (inner: Record<string, unknown>) => ({
			LaunchTemplateData: { BlockDeviceMappings: [{ DeviceName: "/dev/xvda", Ebs: inner }] },
		});
		const found = (inner: Record<string, unknown>) => check("AWS::EC2::LaunchTemplate", template(inner), "x");
		assert.deepEqual(found({ Encrypted: true, VolumeSize: 20 }), []);
		assert.deepEqual(found({ Encryptd: true }), ["x.LaunchTemplateData.BlockDeviceMappings[0].Ebs.Encryptd does not exist"]);
		assert.match(String(found({ VolumeSize: "big" })), /VolumeSize is no integer/);
		assert.deepEqual(check("AWS::Logs::QueryDefinition", { Name: "x" }, "q"), ["q.QueryString is missing"]);
		assert.deepEqual(check("AWS::Nothing::AtAll", {}, "n"), ["n: there is no AWS::Nothing::AtAll"]);
	});

	test("no template comes near CloudFormation's limits", () => {
		for (const name of names)
			for (const [part, template] of Object.entries(synthesized(name).templates)) {
				assert.ok(Object.keys(template.Resources).length < 400, part);
				assert.ok(JSON.stringify(template).length < 800_000, part);
			}
	});

	test("no function of the CDK's own is deployed beside ours", () => {
		for (const name of names)
			for (const [part, id, { Type, Properties }] of synthesized(name).all)
				if (Type === "AWS::Lambda::Function" || Type.startsWith("Custom::"))
					assert.match(String(Properties?.FunctionName), /^chat-/, `${part}/${id}`);
	});
});

describe("what must not be replaced", () => {
	for (const stage of ["dev", "prod"] as const)
		test(`nothing of ${stage} would be replaced, deleted or left behind by a deployment`, () => {
			const now = statefulOf(synthesized(stage).templates);
			assert.deepEqual(
				losses(readBaseline(stage), now),
				[],
				"If that is meant: npm run synth -- --accept, and say in docs/aws.md how data gets across",
			);
			// What is new and not accepted yet is guarded by nobody.
			const ids = (baseline: typeof now) =>
				Object.entries(baseline).flatMap(([part, { Resources }]) => Object.keys(Resources).map((id) => `${part}/${id}`));
			assert.deepEqual(ids(readBaseline(stage)).sort(), ids(now).sort(), "npm run synth -- --accept");
		});

	test("[W5] the guard sees a replacement, a new name and a removal", () => {
		const accepted = readBaseline("prod");
		const changed = structuredClone(accepted) as Record<
			string,
			{ Resources: Record<string, { Type: string; Properties: Record<string, unknown> }> }
		>;
		const { Resources } = changed.data as (typeof changed)[string];
		const find = (type: string) => Object.keys(Resources).find((id) => Resources[id]?.Type === type) as string;
		const [database, table, stream] = [find("AWS::RDS::DBInstance"), find("AWS::DynamoDB::GlobalTable"), find("AWS::Kinesis::Stream")];
		(Resources[database] as { Properties: Record<string, unknown> }).Properties.StorageEncrypted = false;
		Resources.Renamed = Resources[table] as (typeof Resources)[string];
		delete Resources[table];
		delete Resources[stream];
		const found = losses(accepted, changed);
		assert.equal(found.length, 3, found.join("\n"));
		assert.ok(found.some((line) => line.startsWith(`data/${database} (AWS::RDS::DBInstance): WILL_REPLACE because of StorageEncrypted`)));
		assert.ok(found.some((line) => line.startsWith(`data/${table} (AWS::DynamoDB::GlobalTable): WILL_ORPHAN`)));
		assert.ok(found.some((line) => line.startsWith(`data/${stream} (AWS::Kinesis::Stream): WILL_ORPHAN`)));
		assert.deepEqual(losses(accepted, accepted), []);
	});
});

describe("what is watched", () => {
	const root = new URL("../", import.meta.url);
	const every = ["AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm"].flatMap((type) =>
		[...ofType(prod.templates.observe, type), ...ofType(prod.templates.web, type)].map(([, { Properties }]) => Properties),
	);

	test("[W10] every alarm says why and leads to a runbook that exists and names it", () => {
		assert.ok(every.length > 60, String(every.length));
		for (const { AlarmName, AlarmDescription } of every) {
			const runbook = /Runbook: (docs\/runbooks\/(?:aws\/)?[a-z-]+\.md)$/.exec(String(AlarmDescription))?.[1];
			assert.ok(runbook && existsSync(new URL(runbook, root)), `${AlarmName}: ${AlarmDescription}`);
			const text = readFileSync(new URL(runbook, root), "utf8");
			const name = String(AlarmName).replace(/^chat-prod-/, "");
			assert.ok(text.includes(`\`${name.replace(/-(long|short)$/, "")}\``), `${runbook} does not name ${name}`);
		}
	});

	test("every runbook on AWS's own numbers has all its parts, and an alarm that leads there", () => {
		const folder = new URL("docs/runbooks/aws/", root);
		const led = [
			...every,
			...ofType(synthesized("everything").templates.observe, "AWS::CloudWatch::Alarm").map(([, { Properties }]) => Properties),
		].map(({ AlarmDescription }) => String(AlarmDescription));
		const index = readFileSync(new URL("docs/runbooks/README.md", root), "utf8");
		// How to change a secret is no answer to an alarm.
		const files = readdirSync(folder).filter((file) => file !== "secrets.md");
		assert.ok(files.length >= 6);
		for (const file of files) {
			const text = readFileSync(new URL(file, folder), "utf8");
			assert.deepEqual(text.match(/^## .*/gm), ["## Symptom", "## Where to look", "## Three checks", "## What helps", "## Escalate"], file);
			assert.deepEqual(text.match(/^\d\./gm), ["1.", "2.", "3."], file);
			assert.ok(
				led.some((description) => description.endsWith(`docs/runbooks/aws/${file}`)),
				file,
			);
			assert.ok(index.includes(`(aws/${file})`), file);
		}
	});

	test("every alarm of the contract is there, as it says, and calls whom its severity says", () => {
		const named = new Map(every.map((alarm) => [String(alarm.AlarmName).replace("chat-prod-", ""), alarm]));
		for (const { name, severity, signal } of alarms) {
			const alarm = named.get(name);
			assert.ok(alarm, name);
			const [topic] = alarm.AlarmActions as unknown[];
			assert.match(JSON.stringify(topic), severity === "page" ? /Pages/ : /Tickets/, name);
			assert.equal((alarm.OKActions as unknown[]).length, 1, name);
			if (signal.kind !== "burn") continue;
			// Both windows at once, or nobody is called.
			const rule = JSON.stringify(alarm.AlarmRule);
			assert.match(rule, / AND /, name);
			for (const which of ["long", "short"]) {
				const leaf = named.get(`${name}-${which}`);
				assert.equal(leaf?.Threshold, signal.rate, name);
				assert.equal(leaf?.ComparisonOperator, "GreaterThanThreshold", name);
				assert.equal(leaf?.AlarmActions, undefined, name);
			}
		}
	});

	test("two of the last three conversations of the canary, and it talks every five minutes", () => {
		const [, canary] = ofType(prod.templates.observe, "AWS::Synthetics::Canary")[0] as [string, { Properties: Record<string, unknown> }];
		assert.deepEqual(canary.Properties.Schedule, { DurationInSeconds: "0", Expression: "rate(5 minutes)" });
		const alarm = every.find(({ AlarmName }) => AlarmName === "chat-prod-canary-failing");
		assert.deepEqual(
			[alarm?.EvaluationPeriods, alarm?.DatapointsToAlarm, alarm?.Period, alarm?.TreatMissingData],
			[3, 2, 300, "breaching"],
		);
		assert.equal(ofType(synthesized("dev").templates.observe, "AWS::Synthetics::Canary").length, 0);
	});

	test("dashboard and alarms name only metrics that somebody declared", async () => {
		const { lambdaMetrics } = await lambdaNames();
		const declared: Record<string, Set<string>> = {
			[emfNamespace]: new Set([
				...Object.keys(emfNumbers),
				...emfDurations,
				...Object.values(slos).flatMap(({ emf }) => [`${emf}Good`, `${emf}Valid`]),
				...metricFilters.map(({ name }) => name),
				...lambdaMetrics,
			]),
			[hostNamespace]: new Set(hostMetrics),
			[deliveryNamespace]: new Set(deliveryFilters.map(({ metric }) => metric)),
		};
		const used: [namespace: string, metric: string, where: string][] = [];
		const [, board] = ofType(prod.templates.observe, "AWS::CloudWatch::Dashboard")[0] as [string, { Properties: Record<string, unknown> }];
		const body = JSON.parse(String(settle(prod.templates, "observe", board.Properties.DashboardBody))) as {
			widgets: { properties: { title?: string; metrics?: unknown[][] } }[];
		};
		for (const { properties } of body.widgets)
			for (const [namespace, metric] of properties.metrics ?? [])
				if (typeof namespace === "string") used.push([namespace, String(metric), String(properties.title)]);
		for (const alarm of every) {
			if (alarm.Namespace) used.push([String(alarm.Namespace), String(alarm.MetricName), String(alarm.AlarmName)]);
			for (const { MetricStat } of (alarm.Metrics ?? []) as { MetricStat?: { Metric: { Namespace: string; MetricName: string } } }[])
				if (MetricStat) used.push([MetricStat.Metric.Namespace, MetricStat.Metric.MetricName, String(alarm.AlarmName)]);
		}
		const ours = used.filter(([namespace]) => !namespace.startsWith("AWS/") && namespace !== "CloudWatchSynthetics");
		assert.ok(ours.length > 100, String(ours.length));
		for (const [namespace, metric, where] of ours) assert.ok(declared[namespace]?.has(metric), `${where}: ${namespace} ${metric}`);
		assert.ok(body.widgets.length <= 500 && used.length < 2500);
	});

	test("every saved query is there, asks groups that exist and fields that are logged", () => {
		const queries = ofType(prod.templates.observe, "AWS::Logs::QueryDefinition").map(([, { Properties }]) => Properties);
		assert.deepEqual(queries.map(({ Name }) => Name).sort(), savedQueries.map(({ name }) => `Charla/prod/${name}`).sort());
		for (const { LogGroupNames, QueryString } of queries) {
			for (const group of LogGroupNames as string[])
				assert.match(group, /^\/chat\/prod\/(app|audit|access|functions\/(shop|upload|stream))$/);
			const sorted = /\bsort (\w+)/.exec(String(QueryString))?.[1];
			if (sorted && !["slow", "times", "ended", "lost"].includes(sorted)) assert.ok(sorted in logFields || sorted.startsWith("ts"), sorted);
		}
	});

	async function lambdaNames() {
		const text = readFileSync(new URL("lambdas/runtime/emf.ts", root), "utf8");
		return { lambdaMetrics: new Set(text.match(/Lambda[A-Z]\w+/g)) };
	}
});

test("no runbook names the fleet, which has no name: it is found by the tags the group has", () => {
	const [, fleet] = ofType(prod.templates.web, "AWS::AutoScaling::AutoScalingGroup")[0] as [
		string,
		{ Properties: Record<string, unknown> },
	];
	assert.equal(fleet.Properties.AutoScalingGroupName, undefined);
	const tags = new Map((fleet.Properties.Tags as { Key: string; Value: string }[]).map(({ Key, Value }) => [Key, Value]));
	const folder = new URL("../docs/runbooks/", import.meta.url);
	const texts = readdirSync(folder, { recursive: true, encoding: "utf8" })
		.filter((file) => file.endsWith(".md"))
		.map((file) => readFileSync(new URL(file, folder), "utf8"));
	const names = texts.flatMap((text) => Array.from(text.matchAll(/--auto-scaling-group-names? (\S+)/g), ([, name]) => name));
	assert.ok(names.length >= 4);
	for (const name of names) assert.equal(name, '"$FLEET"');
	const filters = texts.flatMap((text) => Array.from(text.matchAll(/Name=tag:(\w+),Values=(\w+)/g), ([, key, value]) => [key, value]));
	assert.ok(filters.length >= 2);
	for (const [key, value] of filters) assert.equal(tags.get(key as string), value);
});

test("the guard knows what others hold on to by address or by name, and a person's yes", () => {
	for (const [part, type] of [
		["api", "AWS::ApiGateway::RestApi"],
		["delivery", "AWS::CodeConnections::Connection"],
		["data", "AWS::ElastiCache::ReplicationGroup"],
		["web", "AWS::ElasticLoadBalancingV2::LoadBalancer"],
	] as const) {
		const accepted = readBaseline("prod");
		const [id] = Object.entries(accepted[part]?.Resources ?? {}).find(([, { Type }]) => Type === type) ?? [];
		assert.ok(id, type);
		const now = structuredClone(accepted);
		delete now[part]?.Resources[id];
		assert.equal(losses(accepted, now).length, 1, type);
	}
});

test("what others take from the data stack is exported, so that it cannot go while somebody stands on it", () => {
	for (const part of parts) {
		const text = JSON.stringify(prod.templates[part]);
		assert.doesNotMatch(text, /"Fn::GetStackOutput":\{"StackName":"chat-prod-data"/, part);
	}
	assert.match(JSON.stringify(prod.templates.web), /"Fn::ImportValue":"chat-prod-data:/);
	// Exports need their stack to be there first, and it is: nothing of it comes from those who import.
	assert.doesNotMatch(JSON.stringify(prod.templates.data), /ImportValue|"StackName":"chat-prod-(?!network)/);
});
