import type { Sql } from "../storage/sql.ts";

/** How long a transaction that reads a file or talks to somebody else may do nothing meanwhile, ms. */
const pause = 60_000;

/** Lets this transaction wait for more than the database: storage ends any other that does nothing for some seconds (pool.ts). */
export async function allowPauses(tx: Sql): Promise<void> {
	await tx.query("allow-pauses", "select set_config('idle_in_transaction_session_timeout', $1, true)", [String(pause)]);
}
