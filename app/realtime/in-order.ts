import type { Fact } from "../contract/facts.ts";

/** A fact that came early waits this long, ms, for the one before it (which is being committed) before the log is read. */
const patience = 30;

/** Where a fact came from: this instance made it, another told of it (with the stamps it had so far), or the log was read. */
export type Source = { how: "here" } | { how: "heard"; ts?: number[] | undefined } | { how: "healed" };

const here: Source = { how: "here" };
const healed: Source = { how: "healed" };

type Held = { fact: Fact; source: Source };
type Watched = { at: number; held: Map<number, Held>; timer: NodeJS.Timeout | null; healing: boolean };

/**
 * Lets the facts of each watched room through in the order of seq, each once: the next one at once, an earlier one never,
 * a later one after the gap before it was filled from the log. Rooms nobody here is in are not watched.
 */
export function inOrder(given: {
	emit: (fact: Fact, source: Source) => void;
	/** Facts of a room after a seq, oldest first. */
	load: (roomId: string, after: number) => Promise<Fact[]>;
	onError: (error: unknown, roomId: string) => void;
	/** From the first to the last of those that were missing and came from the log. */
	onHealed?: (roomId: string, from: number, to: number) => void;
}) {
	const rooms = new Map<string, Watched>();

	function pass(room: Watched, fact: Fact, source: Source): void {
		room.at = fact.seq;
		given.emit(fact, source);
	}

	function release(room: Watched): void {
		for (let next = room.held.get(room.at + 1); next; next = room.held.get(room.at + 1)) {
			room.held.delete(next.fact.seq);
			pass(room, next.fact, next.source);
		}
	}

	async function heal(roomId: string): Promise<void> {
		const room = rooms.get(roomId);
		if (!room || room.healing) return;
		room.healing = true;
		let first = 0;
		let last = 0;
		try {
			for (;;) {
				const facts = await given.load(roomId, room.at);
				// Let go of meanwhile, and perhaps followed anew from another place.
				if (rooms.get(roomId) !== room) return;
				for (const fact of facts) {
					if (fact.seq <= room.at) continue;
					// Announced and waiting behind the gap: it was never missing.
					const held = room.held.get(fact.seq);
					pass(room, held?.fact ?? fact, held?.source ?? healed);
					if (held) continue;
					first ||= fact.seq;
					last = fact.seq;
				}
				if (facts.length < 500) break;
			}
			if (last > 0) given.onHealed?.(roomId, first, last);
			for (const seq of room.held.keys()) if (seq <= room.at) room.held.delete(seq);
			release(room);
		} catch (error) {
			given.onError(error, roomId);
		} finally {
			room.healing = false;
		}
	}

	function accept(fact: Fact, source: Source = here): void {
		const room = rooms.get(fact.roomId);
		if (!room || fact.seq <= room.at) return;
		if (fact.seq === room.at + 1) {
			pass(room, fact, source);
			release(room);
			return;
		}
		room.held.set(fact.seq, { fact, source });
		room.timer ??= setTimeout(() => {
			room.timer = null;
			if (room.held.size > 0) void heal(fact.roomId);
		}, patience);
	}

	return {
		accept,
		/** Begins to follow a room whose newest committed seq is at least `lastSeq`. No effect when it is followed already. */
		watch(roomId: string, lastSeq: number): void {
			if (!rooms.has(roomId)) rooms.set(roomId, { at: lastSeq, held: new Map(), timer: null, healing: false });
		},
		unwatch(roomId: string): void {
			clearTimeout(rooms.get(roomId)?.timer ?? undefined);
			rooms.delete(roomId);
		},
		/** Compares with the heads the database has, and fills what is missing, of all rooms or of some: the safety tick. */
		async compare(heads: (roomIds: string[]) => Promise<Map<string, number>>, some?: readonly string[]): Promise<void> {
			const asked = some?.filter((roomId) => rooms.has(roomId)) ?? [...rooms.keys()];
			if (asked.length === 0) return;
			const newest = await heads(asked);
			for (const [roomId, lastSeq] of newest) {
				const room = rooms.get(roomId);
				if (room && lastSeq > room.at) await heal(roomId);
			}
		},
		/** Newest seq let through, for tests and telemetry. */
		at: (roomId: string): number | undefined => rooms.get(roomId)?.at,
	};
}
