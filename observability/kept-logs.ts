import type { LogFilter, LogLine } from "../app/contract/ops.ts";
import { events } from "./contract.ts";
import type { Line } from "./log-line.ts";

/** Lines kept for operators: an hour of a busy server, some MB. */
const linesKept = 5000;
/** Of what happens all the time so many a second: a burst would push out what explains it, and nobody reads more. All are written. */
const frequentPerSecond = 50;
/** Lines one question is answered with when it does not say. */
const usually = 200;
/** What a line says anyway or in a place of its own. */
const apart = new Set(["ts", "level", "event", "msg", "trace_id", "service", "env", "version", "instance", "pid", "trace_flags"]);

/** The last lines of this instance, for /ops. A ring: the oldest gives way. */
export class KeptLogs {
	#ring: { no: number; ts: number; line: Line }[] = [];
	#no = 0;
	#second = 0;
	#frequent = 0;
	#clock: () => number;

	constructor(clock: () => number = Date.now) {
		this.#clock = clock;
	}

	add(line: Line): void {
		const ts = this.#clock();
		if ("frequent" in events[line.event as keyof typeof events] && !this.#mayKeep(ts)) return;
		const kept = { no: ++this.#no, ts, line };
		if (this.#ring.length < linesKept) this.#ring.push(kept);
		else this.#ring[(this.#no - 1) % linesKept] = kept;
	}

	#mayKeep(ts: number): boolean {
		const second = Math.floor(ts / 1000);
		if (second !== this.#second) {
			this.#second = second;
			this.#frequent = 0;
		}
		return ++this.#frequent <= frequentPerSecond;
	}

	get size(): number {
		return this.#ring.length;
	}

	/** The newest lines that fit, oldest first. A trace may be given by its beginning. */
	list(filter: LogFilter): LogLine[] {
		const found: LogLine[] = [];
		for (let back = 0; back < this.#ring.length && found.length < (filter.limit ?? usually); back++) {
			const kept = this.#ring[(this.#no - 1 - back) % linesKept];
			if (!kept || kept.no <= (filter.after ?? 0)) break;
			if (fits(kept.line, filter)) found.push(toLogLine(kept));
		}
		return found.reverse();
	}
}

const rank = { error: 0, warn: 1, info: 2, debug: 3 } as const;

function fits(line: Line, filter: LogFilter): boolean {
	if (filter.level && rank[line.level as keyof typeof rank] > rank[filter.level]) return false;
	if (filter.event && line.event !== filter.event) return false;
	if (filter.traceId && !String(line.trace_id ?? line.reference ?? "").startsWith(filter.traceId)) return false;
	if (filter.messageId && line.message_id !== filter.messageId) return false;
	return !filter.text || JSON.stringify(line).toLowerCase().includes(filter.text.toLowerCase());
}

function toLogLine({ no, ts, line }: { no: number; ts: number; line: Line }): LogLine {
	return {
		no,
		ts,
		level: line.level as LogLine["level"],
		event: String(line.event),
		msg: String(line.msg),
		traceId: typeof line.trace_id === "string" ? line.trace_id : null,
		fields: Object.fromEntries(Object.entries(line).filter(([name]) => !apart.has(name))),
	};
}
