import { spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createClient } from "@redis/client";

/** A busy machine takes its time, ms. */
const startWithin = 30_000;

export type Cache = Awaited<ReturnType<typeof openCache>>;

/** The Redis beside the machines, as Valkey is in AWS: by TLS alone, with a password, and keeping nothing. */
export async function openCache(given: { folder: string; host: string; password: string; certificate: { key: string; cert: string } }) {
	const { host, password } = given;
	const folder = join(given.folder, "cache");
	mkdirSync(folder, { recursive: true });
	const [cert, key] = [join(folder, "server.crt"), join(folder, "server.key")];
	writeFileSync(cert, given.certificate.cert);
	writeFileSync(key, given.certificate.key, { mode: 0o600 });
	const settings = { bind: host, port: 0, "tls-port": 6379, "tls-cert-file": cert, "tls-key-file": key, "tls-ca-cert-file": cert };
	const more = { "tls-auth-clients": "no", requirepass: password, save: "", appendonly: "no", dir: folder, loglevel: "warning" };
	const args = Object.entries({ ...settings, ...more }).flatMap(([name, value]) => [`--${name}`, String(value)]);
	const server = spawn("redis-server", args, { stdio: ["ignore", "ignore", "inherit"] });
	const url = `rediss://:${password}@${host}:6379`;
	const client = createClient({ url, socket: { tls: true, ca: given.certificate.cert, reconnectStrategy: false } });
	client.on("error", () => {});
	for (const end = Date.now() + startWithin; !client.isReady; await sleep(50)) {
		if (server.exitCode !== null || Date.now() > end) throw new Error("redis-server does not start");
		await client.connect().catch(() => {});
	}
	return {
		/** How many channels each address follows; who only tells follows none. */
		async followedFrom(): Promise<Map<string, number>> {
			const found = new Map<string, number>();
			for (const { addr = "", sub } of await client.clientList()) {
				const address = addr.replace(/:\d+$/, "");
				found.set(address, (found.get(address) ?? 0) + Number(sub));
			}
			return found;
		},
		async close(): Promise<void> {
			client.destroy();
			server.kill("SIGKILL");
		},
	};
}
