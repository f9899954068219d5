import { chmodSync, chownSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import pg from "pg";
import { lobbyId } from "../../app/contract/fixed.ts";
import { choosePlace } from "../../app/storage/database-place.ts";
import { startEmbedded } from "../../app/storage/embedded.ts";

export type StoredMessage = { seq: number; author: string; key: string; body: string };
export type Database = Awaited<ReturnType<typeof openDatabase>>;

/** The PostgreSQL beside the machines: the embedded one, reached over the network by TLS alone, with a password. */
export async function openDatabase(given: { folder: string; host: string; password: string; certificate: { key: string; cert: string } }) {
	const dataDir = join(given.folder, "database");
	mkdirSync(dataDir, { recursive: true });
	chmodSync(dataDir, 0o755);
	const rules = join(dataDir, "who-may.conf");
	writeFileSync(rules, "local all all trust\nhostssl all all 10.80.0.0/24 scram-sha-256\n");
	chmodSync(rules, 0o644);
	const [cert, key] = [join(dataDir, "server.crt"), join(dataDir, "server.key")];
	writeFileSync(cert, given.certificate.cert);
	writeFileSync(key, given.certificate.key, { mode: 0o600 });
	const { account } = choosePlace(dataDir);
	// PostgreSQL takes no key that anybody else may read.
	if (account) for (const file of [cert, key]) chownSync(file, account.uid, account.gid);
	const tls = { ssl: "on", ssl_cert_file: cert, ssl_key_file: key };
	const quiet = { info: () => {}, warn: console.warn, error: console.error };
	const server = await startEmbedded({ dataDir, log: quiet, settings: { listen_addresses: given.host, hba_file: rules, ...tls } });
	const client = new pg.Client(server.connection);
	await client.connect();
	await client.query(`alter role charla password '${given.password}'`);
	return {
		/** The addresses that have connections by TLS. */
		async tlsFrom(): Promise<string[]> {
			const found = await client.query<{ from: string }>(
				"select distinct host(client_addr) as from from pg_stat_activity join pg_stat_ssl using (pid) where ssl",
			);
			return found.rows.map(({ from }) => from);
		},
		/** The lobby's log as it is stored, in its order. */
		async lobby(): Promise<{ lastSeq: number; messages: StoredMessage[] }> {
			const room = await client.query<{ last: number }>("select last_seq::int as last from room where id = $1", [lobbyId]);
			const log = await client.query<StoredMessage>(
				`select seq::int, author_id as author, client_key as key, body from room_log where room_id = $1 and kind = 0 order by seq`,
				[lobbyId],
			);
			return { lastSeq: room.rows[0]?.last ?? 0, messages: log.rows };
		},
		async stop(): Promise<void> {
			await client.end();
			await server.stop();
		},
	};
}
