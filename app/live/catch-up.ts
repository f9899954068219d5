import type { CallAnswer } from "../contract/calls.ts";
import type { CaughtUp, Fact } from "../contract/facts.ts";
import { limits } from "../contract/limits.ts";
import type { MyRoom } from "../contract/shapes.ts";
import { backoff } from "./backoff.ts";
import type { Call } from "./outbox.ts";
import type { Timers } from "./ports.ts";

export type CatchUp = {
	/** A fact from the socket: folded when it is next, held while something before it is missing, dropped when known. */
	receive(fact: Fact): void;
	/** This room stands at least here: what is missing up to it is asked for. */
	expect(roomId: string, seq: number): void;
	/** Asks for all rooms: after a connection, a sleep, or when the server says so. */
	all(firstTimeout?: number): void;
	/** A room came into the list; what was heard of it meanwhile is folded. */
	added(roomId: string): void;
	/** The connection is gone; what is missing is asked for after the next welcome. */
	pause(): void;
};

export type CatchUpNeeds = {
	timers: Timers;
	call: Call;
	isReady(): boolean;
	roomIds(): string[];
	/** Newest seq folded of a room; undefined when the room is not in the list. */
	cursor(roomId: string): number | undefined;
	fold(fact: Fact): void;
	/** Too far behind for facts: load the room's state as of `caught.lastSeq`. False when that did not work yet. */
	reset(caught: CaughtUp): Promise<boolean>;
	/** Pointers and counts as the server has them, after the facts of this answer. */
	settle(caught: CaughtUp): void;
	add(room: MyRoom): void;
	remove(roomId: string): void;
	/** Everything asked for by `all` is here. */
	onSynced(): void;
	/** The first question after a wake got no answer in time. */
	onDeaf(): void;
};

/** Facts held for one room while a gap is filled; beyond it they are asked for instead. */
const heldAtMost = 1000;

/**
 * Fills gaps. Facts come live and by asking, in any mixture; each room's are folded in order of seq, each once.
 * One question is under way at a time and covers all rooms that need one.
 */
export function openCatchUp(needs: CatchUpNeeds): CatchUp {
	const held = new Map<string, Map<number, Fact>>();
	const head = new Map<string, number>();
	const wanted = new Set<string>();
	let everything = false;
	let asking = false;
	let tries = 0;
	/** Counts connections: an answer from an earlier one is used, but does not steer this one. */
	let era = 0;
	let cancelRetry = () => {};

	const isBehind = (roomId: string) => (head.get(roomId) ?? 0) > (needs.cursor(roomId) ?? Number.POSITIVE_INFINITY);

	function foldHeld(roomId: string): void {
		const waiting = held.get(roomId);
		if (!waiting) return;
		for (;;) {
			const cursor = needs.cursor(roomId);
			if (cursor === undefined) return;
			const next = waiting.get(cursor + 1);
			if (!next) break;
			waiting.delete(next.seq);
			needs.fold(next);
		}
		const cursor = needs.cursor(roomId) ?? 0;
		for (const seq of waiting.keys()) if (seq <= cursor) waiting.delete(seq);
		if (waiting.size === 0) held.delete(roomId);
	}

	function hold(fact: Fact): void {
		const waiting = held.get(fact.roomId) ?? new Map<number, Fact>();
		held.set(fact.roomId, waiting);
		if (waiting.size < heldAtMost) waiting.set(fact.seq, fact);
	}

	function expect(roomId: string, seq: number): void {
		head.set(roomId, Math.max(seq, head.get(roomId) ?? 0));
		if (!isBehind(roomId)) return;
		wanted.add(roomId);
		void ask();
	}

	async function ask(firstTimeout?: number): Promise<void> {
		if (asking || !needs.isReady()) return;
		asking = true;
		cancelRetry();
		const mine = era;
		let timeout = firstTimeout;
		try {
			while ((wanted.size > 0 || everything) && needs.isReady() && mine === era) {
				const starting = everything && needs.roomIds().length === 0;
				const batch = [...wanted].filter((id) => needs.cursor(id) !== undefined).slice(0, limits.catchUpRooms);
				if (batch.length === 0 && !starting) {
					wanted.clear();
					if (everything) finish();
					continue;
				}
				for (const roomId of batch) wanted.delete(roomId);
				const answer = await needs.call("room:since", { cursors: batch.map((id) => [id, needs.cursor(id) ?? 0]) }, timeout);
				const again = () => {
					for (const roomId of batch) wanted.add(roomId);
				};
				if (answer === null) {
					again();
					if (timeout !== undefined && mine === era && needs.isReady()) return needs.onDeaf();
					return retryLater(backoff(tries++, needs.timers.random()));
				}
				timeout = undefined;
				if (!answer.ok) {
					again();
					const seconds = Number(answer.details?.seconds);
					return retryLater(seconds > 0 ? seconds * 1000 : backoff(tries++, needs.timers.random()));
				}
				tries = 0;
				const stuck = await take(batch, answer.data);
				if (stuck) return retryLater(backoff(tries++, needs.timers.random()));
				if (wanted.size === 0 && everything) finish();
			}
		} finally {
			asking = false;
			// Another connection began meanwhile and could not ask because of this question.
			if (mine !== era && needs.isReady() && (wanted.size > 0 || everything)) void ask();
		}
	}

	function finish(): void {
		everything = false;
		needs.onSynced();
	}

	/** Folds one answer. True when a room got no further although more is known to exist: then asking at once is no use. */
	async function take(batch: string[], answer: CallAnswer["room:since"]): Promise<boolean> {
		let stuck = false;
		for (const roomId of answer.gone) {
			wanted.delete(roomId);
			held.delete(roomId);
			needs.remove(roomId);
		}
		for (const room of answer.added) {
			if (needs.cursor(room.id) !== undefined) continue;
			needs.add(room);
			foldHeld(room.id);
		}
		const mentioned = new Set(batch);
		for (const caught of answer.rooms) {
			if (!mentioned.has(caught.roomId)) continue;
			const before = needs.cursor(caught.roomId);
			if (before === undefined) continue;
			head.set(caught.roomId, Math.max(caught.lastSeq, head.get(caught.roomId) ?? 0));
			for (const fact of [...caught.facts].sort((a, b) => a.seq - b.seq)) needs.fold(fact);
			const silent = caught.facts.length === 0 && caught.lastSeq > before;
			if (caught.reset || silent) {
				if (!(await needs.reset(caught))) {
					wanted.add(caught.roomId);
					stuck = true;
					continue;
				}
			}
			needs.settle(caught);
			foldHeld(caught.roomId);
			if (!isBehind(caught.roomId)) continue;
			wanted.add(caught.roomId);
			if ((needs.cursor(caught.roomId) ?? 0) <= before) stuck = true;
		}
		return stuck;
	}

	function retryLater(ms: number): void {
		cancelRetry();
		cancelRetry = needs.timers.after(ms, () => void ask());
	}

	return {
		receive(fact) {
			const cursor = needs.cursor(fact.roomId);
			if (cursor === undefined) return hold(fact);
			if (fact.seq <= cursor) return;
			if (fact.seq === cursor + 1) {
				needs.fold(fact);
				foldHeld(fact.roomId);
				return;
			}
			hold(fact);
			expect(fact.roomId, fact.seq);
		},
		expect,
		all(firstTimeout) {
			everything = true;
			for (const roomId of needs.roomIds()) wanted.add(roomId);
			void ask(firstTimeout);
		},
		added(roomId) {
			foldHeld(roomId);
			const waiting = held.get(roomId);
			if (waiting) expect(roomId, Math.max(...waiting.keys()));
		},
		pause() {
			era++;
			cancelRetry();
		},
	};
}
