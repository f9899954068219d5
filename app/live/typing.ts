import { limits } from "../contract/limits.ts";
import type { Person } from "../contract/shapes.ts";
import type { LiveState } from "./live-state.ts";
import type { Timers } from "./ports.ts";

type Typists = LiveState["typing"];

export type Typing = {
	/** I am typing: told at most every `limits.typingEvery`. */
	mine(roomId: string): void;
	/** Somebody else is, for the next `limits.typingShown`. */
	theirs(roomId: string, person: Person): void;
	/** A message is there, so the typing before it is over. */
	ended(roomId: string, personId: string): void;
};

export type TypingNeeds = {
	timers: Timers;
	tell(roomId: string): void;
	get(): Typists;
	show(typing: Typists): void;
};

/** Who is typing, shown for as long as they keep at it. */
export function openTyping(needs: TypingNeeds): Typing {
	const toldAt = new Map<string, number>();
	let cancelPrune = () => {};

	function keepOnly(keep: (roomId: string, typist: { person: Person; until: number }) => boolean): void {
		const next: Typists = {};
		let dropped = false;
		for (const [roomId, typists] of Object.entries(needs.get())) {
			const kept = typists.filter((typist) => keep(roomId, typist));
			if (kept.length > 0) next[roomId] = kept.length === typists.length ? typists : kept;
			if (kept.length !== typists.length) dropped = true;
		}
		if (dropped) needs.show(next);
	}

	function prune(): void {
		const now = needs.timers.now();
		keepOnly((_, typist) => typist.until > now);
		schedule();
	}

	function schedule(): void {
		cancelPrune();
		const ends = Object.values(needs.get()).flatMap((typists) => typists.map((typist) => typist.until));
		if (ends.length > 0) cancelPrune = needs.timers.after(Math.max(1, Math.min(...ends) - needs.timers.now()), prune);
	}

	return {
		mine(roomId) {
			const now = needs.timers.now();
			if (now - (toldAt.get(roomId) ?? Number.NEGATIVE_INFINITY) < limits.typingEvery) return;
			toldAt.set(roomId, now);
			needs.tell(roomId);
		},
		theirs(roomId, person) {
			const until = needs.timers.now() + limits.typingShown;
			const typing = needs.get();
			const others = (typing[roomId] ?? []).filter((typist) => typist.person.id !== person.id);
			needs.show({ ...typing, [roomId]: [...others, { person, until }] });
			schedule();
		},
		ended(roomId, personId) {
			keepOnly((id, typist) => id !== roomId || typist.person.id !== personId);
		},
	};
}
