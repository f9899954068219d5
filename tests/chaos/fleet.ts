import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { startEmbedded } from "../../app/storage/embedded.ts";
import { freshDataDir, until } from "../support/crash-charla.ts";
import { testRedis } from "../support/redis.ts";
import { openBalancer } from "./balancer.ts";
import { type Instance, openInstance } from "./instance.ts";
import { type Network, openProxies } from "./network.ts";

/** The same on every instance. */
export const secret = "a secret of at least thirty-two characters";

/** Where our own PostgreSQL always is. */
const databasePort = 5432;

/** Several instances of Charla on one PostgreSQL and one Redis behind one HAProxy; every line between them can be cut. */
export type Fleet = Awaited<ReturnType<typeof openFleet>>;

type FleetOptions = {
	/** For every instance, over what it is given anyway. */
	env?: Record<string, string>;
	network?: Network;
};

/** Starts everything; resolves when people can come. On an error what was started is stopped again, the network too. */
export async function openFleet(count: number, { env = {}, network = openProxies("nobody asked for more") }: FleetOptions = {}) {
	const stops: (() => unknown)[] = [network.close];
	const stop = async () => {
		for (const each of stops.splice(0).reverse()) await each();
	};
	try {
		const data = freshDataDir();
		stops.push(data.remove);
		mkdirSync(data.dataDir, { recursive: true });
		const errors: string[] = [];
		const log = { info() {}, warn() {}, error: (event: string, fields?: object) => void errors.push(`${event} ${JSON.stringify(fields)}`) };
		const settings = { max_connections: "200", ...(network.isApart ? openToNetwork(data.dataDir) : {}) };
		const database = await startEmbedded({ dataDir: data.dataDir, log, settings });
		stops.push(() => database.stop());
		const redis = await testRedis(network.isApart ? "0.0.0.0" : undefined);
		stops.push(() => redis[Symbol.asyncDispose]());

		const instances: Instance[] = [];
		for (let i = 1; i <= count; i++) {
			const place = await network.join(i);
			const toDatabase = await place.line({ port: databasePort, path: `${database.connection.host}/.s.PGSQL.${databasePort}` });
			const toRedis = await place.line({ port: redis.port });
			const instance = await openInstance({
				...place,
				name: `instance-${i}`,
				database: toDatabase,
				redis: toRedis,
				env: {
					HOST: place.address,
					DATABASE_URL: `postgres://charla@${toDatabase.host}:${toDatabase.port}/charla`,
					REDIS_URL: `redis://${toRedis.host}:${toRedis.port}`,
					SESSION_SECRET: secret,
					DATA_DIR: join(data.dataDir, `instance-${i}`),
					RATE_LIMITS: "off",
					DRAIN_SECONDS: "4",
					PROXY_HOPS: "1",
					WEB_WORKERS: "1",
					...env,
				},
			});
			instances.push(instance);
			stops.push(() => instance.stop());
		}
		const balancer = await openBalancer(instances);
		stops.push(() => balancer.stop());

		return {
			instances,
			database,
			redis,
			network,
			balancer,
			url: balancer.url,
			/** What went wrong with the database beyond what was done to it. */
			errors,
			/** kill -9 of PostgreSQL; resolves when another one has taken its place. */
			async killDatabase(): Promise<void> {
				const before = database.pid();
				process.kill(before, "SIGKILL");
				await until(
					() => database.pid() !== before,
					60_000,
					() => `PostgreSQL does not come back:\n${errors.join("\n")}`,
				);
			},
			stop,
		};
	} catch (error) {
		await stop();
		throw error;
	}
}

/** Settings for a PostgreSQL that takes whoever comes by the network, which is nobody's but the run's. */
function openToNetwork(folder: string): Record<string, string> {
	const file = join(folder, "pg_hba.conf");
	writeFileSync(file, "local all all trust\nhost all all 0.0.0.0/0 trust\n");
	chmodSync(file, 0o644);
	return { listen_addresses: "0.0.0.0", hba_file: file };
}
