import { seeded } from "../seeded.ts";

export type FanOutInput = {
	seed: number;
	people: number;
	instances: number;
	/** A person writes once in so many seconds. */
	everySeconds: number;
	/** How many messages are followed one by one; what they cause stands for all. */
	sample: number;
	/** The largest room there is. */
	largest: number;
};

export type FanOutResult = {
	/** A second. */
	messages: number;
	deliveries: number;
	/** Other instances that must be told of a message, a second. */
	hints: number;
	/** Of the messages followed: how many, members they reached, and those members by whether the instance was the writer's. */
	followed: number;
	reached: number;
	reachedHere: number;
	reachedElsewhere: number;
	largestRoom: number;
};

/**
 * Where messages go: rooms of all sizes (many small, few large), each message to every member, the members spread over the instances by
 * chance. Every followed message's members are placed one by one.
 */
export function simulateFanOut(input: FanOutInput): FanOutResult {
	const random = seeded(input.seed);
	const { instances } = input;
	const largest = Math.min(input.largest, input.people);
	const hit = new Int32Array(instances).fill(-1);
	let [reached, here, hints, largestRoom] = [0, 0, 0, 0];
	for (let message = 0; message < input.sample; message++) {
		const members = roomSize(random(), largest);
		largestRoom = Math.max(largestRoom, members);
		const writer = Math.floor(random() * instances);
		for (let member = 0; member < members; member++) {
			const at = member === 0 ? writer : Math.floor(random() * instances);
			reached++;
			if (at === writer) here++;
			else if (hit[at] !== message) {
				hit[at] = message;
				hints++;
			}
		}
	}
	const messages = input.people / input.everySeconds;
	return {
		messages,
		deliveries: (messages * reached) / input.sample,
		hints: (messages * hints) / input.sample,
		followed: input.sample,
		reached,
		reachedHere: here,
		reachedElsewhere: reached - here,
		largestRoom,
	};
}

/**
 * How many are in the room a message is written into, by a number between 0 and 1: half are talks of two to six, a long tail reaches
 * the largest. Some 12 on average where the largest has 5,000.
 */
export function roomSize(share: number, largest: number): number {
	return Math.max(2, Math.min(largest, Math.floor(2 / (1 - share) ** 0.9)));
}
