import type { Outcome } from "./trace.ts";

export type Call = {
	at: number;
	service: string;
	env: string;
	outcome: Outcome;
	isCold: boolean;
	durationMs: number;
	records: { ok: number; failed: number } | null;
};

/** The same as the server's (observability/emf.ts): each further set of dimensions would be billed as metrics of its own. */
const namespace = "Chat";
const dimensions = [["service", "env"]];

/** One call as a line CloudWatch makes metrics of (embedded metric format), so that a function needs no permission to count. */
export function emfLine(call: Call): Record<string, unknown> {
	const values = {
		LambdaInvocations: 1,
		LambdaFailed: call.outcome === "failed" ? 1 : 0,
		LambdaColdStarts: call.isCold ? 1 : 0,
		LambdaMs: call.durationMs,
		...(call.records ? { LambdaRecords: call.records.ok, LambdaRecordsFailed: call.records.failed } : {}),
	};
	return {
		_aws: {
			Timestamp: call.at,
			CloudWatchMetrics: [
				{
					Namespace: namespace,
					Dimensions: dimensions,
					Metrics: Object.keys(values).map((Name) => ({ Name, Unit: Name === "LambdaMs" ? "Milliseconds" : "Count" })),
				},
			],
		},
		service: call.service,
		env: call.env,
		event: "metrics.emf",
		...values,
	};
}
