import { readFileSync } from "node:fs";
import { hostname } from "node:os";
import path from "node:path";
import { cloudWatchTemplate, newRelicLogsTemplate, newRelicTraceTemplate } from "./links.ts";

/** Everything about telemetry that an operator decides. */
export type TelemetrySettings = Readonly<{
	on: boolean;
	/** Stage, such as dev or prod: `deployment.environment.name`. */
	env: string;
	version: string;
	/** Names this process among all: "<machine>/<pid>". */
	instance: string;
	/** Share of traces that are exported, 0 to 1. */
	sampleRatio: number;
	/** Makes the decision of a trace unforeseeable from outside, and equal on all instances. */
	sampleSalt: string;
	/** How often metrics are exported, ms. */
	metricsEvery: number;
	otlp: { endpoint: string; headers: Record<string, string>; traces: boolean; metrics: boolean; logs: boolean } | null;
	newRelic: { licenseKey: string; appName: string; mode: "split" | "bridge"; host: string | null; port: number | null } | null;
	cloudWatch: {
		group: string;
		accessGroup: string | null;
		auditGroup: string | null;
		region: string;
		endpoint: string | null;
		spillDir: string;
	} | null;
	/** Templates with {traceId}, {messageId}, {from}, {to}, {region}, {group}. */
	links: { newRelicTrace: string | null; newRelicLogs: string | null; cloudWatchLogs: string | null };
}>;

type Env = Record<string, string | undefined>;

/** New Relic's own addresses for OTLP, by where an account's data is kept. */
const newRelicEndpoints = { us: "https://otlp.nr-data.net", eu: "https://otlp.eu01.nr-data.net" } as const;

/**
 * Reads what concerns telemetry from the environment; never throws. Whatever is wrong is told in `problems`, a line each with
 * an example that works, for server.ts to show with all others; telemetry then stays off.
 */
export function readTelemetry(env: Env, options: { dev?: boolean } = {}): { settings: TelemetrySettings; problems: string[] } {
	const problems: string[] = [];
	const text = (name: string): string | null => env[name]?.trim() || null;

	function oneOf<T extends string>(name: string, choices: readonly T[], fallback: T): T {
		const given = text(name);
		if (given === null) return fallback;
		if ((choices as readonly string[]).includes(given)) return given as T;
		problems.push(`${name}=${given} is none of ${choices.join(", ")}. Example: ${name}=${fallback}`);
		return fallback;
	}
	function number(name: string, fallback: number, min: number, max: number, example: string): number {
		const given = text(name);
		if (given === null) return fallback;
		const value = Number(given);
		if (Number.isFinite(value) && value >= min && value <= max) return value;
		problems.push(`${name}=${given} is not a number from ${min} to ${max}. Example: ${name}=${example}`);
		return fallback;
	}
	function address(name: string, example: string): string | null {
		const given = text(name);
		if (given === null) return null;
		if (/^https?:\/\//.test(given) && URL.canParse(given)) return given.replace(/\/+$/, "");
		// Not repeated: an address may hold a password.
		problems.push(`${name} is not an address beginning with http:// or https://. Example: ${name}=${example}`);
		return null;
	}
	function headers(): Record<string, string> {
		const given = text("OTEL_EXPORTER_OTLP_HEADERS");
		if (given === null) return {};
		const pairs = given.split(",").map((pair) => /^\s*([^=\s]+)\s*=\s*(.*?)\s*$/.exec(pair));
		if (pairs.every((pair) => pair !== null))
			return Object.fromEntries(pairs.map((pair) => [pair[1] as string, decoded(pair[2] as string)]));
		problems.push("OTEL_EXPORTER_OTLP_HEADERS is not a list of name=value. Example: OTEL_EXPORTER_OTLP_HEADERS=api-key=KEY");
		return {};
	}

	const on = oneOf("TELEMETRY", ["on", "off"], "on") === "on";
	const licenseKey = text("NEW_RELIC_LICENSE_KEY");
	const region = oneOf("NEW_RELIC_REGION", ["us", "eu"], "us");
	const mode = oneOf("NEW_RELIC_MODE", ["split", "bridge"], "split");
	const endpoint = address("OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost:4318");
	const otlpHeaders = headers();
	const otlp = endpoint
		? { endpoint, headers: otlpHeaders }
		: licenseKey
			? { endpoint: newRelicEndpoints[region], headers: { "api-key": licenseKey, ...otlpHeaders } }
			: null;
	const sends = (signal: string) => oneOf(`OTEL_${signal}_EXPORTER`, ["otlp", "none"], "otlp") === "otlp";
	const signals = { traces: sends("TRACES"), metrics: sends("METRICS"), logs: sends("LOGS") };
	const ratio = number("TELEMETRY_SAMPLE_RATIO", options.dev || !otlp ? 1 : 0.1, 0, 1, "0.1");
	const metricsEvery = number("TELEMETRY_METRICS_EVERY", 60, 0.1, 3600, "60") * 1000;
	const port = number("NEW_RELIC_PORT", 0, 0, 65_535, "443");

	const group = text("LOG_GROUP");
	const awsRegion = text("AWS_REGION") ?? text("AWS_DEFAULT_REGION");
	if (group && !awsRegion) problems.push("LOG_GROUP is set and AWS_REGION is not. Example: AWS_REGION=eu-west-1");
	const logEndpoint = address("LOG_ENDPOINT", "http://localhost:4566");
	const dataDir = path.resolve(text("DATA_DIR") ?? "data");

	const settings: TelemetrySettings = Object.freeze({
		on: on && problems.length === 0,
		env: text("TELEMETRY_ENV") ?? (options.dev ? "dev" : "prod"),
		version: text("SERVICE_VERSION")?.slice(0, 40) ?? packageVersion(),
		instance: `${text("INSTANCE_ID") ?? hostname()}/${process.pid}`,
		sampleRatio: ratio,
		sampleSalt: text("SESSION_SECRET") ?? "charla",
		metricsEvery,
		otlp: otlp ? { ...otlp, ...signals } : null,
		newRelic: licenseKey
			? { licenseKey, appName: text("NEW_RELIC_APP_NAME") ?? "chat-web", mode, host: text("NEW_RELIC_HOST"), port: port || null }
			: null,
		cloudWatch:
			group && awsRegion
				? {
						group,
						accessGroup: text("LOG_GROUP_ACCESS"),
						auditGroup: text("LOG_GROUP_AUDIT"),
						region: awsRegion,
						endpoint: logEndpoint,
						spillDir: path.join(dataDir, "log-spill"),
					}
				: null,
		links: {
			newRelicTrace: text("OPS_LINK_NEWRELIC_TRACE") ?? (licenseKey ? newRelicTraceTemplate : null),
			newRelicLogs: text("OPS_LINK_NEWRELIC_LOGS") ?? (licenseKey ? newRelicLogsTemplate : null),
			cloudWatchLogs: text("OPS_LINK_CLOUDWATCH_LOGS") ?? (group && awsRegion ? cloudWatchTemplate : null),
		},
	});
	return { settings, problems };
}

/** How telemetry runs, in a word, for the first log line. */
export function modeOf(settings: TelemetrySettings | undefined): string {
	if (!settings?.on) return "off";
	return settings.newRelic?.mode ?? (settings.otlp ? "exported" : "kept");
}

function decoded(value: string): string {
	try {
		return decodeURIComponent(value);
	} catch {
		return value;
	}
}

function packageVersion(): string {
	const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as { version: string };
	return version;
}
