import { mkdir, open, rename } from "node:fs/promises";
import path from "node:path";
import type { ArchiveStore } from "../../app/contract/activity.ts";

/** The archive in a folder. A file is there whole or not at all, and is on the disk before it counts as written. */
export function folderArchive(folder: string): ArchiveStore {
	return {
		async put(key, bytes) {
			const file = path.join(folder, key);
			await mkdir(path.dirname(file), { recursive: true });
			const written = `${file}.${process.pid}.tmp`;
			const handle = await open(written, "w");
			try {
				await handle.writeFile(bytes);
				await handle.sync();
			} finally {
				await handle.close();
			}
			await rename(written, file);
		},
	};
}
