import pg from "pg";
import { lobbyId } from "../../app/contract/fixed.ts";
import { postmasterOf } from "./crash-charla.ts";

export type StoredRow = { seq: number; kind: number; msgNo: number | null; author: string; key: string; body: string | null };
export type StoredRoom = { lastSeq: number; lastMsg: number; rows: StoredRow[] };

/** The lobby as it is on the disk: read past the server, over PostgreSQL's own socket. */
export async function readLobby(dataDir: string): Promise<StoredRoom> {
	const postmaster = postmasterOf(dataDir);
	if (!postmaster) throw new Error("PostgreSQL does not run");
	const client = new pg.Client({ host: postmaster.socketDir, port: 5432, user: "charla", database: "charla", ssl: false });
	await client.connect();
	try {
		const room = await client.query(`select last_seq::int as "lastSeq", last_msg::int as "lastMsg" from room where id = $1`, [lobbyId]);
		const log = await client.query<StoredRow>(
			`select seq::int, kind::int, msg_no::int as "msgNo", author_id as author, client_key as key, body from room_log where room_id = $1 order by seq`,
			[lobbyId],
		);
		return { ...room.rows[0], rows: log.rows };
	} finally {
		await client.end();
	}
}
