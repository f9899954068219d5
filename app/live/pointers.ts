import { backoff } from "./backoff.ts";
import type { Call } from "./outbox.ts";
import type { Timers } from "./ports.ts";

export type Pointers = {
	/** Facts up to `seq` reached this browser. */
	delivered(roomId: string, seq: number): void;
	/** Messages up to `seq` were on a screen somebody looked at. */
	displayed(roomId: string, seq: number): void;
	/** The connection is up: what got no answer goes again. */
	wake(): void;
	/** Not in that room any more. */
	drop(roomId: string): void;
};

export type PointersNeeds = {
	timers: Timers;
	call: Call;
	isReady(): boolean;
	onRead(roomId: string, read: { readSeq: number; readMsg: number }): void;
};

type Pointer = { delivered: number; displayed: number; sentDelivered: number; sentDisplayed: number };

/** Delivered pointers are gathered this long, ms, so that a busy room costs one call a second. */
const deliveredEvery = 1000;
/** Displayed pointers go at once and then at most this often, ms: reading shows elsewhere within a second. */
const displayedEvery = 300;
/** Rooms reported in one go: half of what the server takes from one socket in a second. */
const roomsAtOnce = 10;

/** Tells the server how far this browser got and its reader read. Forward only; kept until answered. */
export function openPointers(needs: PointersNeeds): Pointers {
	const { timers } = needs;
	const pointers = new Map<string, Pointer>();
	let flushing = false;
	let tries = 0;
	let timer: { at: number; cancel: () => void } | null = null;
	let displayedAt = Number.NEGATIVE_INFINITY;

	const of = (roomId: string): Pointer => {
		let pointer = pointers.get(roomId);
		if (!pointer) {
			pointer = { delivered: 0, displayed: 0, sentDelivered: 0, sentDisplayed: 0 };
			pointers.set(roomId, pointer);
		}
		return pointer;
	};
	const isDirty = (p: Pointer) => p.displayed > p.sentDisplayed || p.delivered > Math.max(p.sentDelivered, p.sentDisplayed);

	function flushIn(ms: number): void {
		const at = timers.now() + ms;
		if (timer && timer.at <= at) return;
		timer?.cancel();
		timer = {
			at,
			cancel: timers.after(ms, () => {
				timer = null;
				void flush();
			}),
		};
	}

	async function flush(): Promise<void> {
		if (flushing || !needs.isReady()) return;
		flushing = true;
		const dirty = [...pointers]
			.filter(([, p]) => isDirty(p))
			.sort(([, a], [, b]) => Number(b.displayed > b.sentDisplayed) - Number(a.displayed > a.sentDisplayed));
		const waits = await Promise.all(dirty.slice(0, roomsAtOnce).map(([roomId, pointer]) => report(roomId, pointer)));
		flushing = false;
		const wait = Math.max(0, ...waits);
		if (wait === 0) tries = 0;
		const left = [...pointers.values()].filter(isDirty);
		if (left.length > 0) flushIn(wait || (left.some((p) => p.displayed > p.sentDisplayed) ? displayedEvery : deliveredEvery));
	}

	/** One room's pointers. Resolves with how long to wait before trying again, ms; 0 when it went well. */
	async function report(roomId: string, pointer: Pointer): Promise<number> {
		const { delivered, displayed } = pointer;
		const answer = await needs.call("pointer:move", {
			roomId,
			...(delivered > Math.max(pointer.sentDelivered, displayed) ? { delivered } : {}),
			...(displayed > pointer.sentDisplayed ? { displayed, read: displayed } : {}),
		});
		if (answer === null) return backoff(tries++, timers.random());
		if (!answer.ok) {
			if (answer.code === "not-found" || answer.code === "malformed") {
				pointers.delete(roomId);
				return 0;
			}
			return Number(answer.details?.seconds) * 1000 || backoff(tries++, timers.random());
		}
		pointer.sentDelivered = Math.max(pointer.sentDelivered, delivered);
		pointer.sentDisplayed = Math.max(pointer.sentDisplayed, displayed);
		if (displayed > 0) needs.onRead(roomId, answer.data);
		return 0;
	}

	return {
		delivered(roomId, seq) {
			const pointer = of(roomId);
			if (seq <= Math.max(pointer.delivered, pointer.displayed)) return;
			pointer.delivered = seq;
			// Spread: everybody in the room heard the same message at the same moment.
			flushIn(deliveredEvery + Math.round(timers.random() * 500));
		},
		displayed(roomId, seq) {
			const pointer = of(roomId);
			if (seq <= pointer.displayed) return;
			pointer.displayed = seq;
			const since = timers.now() - displayedAt;
			displayedAt = Math.max(timers.now(), displayedAt);
			flushIn(since >= displayedEvery ? 0 : displayedEvery - since);
		},
		wake() {
			tries = 0;
			if ([...pointers.values()].some(isDirty)) flushIn(Math.round(timers.random() * 500));
		},
		drop: (roomId) => void pointers.delete(roomId),
	};
}
