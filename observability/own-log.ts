import { type Log, openLog } from "./log.ts";
import { ownSettings, shippingOfLines, telemetry } from "./telemetry.ts";

/** This process's log, wherever its lines go besides the output, which hears what trouble telemetry has. */
export function openOwnLog(config: { logLevel: string; accessLog: string | null }, build: string): Log {
	const kept = telemetry();
	const settings = ownSettings();
	const shipping = shippingOfLines();
	const log = openLog({
		level: config.logLevel,
		build,
		terminal: process.stdout.isTTY === true,
		env: settings?.env,
		instance: settings?.instance,
		kept: kept?.logs,
		isExported: kept?.settings.otlp?.logs,
		shipping: shipping?.transport,
		accessLog: config.accessLog,
	});
	shipping?.onTrouble((event, fields) => log.error(event, fields));
	kept?.onTrouble((trouble) => log.error("telemetry.export_failed", trouble));
	return log;
}
