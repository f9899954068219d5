import { codeOf } from "./storage-error.ts";

const CODES = new Set([
	"53300", // too_many_connections
	"57014", // query_canceled: ran into statement_timeout
	"57P01", // admin_shutdown
	"57P02", // crash_shutdown
	"57P03", // cannot_connect_now: starting up, shutting down or recovering
	"25P03", // idle_in_transaction_session_timeout: we were frozen in the middle of one
	"57P05", // idle_session_timeout
	"25006", // read_only_sql_transaction: a replica answered during a fail-over
	"ENOENT", // the unix socket is not there (yet)
	"ECONNREFUSED",
	"ECONNRESET",
	"ECONNABORTED",
	"EPIPE",
	"ETIMEDOUT",
	"EHOSTUNREACH",
	"ENETUNREACH",
	"ENOTFOUND",
	"EAI_AGAIN",
]);

/** Whether an error of `Sql` says "the database is away, ask again later" and not that the statement was wrong. */
export function isUnavailable(error: unknown): boolean {
	const code = codeOf(error);
	return code.startsWith("08") || CODES.has(code);
}
