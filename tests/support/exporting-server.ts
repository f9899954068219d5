import type { TestContext } from "node:test";
import { enter, fixedPort, freshDataDir, type ServerProcess, startServer, untilReady } from "./crash-charla.ts";
import type { OtlpReceiver } from "./otlp-receiver.ts";

export type ExportingServer = Pick<ServerProcess, "child" | "said" | "ended"> & {
	url: string;
	/** Log lines written to standard output so far. */
	lines(): Record<string, unknown>[];
	/** Everything written to standard output so far. */
	out(): string;
	/** Enters by form, and gives the cookie. */
	enter(name: string): Promise<string>;
	/** As a service manager stops it; resolves with the exit code. */
	stop(): Promise<number | NodeJS.Signals>;
};

/** A server in a process of its own, as production runs it, that exports to a receiver; it ends with the test. */
export async function startExporting(
	t: TestContext,
	given: { receiver: OtlpReceiver; databaseUrl: string; env?: Record<string, string> },
): Promise<ExportingServer> {
	const folder = freshDataDir();
	const port = await fixedPort();
	const url = `http://127.0.0.1:${port}`;
	const server = startServer({
		DATABASE_URL: given.databaseUrl,
		DATA_DIR: folder.dataDir,
		PORT: String(port),
		SESSION_SECRET: "a secret of at least thirty-two characters",
		LOG_LEVEL: "info",
		DRAIN_SECONDS: "0",
		RATE_LIMITS: "off",
		OTEL_EXPORTER_OTLP_ENDPOINT: given.receiver.url,
		OTEL_EXPORTER_OTLP_HEADERS: "api-key=a-key-of-the-test",
		TELEMETRY_ENV: "test",
		TELEMETRY_SAMPLE_RATIO: "1",
		TELEMETRY_METRICS_EVERY: "1",
		SERVICE_VERSION: "abc123",
		...given.env,
	});
	let out = "";
	server.child.stdout?.on("data", (text) => {
		out += text;
	});
	t.after(() => {
		server.child.kill("SIGKILL");
		folder.remove();
	});
	await untilReady(url, server);
	return {
		...server,
		url,
		out: () => out,
		lines: () =>
			out
				.split("\n")
				.filter((line) => line.startsWith("{"))
				.map((line) => JSON.parse(line) as Record<string, unknown>),
		enter: (name) => enter(url, name),
		stop() {
			server.child.kill("SIGTERM");
			return server.ended;
		},
	};
}

/** Waits for a condition; fails saying `what` after a minute: what takes a second takes twenty beside other tests. */
export async function eventually(condition: () => boolean, what: () => string): Promise<void> {
	for (const end = Date.now() + 60_000; !condition(); await new Promise((done) => setTimeout(done, 20)))
		if (Date.now() > end) throw new Error(`not within a minute: ${what()}`);
}
