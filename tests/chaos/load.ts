import { lobbyId } from "../../app/contract/fixed.ts";
import type { ChaosPerson } from "./person.ts";

/** How often it is seen to that enough was said, ms. */
const every = 50;
/** So much of the talk is in the lobby, where everybody hears it; the rest in the groups. */
const inLobby = 0.8;
/** So many of those who have just been chosen to write also read to the end first. */
const whoRead = 0.5;
/** A letter: nearly as long as a message may be, and each of its characters takes four bytes. */
const letter = ` ${"\u{10330}".repeat(3900)}`;
/** So many of them a second, each told as it was written and as HTML, are more within seconds than any system holds for somebody who does not read. */
const letterRate = 50;

/** People who talk: `rate` messages a second from all together, by whomever `random` picks. */
export function openLoad(people: readonly ChaosPerson[], rate: number, random: () => number) {
	let lettersTo: string | null = null;
	let said = 0;
	const stops: (() => void)[] = [];

	function talk(): void {
		const person = people[Math.floor(random() * people.length)] as ChaosPerson;
		const lobby = random() < inLobby;
		const reads = random() < whoRead;
		if (person.isAway()) return;
		const roomId = lobby ? lobbyId : [...person.followed.keys()].find((id) => id !== lobbyId);
		if (reads) person.read();
		person.say(roomId ?? lobbyId);
		said++;
	}

	/** By whoever of the room's members waits for nothing, in turn: no dice, which are for what a seed repeats. */
	function write(): void {
		const roomId = lettersTo;
		if (roomId === null) return;
		const members = people.filter((person) => !person.isAway() && person.followed.has(roomId) && person.isSettled());
		const person = members[said % members.length];
		if (!person) return;
		person.say(roomId, letter);
		said++;
	}

	return {
		said: () => said,
		start(): void {
			if (stops.length === 0) stops.push(regularly(rate, talk), regularly(letterRate, write));
		},
		stop(): void {
			for (const stop of stops.splice(0)) stop();
		},
		/** From now on letters are written to a room besides, or no longer. */
		letters(roomId: string | null): void {
			lettersTo = roomId;
		},
	};
}
export type Load = ReturnType<typeof openLoad>;

/** Does something so often a second; after a pause of this very process not all at once. Gives what ends it. */
function regularly(rate: number, work: () => void): () => void {
	let owed = 0;
	let last = performance.now();
	const timer = setInterval(() => {
		const now = performance.now();
		owed = Math.min(owed + ((now - last) / 1000) * rate, rate);
		last = now;
		for (; owed >= 1; owed--) work();
	}, every);
	return () => clearInterval(timer);
}
