import { randomUUID } from "node:crypto";
import { io } from "socket.io-client";
import type { Answer, CallAnswer, CallInput } from "../../app/contract/calls.ts";
import type { Fact, Signal } from "../../app/contract/facts.ts";
import { lobbyId } from "../../app/contract/fixed.ts";
import type { Message, MyRoom, OpenedRoom, Person } from "../../app/contract/shapes.ts";
import { realTimers } from "../../app/live/browser-ports.ts";
import { fakeBrowser } from "../../app/live/fake-browser.ts";
import { createLive } from "../../app/live/open-live.ts";
import type { OpenWire } from "../../app/live/ports.ts";
import { socketAt } from "../../app/live/socket.ts";

/** Everything one browser was told, as it came over the wire. */
export type Told = {
	/** Acknowledged messages: text and place by clientId. */
	acked: Map<string, { body: string; seq: number }>;
	/** Every fact that arrived, live or by catching up, by seq. */
	heard: Map<number, Fact>;
	/** Where this page was told that it is too far behind to follow by facts: after which seq, up to which. */
	skipped: { after: number; upTo: number }[];
	transport: string;
	/** What must never happen and did. */
	problems: string[];
};

export type LivePerson = Awaited<ReturnType<typeof openPerson>>;

/** Somebody in the lobby with the page open: the real live client over a real socket, only the browser is in memory. */
export async function openPerson(name: string, url: string, cookie: string) {
	const page = await loadPage(url, cookie);
	const told: Told = { acked: new Map(), heard: new Map(), skipped: [], transport: "", problems: [] };
	const tab = fakeBrowser().tab(realTimers, recorded(socketAt(url, { cookie }), told));
	const live = createLive({ ...page, rooms: [page.opened.room], ports: { ...tab, uuid: randomUUID } });
	const sent: string[] = [];
	const blackouts: { ms: number; blows: number }[] = [];
	let downSince: number | null = null;
	let blows = 0;
	let mark = Number.POSITIVE_INFINITY;

	/** At no moment may the page show a hole, a double or a wrong order, not even for one frame. */
	function look(): void {
		const { open, pending, connection } = live.getState();
		if (!open) return void told.problems.push("the room was closed");
		const { messages } = open;
		for (let i = 1; i < messages.length; i++) {
			const [before, after] = [messages[i - 1] as Message, messages[i] as Message];
			if (after.msgNo !== before.msgNo + 1 || after.seq <= before.seq)
				told.problems.push(`shown after one another: message ${before.msgNo} (seq ${before.seq}) and ${after.msgNo} (seq ${after.seq})`);
		}
		if (pending.length > 0) {
			const shown = new Set(messages.filter((message) => message.author.id === page.me.id).map((message) => message.clientId));
			for (const entry of pending) {
				if (shown.has(entry.clientId)) told.problems.push(`shown twice, as pending (${entry.state}) and as message: ${entry.body}`);
				if (entry.state === "failed" || entry.state === "stale") told.problems.push(`${entry.state}: ${JSON.stringify(entry.refusal)}`);
			}
		}
		if (connection.transport) told.transport = connection.transport;
		if (downSince !== null && connection.synced && open.cursor > mark) {
			blackouts.push({ ms: Date.now() - downSince, blows });
			downSince = null;
			blows = 0;
		}
	}
	const forget = live.subscribe(look);
	const stop = live.start();

	return {
		name,
		me: page.me,
		/** Where this page began: what is older was loaded and not heard. */
		from: page.opened.room.lastSeq,
		live,
		told,
		sent,
		/** From a kill until this page shows something newer again and knows that it is complete; how many kills fell into it. */
		blackouts,
		say(): void {
			const body = `${name} ${sent.length + 1}`;
			sent.push(body);
			live.send(lobbyId, body, null);
		},
		/** Something was killed now. What is already on its way to this page does not count as being back. */
		struck(): void {
			downSince ??= Date.now();
			blows++;
			mark = Number.POSITIVE_INFINITY;
		},
		/** Back means: further than `seq`. */
		backBeyond(seq: number): void {
			mark = seq;
		},
		cursor: (): number => live.getState().open?.cursor ?? 0,
		isSettled(): boolean {
			const { pending, connection } = live.getState();
			return pending.length === 0 && connection.synced && connection.state === "online";
		},
		describe(): string {
			const { pending, connection, cursors } = live.getState();
			const states = pending.map((entry) => `${entry.body} ${entry.state}${entry.refusal ? ` (${entry.refusal.code})` : ""}`);
			return `${name}: ${connection.state}${connection.synced ? "" : ", not synced"}, at ${cursors[lobbyId]}, pending: ${states.slice(0, 3).join(", ") || "none"}`;
		},
		close(): void {
			forget();
			stop();
		},
	};
}

/** What the page's loader gives, asked over a socket of its own: who I am, my rooms, and the newest stretch of one. */
export async function loadPage(
	url: string,
	cookie: string,
	roomId: string = lobbyId,
): Promise<{ me: Person; build: string; rooms: MyRoom[]; opened: OpenedRoom }> {
	const socket = io(url, {
		transports: ["websocket", "polling"],
		tryAllTransports: true,
		extraHeaders: { cookie },
		reconnection: false,
		forceNew: true,
	});
	try {
		const welcome = await new Promise<Signal>((resolve, reject) => {
			socket.once("signal", resolve);
			socket.once("connect_error", reject);
		});
		if (welcome.kind !== "welcome") throw new Error(`${welcome.kind} before the welcome`);
		const ask = async <T>(name: string, input: unknown): Promise<T> => {
			const answer = (await socket.timeout(30_000).emitWithAck(name, input)) as Answer<T>;
			if (!answer.ok) throw new Error(`${name}: ${answer.code}`);
			return answer.data;
		};
		// The head before the messages, as the loader does: what lands in between is folded as a fact that changes nothing.
		const { added } = await ask<CallAnswer["room:since"]>("room:since", { cursors: [] });
		const room = added.find((each) => each.id === roomId);
		if (!room) throw new Error("not in the room");
		const stretch = await ask<CallAnswer["message:stretch"]>("message:stretch", { roomId });
		return { me: welcome.me, build: welcome.build, rooms: added, opened: { room, members: [], ...stretch } };
	} finally {
		socket.disconnect();
	}
}

function recorded(open: OpenWire, told: Told): OpenWire {
	function hear(fact: Fact): void {
		const before = told.heard.get(fact.seq);
		if (before && keyOf(before) !== keyOf(fact))
			told.problems.push(`two facts are number ${fact.seq}: ${keyOf(before)} and ${keyOf(fact)}`);
		told.heard.set(fact.seq, fact);
	}
	return (events) => {
		const wire = open({
			...events,
			fact(fact) {
				hear(fact);
				events.fact(fact);
			},
		});
		return {
			connect: wire.connect,
			disconnect: wire.disconnect,
			async call(name, input, timeout) {
				const answer = await wire.call(name, input, timeout);
				if (!answer?.ok) return answer;
				if (name === "room:since") {
					const { cursors } = input as CallInput<"room:since">;
					for (const room of (answer.data as CallAnswer["room:since"]).rooms) {
						room.facts.forEach(hear);
						const after = cursors.find(([roomId]) => roomId === room.roomId)?.[1] ?? 0;
						if (room.reset) told.skipped.push({ after, upTo: room.lastSeq });
					}
				}
				if (name === "message:post") {
					const { clientId, body } = input as { clientId: string; body: string };
					const { seq } = answer.data as { seq: number };
					const before = told.acked.get(clientId);
					if (before && before.seq !== seq) told.problems.push(`${body} was acknowledged as ${before.seq} and as ${seq}`);
					told.acked.set(clientId, { body, seq });
				}
				return answer;
			},
		};
	};
}

/** What a fact says about a message, for comparing: who, under which key, which text, in which place. */
export function keyOf(fact: Fact): string {
	if (fact.kind !== "message-posted") return fact.kind;
	const { author, clientId, body, msgNo } = fact.message;
	return `${msgNo} ${author.id} ${clientId} ${body}`;
}
