/**
 * A process that relays and nothing else, to be killed: `node relay-child.ts <database url> <archive folder> <stream file>`.
 * The stream is a file every record is appended to, as a stream is: whatever was sent before a crash stays sent.
 */
import { appendFileSync } from "node:fs";
import { archiveInProcess, countInProcess, openReadText, openRelay, toStream } from "../../app/chat/activity/index.ts";
import { openStorage } from "../../app/storage/index.server.ts";
import { folderArchive } from "../../lambdas/stream/folder-archive.ts";
import { archiveFiles, takeIn } from "../../lambdas/stream/index.ts";

const [url, archive, stream] = process.argv.slice(2) as [string, string, string];
const silent = {
	info: () => undefined,
	warn: (event: string, fields?: object) => console.error(event, JSON.stringify(fields)),
	error: () => undefined,
};
const storage = await openStorage({ databaseUrl: url, dataDir: "", log: silent });
const core = { takeIn, archiveFiles };
const quick = { every: 20, settle: 0 };
openRelay({
	sql: storage.sql,
	readText: openReadText([]),
	log: silent,
	consumers: [
		{ ...countInProcess(core), ...quick },
		{ ...archiveInProcess(core, folderArchive(archive), { events: 40, age: 300 }), ...quick },
		{
			...toStream(async (rooms) => {
				for (const events of rooms.values()) appendFileSync(stream, events.map((event) => `${event.id}\n`).join(""));
				return new Map([...rooms].map(([roomId, events]) => [roomId, events.at(-1)?.seq ?? 0]));
			}),
			...quick,
		},
	],
});
process.stdout.write("ready\n");
