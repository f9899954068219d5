import type { EventName, LogField } from "../../observability/contract.ts";
import { eventOf, fieldsOf, type Line, serialise } from "../../observability/log-line.ts";

export type Level = "error" | "warn" | "info" | "debug";
export type Fields = Partial<Record<LogField, string | number | boolean | null | undefined>>;
/** The first argument is an event of observability/contract.ts, the second its fields. */
export type Log = Record<Level, (event: EventName, fields?: Fields) => void>;

const levels: readonly Level[] = ["error", "warn", "info", "debug"];

/**
 * A JSON line per event, of the shape the server's lines have, so that one saved query reads both. `always` is asked for each
 * line: the trace changes from call to call. Fields outside the contract are left out.
 */
export function openLog(write: (line: string) => void, level: string, always: () => Line): Log {
	const most = Math.max(0, levels.indexOf(level as Level));
	const at = (own: Level) => (name: EventName, given?: Fields) => {
		if (levels.indexOf(own) > most) return;
		const present = Object.fromEntries(Object.entries(given ?? {}).filter(([, value]) => value !== null && value !== undefined));
		write(
			serialise({
				ts: new Date().toISOString(),
				level: own,
				...eventOf(name),
				...always(),
				...fieldsOf(present, () => undefined),
			}),
		);
	};
	return { error: at("error"), warn: at("warn"), info: at("info"), debug: at("debug") };
}
