import { attributes, events, logFields, metrics } from "../contract.ts";

/** NRQL is written where a dashboard or an alert needs it; here is what its names may be. */

/** Words of the language, and what it computes with. */
const words = new Set(
	(
		"select from where and or not in is null like as facet timeseries since until ago limit compare with order by asc desc auto max " +
		"minute minutes hour hours day days week weeks cases true false extrapolate"
	).split(" "),
);
const functions = new Set(
	(
		"sum count average min max latest earliest percentile percentage rate uniqueCount uniques filter histogram clamp_min clamp_max " +
		"floor round if derivative keyset"
	).split(" "),
);

/** On everything by the resource, or made by New Relic from what OTLP says of a record. */
const resource = ["service.name", "service.version", "service.instance.id", "deployment.environment.name", "timestamp"];
/** What every log line has besides its own fields. */
const line = ["event", "level", "message", "trace.id", "span.id"];

const known: Record<string, ReadonlySet<string>> = {
	Metric: new Set([...Object.keys(metrics), ...Object.keys(attributes), ...resource, "metricName"]),
	Log: new Set([...Object.keys(logFields), ...resource, ...line]),
	NrIntegrationError: new Set(["message", "category", "newRelicFeature", "timestamp"]),
};

export type Names = { events: string[]; names: string[] };

/** What a query names: its event types, and everything else that is neither the language's nor a text, number or label. */
export function namesOf(query: string): Names {
	const bare = query
		.replace(/'(?:[^'\\]|\\.)*'/g, " ")
		// A label of ours: AS 'text' is gone already.
		.replace(/\s+/g, " ");
	const from = [...bare.matchAll(/\bFROM\s+([A-Za-z]+(?:\s*,\s*[A-Za-z]+)*)/gi)].flatMap(([, list]) => (list as string).split(/\s*,\s*/));
	const names = new Set<string>();
	for (const [, quoted, plain] of bare.matchAll(/`([^`]+)`|([A-Za-z_][\w.]*)(?!\w*\()/g)) {
		const name = (quoted ?? plain) as string;
		if (!quoted && (words.has(name.toLowerCase()) || from.includes(name))) continue;
		names.add(name);
	}
	for (const [, called] of bare.matchAll(/([A-Za-z_]\w*)\s*\(/g)) {
		names.delete(called as string);
		if (!functions.has(called as string) && !words.has((called as string).toLowerCase())) names.add(`${called}()`);
	}
	return { events: from, names: [...names] };
}

/** What is wrong with a query: names the contract does not have, texts that are no value of a closed list, spans. */
export function problemsOf(query: string): string[] {
	const { events: from, names } = namesOf(query);
	const problems: string[] = [];
	if (from.length === 0) problems.push("asks nothing: no FROM");
	for (const type of from) if (!known[type]) problems.push(`${type} is no event type of ours`);
	for (const name of names)
		if (!from.some((type) => known[type]?.has(name))) problems.push(`${name} is neither metric, attribute nor log field`);
	for (const [, name, list] of query.matchAll(/([\w.]+)\s*(?:=|!=|IN|NOT IN)\s*(\([^)]*\)|'[^']*')/gi)) {
		const values = valuesOf(name as string);
		if (values)
			for (const [, value] of (list as string).matchAll(/'([^']*)'/g))
				if (!values.includes(value as string)) problems.push(`${name} is never '${value}'`);
	}
	return problems;
}

function valuesOf(name: string): readonly string[] | null {
	if (name === "event") return Object.keys(events);
	const values = (attributes as Record<string, { values?: readonly unknown[] }>)[name]?.values;
	return values ? values.map(String) : null;
}
