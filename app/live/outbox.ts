import type { Answer, CallAnswer, CallInput, CallName, Posted } from "../contract/calls.ts";
import { limits } from "../contract/limits.ts";
import type { RefusalCode, RefusalDetails } from "../contract/refusals.ts";
import type { Message, Person, Quote } from "../contract/shapes.ts";
import { isBlank, lengthOf } from "../contract/text.ts";
import { backoff } from "./backoff.ts";
import type { Pending } from "./live-state.ts";
import type { Kept, LivePorts, TabNews } from "./ports.ts";

/** Asks the server; null when no answer came, so nothing is known about what happened. */
export type Call = <N extends CallName>(name: N, input: CallInput<N>, timeout?: number) => Promise<Answer<CallAnswer[N]> | null>;

export type Outbox = {
	/** Takes up what was kept before. Returns what lets go of it; sends under way still finish. */
	start(): () => void;
	send(roomId: string, body: string, replyTo: Quote | null): void;
	/** Sends a failed or stale message after all, under the same clientId, so that it is stored at most once; under another where that one is spent. */
	retry(clientId: string): void;
	/** Drops a message that is not on its way. */
	discard(clientId: string): void;
	/** The connection is up: everything that waited for it goes. */
	wake(): void;
	/** These are in the room now, whatever became of the answer. */
	arrived(messages: readonly Message[]): void;
	/** A room was followed up to here: what is stored at or below it is shown by its message, not as pending. */
	followed(roomId: string, cursor: number): void;
};

export type OutboxNeeds = {
	me: Person;
	ports: Pick<LivePorts, "timers" | "queue" | "locks" | "channel" | "uuid" | "recorder">;
	call: Call;
	/** Whether a call could be answered now. */
	isReady(): boolean;
	show(pending: Pending[]): void;
	/** The server has it as `seq`; the caller sees to it that the message itself arrives. */
	onStored(roomId: string, seq: number): void;
	onNotice(notice: { notice: string; goTo?: string }): void;
	onSignedOut(): void;
	/** The person left, in this tab or another: nothing of theirs may be kept. */
	onForgotten(): void;
};

/** How long another tab's message may stay unsent before this tab tries, ms: longer than a lost answer takes. */
const takeOverAfter = limits.ackTimeout + 1000;

/** How long to wait for the kept queue, ms: some browsers never open their database. */
const loadWithin = 2000;

/**
 * Messages on their way. Per room strictly one is in flight and the next goes after its answer, so that they are stored
 * in the order they were written. An unanswered one is sent again under its clientId until an answer comes.
 */
export function openOutbox(needs: OutboxNeeds): Outbox {
	const { me, ports, call } = needs;
	const { timers, queue, locks, channel, recorder } = ports;
	const tab = ports.uuid();
	const entries = new Map<string, Kept>();
	/** Done with: a late read of the kept queue must not bring one back. */
	const done = new Set<string>();
	const draining = new Set<string>();
	const tries = new Map<string, number>();
	const inFlight = new Map<string, () => void>();
	const alarms = new Map<string, () => void>();
	const takeOvers = new Set<() => void>();
	let lastOrder = 0;
	let running = false;
	let loaded: Promise<void> = Promise.resolve();

	const inOrder = () => [...entries.values()].sort((a, b) => a.order - b.order || (a.clientId < b.clientId ? -1 : 1));
	const show = () => needs.show(inOrder().map(({ order, tab: _tab, agreedAt, ...pending }) => pending));
	// A browser that cannot keep anything still sends: memory holds the truth of this page.
	const keep = (entry: Kept) => void queue.put(entry).catch(() => {});
	const unkeep = (clientId: string) => void queue.drop([clientId]).catch(() => {});

	function change(entry: Kept, part: Partial<Kept>, kept = false): Kept {
		const next = { ...entry, ...part };
		entries.set(next.clientId, next);
		if (kept) keep(next);
		channel.tell({ kind: "put", entry: next });
		show();
		return next;
	}

	function forget(clientId: string): void {
		if (!entries.delete(clientId)) return;
		done.add(clientId);
		tries.delete(clientId);
		inFlight.get(clientId)?.();
		show();
	}

	function finish(clientId: string): void {
		recorder?.failed(clientId, "given-up");
		forget(clientId);
		unkeep(clientId);
		channel.tell({ kind: "gone", clientId });
	}

	function take(entry: Kept): void {
		if (done.has(entry.clientId) || entry.state === "stored" || entries.get(entry.clientId)?.state === "stored") return;
		lastOrder = Math.max(lastOrder, entry.order);
		entries.set(entry.clientId, entry);
	}

	async function load(): Promise<void> {
		let stored: Kept[] = [];
		try {
			stored = await queue.all();
		} catch {
			return;
		}
		for (const entry of stored) {
			if (entries.has(entry.clientId)) continue;
			const state = entry.state === "sending" ? "queued" : entry.state;
			// Without locks nobody can tell whether the page that wrote it is alive: this one sends it too, which stores it once.
			take({ ...entry, tab: locks.shared ? entry.tab : tab, state: state === "queued" && isStale(entry) ? "stale" : state });
		}
		show();
	}

	const isStale = (entry: Kept) => timers.now() - Math.max(entry.createdAt, entry.agreedAt) > limits.staleQueue;
	const rooms = () => new Set([...entries.values()].map((entry) => entry.roomId));
	// "sending" counts: whoever holds the lock knows that nobody else is sending it any more.
	const isWaiting = (entry: Kept) => entry.state === "queued" || (entry.state === "sending" && !inFlight.has(entry.clientId));
	const isMine = (entry: Kept) => locks.shared || entry.tab === tab;
	const head = (roomId: string) => inOrder().find((entry) => entry.roomId === roomId && isWaiting(entry) && isMine(entry));

	async function drain(roomId: string): Promise<void> {
		if (!running || draining.has(roomId)) return;
		draining.add(roomId);
		let handled = 0;
		try {
			await loaded;
			if (head(roomId) && needs.isReady())
				await locks.hold(`charla-send-${me.id}-${roomId}`, async () => {
					if (locks.shared) await within(load(), loadWithin);
					for (;;) {
						const next = head(roomId);
						if (!next || !running || !needs.isReady()) return;
						const wait = (next.retryAt ?? 0) - timers.now();
						if (wait > 0) return alarm(roomId, wait);
						handled++;
						if (isStale(next)) change(next, { state: "stale" }, true);
						else await deliver(next);
					}
				});
		} catch {
			// A page being put away gets no lock; should it come back, sending goes on.
			alarm(roomId, 1000);
		} finally {
			draining.delete(roomId);
		}
		// Something may have been written between the last look and letting go.
		const next = head(roomId);
		if (next && handled > 0 && needs.isReady() && (next.retryAt ?? 0) <= timers.now()) void drain(roomId);
	}

	function alarm(roomId: string, ms: number): void {
		alarms.get(roomId)?.();
		alarms.set(
			roomId,
			timers.after(ms, () => {
				alarms.delete(roomId);
				void drain(roomId);
			}),
		);
	}

	async function deliver(entry: Kept): Promise<void> {
		const { clientId, roomId, body, replyTo } = entry;
		recorder?.clicked(clientId, roomId, { at: Math.max(entry.createdAt, entry.agreedAt), isReady: false });
		const sending = change(entry, { state: "sending", retryAt: null, refusal: null });
		const settled = new Promise<"arrived">((resolve) => inFlight.set(clientId, () => resolve("arrived")));
		const answer = await Promise.race([call("message:post", { roomId, clientId, body, replyTo: replyTo?.seq ?? null }), settled]);
		inFlight.delete(clientId);
		const now = entries.get(clientId);
		if (answer === "arrived" || !now) return;
		if (answer === null) {
			change(now, { state: "queued" });
			return;
		}
		if (answer.ok) stored(sending, answer.data);
		else refused(now, answer.code, answer.details ?? {});
	}

	function stored(entry: Kept, posted: Posted): void {
		const { clientId } = entry;
		unkeep(clientId);
		if (posted.seq === null) {
			const outcome = { notice: posted.notice, ...(posted.goTo === undefined ? {} : { goTo: posted.goTo }) };
			channel.tell({ kind: "outcome", clientId, tab: entry.tab, ...outcome });
			forget(clientId);
			if (entry.tab === tab) needs.onNotice(outcome);
			return;
		}
		markStored(clientId, posted.seq);
		channel.tell({ kind: "stored", clientId, seq: posted.seq });
		announceStored(clientId, posted.seq);
	}

	function announceStored(clientId: string, seq: number): void {
		const entry = entries.get(clientId);
		if (entry) needs.onStored(entry.roomId, seq);
	}

	function markStored(clientId: string, seq: number): void {
		const entry = entries.get(clientId);
		if (!entry) return;
		tries.delete(clientId);
		recorder?.stored(clientId);
		entries.set(clientId, { ...entry, state: "stored", seq, retryAt: null, refusal: null });
		inFlight.get(clientId)?.();
		show();
	}

	function refused(entry: Kept, code: RefusalCode, details: RefusalDetails): void {
		const now = timers.now();
		const tried = tries.get(entry.clientId) ?? 0;
		tries.set(entry.clientId, tried + 1);
		switch (code) {
			case "too-fast":
				change(entry, { state: "queued", refusal: { code, details }, retryAt: now + Math.max(0.1, Number(details.seconds) || 1) * 1000 });
				return;
			case "going-away":
			case "unavailable":
			case "too-many-sockets":
				change(entry, { state: "queued", refusal: { code, details }, retryAt: now + backoff(tried, timers.random()) });
				return;
			case "not-signed-in":
				change(entry, { state: "queued" });
				needs.onSignedOut();
				return;
			default:
				recorder?.failed(entry.clientId, code);
				change(entry, { state: "failed", refusal: { code, details } }, true);
		}
	}

	function hear(news: TabNews): void {
		switch (news.kind) {
			case "put": {
				if (inFlight.has(news.entry.clientId)) return;
				take(news.entry);
				show();
				if (locks.shared && news.entry.state === "queued") takeOverLater(news.entry.roomId);
				return;
			}
			case "stored":
				done.add(news.clientId);
				markStored(news.clientId, news.seq);
				return announceStored(news.clientId, news.seq);
			case "outcome":
				recorder?.stored(news.clientId);
				forget(news.clientId);
				if (news.tab === tab) needs.onNotice({ notice: news.notice, ...(news.goTo === undefined ? {} : { goTo: news.goTo }) });
				return;
			case "gone":
				done.add(news.clientId);
				return forget(news.clientId);
			case "forget":
				for (const clientId of [...entries.keys()]) forget(clientId);
				needs.onForgotten();
		}
	}

	function takeOverLater(roomId: string): void {
		const cancel = timers.after(takeOverAfter, () => {
			takeOvers.delete(cancel);
			void drain(roomId);
		});
		takeOvers.add(cancel);
	}

	/** Resolves when `work` does, or after `ms` all the same. */
	function within(work: Promise<void>, ms: number): Promise<void> {
		return new Promise((resolve) => {
			const cancel = timers.after(ms, resolve);
			void work.then(() => {
				cancel();
				resolve();
			});
		});
	}

	return {
		start() {
			running = true;
			const stopListening = channel.listen(hear);
			loaded = within(load(), loadWithin);
			void loaded.then(() => {
				for (const roomId of rooms()) void drain(roomId);
			});
			return () => {
				running = false;
				stopListening();
				for (const cancel of [...alarms.values(), ...takeOvers]) cancel();
				alarms.clear();
				takeOvers.clear();
			};
		},
		send(roomId, body, replyTo) {
			if (isBlank(body)) return;
			const now = timers.now();
			lastOrder = Math.max(lastOrder + 1, now * 1000);
			// A frame above the server's limit would cost the connection, again and again: it is refused here.
			const refusal = lengthOf(body) > limits.body ? { code: "too-long" as const, details: { limit: limits.body } } : null;
			const entry: Kept = {
				clientId: ports.uuid(),
				roomId,
				body,
				replyTo,
				createdAt: now,
				state: refusal ? "failed" : "queued",
				refusal,
				retryAt: null,
				seq: null,
				order: lastOrder,
				tab,
				agreedAt: 0,
			};
			if (!refusal) recorder?.clicked(entry.clientId, roomId, { at: now, isReady: needs.isReady() });
			change(entry, {}, true);
			void drain(roomId);
		},
		retry(clientId) {
			const entry = entries.get(clientId);
			if (!entry || entry.state === "stored" || entry.state === "sending") return;
			if (lengthOf(entry.body) > limits.body) return;
			const again = { ...entry, state: "queued" as const, refusal: null, retryAt: null, agreedAt: timers.now() };
			if (entry.refusal?.code === "key-reused") {
				// Another text stands under its key: it goes as a message of its own, in the same place of the queue.
				finish(clientId);
				change({ ...again, clientId: ports.uuid() }, {}, true);
			} else change(again, {}, true);
			void drain(entry.roomId);
		},
		discard(clientId) {
			const entry = entries.get(clientId);
			if (entry && entry.state !== "sending" && entry.state !== "stored") finish(clientId);
		},
		wake() {
			// What waited for an outage need not wait for its end twice; a rate limit still counts.
			for (const entry of entries.values())
				if (entry.state === "queued" && entry.retryAt !== null && entry.refusal?.code !== "too-fast")
					entries.set(entry.clientId, { ...entry, retryAt: null });
			for (const roomId of rooms()) void drain(roomId);
		},
		arrived(messages) {
			for (const { author, clientId, seq } of messages) {
				if (author.id !== me.id || !entries.has(clientId)) continue;
				recorder?.stored(clientId);
				forget(clientId);
				unkeep(clientId);
				// Another tab, on a connection of its own, may not have it yet: there its line stays until the message comes.
				channel.tell({ kind: "stored", clientId, seq });
			}
		},
		followed(roomId, cursor) {
			for (const entry of [...entries.values()])
				if (entry.roomId === roomId && entry.state === "stored" && (entry.seq ?? 0) <= cursor) forget(entry.clientId);
		},
	};
}
