import type { Signal } from "../contract/facts.ts";
import { limits } from "../contract/limits.ts";

type Moved = { delivered: number; displayed: number };

/**
 * Gathers what happens often and may be told late (who came and went, pointers that moved) and tells each room once a
 * second. A thousand people connecting at once is one signal a second and not a million.
 */
export function gatherSignals(tell: (roomId: string, signal: Signal) => void, every = 1000) {
	const presence = new Map<string, Map<string, boolean>>();
	const pointers = new Map<string, Map<string, Moved>>();
	let timer: NodeJS.Timeout | null = null;

	function soon(): void {
		timer ??= setTimeout(() => {
			timer = null;
			flush();
		}, every);
		timer.unref();
	}

	function flush(): void {
		for (const [roomId, people] of presence) {
			const came = [...people].filter(([, here]) => here).map(([id]) => id);
			const went = [...people].filter(([, here]) => !here).map(([id]) => id);
			tell(roomId, { kind: "presence", roomId, came, went });
		}
		presence.clear();
		for (const [roomId, people] of pointers) {
			const moved = [...people].sort((a, b) => b[1].displayed - a[1].displayed).slice(0, limits.pointersPerPerson);
			tell(roomId, { kind: "pointers", roomId, moved: moved.map(([id, m]) => [id, m.delivered, m.displayed]) });
		}
		pointers.clear();
	}

	return {
		presence(roomId: string, userId: string, here: boolean): void {
			const people = presence.get(roomId) ?? new Map<string, boolean>();
			presence.set(roomId, people.set(userId, here));
			soon();
		},
		pointer(roomId: string, userId: string, moved: Moved): void {
			const people = pointers.get(roomId) ?? new Map<string, Moved>();
			pointers.set(roomId, people.set(userId, moved));
			soon();
		},
		close(): void {
			clearTimeout(timer ?? undefined);
		},
	};
}
