import { createHash, randomBytes } from "node:crypto";
import { refuse } from "../contract/refusals.ts";
import type { Person } from "../contract/shapes.ts";
import type { Sql } from "../storage/sql.ts";

/** How long a link works, hours: whoever installed Charla opens it the same day, and what is found in an old log opens nothing. */
const linkHours = 24;

/**
 * How an installation gets its first administrator: by a link that is printed when Charla starts and works once. There is one
 * link for all instances, in the database, and the newest start's is the one that works.
 */
export function openOwner(given: { sql: Sql }) {
	const { sql } = given;
	const hash = (token: string) => createHash("sha256").update(token).digest();

	return {
		/** A new token, in place of any before it, as long as nobody is administrator; else null. */
		async ownerToken(): Promise<string | null> {
			const token = randomBytes(32).toString("base64url");
			const rows = await sql.query(
				"owner-link-make",
				`insert into owner_link (token_hash, expires_at) select $1, now() + make_interval(hours => $2)
         where not exists (select 1 from app_user where is_admin)
         on conflict (only_one) do update set token_hash = excluded.token_hash, expires_at = excluded.expires_at returning only_one`,
				[hash(token), linkHours],
			);
			return rows.length > 0 ? token : null;
		},
		/** Whether a token would make somebody administrator. Changes nothing. */
		async isOwnerToken(token: string): Promise<boolean> {
			const rows = await sql.query(
				"owner-link-look",
				`select 1 from owner_link where token_hash = $1 and expires_at > now()
         and not exists (select 1 from app_user where is_admin)`,
				[hash(token)],
			);
			return rows.length > 0;
		},
		/**
		 * Makes somebody administrator and spends the link. Of several at once one gets it: they wait for the same row. For who is
		 * administrator already nothing changes, so the same request twice is one. Refuses with `owner-link-spent`.
		 */
		async becomeOwner(me: Person, token: string): Promise<void> {
			const rows = await sql.query(
				"owner-claim",
				`with spent as (
           delete from owner_link where token_hash = $2 and expires_at > now()
             and not exists (select 1 from app_user where is_admin) returning only_one
         )
         update app_user set is_admin = true where id = $1 and (is_admin or exists (select 1 from spent)) returning id`,
				[me.id, hash(token)],
			);
			if (rows.length === 0) throw refuse("owner-link-spent");
		},
	};
}
