import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../", import.meta.url));

test("every rule of docs/rules.md has a test, and every rule a title names is written down", () => {
	const rules = readFileSync(join(root, "docs/rules.md"), "utf8");
	const numbers = Array.from(rules.matchAll(/^- \*\*([A-Z]\d+)\*\*/gm), (m) => m[1]);
	const written = new Set(numbers);
	assert.equal(written.size, numbers.length, "a number is given once");
	const files = ["app/**/*.test.ts", "lambdas/**/*.test.ts", "tests/**/*.test.ts", "infra/**/*.test.ts"].flatMap((pattern) =>
		globSync(pattern, { cwd: root }),
	);
	const tested = new Set(
		files.flatMap((file) =>
			Array.from(readFileSync(join(root, file), "utf8").matchAll(/\b(?:test|long)\(\s*["'`]\[([A-Z]\d+)\]/g), (m) => m[1]),
		),
	);
	// A run of its own may show what no test does.
	const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { scripts: Record<string, string> };
	for (const [, rule, name] of rules.matchAll(/^- \*\*([A-Z]\d+)\*\*(?:(?!\n- )[\s\S])*?Shown by `npm run (\S+)`/gm)) {
		assert.ok(scripts[name as string], `there is no npm run ${name}`);
		tested.add(rule);
	}
	assert.ok(written.size > 40);
	assert.deepEqual(
		[...written].filter((rule) => !tested.has(rule)),
		[],
		"rules without a test",
	);
	assert.deepEqual(
		[...tested].filter((rule) => !written.has(rule)),
		[],
		"titles of unwritten rules",
	);
});
