import type { TraceSpan } from "../../app/contract/ops.ts";
import { measuredAtMost, spansAtMost } from "../browser/body.ts";
import { type Claim, readMeasured } from "./read-measured.ts";
import { attributesOf, isRecord, readSpan } from "./read-span.ts";

/** What a body came to: what is right in it, and how much is not. */
export type Report = { spans: TraceSpan[]; measured: Claim[]; invalid: number; build: string | null };

const session = /^[0-9a-f]{32}$/;
const build = /^[\w.-]{1,40}$/;

/**
 * Reads a body as observability/browser/body.ts describes it. A body of another shape is refused whole, with why; in one of
 * the right shape each span and number stands for itself, so that a page of another version loses only what is new.
 * `now`: times further from it than a day are moved there. Never throws.
 */
export function readBody(text: string, now: number): Report | "invalid" | "too-large" {
	let given: unknown;
	try {
		given = JSON.parse(text);
	} catch {
		return "invalid";
	}
	if (!isRecord(given) || !Array.isArray(given.resourceSpans) || !Array.isArray(given.metrics)) return "invalid";
	const [first, ...others] = given.resourceSpans as unknown[];
	if (!isRecord(first) || others.length > 0 || !isRecord(first.resource) || !Array.isArray(first.scopeSpans)) return "invalid";
	const [scope, ...scopes] = first.scopeSpans as unknown[];
	if (!isRecord(scope) || scopes.length > 0 || !Array.isArray(scope.spans)) return "invalid";
	if (scope.spans.length > spansAtMost || given.metrics.length > measuredAtMost) return "too-large";

	const resource = attributesOf(first.resource.attributes);
	const sessionId = resource.get("session.id");
	if (typeof sessionId !== "string" || !session.test(sessionId)) return "invalid";
	const version = resource.get("service.version");
	const report: Report = {
		spans: [],
		measured: [],
		invalid: 0,
		build: typeof version === "string" && build.test(version) ? version : null,
	};
	for (const each of scope.spans as unknown[]) {
		const read = readSpan(each, { now, sessionId });
		report.invalid += read ? read.invalid : 1;
		if (read) report.spans.push(read.span);
	}
	for (const each of given.metrics as unknown[]) {
		const read = readMeasured(each);
		if (read) report.measured.push(read);
		else report.invalid++;
	}
	return report;
}
