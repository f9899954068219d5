import path from "node:path";
import type { Activity, ActivityStore, ArchiveStore } from "../../app/contract/activity.ts";
import { archiveFiles } from "./archive.ts";
import { folderArchive } from "./folder-archive.ts";
import { takeIn } from "./take-in.ts";

/** The activity stream as the server runs it: in process, with an archive in a folder, or by way of Kinesis and the functions behind it. */
export type Stream = {
	core: { takeIn: typeof takeIn; archiveFiles: typeof archiveFiles };
	archive: ArchiveStore | null;
	/** To Kinesis; null where everything is counted in process. */
	send: ((rooms: ReadonlyMap<string, readonly Activity[]>) => Promise<Map<string, number>>) | null;
	/** Where the functions keep what they counted; null: our own database. */
	store: ActivityStore | null;
};

export async function openStream(given: {
	activity: { stream: string; table: string } | null;
	archive: boolean;
	dataDir: string;
}): Promise<Stream> {
	const core = { takeIn, archiveFiles };
	if (!given.activity) {
		const archive = given.archive ? folderArchive(path.join(given.dataDir, "archive")) : null;
		return { core, archive, send: null, store: null };
	}
	// Only here: AWS's clients take their time to load.
	const [{ toKinesis }, { dynamoStore }] = await Promise.all([import("./to-kinesis.ts"), import("./dynamo-store.ts")]);
	return { core, archive: null, send: toKinesis({ stream: given.activity.stream }), store: dynamoStore({ table: given.activity.table }) };
}
