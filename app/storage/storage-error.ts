/**
 * Why the database could not be opened. Told apart by `code`, never by class: a module may exist twice in one process.
 * - DATA_IN_USE: another Charla runs on this data folder
 * - DATA_MISSING: the folder says where its database is, and there is none there
 * - DATA_FOREIGN: what is in the database folder is not ours to read or to overwrite
 * - DATABASE_UNAVAILABLE_HERE: no PostgreSQL of our own on this machine; DATABASE_URL is needed
 * - DATABASE_DOES_NOT_START: PostgreSQL is there and ended again each time
 */
export type StorageErrorCode = "DATA_IN_USE" | "DATA_MISSING" | "DATA_FOREIGN" | "DATABASE_UNAVAILABLE_HERE" | "DATABASE_DOES_NOT_START";

/** An error whose message is a sentence for the person who started Charla. */
export function storageError(code: StorageErrorCode, message: string, cause?: unknown): Error & { code: StorageErrorCode } {
	return Object.assign(new Error(message, { cause }), { code });
}

/** The `code` of anything thrown, or "" when it has none. */
export function codeOf(error: unknown): string {
	const code = typeof error === "object" && error !== null && "code" in error ? error.code : undefined;
	return typeof code === "string" ? code : "";
}
