import type { FileFault, ImportedItem, ImportedRecord, ImportHeader, Rejected } from "../../contract/imports.ts";
import type { Sql } from "../../storage/sql.ts";

type Batch = { header: ImportHeader; records: { line: number; record: ImportedRecord }[]; rejected: Rejected[] };
type Whole = { header: ImportHeader; records: number; bytes: number; sha256: string };

/** The core of the import desk (lambdas/upload). */
export type ImportCore = {
	readImport(source: AsyncIterable<Uint8Array>, name: string): AsyncGenerator<Batch, Whole>;
	faultOf(error: unknown): { code: FileFault; line: number | null } | null;
};

/** Whoever keeps the files that wait: a folder, or a bucket. A place is what they were told of it. */
export type ImportFiles = {
	/** Throws what has the code `ENOENT` when it is gone. */
	open(place: string): Promise<AsyncIterable<Uint8Array>>;
	/** Sets a bad file aside with the reason. Again does no harm. */
	quarantine(place: string, name: string, reason: string): Promise<void>;
	/** The file is not needed any more. Again does no harm. */
	discard(place: string): Promise<void>;
};

/** The shop's shelf (lambdas/shop/store.ts), as much of it as a catalogue needs. */
export type Catalogue = {
	/** At most 100 ids. */
	find(ids: readonly string[]): Promise<ImportedItem[]>;
	/** With the traceparent of the import that brings them. */
	put(items: readonly (ImportedItem & { tp?: string })[]): Promise<void>;
};

export type ImportPorts = {
	core: ImportCore;
	files: ImportFiles;
	/** The catalogue as this transaction sees it, or one elsewhere that knows no transactions: then doing it again finishes it. */
	catalogue: (sql: Sql) => Catalogue;
	/** Put around each stretch of work on a file. `tp`: the traceparent it came with; `work` is given its own. */
	around?: <T>(id: string, stage: "check" | "apply", tp: string | null, work: (tp: string | null) => Promise<T>) => Promise<T>;
	/** How often it is looked for work nobody announced, ms. */
	every?: number;
};
