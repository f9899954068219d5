import { randomUUID } from "node:crypto";
import type { CallAnswer, CallInput } from "../../app/contract/calls.ts";
import type { Fact } from "../../app/contract/facts.ts";
import type { Message, MyRoom } from "../../app/contract/shapes.ts";
import { realTimers } from "../../app/live/browser-ports.ts";
import { fakeBrowser } from "../../app/live/fake-browser.ts";
import { createLive } from "../../app/live/open-live.ts";
import type { OpenWire } from "../../app/live/ports.ts";
import { socketAt } from "../../app/live/socket.ts";
import { loadPage } from "../support/crash-person.ts";
import type { Ledger } from "./ledger.ts";

/** How far somebody has heard of a room: all up to `upTo`, and some beyond it. */
type Followed = { from: number; upTo: number; beyond: Set<number>; skipped: number };

export type ChaosPerson = Awaited<ReturnType<typeof openPerson>>;

/**
 * Somebody with a page open, one of hundreds in this process: the product's own live client (outbox, catch-up, timeline)
 * over a real socket. Remembers no message, only how far it heard and whether anything was wrong; what was said is in the ledger.
 */
export async function openPerson(given: { name: string; url: string; cookie: string; roomId: string; ledger: Ledger }) {
	const { name, ledger } = given;
	const page = await loadPage(given.url, given.cookie, given.roomId);
	const me = page.me;
	const followed = new Map(page.rooms.map((room) => [room.id, follow(room)]));
	const sent = new Map<string, string[]>();
	let transport = "";
	/** What became of the last connections and attempts, newest last; a refusal alone would not tell of those given up after it. */
	const history: string[] = [];
	let resets = 0;
	let resyncs = 0;
	let wrong = 0;
	// Silence: the longest time without anything new while others were talking.
	let lastNews = 0;
	let longest = 0;

	function note(what: string): void {
		history.push(`${new Date().toISOString().slice(14, 19)} ${what}`);
		if (history.length > 10) history.shift();
	}

	function problem(text: string): void {
		if (wrong++ < 5) ledger.problems.push(`${name}: ${text}`);
	}

	function hear(fact: Fact): void {
		ledger.heard(fact, name);
		const room = followed.get(fact.roomId);
		if (!room) return problem(`heard of a room they are not in: ${fact.roomId}`);
		if (fact.seq <= room.upTo || room.beyond.has(fact.seq)) return;
		room.beyond.add(fact.seq);
		while (room.beyond.delete(room.upTo + 1)) room.upTo++;
		if (fact.kind === "message-posted") ledger.delivered();
		const now = performance.now();
		longest = Math.max(longest, now - lastNews);
		lastNews = now;
	}

	const openWire: OpenWire = (events) => {
		const wire = socketAt(given.url, { cookie: given.cookie })({
			...events,
			fact(fact, envelope) {
				hear(fact);
				events.fact(fact, envelope);
			},
			connected(by) {
				note(`connected by ${by}`);
				events.connected(by);
			},
			disconnected(reason) {
				note(`lost: ${reason}`);
				events.disconnected(reason);
			},
			refused(reason, seconds) {
				note(`refused: ${reason}`);
				events.refused(reason, seconds);
			},
			signal(signal) {
				if (signal.kind === "resync") resyncs++;
				events.signal(signal);
			},
		});
		return {
			...wire,
			disconnect() {
				note("let go");
				wire.disconnect();
			},
			async call(callName, input, timeout, envelope) {
				const answer = await wire.call(callName, input, timeout, envelope);
				if (!answer?.ok) return answer;
				if (callName === "room:since") caughtUp(answer.data as CallAnswer["room:since"]);
				if (callName === "message:post") {
					const { roomId, clientId, body } = input as CallInput<"message:post">;
					const { seq } = answer.data as { seq: number };
					ledger.ack(clientId, { roomId, seq, author: me.id, body });
				}
				return answer;
			},
		};
	};

	function caughtUp(answer: CallAnswer["room:since"]): void {
		for (const { roomId, facts, reset, lastSeq } of answer.rooms) {
			facts.forEach(hear);
			const room = followed.get(roomId);
			if (!reset || !room || lastSeq <= room.upTo) continue;
			// Too far behind to follow by facts: the page loads the newest messages, and these are never told.
			resets++;
			room.skipped += lastSeq - room.upTo - [...room.beyond].filter((seq) => seq <= lastSeq).length;
			room.upTo = lastSeq;
			for (const seq of room.beyond) if (seq <= lastSeq) room.beyond.delete(seq);
			while (room.beyond.delete(room.upTo + 1)) room.upTo++;
		}
	}

	const browser = fakeBrowser();
	const tab = browser.tab(realTimers, openWire);
	const live = createLive({ ...page, ports: { ...tab, uuid: randomUUID } });

	let before: readonly Message[] = live.getState().open?.messages ?? [];
	let shown = 0;
	/** At no moment may the page show a hole, a double or a wrong order, not even for one frame. */
	function look(): void {
		const { open, pending, connection } = live.getState();
		if (!open) return problem("the room was closed");
		transport = connection.transport ?? transport;
		for (const entry of pending)
			if (entry.state === "failed" || entry.state === "stale") problem(`${entry.body} ${entry.state}: ${JSON.stringify(entry.refusal)}`);
		if (open.messages === before) return;
		const newest = before.at(-1);
		// From the end back to what was shown already: each must follow the one before it.
		for (let i = open.messages.length - 1; i > 0; i--) {
			const [earlier, later] = [open.messages[i - 1] as Message, open.messages[i] as Message];
			if (newest && later.seq <= newest.seq) {
				if (later.seq === newest.seq && later.clientId !== newest.clientId) problem(`message ${later.msgNo} became another`);
				break;
			}
			shown++;
			if (later.msgNo !== earlier.msgNo + 1 || later.seq <= earlier.seq)
				problem(`shown after one another: message ${earlier.msgNo} (seq ${earlier.seq}) and ${later.msgNo} (seq ${later.seq})`);
		}
		before = open.messages;
	}
	const forget = live.subscribe(look);
	let stop: (() => void) | null = live.start();

	return {
		name,
		me,
		openRoom: given.roomId,
		live,
		followed,
		/** What they wrote, by room, in the order they wrote it. */
		sent,
		say(roomId: string, text = ""): void {
			const mine = sent.get(roomId) ?? sent.set(roomId, []).get(roomId) ?? [];
			const body = `${name} ${mine.length + 1}${text}`;
			mine.push(body);
			live.send(roomId, body, null);
		},
		/** Reads to the end of what is on screen. */
		read(): void {
			const newest = live.getState().open?.messages.at(-1);
			if (newest) live.displayed(newest.seq);
		},
		/** Closes the page's connection, as a lid that is shut; the page stays. */
		leave(): void {
			stop?.();
			stop = null;
		},
		comeBack(): void {
			stop ??= live.start();
		},
		isAway: (): boolean => stop === null,
		startWatch(): void {
			lastNews = performance.now();
			longest = 0;
		},
		/** When they heard something new, by `performance.now()`. */
		heardAt: (): number => lastNews,
		/** The longest they heard nothing new since the watch began, ms. */
		longestSilence: (): number => longest,
		isSettled(): boolean {
			const { pending, connection } = live.getState();
			return pending.length === 0 && connection.synced && connection.state === "online";
		},
		counts: () => ({ shown, resets, resyncs, transport }),
		describe(): string {
			const { pending, connection } = live.getState();
			const waiting = pending.map((entry) => `${entry.body.slice(0, 40)} ${entry.state}${entry.refusal ? ` (${entry.refusal.code})` : ""}`);
			const at = [...followed.values()].map(({ upTo, beyond }) => `${upTo}${beyond.size > 0 ? `+${beyond.size}` : ""}`).join("/");
			return `${name} (${transport}): ${connection.state}${connection.synced ? "" : ", not synced"} at ${at}, pending: ${waiting.slice(0, 3).join(", ") || "none"}; ${history.join(", ")}`;
		},
		close(): void {
			forget();
			stop?.();
			stop = null;
		},
	};
}

function follow(room: MyRoom): Followed {
	return { from: room.lastSeq, upTo: room.lastSeq, beyond: new Set(), skipped: 0 };
}
