/** `npm run contract`: writes docs/telemetry-contract.md from observability/contract.ts. A test says when it is out of date. */
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { attributes, burnRates, events, type Metric, metrics, type Slo, type Span, slos, spans } from "../observability/contract.ts";

export const pageFile = fileURLToPath(new URL("../docs/telemetry-contract.md", import.meta.url));

const code = (text: string) => `\`${text}\``;
const list = (names: readonly string[]) => (names.length === 0 ? "-" : names.map(code).join(", "));

function table(head: string[], rows: string[][]): string {
	const line = (cells: string[]) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
	return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

/** The whole contract as a page for people. */
export function contractPage(): string {
	const spanRows = Object.entries(spans as Record<string, Span>).map(([name, span]) => [
		code(name),
		span.kind,
		span.by,
		span.parent,
		list(span.attributes),
		span.error,
	]);
	const metricRows = Object.entries(metrics as Record<string, Metric>).map(([name, metric]) => [
		code(name),
		metric.type,
		metric.unit,
		list(metric.attributes),
		metric.by,
		metric.what,
	]);
	const eventRows = Object.entries(events).map(([name, event]) => [code(name), event.level, event.msg, list(event.fields)]);
	const sloRows = Object.entries(slos as Record<string, Slo>).map(([name, slo]) => [
		code(name),
		slo.title,
		`${slo.objective * 100} %`,
		slo.good,
		slo.valid,
	]);
	const burnRows = burnRates.map((burn) => [burn.name, burn.severity, `${burn.rate}`, `${burn.long / 3600} h and ${burn.short / 60} min`]);
	const attributeRows = Object.entries(attributes).map(([name, attribute]) => {
		const values = "values" in attribute ? attribute.values.map((value) => code(String(value))).join(", ") : attribute.type;
		return [code(name), values, attribute.what];
	});
	return `# The telemetry contract

Made from [observability/contract.ts](../observability/contract.ts) by \`npm run contract\`; change it there. What is emitted stands here,
and what stands here is emitted: \`tests/telemetry/\` holds both to it. How to read it all: [observability.md](observability.md).

## Spans

${table(["name", "kind", "made by", "parent", "attributes", "ERROR when"], spanRows)}

## Metrics

${table(["name", "type", "unit", "attributes", "made by", "what"], metricRows)}

## Log events

Every line has \`ts\`, \`level\`, \`event\`, \`msg\`, \`service\`, \`env\`, \`version\`, \`instance\`, \`pid\` and, within a trace, \`trace_id\`, \`span_id\`, \`trace_flags\`; within a request, \`request_id\`.
\`message.sent\` goes to the log for every message, and over OTLP where spans were recorded: sampled, failed or slow.

${table(["event", "level", "msg", "fields"], eventRows)}

## Service levels

Over 28 days.

${table(["name", "what people notice", "objective", "good", "of"], sloRows)}

Somebody is called when the budget of failures goes too fast:

${table(["burn", "severity", "times too fast", "over"], burnRows)}

## Attributes

${table(["name", "values", "what"], attributeRows)}
`;
}

if (import.meta.main) {
	writeFileSync(pageFile, contractPage());
	console.log("wrote docs/telemetry-contract.md");
}
