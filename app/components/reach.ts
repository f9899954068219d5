import type { Member } from "../contract/shapes.ts";

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

/** How full the hilo is, in eighths: sending 1, stored 3, then delivered up to 6 and seen up to 8. */
export function fillOf({ delivered, seen, total }: Reach): number {
	if (total === 0) return 8;
	if (seen > 0) return seen === total ? 8 : 7;
	if (delivered > 0) return delivered === total ? 6 : delivered * 2 >= total ? 5 : 4;
	return 3;
}
