import type { Activity, ActivityFlag } from "../../contract/activity.ts";
import type { Sql } from "../../storage/sql.ts";
import { allowPauses } from "../pauses.ts";
import type { News } from "../ports.ts";
import { type Aged, insertAside, lockPointers, movePointers, selectAfter, selectBehind, selectDelivered } from "./rows.ts";

/** Takes events out of the log. Each consumer has a pointer of its own in every room. */
export type Consumer = {
	/** Stored with the pointer: never renamed. */
	name: string;
	/** How often it looks, ms. */
	every: number;
	/** An event waits until it is this old, ms: then it is known whom it reached. */
	settle: number;
	/** A room is left alone until so many events wait, or the oldest is so old, ms: for what is written in large pieces. */
	gather?: { events: number; age: number };
	/** Whether an event nothing can be made of is set aside after some tries. Not where only the other side may be away. */
	mayPass: boolean;
	/**
	 * Takes each room's events, in order; answers how far each room got. Everything may come a second time. `sql` is the transaction
	 * the pointers move in.
	 */
	take(rooms: ReadonlyMap<string, readonly Activity[]>, sql: Sql): Promise<ReadonlyMap<string, number>>;
};

type Log = { warn(message: string, fields?: Record<string, unknown>): void };

/** Rooms of one transaction, and events of each. */
const roomsTogether = 50;
const eventsTogether = 500;
/** What is not announced here (another instance, a crash) is found by looking for it, this often, ms. */
const searchEvery = 10_000;
const searched = 1000;
/** A room that fails is tried in smaller pieces, then event by event; after so many times that event is set aside. */
const tries = { smaller: 1, single: 3, aside: 6 };
/** Events older than this, ms, say nothing of delivery any more: who is here now was not then. */
const reachKnown = 30_000;
/** Of a crowd, so many stand for all. */
const reachAsked = 200;

/**
 * Relays the room log to its consumers: the log is the outbox, so posting writes nothing for them. A pointer moves in the
 * transaction its events were taken in, and while it is locked no other instance works on that room; whatever dies on the way
 * is done again from the pointer. So every event is taken at least once, in the order of its room, and by what writes
 * to the same database exactly once.
 */
export function openRelay(given: {
	sql: Sql;
	consumers: readonly Consumer[];
	readText: (text: string) => ActivityFlag[];
	/** Who is in a room now. */
	here?: (roomId: string) => string[] | Promise<string[]>;
	log: Log;
	/** Hears of what was taken: how many events, and how old the oldest was, ms. */
	onTaken?: (consumer: string, events: readonly Activity[], oldest: number) => void;
	/** Runs a round; its failure is logged and recorded there. */
	round?: (work: () => Promise<void>) => Promise<void>;
}) {
	const { sql, log, round = (work) => work() } = given;
	const loops = given.consumers.map(openLoop);

	function openLoop(consumer: Consumer) {
		const waiting = new Set<string>();
		const failures = new Map<string, number>();
		let searchedAt = Number.NEGATIVE_INFINITY;
		let running: Promise<void> | null = null;

		async function search(): Promise<void> {
			if (Date.now() - searchedAt < searchEvery) return;
			const found = await selectBehind(sql, consumer.name, searched);
			for (const roomId of found) waiting.add(roomId);
			// More than fit: the rest is looked for as soon as these are done.
			searchedAt = found.length < searched ? Date.now() : Number.NEGATIVE_INFINITY;
		}

		async function look(): Promise<void> {
			await search();
			const rooms = [...waiting];
			for (let i = 0; i < rooms.length; i += roomsTogether) {
				const some = rooms.slice(i, i + roomsTogether);
				const healthy = some.filter((roomId) => !failures.has(roomId));
				const ill = some.filter((roomId) => failures.has(roomId));
				if (healthy.length > 0) await attempt(healthy, eventsTogether);
				for (const roomId of ill) await attempt([roomId], limitOf(failures.get(roomId) ?? 0));
			}
		}

		async function attempt(rooms: string[], limit: number): Promise<void> {
			// Said again while this runs, a room must be looked at again.
			for (const roomId of rooms) waiting.delete(roomId);
			try {
				for (const roomId of await step(consumer, rooms, limit)) waiting.add(roomId);
				for (const roomId of rooms) failures.delete(roomId);
			} catch (error) {
				for (const roomId of rooms) waiting.add(roomId);
				if (rooms.length > 1) {
					// One of them spoils it for all: each on its own.
					for (const roomId of rooms) failures.set(roomId, 0);
					return;
				}
				const [roomId] = rooms as [string];
				const count = (failures.get(roomId) ?? 0) + 1;
				failures.set(roomId, count);
				const message = error instanceof Error ? error.message : String(error);
				const isOurs = (error as { code?: unknown } | null)?.code === undefined;
				log.warn("relay.failed", { consumer: consumer.name, room_id: roomId, count, exception_message: message });
				if (consumer.mayPass && isOurs && count >= tries.aside) {
					await pass(roomId, message);
					failures.set(roomId, 0);
				}
			}
		}

		/** Goes on without the one event at the pointer. */
		async function pass(roomId: string, reason: string): Promise<void> {
			await sql.transaction(async (tx) => {
				const pointer = (await lockPointers(tx, consumer.name, [roomId])).get(roomId);
				if (pointer === undefined) return;
				const [next] = (await selectAfter(tx, () => [], new Map([[roomId, pointer]]), 1)).get(roomId) ?? [];
				if (!next) return;
				await insertAside(tx, consumer.name, roomId, next.event.seq, reason);
				await movePointers(tx, consumer.name, new Map([[roomId, next.event.seq]]));
				log.warn("relay.set_aside", { consumer: consumer.name, room_id: roomId, seq: next.event.seq });
			});
		}

		const run = (): Promise<void> => {
			running ??= round(look)
				.catch((error: unknown) => log.warn("job.failed", { job: "relay", exception_message: String(error) }))
				.finally(() => {
					running = null;
				});
			return running;
		};
		const timer = setInterval(run, consumer.every);
		return { consumer, waiting, run, stop: () => clearInterval(timer), idle: () => running };
	}

	/** Takes what is due in these rooms; answers those where more waits. */
	async function step(consumer: Consumer, roomIds: readonly string[], limit: number): Promise<string[]> {
		const behind = new Set<string>();
		await sql.transaction(async (tx) => {
			behind.clear();
			const pointers = await lockPointers(tx, consumer.name, roomIds);
			// Another instance is on it; whether it finishes is seen at the next look.
			for (const roomId of roomIds) if (!pointers.has(roomId)) behind.add(roomId);
			if (pointers.size === 0) return;
			const due = new Map<string, Aged[]>();
			for (const [roomId, found] of await selectAfter(tx, given.readText, pointers, limit)) {
				const young = found.findIndex((each) => each.age < consumer.settle);
				const settled = young === -1 ? found : found.slice(0, young);
				const { gather } = consumer;
				const isDue = !gather || settled.length >= Math.min(gather.events, limit) || (settled[0]?.age ?? 0) >= gather.age;
				if (isDue && settled.length > 0) due.set(roomId, settled);
				if (!isDue || young !== -1 || found.length === limit) behind.add(roomId);
			}
			if (due.size === 0) return;
			// Where to is somebody else's: a stream, an archive.
			await allowPauses(tx);
			await fillReach(tx, due);
			const rooms = new Map([...due].map(([roomId, aged]) => [roomId, aged.map((each) => each.event)]));
			const reached = await consumer.take(rooms, tx);
			await movePointers(tx, consumer.name, reached);
			for (const [roomId, events] of rooms) if (reached.get(roomId) !== events.at(-1)?.seq) behind.add(roomId);
			const taken = [...rooms.values()].flat().filter((event) => event.seq <= (reached.get(event.roomId) ?? 0));
			given.onTaken?.(consumer.name, taken, Math.max(...[...due.values()].flat().map((each) => each.age)));
		});
		return [...behind];
	}

	/** Whom a message reached: of those here, who had it a moment later. */
	async function fillReach(tx: Sql, due: ReadonlyMap<string, readonly Aged[]>): Promise<void> {
		const { here } = given;
		if (!here) return;
		const fresh = new Map<string, Activity[]>();
		const present = new Map<string, string[]>();
		for (const [roomId, aged] of due) {
			const events = aged.filter(({ event, age }) => event.kind === "message" && age <= reachKnown).map(({ event }) => event);
			if (events.length === 0) continue;
			fresh.set(roomId, events);
			present.set(roomId, (await here(roomId)).slice(0, reachAsked));
		}
		// Asked once a room, and compared here: a row for each message and person cost as much as storing the messages.
		const delivered = await selectDelivered(tx, present);
		for (const [roomId, events] of fresh) {
			const upTo = delivered.get(roomId);
			for (const event of events) {
				const others = (present.get(roomId) ?? []).filter((userId) => userId !== event.authorId);
				event.reach = { here: others.length, delivered: others.filter((userId) => (upTo?.get(userId) ?? 0) >= event.seq).length };
			}
		}
	}

	return {
		/** To be called with everything announced: the rooms it is about are looked at next. */
		hear(news: News): void {
			if ("fact" in news) for (const loop of loops) loop.waiting.add(news.to.roomId);
		},
		/** Looks now; for tests and for the end. */
		async run(): Promise<void> {
			await Promise.all(loops.map((loop) => loop.run()));
		},
		/** Finishes what is under way. What waits is found at the next start. */
		async stop(): Promise<void> {
			for (const loop of loops) loop.stop();
			await Promise.all(loops.map((loop) => loop.idle()));
		},
	};
}

const limitOf = (failed: number): number => (failed >= tries.single ? 1 : failed >= tries.smaller ? 50 : eventsTogether);
