import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { gunzipSync, inflateSync } from "node:zlib";
import { receiving } from "./receiving.ts";
import { selfSigned } from "./self-signed.ts";

/** How New Relic's collector behaves: as it should; a wrong key (401); an account that is closed (410); no answer at all; away. */
export type CollectorMode = "well" | "invalid-key" | "disconnect" | "hang";

/** One request of the agent: `body` is decompressed and parsed. */
export type Received = { method: string; licenseKey: string; runId: string | null; encoding: string; body: unknown; at: number };

export type Collector = Awaited<ReturnType<typeof startCollector>>;

const runId = "stand-in-run";
/** The agent takes no harvest more often than this from its collector, ms. */
const REPORT_PERIOD = 1000;

/**
 * Stands in for New Relic's collector: the agent's protocol (version 17, JSON) over TLS. A process uses it with `env`, which
 * holds host, port and the certificate to trust. An agent that connects is told what is in `connected` as well. Metadata services
 * are not asked for: a test has no cloud.
 */
export async function startCollector(mode: CollectorMode = "well", connected: Record<string, unknown> = {}) {
	const folder = await mkdtemp(join(tmpdir(), "charla-collector-"));
	const { key, cert } = selfSigned();
	const certificate = join(folder, "ca.pem");
	await writeFile(certificate, cert);

	let behaves = mode;
	const received: Received[] = [];
	const server = createServer(
		{ key, cert },
		receiving((request, response, body) => {
			const url = new URL(request.url ?? "/", "https://localhost");
			const encoding = request.headers["content-encoding"] ?? "identity";
			const method = url.searchParams.get("method") ?? "";
			received.push({
				method: url.pathname === "/agent_listener/invoke_raw_method" ? method : url.pathname,
				licenseKey: url.searchParams.get("license_key") ?? "",
				runId: url.searchParams.get("run_id"),
				encoding,
				body: parsed(body, encoding),
				at: Date.now(),
			});
			if (behaves === "hang") return;
			const status = behaves === "invalid-key" ? 401 : behaves === "disconnect" ? 410 : 200;
			response.writeHead(status, { "content-type": "application/json" });
			response.end(status === 200 ? JSON.stringify({ return_value: answerTo(method, connected) }) : "{}");
		}),
	);
	await listen(server);
	const { port } = server.address() as AddressInfo;

	const of = (method: string) => received.filter((one) => one.method === method);
	return {
		port,
		received,
		/** What a child process needs to trust and find this collector. */
		env: {
			NODE_EXTRA_CA_CERTS: certificate,
			NEW_RELIC_HOST: "localhost",
			NEW_RELIC_PORT: String(port),
			NEW_RELIC_UTILIZATION_DETECT_AWS: "false",
			NEW_RELIC_UTILIZATION_DETECT_DOCKER: "false",
		},
		behave(next: CollectorMode) {
			behaves = next;
		},
		of,
		/** The events of a method, all requests together; they stand last, [run, events] or [run, reservoir, events]. */
		events: (method: string) => of(method).flatMap(({ body }) => (Array.isArray(body) ? (body.at(-1) as unknown[]) : [])),
		/** Waits until the method was called; throws after a minute, telling what was called instead. */
		async called(method: string): Promise<Received> {
			for (const end = Date.now() + 60_000; Date.now() < end; await sleep(50)) {
				const [first] = of(method);
				if (first) return first;
			}
			throw new Error(`The agent never called ${method}, only ${received.map((one) => one.method).join(", ") || "nothing"}.`);
		},
		async close() {
			server.closeAllConnections();
			await new Promise((resolve) => server.close(resolve));
			await rm(folder, { recursive: true, force: true });
		},
	};
}

function listen(server: Server): Promise<void> {
	return new Promise((resolve, reject) => {
		server.once("error", reject);
		server.listen(0, "127.0.0.1", resolve);
	});
}

function parsed(body: Buffer, encoding: string): unknown {
	const plain = encoding === "gzip" ? gunzipSync(body) : encoding === "deflate" ? inflateSync(body) : body;
	const text = plain.toString("utf8");
	return text === "" ? null : JSON.parse(text);
}

function answerTo(method: string, connected: Record<string, unknown>): unknown {
	if (method === "preconnect") return {};
	if (method !== "connect") return null;
	const harvestLimits = {
		analytic_event_data: 833,
		custom_event_data: 5000,
		error_event_data: 100,
		log_event_data: 833,
		span_event_data: 10_000,
	};
	return {
		agent_run_id: runId,
		entity_guid: "c3RhbmQtaW4",
		account_id: "1",
		primary_application_id: "1",
		trusted_account_key: "1",
		sampling_target: 10,
		sampling_target_period_in_seconds: 60,
		data_report_period: 60,
		collect_errors: true,
		collect_error_events: true,
		collect_analytics_events: true,
		collect_custom_events: true,
		collect_span_events: true,
		collect_traces: true,
		span_event_harvest_config: { harvest_limit: 10_000, report_period_ms: REPORT_PERIOD },
		event_harvest_config: { report_period_ms: REPORT_PERIOD, harvest_limits: harvestLimits },
		...connected,
	};
}
