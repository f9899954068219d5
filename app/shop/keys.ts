import { createHash, randomBytes } from "node:crypto";
import type { Scope } from "../contract/orders.ts";
import type { Sql } from "../storage/sql.ts";

export type KnownKey = {
	id: string;
	name: string;
	owner: { id: string; name: string };
	scopes: Scope[];
	room: string | null;
};
/** As it is listed: without anything that opens the API. */
export type ListedKey = KnownKey & { createdAt: number; revokedAt: number | null };

type Row = {
	id: string;
	name: string;
	owner_id: string;
	owner_name: string;
	scopes: Scope[];
	room_id: string | null;
	created_at: Date;
	revoked_at: Date | null;
};
const columns = "k.id, k.name, k.owner_id, u.display_name owner_name, k.scopes, k.room_id, k.created_at, k.revoked_at";
/** So that a key is known for one where it turns up: in a log, a repository, a message. */
const prefix = "charla_";

/** Keys of the API. A secret is shown once, when it is made; kept is its hash, so a copy of the table opens nothing. */
export function openKeys({ sql, ids }: { sql: Sql; ids: () => string }) {
	return {
		/** By the SHA-256 of a secret, hex; null for what is unknown or revoked. */
		async find(hash: string): Promise<KnownKey | null> {
			const [row] = await sql.query<Row>(
				"api-key-find",
				`select ${columns} from api_key k join app_user u on u.id = k.owner_id where k.secret_hash = $1 and k.revoked_at is null`,
				[hash],
			);
			return row ? toKey(row) : null;
		},
		async create(input: {
			name: string;
			ownerId: string;
			scopes: readonly Scope[];
			room: string | null;
		}): Promise<{ id: string; secret: string; hash: string }> {
			const id = ids();
			const secret = prefix + randomBytes(32).toString("base64url");
			const hash = hashOfKey(secret);
			await sql.query(
				"api-key-create",
				"insert into api_key (id, secret_hash, name, owner_id, scopes, room_id) values ($1, $2, $3, $4, $5, $6)",
				[id, hash, input.name, input.ownerId, input.scopes, input.room],
			);
			return { id, secret, hash };
		},
		async list(): Promise<ListedKey[]> {
			const rows = await sql.query<Row>(
				"api-key-list",
				`select ${columns} from api_key k join app_user u on u.id = k.owner_id order by k.created_at, k.id`,
			);
			return rows.map((row) => ({ ...toKey(row), createdAt: row.created_at.getTime(), revokedAt: row.revoked_at?.getTime() ?? null }));
		},
		/** The hash of the key that opens nothing any more, or null where there is no such key. */
		async revoke(id: string): Promise<string | null> {
			const [row] = await sql.query<{ secret_hash: string }>(
				"api-key-revoke",
				"update api_key set revoked_at = coalesce(revoked_at, now()) where id = $1 returning secret_hash",
				[id],
			);
			return row?.secret_hash ?? null;
		},
	};
}
export type Keys = ReturnType<typeof openKeys>;

/** 32 random bytes need no slow hash: nobody guesses them. The same as the function's (lambdas/shop/api.ts). */
export const hashOfKey = (secret: string): string => createHash("sha256").update(secret).digest("hex");

const toKey = (row: Row): KnownKey => ({
	id: row.id,
	name: row.name,
	owner: { id: row.owner_id, name: row.owner_name },
	scopes: row.scopes,
	room: row.room_id,
});
