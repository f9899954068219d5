import assert from "node:assert/strict";
import { test } from "node:test";
import { events, logFields } from "./contract.ts";
import { placeholder, savedQueries } from "./queries.ts";

/** What every line has, and what CloudWatch adds to each. */
const always = ["ts", "level", "event", "msg", "service", "env", "version", "instance", "trace_id", "span_id", "trace_flags"];
const byCloudWatch = ["@timestamp", "@message", "@logStream", "@log"];
/** Words of Logs Insights. */
const words = [
	..."fields filter sort stats limit display parse dedup by as and or not in like asc desc".split(" "),
	..."count count_distinct sum avg min max pct latest earliest bin strcontains".split(" "),
];

/** What a query names besides texts, numbers and its own aliases. */
function namesIn(query: string): string[] {
	const bare = query
		.replace(/"[^"]*"/g, " ")
		.replace(/\/[^/\n]*\//g, " ")
		.replace(/\bbin\(\w+\)/g, "bin");
	const aliases = [...bare.matchAll(/\bas\s+(\w+)/g)].map((match) => match[1] as string);
	return [...bare.matchAll(/@?[A-Za-z_]\w*/g)].map(([name]) => name).filter((name) => !words.includes(name) && !aliases.includes(name));
}

function problemsOf(query: string): string[] {
	const known = [...always, ...byCloudWatch, ...Object.keys(logFields)];
	const fields = namesIn(query).filter((name) => !known.includes(name));
	const named = [...query.matchAll(/event\s*(?:=|in)\s*(\[[^\]]*\]|"[^"]*")/g)].flatMap(([, list]) =>
		[...(list as string).matchAll(/"([^"]*)"/g)].map((match) => match[1] as string),
	);
	const unknown = named.filter((name) => !(name in events));
	// A field none of the events it looks at has is a column that stays empty.
	const possible =
		named.length > 0 ? named.flatMap((name) => (events as Record<string, { fields: readonly string[] }>)[name]?.fields ?? []) : null;
	const empty = possible ? namesIn(query).filter((name) => name in logFields && !possible.includes(name)) : [];
	return [
		...fields.map((name) => `field ${name}`),
		...unknown.map((name) => `event ${name}`),
		...empty.map((name) => `${name} is never there`),
	];
}

for (const { name, query } of savedQueries)
	test(`"${name}" names only what the contract has`, () => {
		assert.deepEqual(problemsOf(query), []);
		assert.ok(namesIn(query).length > 1);
		assert.match(query, /\| |^filter/);
	});

test("what the contract has not would be found", () => {
	assert.deepEqual(problemsOf('filter event = "message.lost" | stats count(*) as n by bin(5m), colour'), [
		"field colour",
		"event message.lost",
	]);
	assert.deepEqual(problemsOf('filter event in ["db.slow_query"] | fields recipients'), ["recipients is never there"]);
});

test("there are eleven, each with a name of its own, what it is for, and where it asks", () => {
	assert.equal(savedQueries.length, 11);
	assert.equal(new Set(savedQueries.map((query) => query.name)).size, 11);
	for (const { description, groups } of savedQueries) assert.ok(description.endsWith(".") && groups.length > 0);
	assert.equal(savedQueries.filter(({ query }) => query.includes(placeholder)).length, 3);
});

test("events of the audit log are asked for where they are written", () => {
	for (const { name, query, groups } of savedQueries)
		for (const [event, declared] of Object.entries(events as Record<string, { audit?: true }>))
			if (declared.audit && query.includes(`"${event}"`)) assert.ok(groups.includes("audit"), `${name} asks for ${event}`);
});
