/**
 * Loaded before everything else (`node --import ./observability/start.ts server.ts`), because instrumentation must be in
 * place before what it instruments. React and Remix decide by NODE_ENV at their first import, so it is settled here.
 */
import { enableCompileCache } from "node:module";

const isDev = process.argv.includes("--dev");
process.env.NODE_ENV ??= isDev ? "development" : "production";
// Compiled code is kept between starts: what telemetry adds to a start is mostly compiling the SDK.
enableCompileCache();

const { readTelemetry } = await import("./settings.ts");
const { settings } = readTelemetry(process.env, { dev: isDev });
// What is wrong with the settings is told by server.ts, together with everything else.
if (settings.on || settings.cloudWatch) {
	const { startTelemetry } = await import("./telemetry.ts");
	try {
		await startTelemetry(settings);
	} catch (error) {
		process.stderr.write(`telemetry could not start, the chat goes on without: ${String(error)}\n`);
	}
}
