import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Machine } from "./agent.ts";
import type { Followed } from "./footprint.ts";

/** The parts of a time as the agent's configuration writes them. */
const parts: Record<string, string> = {
	"%Y": "\\d{4}",
	"%m": "[01]\\d",
	"%b": "(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)",
	// The agent takes a day with a space in front, as syslog writes it.
	"%d": "[ 0-3]\\d",
	"%H": "[0-2]\\d",
	"%M": "[0-5]\\d",
	"%S": "[0-6]\\d",
};

/** What the agent's configuration says of the files it follows and a machine's own files do not bear out; nothing, as it should be. */
export function unlikeConfigured(machine: Pick<Machine, "root">, followed: readonly Followed[]): string[] {
	return followed.flatMap(({ file_path: file, timestamp_format: format, multi_line_start_pattern: start }) => {
		const path = join(machine.root, file);
		if (!existsSync(path)) return `${file} is not there`;
		const lines = readFileSync(path, "utf8").split("\n").filter(Boolean);
		if (lines.length === 0) return `${file} is empty`;
		const [first = ""] = lines;
		const time = format ? timeIn(format) : null;
		return [
			...(start && !new RegExp(start).test(first) ? [`${file} does not begin with ${start}: ${first.slice(0, 60)}`] : []),
			...(time && !lines.some((line) => time.test(line)) ? [`${file} has no time like ${format}: ${first.slice(0, 60)}`] : []),
		];
	});
}

/** A line with such a time in it. Throws on a part that is not known here. */
function timeIn(format: string): RegExp {
	return new RegExp(
		format.replace(/%.|[^%]/g, (piece) => {
			const known = piece.startsWith("%") ? parts[piece] : piece.replace(/[.*+?^${}()|[\]\\]/, "\\$&");
			if (known === undefined) throw new Error(`The agent's configuration has a time with ${piece}`);
			return known;
		}),
	);
}
