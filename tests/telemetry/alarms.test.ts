import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { alarms, cloudWatchAlarms, metricFilters } from "../../observability/alarms.ts";
import { attributes, burnRates, events, type Metric, metrics, type SloName, slos } from "../../observability/contract.ts";
import { emfNumbers } from "../../observability/emf.ts";
import { savedQueries } from "../../observability/queries.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const folder = "docs/runbooks/";

test("every service level is watched by each rate it can burn at at all; the one without budget by its first miss", () => {
	for (const [slo, { objective }] of Object.entries(slos)) {
		const own = alarms.filter(({ signal }) => "slo" in signal && signal.slo === (slo as SloName));
		const possible = burnRates.filter(({ rate }) => objective < 1 && rate * (1 - objective) < 1);
		assert.deepEqual(
			own.map(({ name, severity }) => [name, severity]),
			objective === 1 ? [[`${slo}-missed`, "ticket"]] : possible.map(({ name, severity }) => [`${slo}-burn-${name}`, severity]),
		);
		assert.ok(own.length > 0, slo);
	}
	assert.deepEqual(
		alarms.filter(({ name }) => name.startsWith("page-")).map(({ name }) => name),
		["page-burn-slow"],
		"not even every page being slow burns a quarter six times too fast",
	);
});

test("names are unique, and every name in a signal is the contract's", () => {
	assert.equal(new Set(alarms.map(({ name }) => name)).size, alarms.length);
	for (const { name, signal } of alarms) {
		assert.match(name, /^[a-z]+(-[a-z]+)+$/);
		if ("metric" in signal) {
			const metric = (metrics as Record<string, Metric>)[signal.metric];
			for (const [key, values] of Object.entries(signal.where ?? {})) {
				assert.ok(metric?.attributes.includes(key as never), `${name}: ${key}`);
				const closed = (attributes as Record<string, { values?: readonly unknown[] }>)[key]?.values;
				for (const value of values ?? []) assert.ok(closed?.includes(value), `${name}: ${value}`);
			}
			assert.ok(signal.emf in emfNumbers);
		}
		if ("event" in signal) assert.ok(signal.event in events);
	}
});

test("CloudWatch reckons with metrics the minute's line has, within what it evaluates", () => {
	const written = new Set([...Object.values(slos).flatMap(({ emf }) => [`${emf}Good`, `${emf}Valid`]), ...Object.keys(emfNumbers)]);
	const filtered = new Set(metricFilters.map(({ name }) => name));
	for (const alarm of alarms) {
		const leaves = cloudWatchAlarms(alarm, "prod");
		assert.equal(leaves === null, alarm.signal.kind === "canary");
		for (const leaf of leaves ?? []) {
			for (const [id, { name }] of Object.entries(leaf.metrics)) {
				assert.ok(written.has(name) || filtered.has(name), `${leaf.name}: ${name}`);
				assert.ok(leaf.expression.includes(id), `${leaf.name}: ${id}`);
			}
			assert.equal(leaf.period % 60, 0);
			assert.ok(leaf.period * leaf.evaluationPeriods <= (leaf.period >= 3600 ? 7 : 1) * 86_400, leaf.name);
			assert.equal(leaf.missing, alarm.signal.kind === "silence" ? "breaching" : "notBreaching");
		}
	}
	assert.deepEqual(
		cloudWatchAlarms(alarms.find(({ name }) => name === "send-burn-slow")!, "prod")?.map(
			({ name, expression, period, evaluationPeriods, threshold }) => [name, expression, period, evaluationPeriods, threshold],
		),
		[
			["chat-prod-send-burn-slow-long", "IF(valid >= 1, ((valid - good) / valid) / 0.001, 0)", 86_400, 3, 1],
			["chat-prod-send-burn-slow-short", "IF(valid >= 50, ((valid - good) / valid) / 0.001, 0)", 21_600, 1, 1],
		],
	);
	assert.deepEqual(metricFilters.map(({ pattern }) => pattern).sort(), [
		'{ $.event = "adapter.away" }',
		'{ $.event = "admission.closed" }',
		'{ $.event = "log.ship_failed" }',
		'{ $.event = "service.heartbeat" }',
		'{ $.event = "telemetry.export_failed" }',
	]);
});

const sections = ["## Symptom", "## Where to look", "## Three checks", "## What helps", "## Escalate"];

test("every alarm has a runbook that names it and has all its parts, and every runbook has an alarm", () => {
	// Those of alarms on AWS's own numbers lie in a folder below; infra/templates.test.ts holds them to it.
	const files = readdirSync(root + folder).filter((file) => file.endsWith(".md") && file !== "README.md");
	assert.deepEqual([...new Set(alarms.map(({ runbook }) => runbook))].sort(), files.map((file) => folder + file).sort());
	const queries = new Set(savedQueries.map(({ name }) => name));
	const index = readFileSync(`${root}${folder}README.md`, "utf8");
	for (const file of files) {
		const content = readFileSync(root + folder + file, "utf8");
		const headings = content.split("\n").filter((line) => line.startsWith("## "));
		assert.deepEqual(headings, sections, file);
		for (const alarm of alarms)
			if (alarm.runbook === folder + file) assert.ok(content.includes(`\`${alarm.name}\``), `${file}: ${alarm.name}`);
		const checks = partOf(content, "## Three checks");
		assert.deepEqual(checks.match(/^\d\./gm), ["1.", "2.", "3."], file);
		const named = [...checks.matchAll(/saved\s+query\s+"([^"]+)"/g)].map(([, name]) => (name as string).replace(/\s+/g, " "));
		assert.ok(named.length > 0, `${file}: no saved query`);
		for (const name of named) assert.ok(queries.has(name), `${file}: there is no saved query "${name}"`);
		assert.match(partOf(content, "## Where to look"), /\/ops/, file);
		assert.match(partOf(content, "## What helps"), /```sh\n|`[^`]+`/, `${file}: commands`);
		for (const [, name] of content.matchAll(/`([a-z-]+-(?:burn|missed)[a-z-]*)`/g))
			assert.ok(
				alarms.some((alarm) => alarm.name === name),
				`${file}: there is no alarm ${name}`,
			);
		assert.ok(index.includes(`](${file})`), `README.md does not lead to ${file}`);
	}
});

test("what runbooks link to is there", () => {
	for (const file of readdirSync(root + folder, { recursive: true, encoding: "utf8" })) {
		if (!file.endsWith(".md")) continue;
		const content = readFileSync(root + folder + file, "utf8");
		for (const [, link] of content.matchAll(/\]\(([^)#]+)(?:#[^)]*)?\)/g))
			if (!/^https?:/.test(link as string))
				assert.ok(readFileSync(new URL(link as string, `file://${root}${folder}${file}`)), `${file}: ${link}`);
	}
});

function partOf(content: string, heading: string): string {
	return content.split(`${heading}\n`)[1]?.split("\n## ")[0] ?? "";
}
