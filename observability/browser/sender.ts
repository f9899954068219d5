import { type Measured, type OtlpSpan, otlpAttributes } from "./body.ts";

export type Sender = {
	span(span: OtlpSpan): void;
	measured(measured: Measured): void;
	/** Whether the server can be reached, and knows who this is. While not, everything is kept. */
	setUp(isUp: boolean): void;
	/** The page may not be looked at again: sends what waits, if the server can be reached. */
	flush(): void;
	/** The page is gone after this: sends what waits, come what may, but not of a person who never came in. */
	leave(): void;
};

/** How long things may wait for company, ms. */
const sendEvery = 10_000;
/** So many spans wait for nothing, and go in one body, with so many numbers: it stays below what `sendBeacon` takes, 64 KiB. */
const spansOfBody = 40;
const numbersOfBody = 100;
/** What is kept while the server cannot be reached. */
const queueAtMost = 200;

/**
 * Gathers what is measured and sends it in batches. Bounded; what finds no place is counted, and the count is sent. What
 * could not be handed to the network is kept for the next time.
 */
export function openSender(given: {
	sessionId: string;
	build: string;
	isUp: boolean;
	after(ms: number, run: () => void): () => void;
	/** False when the browser would not take it. */
	post(body: string): Promise<boolean>;
}): Sender {
	let spans: OtlpSpan[] = [];
	let numbers: Measured[] = [];
	let dropped = 0;
	let isUp = given.isUp;
	let wasUp = given.isUp;
	let isWaiting = false;
	const resource = {
		attributes: otlpAttributes({ "service.name": "chat-browser", "service.version": given.build, "session.id": given.sessionId }),
	};

	function wait(): void {
		if (isWaiting || !isUp) return;
		isWaiting = true;
		given.after(sendEvery, () => {
			isWaiting = false;
			if (isUp) send();
		});
	}

	function put<T>(list: T[], item: T): void {
		if (spans.length + numbers.length < queueAtMost) list.push(item);
		else dropped++;
		// Only on reaching it: with a network that takes nothing every further span would try again.
		if (isUp && (list as unknown) === spans && spans.length === spansOfBody) send();
		else wait();
	}

	function send(): void {
		const nowSpans = spans.splice(0, spansOfBody);
		const nowNumbers = numbers.splice(0, numbersOfBody);
		const lost = dropped;
		dropped = 0;
		if (nowSpans.length + nowNumbers.length + lost === 0) return;
		const metrics: Measured[] = lost > 0 ? [...nowNumbers, { name: "dropped", count: lost }] : nowNumbers;
		const scopeSpans = [{ scope: { name: "chat.browser", version: "1" }, spans: nowSpans }];
		const body = JSON.stringify({ resourceSpans: [{ resource, scopeSpans }], metrics });
		void given.post(body).then((isTaken) => {
			if (!isTaken) {
				const room = queueAtMost - spans.length - numbers.length;
				const kept = [...nowSpans.slice(0, room)];
				const keptNumbers = nowNumbers.slice(0, room - kept.length);
				spans = [...kept, ...spans];
				numbers = [...keptNumbers, ...numbers];
				dropped += lost + nowSpans.length + nowNumbers.length - kept.length - keptNumbers.length;
			}
			if (spans.length + numbers.length > 0) wait();
		});
	}

	return {
		span: (span) => put(spans, span),
		measured: (measured) => put(numbers, measured),
		setUp(next) {
			isUp = next;
			wasUp ||= next;
			if (isUp && spans.length + numbers.length > 0) wait();
		},
		flush() {
			if (isUp) send();
		},
		leave() {
			if (!wasUp) return;
			// More than that a browser does not take from a page that goes.
			for (let body = 0; body < 3; body++) send();
		},
	};
}
