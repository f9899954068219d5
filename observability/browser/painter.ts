/** Called once: with the time the row was on screen, or null when it never got there. */
type Painted = (at: number | null) => void;
type Waiting = { seq: number; until: number; isThere: boolean; painted: Painted };

/** A row that is not there after this time, ms, is elsewhere: its reader looks at older messages. */
const appearsWithin = 2000;
/** Rows waited for at a time; of the hundreds that may come at once the first tell enough. */
const waitingAtMost = 50;

/**
 * Tells when rows were painted: in the second frame after they are in the document. One loop over all that wait, which
 * stops when none do; a hidden page has no frames, so a timer ends what waits there.
 */
export function openPainter(given: {
	now(): number;
	frame(run: () => void): void;
	after(ms: number, run: () => void): () => void;
	isThere(seq: number): boolean;
}): (seq: number, painted: Painted) => void {
	let waiting: Waiting[] = [];
	let isLooking = false;
	let isTimed = false;

	function look(): void {
		const now = given.now();
		const before = waiting;
		waiting = [];
		for (const row of before) {
			if (row.isThere) row.painted(now);
			else {
				row.isThere = given.isThere(row.seq);
				waiting.push(row);
			}
		}
		isLooking = waiting.length > 0;
		if (isLooking) given.frame(look);
	}

	function giveUp(): void {
		const now = given.now();
		const before = waiting;
		waiting = before.filter((row) => row.until > now);
		for (const row of before) if (row.until <= now) row.painted(null);
		isTimed = waiting.length > 0;
		if (isTimed) given.after(appearsWithin, giveUp);
	}

	return (seq, painted) => {
		if (waiting.length >= waitingAtMost) return painted(null);
		waiting.push({ seq, until: given.now() + appearsWithin, isThere: false, painted });
		if (!isLooking) given.frame(look);
		isLooking = true;
		if (!isTimed) given.after(appearsWithin, giveUp);
		isTimed = true;
	};
}
