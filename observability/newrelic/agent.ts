import type { TelemetrySettings } from "../settings.ts";
import { type AgentSpanProcessor, bridgeSpans } from "./bridge.ts";
import { agentEnvironment } from "./environment.ts";
import { type PageHeader, pageHeaderOf } from "./page-header.ts";
import { scrub } from "./scrub.ts";

type Attributes = Record<string, string | number | boolean>;

/** New Relic's agent, as far as we let it. None of these throws; what it cannot send it drops. */
export type Agent = {
	/** In bridge: belongs to the SDK's tracer provider, in place of the export of traces by OTLP. Null in split. */
	spanProcessor: AgentSpanProcessor | null;
	/** Into the errors inbox. The trace and span it happened in go along as `trace.id` and `span.id`. */
	noticeError(error: unknown, attributes: Attributes): void;
	/** What puts its browser part into a page; null unless that is configured, and as long as New Relic has handed none out. */
	pageHeader(): PageHeader | null;
	/** Sends what is left and says goodbye, in at most 3 s, whatever the collector does. */
	stop(): Promise<void>;
};

/** A stop may take 5 s in all, and the SDK has its own last export to make, ms. */
const STOP_WITHIN = 3000;
/** Somebody who stops during the start waits this long for the first connection, ms. */
const CONNECT_BEFORE_STOP = 1500;
/** Connecting takes three requests; an operator should hear of a collector that just does not answer, ms. */
const CONNECTED_WITHIN = 30_000;

/** The agent's own codes for how it stands, as its documentation of health checks has them. */
const troubles: Record<string, string> = {
	"NR-APM-001": "New Relic does not accept the licence key (NEW_RELIC_LICENSE_KEY)",
	"NR-APM-003": "New Relic told this agent to stop sending",
	"NR-APM-004": "New Relic's collector cannot be reached or does not answer as it should",
	"NR-APM-007": "The proxy to New Relic does not speak https",
	"NR-APM-009": "New Relic's collector refused the connection",
	"NR-APM-010": "New Relic's agent does not understand its configuration",
	"NR-APM-300": "New Relic's agent did not start",
};
const healthy = "NR-APM-000";
/** What follows from a trouble that was told: not worth a line of its own. */
const consequences = new Set(["NR-APM-009", "NR-APM-300"]);

/**
 * Starts New Relic's agent when there is a licence key, else gives null and loads nothing. To be called before the SDK
 * registers itself: in bridge the agent takes OpenTelemetry's globals, and gives them back here.
 *
 * Connecting goes on behind: a wrong key, a collector that is away or hangs is told to `onTrouble`, one sentence for each kind
 * until it is well again, and the agent tries again by itself.
 */
export async function startAgent(settings: TelemetrySettings, onTrouble: (sentence: string) => void = () => {}): Promise<Agent | null> {
	const { newRelic } = settings;
	if (!newRelic?.licenseKey) return null;
	try {
		const { fixed, usual } = agentEnvironment(settings, newRelic);
		Object.assign(process.env, fixed);
		for (const [name, value] of Object.entries(usual)) process.env[name] ??= value;
		const { default: api } = await import("newrelic");
		if (!api.agent) {
			onTrouble("New Relic's agent did not start");
			return null;
		}
		const spanProcessor = newRelic.mode === "bridge" ? bridgeSpans(api.agent) : null;
		if (newRelic.browser) tellWithoutHeader(api, onTrouble);
		return agentOf(api, newRelic.browser, spanProcessor, watch(api.agent, onTrouble));
	} catch (error) {
		onTrouble(`New Relic's agent did not start: ${error instanceof Error ? error.message : "unknown"}`);
		return null;
	}
}

type Api = Awaited<typeof import("newrelic")>["default"];

function agentOf(
	api: Api,
	hasPages: boolean,
	spanProcessor: AgentSpanProcessor | null,
	standing: { connected(): boolean; troubled(): boolean },
): Agent {
	let stopped: Promise<void> | null = null;
	return {
		spanProcessor,
		noticeError(error, attributes) {
			// In bridge the span it happened in has told already.
			if (spanProcessor?.hasErrorOf(attributes["trace.id"])) return;
			try {
				api.noticeError(scrub(error), attributes);
			} catch {
				// Whoever reports an error must not get another.
			}
		},
		pageHeader: () => (hasPages ? pageHeaderOf(api) : null),
		stop() {
			stopped ??= stop(api, standing);
			return stopped;
		},
	};
}

function stop(api: Api, { connected, troubled }: { connected(): boolean; troubled(): boolean }): Promise<void> {
	return new Promise((resolve) => {
		const late = setTimeout(resolve, STOP_WITHIN);
		const done = () => {
			clearTimeout(late);
			resolve();
		};
		try {
			// Nothing is owed to a collector that said no or never answered.
			const collectPendingData = connected() || !troubled();
			api.shutdown({ collectPendingData, timeout: CONNECT_BEFORE_STOP }, done);
		} catch {
			done();
		}
	});
}

/** An account without a browser application has no header to give, which no page would show. */
function tellWithoutHeader(api: Api, onTrouble: (sentence: string) => void): void {
	let isTold = false;
	api.agent?.on("started", () => {
		if (isTold || pageHeaderOf(api)) return;
		isTold = true;
		onTrouble("New Relic handed out no settings for browsers: pages go without its agent (NEW_RELIC_BROWSER)");
	});
}

/** Tells of trouble once for each kind, and again only after it was well in between. */
function watch(agent: NonNullable<Api["agent"]>, onTrouble: (sentence: string) => void) {
	const told = new Set<string>();
	let connected = false;
	const tell = (code: string, sentence: string) => {
		if (told.has(code) || (told.size > 0 && consequences.has(code))) return;
		told.add(code);
		try {
			onTrouble(sentence);
		} catch {
			// The agent goes on in any case.
		}
	};
	const late = setTimeout(() => tell("NR-APM-004", troubles["NR-APM-004"] as string), CONNECTED_WITHIN);
	late.unref();
	agent.on("started", () => {
		connected = true;
		clearTimeout(late);
		told.clear();
	});
	agent.on("disconnected", () => {
		connected = false;
	});
	const { healthReporter } = agent;
	if (healthReporter) {
		const setStatus = healthReporter.setStatus.bind(healthReporter);
		healthReporter.setStatus = (code) => {
			setStatus(code);
			if (code === healthy) told.clear();
			else if (troubles[code]) tell(code, troubles[code]);
		};
	}
	return { connected: () => connected, troubled: () => told.size > 0 };
}
