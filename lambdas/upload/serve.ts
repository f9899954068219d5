import type { FileFault } from "../../app/contract/imports.ts";
import { folderInbox } from "./inbox-folder.ts";
import { faultOf, fileLimits, readImport } from "./read-import.ts";

type File = { id: string; name: string; place: string; bytes: number; fault?: { code: FileFault; line: number | null }; tp?: string };

/** The import desk as the server runs it: with files in a folder of this machine, or in a bucket that a function watches. */
export async function openInbox(given: { imports: "folder" | { bucket: string; queueUrl: string }; dataDir: string }) {
	const core = { readImport, faultOf };
	if (given.imports === "folder") {
		const inbox = folderInbox(given.dataDir);
		await inbox.prepare();
		return {
			core,
			files: inbox,
			limits: fileLimits,
			/** Takes a file that streams in. Null: whoever watches tells of it. */
			receive: (name: string, source: AsyncIterable<Uint8Array>): Promise<File | null> => inbox.receive(name, source),
			start: (onFile: (file: File) => Promise<void>, onError: (error: unknown) => void) => inbox.watch(onFile, onError),
		};
	}
	const { bucketInbox } = await import("./inbox-bucket.ts");
	const inbox = bucketInbox(given.imports);
	return {
		core,
		files: inbox,
		limits: fileLimits,
		async receive(name: string, source: AsyncIterable<Uint8Array>, bytes: number, traceparent: string | null): Promise<File | null> {
			await inbox.receive(name, source, bytes, traceparent);
			return null;
		},
		start: (onFile: (file: File) => Promise<void>, onError: (error: unknown) => void) => inbox.listen(onFile, onError),
	};
}
export type Inbox = Awaited<ReturnType<typeof openInbox>>;
