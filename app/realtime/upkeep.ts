import { audienceOf } from "./audience.ts";
import type { Peers } from "./peers.ts";
import type { Recorder } from "./recorder.ts";

type Log = Record<"warn", (message: string, fields?: Record<string, unknown>) => void>;

/** How often the heads of followed rooms are compared with the database, ms. A hint can get lost, a row cannot. */
const tickEvery = 2000;
/** The same with other instances there and no way to them but the database: what people wait for a message from another instance. */
const tickEveryByDatabase = 250;
/** How often sessions are looked at whose end should have been told, ms, and where nobody can tell it. */
const sessionsEvery = 30_000;
const sessionsEveryUntold = 2000;
/** Joins are looked for again for so long after they were made, ms: a transaction may take its time, and a look may fail. */
const joinsSlack = 10_000;
/** Channels that came to be followed are looked at together, ms: thousands connect at once after a restart. */
const gatherFor = 20;

/**
 * What makes good for lost hints, from the database alone: rooms that went on, people who came into rooms, sessions that
 * ended. Every figure above is how late something may be when its hint was lost.
 */
export function openUpkeep(given: {
	peers: Peers;
	/** Other instances on this database, and how many of them no hint reaches. */
	others: () => { all: number; unheard: number };
	recorder: Recorder;
	log: Log;
	compareRooms: (some?: readonly string[]) => Promise<void>;
	/** Looks for people who came into rooms within the last so many seconds, and sets right the sockets of those who are here. */
	lookForJoins: (seconds: number) => Promise<void>;
	/** Ends the sockets of sessions that are over. */
	lookForEnds: () => Promise<void>;
	/** Tries again what could not be set right before. */
	settleLeft: () => Promise<void>;
}) {
	const { peers } = given;
	const now = () => performance.now();
	let lookedForJoins = now();
	let lookedForEnds = now();
	let wasOpen = peers.isOpen();
	let newlyFollowed = new Set<string>();
	let timer: NodeJS.Timeout;
	let stopped = false;
	let isFailing = false;

	const untold = () => {
		const { all, unheard } = given.others();
		return unheard > 0 || (all > 0 && !peers.isOpen());
	};

	async function look(): Promise<void> {
		const began = now();
		const reopened = peers.isOpen() && !wasOpen;
		wasOpen = peers.isOpen();
		await given.compareRooms();
		await given.settleLeft();
		if (given.others().all > 0 || peers.adapter !== "memory") {
			await given.lookForJoins(Math.ceil((began - lookedForJoins + joinsSlack) / 1000));
			lookedForJoins = began;
		}
		const age = began - lookedForEnds;
		if (age >= sessionsEvery || reopened || (untold() && age >= sessionsEveryUntold)) {
			await given.lookForEnds();
			lookedForEnds = began;
		}
	}

	/** Fails at every tick while the database is away, which is worth one line. */
	async function job(run: () => Promise<void>): Promise<void> {
		try {
			await given.recorder.job("safety-tick", run);
			isFailing = false;
		} catch (error) {
			if (!isFailing) given.log.warn("job.failed", { job: "safety-tick", exception_message: String(error) });
			isFailing = true;
		}
	}

	function next(): void {
		if (stopped) return;
		timer = setTimeout(() => void job(look).then(next), untold() ? tickEveryByDatabase : tickEvery);
		timer.unref();
	}
	next();

	peers.onFollowing((channels) => {
		const rooms = channels.filter((channel) => channel.startsWith("room:"));
		if (newlyFollowed.size === 0 && rooms.length > 0)
			setTimeout(() => {
				const some = [...newlyFollowed];
				newlyFollowed = new Set();
				void job(() => given.compareRooms(some));
			}, gatherFor).unref();
		for (const channel of rooms) newlyFollowed.add(channel.slice(audienceOf.room("").length));
	});

	return {
		close(): void {
			stopped = true;
			clearTimeout(timer);
		},
	};
}
