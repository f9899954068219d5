import { createRequire } from "node:module";
import type { TelemetrySettings } from "../settings.ts";

type NewRelic = NonNullable<TelemetrySettings["newRelic"]>;

/** A message's spans may be ten at a fan-out; the agent's default of 2,000 a minute would drop most of a busy minute. Its maximum. */
const spansKept = 10_000;

/**
 * What must never leave as an attribute, whatever an operator configures. In bridge the spans do not pass the SDK's
 * processors, so what those take out stands here too: queries, addresses, user agents.
 */
const excluded = [
	"request.headers.cookie",
	"request.headers.authorization",
	"request.headers.referer",
	"request.headers.userAgent",
	"request.parameters.*",
	"url.query",
	"url.full",
	"client.*",
	"network.peer.*",
	"user_agent.*",
];

/**
 * What the agent reads from the environment, as it stands when the agent is imported. `fixed` decides who records what:
 * another value there would count things twice, so it is set whatever was set before. `usual` may be overridden.
 */
export function agentEnvironment(settings: TelemetrySettings, newRelic: NewRelic) {
	const bridge = newRelic.mode === "bridge";
	const ratio = String(settings.sampleRatio);
	const fixed: Record<string, string> = {
		NEW_RELIC_NO_CONFIG_FILE: "true",
		NEW_RELIC_ENABLED: "true",
		NEW_RELIC_APP_NAME: newRelic.appName,
		NEW_RELIC_LICENSE_KEY: newRelic.licenseKey,
		NEW_RELIC_OPENTELEMETRY_ENABLED: String(bridge),
		NEW_RELIC_OPENTELEMETRY_TRACES_ENABLED: String(bridge),
		// Metrics and log records are the SDK's in both modes.
		NEW_RELIC_OPENTELEMETRY_METRICS_ENABLED: "false",
		NEW_RELIC_OPENTELEMETRY_LOGS_ENABLED: "false",
		NEW_RELIC_APPLICATION_LOGGING_ENABLED: "false",
		NEW_RELIC_APPLICATION_LOGGING_FORWARDING_ENABLED: "false",
		// Would append text to lines that have to stay JSON.
		NEW_RELIC_APPLICATION_LOGGING_LOCAL_DECORATING_ENABLED: "false",
		NEW_RELIC_DISTRIBUTED_TRACING_ENABLED: String(bridge),
		NEW_RELIC_SPAN_EVENTS_ENABLED: String(bridge),
		NEW_RELIC_TRANSACTION_EVENTS_ENABLED: String(bridge),
		NEW_RELIC_TRACER_ENABLED: String(bridge),
		NEW_RELIC_SLOW_SQL_ENABLED: "false",
		// What would be a custom event is a line of the log, in both modes; the agent samples its own.
		NEW_RELIC_CUSTOM_INSIGHTS_EVENTS_ENABLED: "false",
		NEW_RELIC_BROWSER_MONITOR_ENABLE: String(newRelic.browser),
		NEW_RELIC_ATTRIBUTES_EXCLUDE: excluded.join(","),
		NEW_RELIC_RECORD_SQL: "off",
		// Its default knows only the addresses Socket.IO had before version 1; a held poll is no slow page.
		NEW_RELIC_IGNORING_RULES: "^/socket.io/",
		...instrumentationOff(),
	};
	if (newRelic.host) fixed.NEW_RELIC_HOST = newRelic.host;
	if (newRelic.port) fixed.NEW_RELIC_PORT = String(newRelic.port);
	if (bridge) {
		// Every message has a remote parent that says "sampled", for its browser begins the trace: that flag decides nothing.
		// What does is our own sampler (bridge.ts); this stands for transactions that begin without a span of ours.
		for (const sampler of ["ROOT", "REMOTE_PARENT_SAMPLED", "REMOTE_PARENT_NOT_SAMPLED"]) {
			fixed[`NEW_RELIC_DISTRIBUTED_TRACING_SAMPLER_${sampler}`] = "trace_id_ratio_based";
			fixed[`NEW_RELIC_DISTRIBUTED_TRACING_SAMPLER_${sampler}_TRACE_ID_RATIO_BASED_RATIO`] = ratio;
		}
	}

	const usual: Record<string, string> = {
		NEW_RELIC_PROCESS_HOST_DISPLAY_NAME: settings.instance,
		NEW_RELIC_LABELS: `env:${settings.env};version:${settings.version};team:chat`,
		NEW_RELIC_SPAN_EVENTS_MAX_SAMPLES_STORED: String(spansKept),
		// Our stdout is one JSON line per event of the contract. What the agent has to say is told by `onTrouble`.
		NEW_RELIC_LOG_ENABLED: "false",
		NEW_RELIC_LOG_LEVEL: "warn",
		NEW_RELIC_LOG: "stdout",
		// Charla runs on EC2 or on nobody's cloud: the other questions are requests into nothing at every start.
		NEW_RELIC_UTILIZATION_DETECT_AZURE: "false",
		NEW_RELIC_UTILIZATION_DETECT_AZUREFUNCTION: "false",
		NEW_RELIC_UTILIZATION_DETECT_GCP: "false",
		NEW_RELIC_UTILIZATION_DETECT_PCF: "false",
		NEW_RELIC_UTILIZATION_DETECT_KUBERNETES: "false",
	};
	return { fixed, usual };
}

/**
 * Every instrumentation the agent has, off, in both modes: requests, statements and calls are recorded by OpenTelemetry,
 * in split for the SDK, in bridge for the agent. On beside it, each would be two spans; and under the agent's own http
 * instrumentation a polling socket's calls would run inside a request's transaction, which renames all transactions after it.
 * The names are the installed agent's own list, so a later version's additions are off as well.
 */
function instrumentationOff(): Record<string, string> {
	const names = Object.keys(createRequire(import.meta.url)("newrelic/lib/config/build-instrumentation-config"));
	return Object.fromEntries(names.map((name) => [`NEW_RELIC_INSTRUMENTATION_${name.toUpperCase()}_ENABLED`, "false"]));
}
