import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../", import.meta.url));
const read = (file: string): string => readFileSync(root + file, "utf8");

test("there is one copy of OpenTelemetry's API: of two, one would record and the other do nothing", () => {
	const { packages } = JSON.parse(read("package-lock.json")) as { packages: Record<string, unknown> };
	assert.deepEqual(
		Object.keys(packages).filter((place) => place.endsWith("node_modules/@opentelemetry/api")),
		["node_modules/@opentelemetry/api"],
	);
});

test("every package of OpenTelemetry that is installed is used", () => {
	const { dependencies } = JSON.parse(read("package.json")) as { dependencies: Record<string, string> };
	const code = globSync("{observability,app}/**/*.{ts,tsx}", { cwd: root }).map(read).join("\n");
	const unused = Object.keys(dependencies).filter((name) => name.startsWith("@opentelemetry/") && !code.includes(`"${name}"`));
	assert.deepEqual(unused, []);
});
