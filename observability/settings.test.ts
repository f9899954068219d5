import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { readTelemetry } from "./settings.ts";

const endpoint = "http://localhost:4318";
const key = "0123456789abcdef0123456789abcdef01234567";
const euKey = `eu01xx${key.slice(6)}`;

const read = (env: Record<string, string>) => readTelemetry(env);
const shown = (env: Record<string, string>) => {
	const { settings, problems } = read(env);
	assert.deepEqual(problems, []);
	return [settings.on, settings.mode, settings.otlp?.endpoint ?? null, settings.newRelic?.mode ?? null];
};

test("one value chooses the mode: kept without a key, split with one or with an endpoint, and what was asked for else", () => {
	assert.deepEqual(shown({}), [true, "kept", null, null]);
	assert.deepEqual(shown({ OTEL_EXPORTER_OTLP_ENDPOINT: endpoint }), [true, "split", endpoint, null]);
	assert.deepEqual(shown({ NEW_RELIC_LICENSE_KEY: key }), [true, "split", "https://otlp.nr-data.net", "split"]);
	assert.deepEqual(shown({ NEW_RELIC_LICENSE_KEY: key, TELEMETRY: "bridge" }), [true, "bridge", "https://otlp.nr-data.net", "bridge"]);
	for (const mode of ["kept", "off"])
		assert.deepEqual(shown({ NEW_RELIC_LICENSE_KEY: key, OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, TELEMETRY: mode }), [
			mode === "kept",
			mode,
			null,
			null,
		]);
});

test("what cannot be is told with an example, the variable of before too", () => {
	const cases: [Record<string, string>, RegExp][] = [
		[{ TELEMETRY: "on" }, /^TELEMETRY=on is none of off, kept, split, bridge\. Example: TELEMETRY=kept$/],
		[{ TELEMETRY: "split" }, /^TELEMETRY=split needs .* Example: OTEL_EXPORTER_OTLP_ENDPOINT=http:\/\/localhost:4318$/],
		[{ TELEMETRY: "bridge" }, /^TELEMETRY=bridge needs NEW_RELIC_LICENSE_KEY\. Example: TELEMETRY=kept$/],
		[{ NEW_RELIC_MODE: "bridge", NEW_RELIC_LICENSE_KEY: key }, /^NEW_RELIC_MODE is TELEMETRY now\. Example: TELEMETRY=bridge$/],
		[{ NEW_RELIC_BROWSER: "on" }, /^NEW_RELIC_BROWSER=on needs NEW_RELIC_LICENSE_KEY and .* Example: NEW_RELIC_BROWSER=off$/],
		[{ NEW_RELIC_REGION: "us", NEW_RELIC_LICENSE_KEY: euKey }, /^NEW_RELIC_REGION=us, and .* Example: NEW_RELIC_REGION=eu$/],
	];
	for (const [env, problem] of cases) {
		const { settings, problems } = read(env);
		assert.equal(settings.on, false);
		assert.deepEqual(problems.length, 1, JSON.stringify(problems));
		assert.match(problems[0] as string, problem);
	}
});

test("a tenth of the traces, but while Charla is being developed", () => {
	assert.equal(read({}).settings.sampleRatio, 0.1);
	assert.equal(read({ OTEL_EXPORTER_OTLP_ENDPOINT: endpoint }).settings.sampleRatio, 0.1);
	assert.equal(readTelemetry({}, { dev: true }).settings.sampleRatio, 1);
});

test("the licence key goes to New Relic's addresses and to no other, and says itself which region they are of", () => {
	const otlp = (env: Record<string, string>) => read({ NEW_RELIC_LICENSE_KEY: key, ...env }).settings.otlp;
	assert.deepEqual(otlp({})?.headers, { "api-key": key });
	for (const address of ["https://otlp.nr-data.net", "https://otlp.eu01.nr-data.net:4318", "https://NR-DATA.net"])
		assert.deepEqual(otlp({ OTEL_EXPORTER_OTLP_ENDPOINT: address })?.headers, { "api-key": key }, address);
	for (const address of [endpoint, "https://nr-data.net.example.org", "https://xnr-data.net", "https://example.org/nr-data.net"])
		assert.deepEqual(otlp({ OTEL_EXPORTER_OTLP_ENDPOINT: address })?.headers, {}, address);
	assert.deepEqual(otlp({ OTEL_EXPORTER_OTLP_HEADERS: "api-key=another" })?.headers, { "api-key": "another" });
	assert.equal(otlp({ NEW_RELIC_LICENSE_KEY: euKey })?.endpoint, "https://otlp.eu01.nr-data.net");
	assert.equal(otlp({ NEW_RELIC_REGION: "eu" })?.endpoint, "https://otlp.eu01.nr-data.net");
});

test("what is sampled cannot be foreseen: by the secret, or the one that is kept, or one of this process before there is any", (t) => {
	const folder = mkdtempSync(path.join(tmpdir(), "charla-settings-"));
	t.after(() => rmSync(folder, { recursive: true }));
	const salt = (env: Record<string, string>) => read({ DATA_DIR: folder, ...env }).settings.sampleSalt;
	assert.equal(salt({ SESSION_SECRET: "a secret" }), "a secret");
	assert.match(salt({}), /^[0-9a-f]{64}$/);
	assert.notEqual(salt({}), salt({}));
	writeFileSync(path.join(folder, "session-secret"), "kept\n");
	assert.equal(salt({}), "kept");
});

test("log lines go to CloudWatch whether telemetry is on or off, and nowhere while the configuration is wrong", () => {
	const logs = { LOG_GROUP: "/charla", AWS_REGION: "eu-west-1" };
	assert.equal(read(logs).settings.cloudWatch?.group, "/charla");
	assert.equal(read({ ...logs, TELEMETRY: "off" }).settings.cloudWatch?.group, "/charla");
	assert.equal(read({ ...logs, TELEMETRY: "bridge" }).settings.cloudWatch, null);
});
