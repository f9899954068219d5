/** Moves remembered in all, and of one room: the last few hours of a busy team, a few hundred KB. */
const movesKept = 5000;
const movesPerRoom = 200;

type Move = { at: number; userId: string; delivered: number; displayed: number };
export type Reached = { first: number | null; last: number | null };

/**
 * When people's pointers moved, in memory: the database knows how far they are and not since when. Of an older message, or
 * after a restart, it knows nothing, and says so by null.
 */
export function openReachTrail(clock: () => number = Date.now) {
	const rooms = new Map<string, Move[]>();
	let kept = 0;

	function forgetOne(): void {
		const [roomId, moves] = rooms.entries().next().value as [string, Move[]];
		moves.shift();
		kept--;
		if (moves.length === 0) rooms.delete(roomId);
	}

	return {
		/** A pointer moved. */
		hear(roomId: string, move: { userId: string; delivered: number; displayed: number }): void {
			const moves = rooms.get(roomId) ?? [];
			// A room somebody reads is the last to be forgotten.
			rooms.delete(roomId);
			rooms.set(roomId, moves);
			moves.push({ at: clock(), ...move });
			kept++;
			if (moves.length > movesPerRoom) {
				moves.shift();
				kept--;
			}
			while (kept > movesKept) forgetOne();
		},
		/** When others than the author were first known to have a message, and when the last of them came to it. */
		of(roomId: string, seq: number, authorId: string): { delivered: Reached; displayed: Reached } {
			const when = (pointer: "delivered" | "displayed"): Reached => {
				const since = new Map<string, number>();
				for (const move of rooms.get(roomId) ?? [])
					if (move.userId !== authorId && move[pointer] >= seq && !since.has(move.userId)) since.set(move.userId, move.at);
				const times = [...since.values()];
				return { first: times.length > 0 ? Math.min(...times) : null, last: times.length > 0 ? Math.max(...times) : null };
			};
			return { delivered: when("delivered"), displayed: when("displayed") };
		},
		/** Moves remembered now; for tests. */
		size: (): number => kept,
	};
}
