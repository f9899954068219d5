import assert from "node:assert/strict";
import { test } from "node:test";
import { cloudWatchTemplate, linksOf, newRelicLogsTemplate, newRelicTraceTemplate } from "./links.ts";

const none = { newRelicTrace: null, newRelicLogs: null, cloudWatchLogs: null };
const values = {
	traceId: "0193a7b2111170008abc000000000001",
	messageId: "0193a7b2-1111-7000-8abc-000000000001",
	from: Date.UTC(2026, 10, 24, 9, 0, 0, 5) + 0.4,
	to: Date.UTC(2026, 10, 24, 9, 10, 0) - 0.5,
	region: "eu-west-1",
	group: "/chat/prod/app",
};

test("nothing is configured, nothing is linked", () => {
	assert.deepEqual(linksOf(none, values), none);
});

test("New Relic gets ids and ms", () => {
	const links = linksOf({ ...none, newRelicTrace: newRelicTraceTemplate, newRelicLogs: newRelicLogsTemplate }, values);
	assert.equal(
		links.newRelicTrace,
		"https://one.newrelic.com/distributed-tracing?trace.id=0193a7b2111170008abc000000000001&begin=1795510800005&end=1795511400000",
	);
	const query = new URL(links.newRelicLogs as string).searchParams;
	assert.equal(query.get("query"), 'trace.id:"0193a7b2111170008abc000000000001"');
});

/** What CloudWatch's console makes of the fragment: `$` is `%`, and in its values `*` and two digits are a byte. */
function consoleReads(address: string): string {
	const fragment = new URL(address).hash.slice(1);
	return decodeURIComponent(fragment.replaceAll("$", "%"));
}

test("CloudWatch gets its query in its own notation: times of day, a group with slashes, the id in quotes", () => {
	const { cloudWatchLogs } = linksOf({ ...none, cloudWatchLogs: cloudWatchTemplate }, values);
	assert.equal(new URL(cloudWatchLogs as string).host, "eu-west-1.console.aws.amazon.com");
	assert.equal(new URL(cloudWatchLogs as string).searchParams.get("region"), "eu-west-1");
	const read = consoleReads(cloudWatchLogs as string);
	assert.ok(read.startsWith("logsV2:logs-insights?queryDetail=~("), read);
	assert.ok(read.includes("~start~'2026-11-24T09*3a00*3a00.005Z~"), read);
	assert.ok(read.includes("end~'2026-11-24T09*3a10*3a00.000Z~"), read);
	assert.ok(read.includes("~source~(~'*2fchat*2fprod*2fapp))"), read);
	const query = /editorString~'([^~]+)~/
		.exec(read)?.[1]
		?.replace(/\*(..)/g, (_whole, hex) => String.fromCharCode(Number.parseInt(hex, 16)));
	assert.equal(
		query,
		'fields @timestamp, level, event, msg, @logStream | filter trace_id = "0193a7b2111170008abc000000000001" | sort @timestamp',
	);
});

test("a group in the path of CloudWatch's console is encoded twice, with dollars; before the fragment it is not", () => {
	const template = "https://console.aws.amazon.com/cloudwatch/home?group={group}#logsV2:log-groups/log-group/{group}";
	assert.equal(
		linksOf({ ...none, cloudWatchLogs: template }, values).cloudWatchLogs,
		"https://console.aws.amazon.com/cloudwatch/home?group=%2Fchat%2Fprod%2Fapp#logsV2:log-groups/log-group/$252Fchat$252Fprod$252Fapp",
	);
});

test("what comes from an address bar stays within its place in the address", () => {
	const nasty = "x&y=1#z'~(){}%2F é";
	const { newRelicTrace } = linksOf({ ...none, newRelicTrace: "https://example.test/?m={messageId}&n=1" }, { ...values, messageId: nasty });
	assert.equal(new URL(newRelicTrace as string).searchParams.get("m"), nasty);
	const { cloudWatchLogs } = linksOf(
		{ ...none, cloudWatchLogs: "https://example.test/#queryDetail$3D~(a~'{messageId}~b)" },
		{ ...values, messageId: nasty },
	);
	assert.equal(cloudWatchLogs, "https://example.test/#queryDetail$3D~(a~'x*26y*3d1*23z*27*7e*28*29*7b*7d*252F*20*c3*a9~b)");
});

test("an address that asks for what is not known is no address", () => {
	const template = "https://example.test/{messageId}";
	assert.equal(linksOf({ ...none, newRelicLogs: template }, { ...values, messageId: null }).newRelicLogs, null);
	assert.equal(linksOf({ ...none, cloudWatchLogs: cloudWatchTemplate }, { ...values, group: undefined }).cloudWatchLogs, null);
});
