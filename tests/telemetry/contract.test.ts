import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { attributes, events, logFields, type Metric, metrics, type Span, slos, spans } from "../../observability/contract.ts";
import { contractPage, pageFile } from "../../scripts/contract-page.ts";

test("docs/telemetry-contract.md is what the contract says; if not: npm run contract", () => {
	assert.ok(existsSync(pageFile));
	assert.equal(readFileSync(pageFile, "utf8"), contractPage());
});

test("only closed lists stand on metrics: no person, room, message, session or connection, and few enough of everything", () => {
	const open = new Set(["error.type", "http.route", "rule", "db.collection.name", "http.response.status_code", "network.protocol.version"]);
	for (const [name, metric] of Object.entries(metrics as Record<string, Metric>))
		for (const key of metric.attributes) {
			assert.doesNotMatch(key, /(^|\.)(id|session|path|full|original|address)$/, `${name}: ${key}`);
			const { values } = attributes[key] as { values?: readonly unknown[] };
			assert.ok(values || open.has(key), `${name}: ${key} has no closed list`);
			assert.ok((values?.length ?? 0) <= 30, `${name}: ${key}`);
		}
});

test("units are UCUM, and a duration is in seconds", () => {
	for (const [name, metric] of Object.entries(metrics as Record<string, Metric>)) {
		assert.match(metric.unit, /^(s|By|1|\{[a-z_]+\})$/, name);
		if (/\.(duration|lag|delay\.p99)$/.test(name)) assert.equal(metric.unit, "s", name);
		if (metric.type === "histogram")
			assert.ok(
				metric.buckets?.every((bound, i, all) => i === 0 || bound > (all[i - 1] as number)),
				name,
			);
	}
});

test("no attribute and no log field is declared that nothing uses", () => {
	const used = new Set([
		...Object.values(spans as Record<string, Span>).flatMap((span) => [...span.attributes]),
		...Object.values(metrics as Record<string, Metric>).flatMap((metric) => [...metric.attributes]),
	]);
	assert.deepEqual(
		Object.keys(attributes).filter((name) => !used.has(name as keyof typeof attributes)),
		[],
	);
	const fields = new Set(Object.values(events).flatMap((event) => event.fields as readonly string[]));
	assert.deepEqual(
		Object.keys(logFields).filter((name) => !fields.has(name)),
		[],
	);
});

test("event names are namespaced and constant, and every service level has a line it is measured by", () => {
	for (const [name, event] of Object.entries(events)) {
		assert.match(name, /^[a-z]+(\.[a-z_]+)*$/);
		assert.doesNotMatch(event.msg, /[{}$]/);
	}
	const emf = Object.values(slos).map((slo) => slo.emf);
	assert.equal(new Set(emf).size, emf.length);
	for (const slo of Object.values(slos)) assert.ok(slo.objective > 0.5 && slo.objective <= 1);
});
