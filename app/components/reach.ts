import type { Member } from "../contract/shapes.ts";
import type { Pending } from "../live/live-state.ts";

/** How far a message of mine has come: of `total` others, how many have it, and how many had it on screen. */
export type Reach = { delivered: number; seen: number; total: number };

/** Counts by the members' pointers; the bot has no screen. Sorting once makes each message a binary search. */
export function openReach(members: Record<string, Member>, me: string): (seq: number) => Reach {
	const others = Object.values(members).filter((member) => member.person.id !== me && !member.person.bot);
	const delivered = others.map((member) => member.deliveredSeq).sort((a, b) => a - b);
	const seen = others.map((member) => member.displayedSeq).sort((a, b) => a - b);
	const total = others.length;
	return (seq) => {
		const onScreen = atLeast(seen, seq);
		// What was on a screen was delivered, whichever news came first.
		return { delivered: Math.max(onScreen, atLeast(delivered, seq)), seen: onScreen, total };
	};
}

/** How many of the ascending numbers are `wanted` or more. */
function atLeast(ascending: readonly number[], wanted: number): number {
	let low = 0;
	let high = ascending.length;
	while (low < high) {
		const middle = (low + high) >> 1;
		if ((ascending[middle] as number) >= wanted) high = middle;
		else low = middle + 1;
	}
	return ascending.length - low;
}

/** What the thread beside a message of mine shows: its state decides shape, colour and word together. */
export type HiloState = "waiting" | "sending" | "stored" | "delivered" | "seen" | "all" | "failed";

const onItsWay = { queued: "waiting", sending: "sending", stored: "stored", failed: "failed", stale: "waiting" } as const;

/** How far a message of mine has come, as one word. Alone in a room, what is stored is where it wanted to go. */
export function hiloOf(reach: Reach | null, pending: Pending["state"] | null): HiloState {
	if (pending) return onItsWay[pending];
	if (!reach || reach.total === 0) return "stored";
	const { delivered, seen, total } = reach;
	if (seen > 0) return seen >= total ? "all" : "seen";
	return delivered > 0 ? "delivered" : "stored";
}

/** A share in eighths: something is at least one, and eight is everybody. */
export function eighths(count: number, total: number): number {
	if (total <= 0 || count <= 0) return 0;
	return count >= total ? 8 : Math.min(7, Math.max(1, Math.round((count / total) * 8)));
}
