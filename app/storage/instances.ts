import type { Log } from "./log-port.ts";
import type { Sql } from "./sql.ts";
import { isUnavailable } from "./unavailable.ts";

/** A process that works on this database. Times are the database's. */
export type Instance = {
	id: string;
	version: string;
	build: string;
	adapter: string;
	sockets: number;
	startedAt: number;
	seenAt: number;
};

type Row = { id: string; version: string; build: string; adapter: string; sockets: number; started_at: Date; seen_at: Date };

/** A sign of life goes out so often, ms; without one for so long, s, an instance is taken for dead, and its row goes after a while. */
const signEvery = 3000;
const silentAfter = 15;
const forgottenAfter = 3600;

/**
 * This process among those that work on the same database: gives a sign of life now and then, and knows the others by theirs.
 * A row each, by the database's clock: neither Redis nor clocks that agree are needed for it.
 */
export function openInstances(given: {
	sql: Sql;
	log: Log;
	self: { id: string; version: string; build: string; adapter: string };
	sockets: () => number;
	/** Called when there are others that no hint reaches, and there were none before. */
	onUnheard?: (count: number) => void;
}) {
	const { sql, self } = given;
	let others: Instance[] = [];
	/** Those that hear of each other by another way than this one, or by none. */
	const unheard = () => others.filter((other) => other.adapter !== self.adapter || self.adapter === "memory").length;
	let timer: NodeJS.Timeout | undefined;
	let stopped = false;

	/** Says "here I am" and learns of the others, in one statement. Never throws: while the database is away nothing changes. */
	async function sign(): Promise<void> {
		try {
			const rows = await sql.query<Row>(
				"instance-sign",
				`with mine as (
           insert into instance (id, version, build, adapter, sockets, started_at, seen_at) values ($1, $2, $3, $4, $5, now(), now())
           on conflict (id) do update set sockets = excluded.sockets, seen_at = now()
         ), old as (
           delete from instance where seen_at < now() - make_interval(secs => $7) and id <> $1
         )
         select id, version, build, adapter, sockets, started_at, seen_at from instance
         where id <> $1 and seen_at > now() - make_interval(secs => $6) order by started_at, id`,
				[self.id, self.version, self.build, self.adapter, given.sockets(), silentAfter, forgottenAfter],
			);
			const before = unheard();
			others = rows.map((row) => ({
				id: row.id,
				version: row.version,
				build: row.build,
				adapter: row.adapter,
				sockets: row.sockets,
				startedAt: row.started_at.getTime(),
				seenAt: row.seen_at.getTime(),
			}));
			if (before === 0 && unheard() > 0) given.onUnheard?.(unheard());
		} catch (error) {
			// That the database is away is told by who noticed first.
			if (!isUnavailable(error)) given.log.warn("job.failed", { job: "instance-sign", exception_message: String(error) });
		}
	}

	function again(): void {
		if (stopped) return;
		timer = setTimeout(() => void sign().then(again), signEvery);
		timer.unref();
	}

	return {
		/** The first sign; resolves when it is given. */
		async start(): Promise<void> {
			await sign();
			again();
		},
		/** The other instances that gave a sign of life lately. */
		others: (): readonly Instance[] => others,
		count: () => ({ all: others.length, unheard: unheard() }),
		/** Takes the row away, so that nobody counts on this process. */
		async stop(): Promise<void> {
			stopped = true;
			clearTimeout(timer);
			await sql.query("instance-gone", "delete from instance where id = $1", [self.id]).catch(() => undefined);
		},
	};
}

export type Instances = ReturnType<typeof openInstances>;
