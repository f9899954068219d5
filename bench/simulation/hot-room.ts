import { seeded } from "../seeded.ts";
import { percentile } from "../statistics.ts";

/** Of the same size everywhere: what does not fit into one turn of the event loop waits for the next, ms. */
const turn = 1;

export type HotRoomInput = {
	seed: number;
	members: number;
	instances: number;
	/** Messages a second from all members together. */
	rate: number;
	/** How long people talk, ms. */
	duration: number;
	/** CPU, ms: of the writing instance per message, of each instance per message it hears, of each per delivery. */
	message: number;
	hint: number;
	deliver: number;
	/** The same for each further message in one write. */
	joined: number;
	/** Until a batch is committed, ms. */
	commit: number;
	/** Tell every member each message; or only how far the room is, so many times a second, and let them fetch what they look at. */
	tell: "everything" | { noticesPerSecond: number; looking: number };
};

export type HotRoomResult = {
	messages: number;
	/** Messages handed to a member's socket; or notices, when that is what is told. */
	deliveries: number;
	/** Work left undone when the talk ended, ms per instance: more than a little means it cannot be kept up. */
	behind: number;
	/** Share of each instance's time. Above 1 it falls behind for ever. */
	load: number;
	/** From accepted until written to the last member's socket, ms. */
	p50: number;
	p99: number;
};

/** One room in which everybody is, and its messages: the lane's batches, hints to other instances, each instance's fan-out in order. */
export function simulateHotRoom(input: HotRoomInput): HotRoomResult {
	const random = seeded(input.seed);
	const perInstance = input.members / input.instances;
	const notices = input.tell === "everything" ? null : input.tell;
	let [messages, deliveries, work] = [0, 0, 0];
	let committed = 0;
	let free = 0;
	const took: number[] = [];
	// Messages come at random moments; those that come while a batch is being committed go together in the next.
	let at = gap(input.rate, random);
	while (at < input.duration) {
		const start = Math.max(at, committed);
		const batch = [at];
		at += gap(input.rate, random);
		while (at <= start && at < input.duration && batch.length < 500) {
			batch.push(at);
			at += gap(input.rate, random);
		}
		committed = start + input.commit + batch.length * input.message;
		messages += batch.length;
		if (notices) continue;
		// All of a batch leaves in one write for each member.
		const writes = perInstance * (input.deliver + (batch.length - 1) * input.joined);
		const cost = batch.length * (input.hint + input.message / input.instances) + writes;
		free = Math.max(free, committed + turn) + cost;
		work += cost;
		deliveries += batch.length * input.members;
		for (const accepted of batch) took.push(free - accepted);
	}
	if (notices) {
		const ticks = Math.floor((input.duration / 1000) * notices.noticesPerSecond);
		const each = 1000 / notices.noticesPerSecond;
		for (let tick = 1; tick <= ticks; tick++) {
			// A short notice to everybody, and the closed stretch to those who look, out of a cache: a delivery each.
			const cost = perInstance * (input.deliver + notices.looking * input.deliver) + input.hint;
			free = Math.max(free, tick * each) + cost;
			work += cost;
			deliveries += input.members;
			// Somebody's message waits for the next notice.
			took.push(free - tick * each + random() * each + input.commit);
		}
		work += messages * (input.message / input.instances);
	}
	return {
		messages,
		deliveries,
		behind: Math.max(0, free - input.duration),
		load: work / input.duration,
		p50: percentile(took, 0.5),
		p99: percentile(took, 0.99),
	};
}

/** Until the next of many independent people writes, ms. */
function gap(perSecond: number, random: () => number): number {
	return (-Math.log(1 - random()) / perSecond) * 1000;
}
