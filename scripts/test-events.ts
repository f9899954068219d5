import type { TestEvent } from "node:test/reporters";
import { inspect } from "node:util";

/** What one test file tells the runner, a line of JSON each. */
export type TestLine =
	| { kind: "pass"; name: string }
	| { kind: "skip"; name: string; reason: string }
	| { kind: "fail"; name: string; error: string; place: string }
	/** What a test says of itself (`t.diagnostic`): a seed, figures. */
	| { kind: "note"; text: string }
	| { kind: "end"; passed: number; failed: number; skipped: number };

/** What Node adds up itself at the end. */
const summed = /^(?:tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) [\d.]+$/;

/** The reporter each test file runs with (`--test-reporter`); Node asks for it as the default export. */
export default async function* testEvents(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
	const parents: string[] = [];
	for await (const event of events) {
		const line = lineOf(event, parents);
		if (line) yield `${JSON.stringify(line)}\n`;
	}
}

function lineOf(event: TestEvent, parents: string[]): TestLine | null {
	switch (event.type) {
		case "test:start":
			parents.length = event.data.nesting;
			parents.push(event.data.name);
			return null;
		case "test:pass": {
			const name = nameOf(event.data, parents);
			const { skip, todo } = event.data;
			if (skip !== undefined || todo !== undefined) {
				const reason = [skip, todo].find((given) => typeof given === "string" && given !== "");
				return { kind: "skip", name, reason: String(reason ?? (skip === undefined ? "to do" : "no reason given")) };
			}
			return { kind: "pass", name };
		}
		case "test:fail": {
			const { error } = event.data.details;
			// What failed inside is told by itself.
			if ((error as { failureType?: string }).failureType === "subtestsFailed") return null;
			const place = event.data.file ? `${event.data.file}:${event.data.line}` : "";
			return { kind: "fail", name: nameOf(event.data, parents), error: inspect(error.cause ?? error, { depth: 6 }), place };
		}
		case "test:diagnostic":
			return summed.test(event.data.message) ? null : { kind: "note", text: event.data.message };
		case "test:summary": {
			const { counts } = event.data;
			const skipped = counts.skipped + counts.todo;
			return { kind: "end", passed: counts.passed, failed: counts.tests - counts.passed - skipped, skipped };
		}
		default:
			return null;
	}
}

/** "suite > test". The parents of a finished test are those that were started last at each level above it. */
function nameOf(test: { name: string; nesting: number }, parents: string[]): string {
	return [...parents.slice(0, test.nesting), test.name].join(" > ");
}
