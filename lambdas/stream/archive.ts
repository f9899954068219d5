import { gzipSync } from "node:zlib";
import type { Activity } from "../../app/contract/activity.ts";
import { dayOf } from "./fold.ts";

/** A file of the archive: lines of JSON, compressed, in a folder of its date as Athena and DuckDB read them. */
export type ArchiveFile = { key: string; bytes: Uint8Array };

/**
 * The files that keep these events. `begin` names where the batch began (a room and place, or a shard and sequence number):
 * a batch that is done again, also with more or fewer events, replaces its file instead of making another.
 */
export function archiveFiles(events: readonly Activity[], begin: string): ArchiveFile[] {
	const byDay = new Map<string, Activity[]>();
	for (const event of events) byDay.set(dayOf(event.at), [...(byDay.get(dayOf(event.at)) ?? []), event]);
	return [...byDay].map(([day, those]) => ({
		key: `activity/date=${day}/${begin.replace(/[^\w.-]/g, "_")}.jsonl.gz`,
		// The time would make two files of the same events differ.
		bytes: gzipSync(those.map((event) => `${JSON.stringify(event)}\n`).join("")),
	}));
}
