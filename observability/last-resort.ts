import { errorFields, type Log } from "./log.ts";
import { stopTelemetry, telemetry } from "./telemetry.ts";

/** What is left may be sent for this long, ms: whoever started the process waits to start it anew. */
const flushWithin = 3000;

/**
 * For what nobody caught: the process is in no state to go on. It writes one `exception` line like any other error's, sends what
 * is left for a few seconds, and exits with 1. `openLog` is asked only then, and may fail itself.
 *
 * Returns the same for whoever has such an error in hand; it never resolves.
 */
export function endOnUncaught(openLog: () => Log): (error: unknown, origin: string) => Promise<never> {
	let isEnding = false;
	const end = async (error: unknown, origin: string): Promise<never> => {
		// What breaks on the way out says nothing new.
		if (!isEnding) {
			isEnding = true;
			try {
				openLog().error("exception", { call: origin, ...errorFields(error), handled: false });
				telemetry()?.noticeError(error, { call: origin });
			} catch {
				console.error(error);
			}
			await Promise.race([stopTelemetry().catch(() => undefined), new Promise((late) => setTimeout(late, flushWithin))]);
			process.exit(1);
		}
		return new Promise<never>(() => undefined);
	};
	// Rejections nobody handles come here too, as Node has it.
	process.on("uncaughtException", (error, origin) => void end(error, origin));
	return end;
}
