import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { hostname } from "node:os";
import path from "node:path";
import { cloudWatchTemplate, newRelicLogsTemplate, newRelicTraceTemplate } from "./links.ts";

/**
 * off: nothing is recorded and nothing of it loaded. kept: recorded for /ops alone. split: exported by OpenTelemetry, with New
 * Relic's agent for errors where there is a licence key. bridge: the agent owns the traces.
 */
export const telemetryModes = ["off", "kept", "split", "bridge"] as const;
export type TelemetryMode = (typeof telemetryModes)[number];

/** Everything about telemetry that an operator decides. */
export type TelemetrySettings = Readonly<{
	/** Whether anything is recorded at all; false with `mode` off, and where anything about telemetry is configured wrongly. */
	on: boolean;
	mode: TelemetryMode;
	/** Stage, such as dev or prod: `deployment.environment.name`. */
	env: string;
	version: string;
	/** Names this process among all: "<machine>/<pid>". */
	instance: string;
	/** Share of traces that are exported, 0 to 1. */
	sampleRatio: number;
	/** Makes the decision of a trace unforeseeable from outside, and equal on all instances. */
	sampleSalt: string;
	/** The EC2 instance by its ARN; null outside of AWS. */
	arn: string | null;
	/** How often metrics are exported, ms. */
	metricsEvery: number;
	otlp: { endpoint: string; headers: Record<string, string>; traces: boolean; metrics: boolean; logs: boolean } | null;
	newRelic: {
		licenseKey: string;
		appName: string;
		mode: "split" | "bridge";
		host: string | null;
		port: number | null;
		/** Whether pages carry New Relic's agent for browsers. */
		browser: boolean;
	} | null;
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
const isNewRelics = (address: string): boolean => /(^|\.)nr-data\.net$/.test(new URL(address).hostname);
/** The secret of an installation without SESSION_SECRET lies in this file of its data folder (app/config.server.ts). */
const keptSecret = "session-secret";

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

	const licenseKey = text("NEW_RELIC_LICENSE_KEY");
	// Such a key begins with its region, one of the US with nothing.
	const ofKey = licenseKey && /^eu/i.test(licenseKey) ? "eu" : "us";
	const region = oneOf("NEW_RELIC_REGION", ["us", "eu"], ofKey);
	if (licenseKey && ofKey === "eu" && region === "us")
		problems.push("NEW_RELIC_REGION=us, and NEW_RELIC_LICENSE_KEY is a key of the EU. Example: NEW_RELIC_REGION=eu");
	const endpoint = address("OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost:4318") ?? (licenseKey ? newRelicEndpoints[region] : null);
	const otlpHeaders = headers();
	const mode = oneOf("TELEMETRY", telemetryModes, endpoint ? "split" : "kept");
	if (text("NEW_RELIC_MODE")) problems.push("NEW_RELIC_MODE is TELEMETRY now. Example: TELEMETRY=bridge");
	if (mode === "bridge" && !licenseKey) problems.push("TELEMETRY=bridge needs NEW_RELIC_LICENSE_KEY. Example: TELEMETRY=kept");
	else if (mode === "split" && !endpoint)
		problems.push(
			"TELEMETRY=split needs NEW_RELIC_LICENSE_KEY or OTEL_EXPORTER_OTLP_ENDPOINT. Example: OTEL_EXPORTER_OTLP_ENDPOINT=http://localhost:4318",
		);
	const isExporting = mode === "split" || mode === "bridge";
	const key = isExporting ? licenseKey : null;
	const browser = oneOf("NEW_RELIC_BROWSER", ["on", "off"], "off") === "on";
	if (browser && !key)
		problems.push("NEW_RELIC_BROWSER=on needs NEW_RELIC_LICENSE_KEY and TELEMETRY=split or bridge. Example: NEW_RELIC_BROWSER=off");
	const otlp =
		isExporting && endpoint ? { endpoint, headers: { ...(key && isNewRelics(endpoint) ? { "api-key": key } : {}), ...otlpHeaders } } : null;
	const sends = (signal: string) => oneOf(`OTEL_${signal}_EXPORTER`, ["otlp", "none"], "otlp") === "otlp";
	const signals = { traces: sends("TRACES"), metrics: sends("METRICS"), logs: sends("LOGS") };
	const ratio = number("TELEMETRY_SAMPLE_RATIO", options.dev ? 1 : 0.1, 0, 1, "0.1");
	const metricsEvery = number("TELEMETRY_METRICS_EVERY", 60, 0.1, 3600, "60") * 1000;
	const port = number("NEW_RELIC_PORT", 0, 0, 65_535, "443");

	const group = text("LOG_GROUP");
	const awsRegion = text("AWS_REGION") ?? text("AWS_DEFAULT_REGION");
	if (group && !awsRegion) problems.push("LOG_GROUP is set and AWS_REGION is not. Example: AWS_REGION=eu-west-1");
	const logEndpoint = address("LOG_ENDPOINT", "http://localhost:4566");
	const dataDir = path.resolve(text("DATA_DIR") ?? "data");

	const settings: TelemetrySettings = Object.freeze({
		on: mode !== "off" && problems.length === 0,
		mode,
		env: text("TELEMETRY_ENV") ?? (options.dev ? "dev" : "prod"),
		version: text("SERVICE_VERSION")?.slice(0, 40) ?? packageVersion(),
		instance: `${text("INSTANCE_ID") ?? hostname()}/${process.pid}`,
		sampleRatio: ratio,
		sampleSalt: text("SESSION_SECRET") ?? secretIn(dataDir),
		arn:
			awsRegion && text("AWS_ACCOUNT_ID") && text("INSTANCE_ID")
				? `arn:aws:ec2:${awsRegion}:${text("AWS_ACCOUNT_ID")}:instance/${text("INSTANCE_ID")}`
				: null,
		metricsEvery,
		otlp: otlp ? { ...otlp, ...signals } : null,
		newRelic: key
			? {
					licenseKey: key,
					appName: text("NEW_RELIC_APP_NAME") ?? "chat-web",
					mode: mode === "bridge" ? ("bridge" as const) : ("split" as const),
					host: text("NEW_RELIC_HOST"),
					port: port || null,
					browser,
				}
			: null,
		cloudWatch:
			// Whatever becomes of the rest: log lines are no telemetry that one turns off. Half a configuration ships nothing.
			group && awsRegion && problems.length === 0
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

/**
 * The secret that is kept in a data folder. Before the first start has made it, one of this process alone: it only has to be
 * unforeseeable then, since nobody else decides about the same traces yet.
 */
function secretIn(dataDir: string): string {
	try {
		return readFileSync(path.join(dataDir, keptSecret), "utf8").trim();
	} catch {
		return randomBytes(32).toString("hex");
	}
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
