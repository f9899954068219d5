import type { Activity, ActivityStore, ArchiveStore } from "../../contract/activity.ts";
import type { Sql } from "../../storage/sql.ts";
import type { Consumer } from "./relay.ts";
import { postgresActivity } from "./store.ts";

/** The core of the activity stream (lambdas/stream), as much of it as runs in process. */
export type StreamCore = {
	takeIn(store: ActivityStore, events: readonly Activity[]): Promise<void>;
	archiveFiles(events: readonly Activity[], begin: string): { key: string; bytes: Uint8Array }[];
};

const head = (events: readonly Activity[]): number => events.at(-1)?.seq ?? 0;

/** Activity, delivery, moderation hints and unanswered questions, in this process and this database. */
export function countInProcess(core: StreamCore): Consumer {
	return {
		name: "activity",
		every: 500,
		settle: 2000,
		mayPass: true,
		async take(rooms, sql: Sql) {
			const store = postgresActivity(sql);
			for (const events of rooms.values()) await core.takeIn(store, events);
			return new Map([...rooms].map(([roomId, events]) => [roomId, head(events)]));
		},
	};
}

/** The audit archive, in files of a room's stretch each. */
export function archiveInProcess(core: StreamCore, archive: ArchiveStore, gather = { events: 500, age: 10 * 60_000 }): Consumer {
	return {
		name: "archive",
		every: 30_000,
		settle: 2000,
		gather,
		mayPass: false,
		async take(rooms) {
			for (const [roomId, events] of rooms)
				for (const file of core.archiveFiles(events, `${roomId}.${String(events[0]?.seq).padStart(12, "0")}`))
					await archive.put(file.key, file.bytes);
			return new Map([...rooms].map(([roomId, events]) => [roomId, head(events)]));
		},
	};
}

/** Everything to the stream, where the functions are the consumers. */
export function toStream(send: (rooms: ReadonlyMap<string, readonly Activity[]>) => Promise<ReadonlyMap<string, number>>): Consumer {
	return { name: "stream", every: 500, settle: 2000, mayPass: false, take: (rooms) => send(rooms) };
}

/** Who takes events: the stream where there is one, else the consumers in this process. */
export function openConsumers(stream: {
	core: StreamCore;
	archive: ArchiveStore | null;
	send: Parameters<typeof toStream>[0] | null;
}): Consumer[] {
	if (stream.send) return [toStream(stream.send)];
	return [countInProcess(stream.core), ...(stream.archive ? [archiveInProcess(stream.core, stream.archive)] : [])];
}
