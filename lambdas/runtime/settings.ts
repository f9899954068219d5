/** What the environment of a function says about telemetry; the names are the server's (docs/running.md). */
export type Settings = {
	env: string;
	version: string;
	/** This copy of the function. */
	instance: string;
	logLevel: string;
	/** Share of traces that are exported when all went well, 0 to 1; what failed is exported always. */
	sampleRatio: number;
	otlp: { endpoint: string; headers: Record<string, string> } | null;
	memoryMb: number | null;
};

/** Never throws: a function with odd settings works, and says less. */
export function readSettings(env: Record<string, string | undefined>): Settings {
	const endpoint = env.OTEL_EXPORTER_OTLP_ENDPOINT?.trim().replace(/\/+$/, "");
	const ratio = Number(env.TELEMETRY_SAMPLE_RATIO ?? "1");
	return {
		env: env.TELEMETRY_ENV?.trim() || "prod",
		version: env.SERVICE_VERSION?.trim() || "unknown",
		instance: env.AWS_LAMBDA_LOG_STREAM_NAME?.trim() || `local/${process.pid}`,
		logLevel: env.LOG_LEVEL?.trim() || "info",
		sampleRatio: ratio >= 0 && ratio <= 1 ? ratio : 1,
		otlp: endpoint && /^https?:\/\//.test(endpoint) ? { endpoint, headers: headersOf(env.OTEL_EXPORTER_OTLP_HEADERS ?? "") } : null,
		memoryMb: Number(env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE) || null,
	};
}

/** `name=value,name=value`, as OpenTelemetry writes them. */
function headersOf(text: string): Record<string, string> {
	const pairs = text.split(",").map((pair) => /^\s*([^=\s]+)\s*=\s*(.*?)\s*$/.exec(pair));
	return Object.fromEntries(pairs.filter((pair) => pair !== null).map((pair) => [pair[1] as string, decoded(pair[2] as string)]));
}

function decoded(value: string): string {
	try {
		return decodeURIComponent(value);
	} catch {
		return value;
	}
}
