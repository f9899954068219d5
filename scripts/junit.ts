import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import type { FileResult } from "./run-test-files.ts";

/** Writes results as JUnit's XML: a suite for each file, a case for each test. */
export function writeJunit(file: string, results: readonly FileResult[]): void {
	const suites = results.map(({ file: name, passed, failed, passes, skipped, failures, seconds }) => {
		const of = (test: string, inside = "") => `\t\t<testcase classname="${text(name)}" name="${text(test)}">${inside}</testcase>`;
		const cases = [
			...passes.map((test) => of(test)),
			...skipped.map(({ name: test, reason }) => of(test, `<skipped message="${text(reason)}"/>`)),
			...failures.map(({ name: test, text: why }) => of(test, `<failure>${text(why)}</failure>`)),
		];
		const counts = `tests="${passed + failed + skipped.length}" failures="${failed}" skipped="${skipped.length}" time="${seconds.toFixed(3)}"`;
		return `\t<testsuite name="${text(name)}" ${counts}>\n${cases.join("\n")}\n\t</testsuite>`;
	});
	mkdirSync(dirname(file), { recursive: true });
	writeFileSync(file, `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites>\n${suites.join("\n")}\n</testsuites>\n`);
}

/** What XML cannot hold at all is left out. */
function text(given: string): string {
	const plain = given.replace(/[^\t\n\r\x20-\ud7ff\ue000-\ufffd]/g, "");
	return plain.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}
