import { audienceOf } from "./audience.ts";
import type { Peers } from "./peers.ts";

/**
 * Each instance says so often, ms, who is there; one that was silent for longer than `expiry` is taken for gone with everybody in it:
 * one word may be lost, and who was killed is forgotten well within the 45 s that are promised.
 */
const refreshEvery = 15_000;
const expiry = 35_000;
/** A page reload takes a moment: somebody counts as gone only after this long without a socket, ms. */
export const grace = 3000;
/** The rooms' turns are spread over the time between two refreshes, so that no turn of the event loop has all of them. */
const steps = 15;

type There = { people: Set<string>; until: number };

/**
 * Who is here, on this instance and on others. Each instance tells those who follow a room who came to it, who went, and now
 * and then everybody who is there; what is not repeated expires. So nobody is asked while somebody waits, a killed instance's
 * people vanish by themselves, and only durations count, never another machine's clock.
 */
export function openPresence(given: {
	peers: Peers;
	/** People with a socket of this instance in a room, or who had one a moment ago. */
	hereIn: (roomId: string) => string[];
	/** Rooms somebody here is in. */
	rooms: () => string[];
	/** Somebody came to the room, or went from it, wherever they were. */
	tell: (roomId: string, userId: string, isHere: boolean) => void;
	clock?: () => number;
}) {
	const { peers, hereIn } = given;
	const clock = given.clock ?? (() => performance.now());
	const elsewhere = new Map<string, Map<string, There>>();
	let step = 0;

	const isElsewhere = (roomId: string, userId: string): boolean =>
		[...(elsewhere.get(roomId)?.values() ?? [])].some((there) => there.people.has(userId));

	/** Changes who is at another instance and tells the room of those for whom it makes a difference. */
	function change(roomId: string, instance: string, people: Set<string>): void {
		const room = elsewhere.get(roomId) ?? new Map<string, There>();
		const before = room.get(instance)?.people ?? new Set<string>();
		const local = new Set(hereIn(roomId));
		const otherwise = (userId: string) =>
			local.has(userId) || [...room].some(([name, there]) => name !== instance && there.people.has(userId));
		for (const userId of people) if (!before.has(userId) && !otherwise(userId)) given.tell(roomId, userId, true);
		for (const userId of before) if (!people.has(userId) && !otherwise(userId)) given.tell(roomId, userId, false);
		if (people.size > 0) room.set(instance, { people, until: clock() + expiry });
		else room.delete(instance);
		if (room.size > 0) elsewhere.set(roomId, room);
		else elsewhere.delete(roomId);
	}

	peers.on("presence", ({ roomId, came, went }, from) => {
		const people = new Set(elsewhere.get(roomId)?.get(from)?.people);
		for (const userId of came) people.add(userId);
		for (const userId of went) people.delete(userId);
		change(roomId, from, people);
	});
	peers.on("here", ({ roomId, people }, from) => change(roomId, from, new Set(people)));
	peers.on("who", ({ roomId }) => say(roomId));
	peers.on("goodbye", (_hint, from) => {
		// Its people find another instance within a moment, and were not gone meanwhile.
		for (const room of elsewhere.values()) for (const [instance, there] of room) if (instance === from) there.until = clock() + grace;
	});

	function say(roomId: string): void {
		const people = hereIn(roomId);
		if (people.length > 0) peers.tell(audienceOf.room(roomId), { kind: "here", roomId, people });
	}

	const timer = setInterval(() => {
		const now = clock();
		for (const [roomId, room] of elsewhere) for (const [instance, { until }] of room) if (until < now) change(roomId, instance, new Set());
		if (!peers.isOpen()) return;
		step = (step + 1) % steps;
		given.rooms().forEach((roomId, index) => {
			if (index % steps === step) say(roomId);
		});
	}, refreshEvery / steps);
	timer.unref();

	return {
		/** Everybody who is in a room now, wherever their sockets are. */
		here: (roomId: string): string[] => [
			...new Set([...hereIn(roomId), ...[...(elsewhere.get(roomId)?.values() ?? [])].flatMap((there) => [...there.people])]),
		],
		/** Somebody's first socket here came to a room, or their last one left it. */
		changed(roomId: string, userId: string, isHere: boolean): void {
			peers.tell(audienceOf.room(roomId), {
				kind: "presence",
				roomId,
				came: isHere ? [userId] : [],
				went: isHere ? [] : [userId],
			});
			if (!isElsewhere(roomId, userId)) given.tell(roomId, userId, isHere);
		},
		/** A room is followed from now on: ask who is there elsewhere, and tell who is here. */
		following(roomId: string): void {
			peers.tell(audienceOf.room(roomId), { kind: "who", roomId });
			say(roomId);
		},
		/** Nobody here is in the room any more. */
		forget: (roomId: string): void => void elsewhere.delete(roomId),
		close: (): void => clearInterval(timer),
	};
}
