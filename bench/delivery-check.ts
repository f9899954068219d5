/** Where each message of a run has its number: in the text itself, so that every system carries it unseen. */
const mark = "|".charCodeAt(0);
const digits = 10;
const perSender = 10_000_000;
const filler = " the quick brown fox jumps over the lazy dog and then goes home again to sleep";
const textLength = 80;

export type Faults = { lost: number; duplicated: number; reordered: number };

/** An 80-byte text that carries who says it and its running number. Plain text: no character Markdown would notice. */
export function numberedText(sender: number, n: number): string {
	return `|${String(sender * perSender + n).padStart(digits, "0")}|${filler}`.slice(0, textLength);
}

/** The number in the bytes from `start` to `end`, or -1 when none is there. Runs once per delivery: no string is made. */
export function findNumber(bytes: Buffer, start: number, end: number): number {
	const at = bytes.indexOf(mark, start);
	if (at < 0 || at + digits + 1 >= end || bytes[at + digits + 1] !== mark) return -1;
	let number = 0;
	for (let i = at + 1; i <= at + digits; i++) number = number * 10 + (bytes[i] as number) - 48;
	return number;
}

/**
 * Checks what each member of one room hears: every message of every sender once, each sender's in the order they were
 * sent, and all members in one and the same order.
 */
export class DeliveryCheck {
	readonly receivers: number;
	#senders: number;
	#sent: number[];
	/** Per receiver and sender: the number that should come next. */
	#next: Int32Array;
	/** Numbers that came before their turn, by receiver and sender. */
	#early = new Map<number, Set<number>>();
	/** Per receiver: a running hash of the order in which messages came. */
	#order: Int32Array;
	#distinct = 0;
	#duplicated = 0;
	#reordered = 0;

	constructor(receivers: number, senders: number) {
		this.receivers = receivers;
		this.#senders = senders;
		this.#sent = new Array<number>(senders).fill(0);
		this.#next = new Int32Array(receivers * senders);
		this.#order = new Int32Array(receivers);
	}

	/** How many a sender has sent: the number its next one will have. */
	sentBy(sender: number): number {
		return this.#sent[sender] as number;
	}

	/** Takes the next number of a sender. */
	take(sender: number): number {
		const n = this.sentBy(sender);
		this.#sent[sender] = n + 1;
		return n;
	}

	/** Notes a delivery by the number in its text; returns the sender and its own number as given to `take`. */
	heard(receiver: number, number: number): { sender: number; n: number } {
		const sender = Math.floor(number / perSender);
		const n = number % perSender;
		if (!(sender < this.#senders && n < (this.#sent[sender] as number))) throw new Error(`heard a message nobody sent: ${number}`);
		this.#order[receiver] = Math.imul(this.#order[receiver] as number, 31) + (number | 0);
		const key = receiver * this.#senders + sender;
		const next = this.#next[key] as number;
		const early = this.#early.get(key);
		if (n < next || early?.has(n)) this.#duplicated++;
		else {
			this.#distinct++;
			if (n > next) this.#early.set(key, (early ?? new Set()).add(n));
			else this.#advance(key, next, early);
		}
		return { sender, n };
	}

	#advance(key: number, next: number, early: Set<number> | undefined): void {
		let then = next + 1;
		if (early) {
			// A later one of the same sender was here before it.
			this.#reordered++;
			while (early.delete(then)) then++;
			if (early.size === 0) this.#early.delete(key);
		}
		this.#next[key] = then;
	}

	/** Deliveries that have not come yet. */
	get missing(): number {
		const sent = this.#sent.reduce((sum, n) => sum + n, 0);
		return sent * this.receivers - this.#distinct;
	}

	/** The verdict once nothing more is expected: what is missing then is lost. */
	faults(): Faults {
		const faults = { lost: this.missing, duplicated: this.#duplicated, reordered: this.#reordered };
		// Each sender in order, but two members heard two senders the other way round.
		if (faults.lost + faults.duplicated + faults.reordered === 0) {
			faults.reordered = this.#order.filter((hash) => hash !== this.#order[0]).length;
		}
		return faults;
	}
}
