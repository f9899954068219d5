import assert from "node:assert/strict";
import { test } from "node:test";
import { alarms } from "../../observability/alarms.ts";
import { slos } from "../../observability/contract.ts";
import { conditions, longestWindow, policies } from "../../observability/newrelic/conditions.ts";
import { dashboard, limits } from "../../observability/newrelic/dashboards.ts";
import { generated, outdated } from "../../observability/newrelic/generate.ts";
import { namesOf, problemsOf } from "../../observability/newrelic/nrql.ts";
import { serviceLevels } from "../../observability/newrelic/service-levels.ts";

const target = { accountId: 7, environment: "prod" };
const made = conditions(target, "https://git.example.org");
const { pages } = dashboard(target);
const widgets = pages.flatMap(({ widgets }) => widgets);
const queries = [
	...widgets.flatMap(({ title, rawConfiguration }) => rawConfiguration.nrqlQueries.map(({ query }) => ({ of: title, query }))),
	...made.map(({ name, nrql }) => ({ of: name, query: nrql.query })),
	...serviceLevels(target).flatMap(({ name, events }) =>
		[events.validEvents, events.goodEvents].map(({ from, select, where }) => ({
			of: name,
			query: `SELECT sum(${select.attribute}) FROM ${from} WHERE ${where}`,
		})),
	),
];

test("the files in observability/newrelic are what the contract says; if not: npm run newrelic -- generate", () => {
	assert.equal(generated().length, 3);
	assert.deepEqual(outdated(), []);
});

test("the extractor finds names, and what is wrong with them", () => {
	const query =
		"SELECT percentile(chat.rpc.duration, 99) AS 'Span it' FROM Metric WHERE slo = 'send' FACET `service.version` SINCE 1 hour ago";
	assert.deepEqual(namesOf(query), { events: ["Metric"], names: ["chat.rpc.duration", "slo", "service.version"] });
	assert.deepEqual(problemsOf(query), []);
	assert.deepEqual(problemsOf("SELECT count(*) FROM Span"), ["Span is no event type of ours"]);
	assert.deepEqual(problemsOf("SELECT sum(chat.rpc.durations) FROM Metric"), [
		"chat.rpc.durations is neither metric, attribute nor log field",
	]);
	assert.deepEqual(problemsOf("SELECT sum(slo.good) FROM Metric WHERE slo IN ('send', 'sent')"), ["slo is never 'sent'"]);
	assert.deepEqual(problemsOf("SELECT count(*) FROM Log WHERE event = 'message.lost'"), ["event is never 'message.lost'"]);
	assert.deepEqual(problemsOf("SELECT summe(slo.good) FROM Metric"), ["summe() is neither metric, attribute nor log field"]);
	assert.deepEqual(problemsOf("SELECT chat.rpc.duration FROM Log"), ["chat.rpc.duration is neither metric, attribute nor log field"]);
});

test("every query names only what the contract has, and never a span", () => {
	assert.ok(queries.length > 90, String(queries.length));
	for (const { of, query } of queries) {
		assert.deepEqual(problemsOf(query), [], `${of}: ${query}`);
		assert.doesNotMatch(query, /\bSpan\b/, of);
	}
});

test("every query but New Relic's own is asked of our service in one environment", () => {
	for (const { of, query } of queries)
		if (!query.includes("FROM NrIntegrationError"))
			assert.ok(query.includes("service.name = 'chat-web' AND deployment.environment.name = 'prod'"), `${of}: ${query}`);
});

test("the dashboard keeps New Relic's limits, and no two widgets lie on each other", () => {
	assert.ok(pages.length <= limits.pages);
	assert.deepEqual(
		pages.map(({ name }) => name),
		["Now", "Journey", "Sockets", "Saturation", "Trust"],
	);
	for (const { name, widgets } of pages) {
		assert.ok(widgets.length > 0 && widgets.length <= limits.widgets, name);
		const taken = new Set<string>();
		for (const { title, layout, rawConfiguration } of widgets) {
			const { column, row, width, height } = layout;
			assert.ok(column >= 1 && column + width - 1 <= limits.columns, title);
			assert.ok(height >= 1 && height <= limits.height, title);
			const { nrqlQueries } = rawConfiguration;
			assert.ok(nrqlQueries.length >= 1 && nrqlQueries.length <= limits.queries, title);
			assert.ok(
				nrqlQueries.every(({ accountIds }) => accountIds.length === 1 && accountIds[0] === 7),
				title,
			);
			for (let x = column; x < column + width; x++)
				for (let y = row; y < row + height; y++) {
					assert.ok(!taken.has(`${x}/${y}`), `${name}: ${title} lies on another`);
					taken.add(`${x}/${y}`);
				}
		}
	}
	assert.equal(new Set(widgets.map(({ title }) => title)).size, widgets.length);
});

test("every alarm but the canary is a condition, with a runbook, in the policy of its severity", () => {
	assert.deepEqual(
		made.map(({ name, severity }) => [name, severity]),
		// The canary is CloudWatch's, and what tells that nothing can be exported is not exported.
		alarms
			.filter(({ name, signal }) => signal.kind !== "canary" && name !== "telemetry-export-failing")
			.map(({ name, severity }) => [name, severity]),
	);
	assert.deepEqual(
		policies(target)
			.map(({ severity }) => severity)
			.sort(),
		["page", "ticket"],
	);
	for (const condition of made) {
		assert.match(condition.runbookUrl, /^https:\/\/git\.example\.org\/docs\/runbooks\/[a-z-]+\.md$/);
		assert.ok(condition.terms || condition.expiration, condition.name);
		assert.ok(condition.name.length <= 128 && condition.description.length <= 4000);
		// A condition has no time of its own: its window is all it sees.
		assert.doesNotMatch(condition.nrql.query, /SINCE|UNTIL|TIMESERIES|LIMIT/);
	}
});

test("windows are such as New Relic evaluates", () => {
	for (const { name, signal, terms = [], expiration } of made) {
		const { aggregationWindow, slideBy } = signal;
		assert.ok(aggregationWindow >= 30 && aggregationWindow <= longestWindow, name);
		if (slideBy) assert.ok(slideBy < aggregationWindow && aggregationWindow % slideBy === 0, name);
		for (const { thresholdDuration } of terms) {
			assert.ok(thresholdDuration >= 60 && thresholdDuration <= 86_400, name);
			assert.equal(thresholdDuration % aggregationWindow, 0, name);
		}
		if (expiration) assert.ok(expiration.expirationDuration >= 30 && expiration.expirationDuration <= 172_800, name);
	}
});

test("a burn is reckoned against its own budget, with the guard of the short window stretched to the one asked over", () => {
	const fast = made.find(({ name }) => name === "send-burn-fast")!;
	assert.match(fast.nrql.query, /\/ 0\.001 \* clamp_max\(floor\(sum\(slo\.valid\) \/ 600\), 1\) FROM Metric .* AND slo = 'send'$/);
	assert.deepEqual(fast.signal, { aggregationWindow: 3600, aggregationMethod: "EVENT_FLOW", aggregationDelay: 120, slideBy: 300 });
	assert.equal(fast.terms?.[0]?.threshold, 14.4);
	const slow = made.find(({ name }) => name === "send-burn-slow")!;
	assert.equal(slow.signal.aggregationWindow, longestWindow);
	assert.match(slow.nrql.query, /\/ 50\)/);
	assert.deepEqual([slow.terms?.[0]?.thresholdDuration, slow.terms?.[0]?.thresholdOccurrences], [86_400, "ALL"]);
});

test("every promise is a service level, on counters that are never sampled", () => {
	const levels = serviceLevels(target);
	assert.deepEqual(
		levels.map(({ objectives }) => objectives[0]?.target),
		Object.values(slos).map(({ objective }) => Number((objective * 100).toFixed(5))),
	);
	for (const { name, events, objectives } of levels) {
		assert.deepEqual(
			[events.validEvents.select, events.goodEvents.select],
			[
				{ attribute: "slo.valid", function: "SUM" },
				{ attribute: "slo.good", function: "SUM" },
			],
		);
		assert.ok([1, 7, 14, 28, 30].includes(objectives[0]!.timeWindow.rolling.count), name);
	}
});
