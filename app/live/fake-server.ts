import type { Answer, CallName, Posted } from "../contract/calls.ts";
import type { Envelope } from "../contract/envelope.ts";
import type { CaughtUp, Fact, Signal } from "../contract/facts.ts";
import { limits } from "../contract/limits.ts";
import type { RefusalCode, RefusalDetails } from "../contract/refusals.ts";
import type { Member, Message, MyRoom, OpenedRoom, Person, Stretch } from "../contract/shapes.ts";
import { excerpt } from "../contract/text.ts";
import type { Handshake, OpenWire, Timers, WireEvents } from "./ports.ts";

type Room = {
	id: string;
	name: string;
	topic: string;
	log: Fact[];
	messages: Message[];
	members: Map<string, Member>;
	read: Map<string, { readSeq: number; readMsg: number }>;
};
type Socket = { events: WireEvents; person: Person; connected: boolean; waiting: Set<(answer: null) => void>; deaf: boolean };

/** Input of any call: a test's server trusts its caller. */
type Asked = {
	roomId: string;
	clientId: string;
	seq: number;
	body: string;
	replyTo: number | null;
	read?: number;
	before?: number;
	after?: number;
	around?: number;
	cursors: [string, number][];
};

/** This server's clock is ahead of the browsers' by so much, ms. */
const clockAhead = 5000;

/**
 * A server in a few lines that keeps the promises of the real one: a gapless log per room, posting that is idempotent,
 * facts after the answer, catch-up by cursor. Its faults are switched on by a test.
 */
export function fakeServer(timers: Timers) {
	const rooms = new Map<string, Room>();
	const sockets = new Set<Socket>();
	const heard: { name: CallName; input: Asked; at: number; envelope: Envelope | undefined }[] = [];
	const self = {
		build: "b1",
		/** One way, ms. */
		latency: 10,
		isDown: false,
		/** Handshakes are refused with this. */
		handshake: null as string | null,
		/** Answers to calls are lost after the work is done. */
		loseAnswers: 0,
		/** Calls get no answer and no work is done. */
		isSilent: false,
		/** Facts are not sent to sockets: only catch-up has them. */
		loseFacts: false,
		/** Facts carried by one answer. */
		perAnswer: limits.catchUp as number,
		resetBehind: limits.resetBehind as number,
		window: limits.window as number,
		/** The next answers of a call, in order: instead of doing it. */
		refuse: new Map<CallName, { code: RefusalCode; details?: RefusalDetails }[]>(),
		/** What each attempt to connect brought along. */
		handshakes: [] as (Handshake | undefined)[],
		/** Facts come with an envelope. */
		isRecording: false,
		outcome: null as { notice: string; goTo?: string } | null,
		heard,
		rooms,
		calls: (name: CallName) => heard.filter((call) => call.name === name),
		addRoom,
		post,
		edit,
		remove,
		join,
		leave,
		rename,
		opened,
		myRoom,
		wire,
		signal,
		dropAll,
	};

	function addRoom(id: string, people: Person[]): void {
		const members = new Map(people.map((person) => [person.id, { person, role: "member" as const, deliveredSeq: 0, displayedSeq: 0 }]));
		rooms.set(id, { id, name: id, topic: "", log: [], messages: [], members, read: new Map() });
	}

	const of = (roomId: string) => rooms.get(roomId) as Room;
	const next = (room: Room) => room.log.length + 1;

	function publish(room: Room, fact: Fact): void {
		room.log.push(fact);
		if (self.loseFacts) return;
		const copy = structuredClone(fact);
		const envelope = self.isRecording ? { sx: 1, ts: [0, 0, 0, timers.now() + clockAhead] } : undefined;
		for (const socket of sockets)
			if (socket.connected && room.members.has(socket.person.id)) later(socket, () => socket.events.fact(copy, envelope));
	}

	function later(socket: Socket, run: () => void): void {
		timers.after(self.latency, () => {
			if (socket.connected && !socket.deaf) run();
		});
	}

	function post(roomId: string, author: Person, body: string, more: { clientId?: string; replyTo?: number | null } = {}): number {
		const room = of(roomId);
		const clientId = more.clientId ?? `by-server-${roomId}-${next(room)}`;
		const known = room.messages.find((m) => m.clientId === clientId && m.author.id === author.id);
		if (known) return known.seq;
		const seq = next(room);
		const quoted = more.replyTo == null ? undefined : room.messages.find((m) => m.seq === more.replyTo);
		const message: Message = {
			roomId,
			seq,
			msgNo: room.messages.length + 1,
			author,
			clientId,
			body,
			html: null,
			createdAt: timers.now(),
			editedAt: null,
			deletedAt: null,
			replyTo: quoted ? { seq: quoted.seq, author: quoted.author, excerpt: quoted.deletedAt === null ? excerpt(quoted.body) : null } : null,
		};
		room.messages.push(message);
		publish(room, { kind: "message-posted", roomId, seq, message: structuredClone(message) });
		return seq;
	}

	function edit(roomId: string, target: number, body: string): void {
		const room = of(roomId);
		const message = room.messages.find((m) => m.seq === target);
		const fact = { kind: "message-edited" as const, roomId, seq: next(room), target, body, html: null, editedAt: timers.now() };
		if (message && message.deletedAt === null) {
			message.body = body;
			message.editedAt = fact.editedAt;
			for (const m of room.messages) if (m.replyTo?.seq === target) m.replyTo.excerpt = excerpt(body);
		}
		publish(room, fact);
	}

	function remove(roomId: string, target: number): void {
		const room = of(roomId);
		const fact = { kind: "message-deleted" as const, roomId, seq: next(room), target, deletedAt: timers.now() };
		const message = room.messages.find((m) => m.seq === target);
		if (message && message.deletedAt === null)
			Object.assign(message, { body: "", html: null, editedAt: null, replyTo: null, deletedAt: fact.deletedAt });
		for (const m of room.messages) if (m.replyTo?.seq === target) m.replyTo.excerpt = null;
		publish(room, fact);
	}

	function join(roomId: string, person: Person): void {
		const room = of(roomId);
		const seq = next(room);
		if (!room.members.has(person.id)) room.members.set(person.id, { person, role: "member", deliveredSeq: seq - 1, displayedSeq: seq - 1 });
		publish(room, { kind: "member-joined", roomId, seq, person, role: "member" });
	}

	function leave(roomId: string, person: Person): void {
		const room = of(roomId);
		room.members.delete(person.id);
		publish(room, { kind: "member-left", roomId, seq: next(room), person });
	}

	function rename(roomId: string, by: Person, name: string): void {
		const room = of(roomId);
		room.name = name;
		publish(room, { kind: "room-changed", roomId, seq: next(room), by, name, topic: room.topic });
	}

	function myRoom(roomId: string, me: Person): MyRoom {
		const room = of(roomId);
		const read = room.read.get(me.id) ?? { readSeq: 0, readMsg: 0 };
		const unreadDeleted = room.messages.filter((m) => m.deletedAt !== null && m.seq > read.readSeq).map((m) => m.seq);
		return {
			id: roomId,
			kind: "public",
			name: room.name,
			topic: room.topic,
			lastSeq: room.log.length,
			lastMsg: room.messages.length,
			role: "member",
			...read,
			...(unreadDeleted.length > 0 ? { unreadDeleted } : {}),
		};
	}

	function stretch(roomId: string, range: { before?: number; after?: number; around?: number }): Stretch {
		const all = of(roomId).messages;
		const size = self.window;
		let from = Math.max(0, all.length - size);
		const { before, after, around } = range;
		if (before !== undefined) from = Math.max(0, all.filter((m) => m.seq < before).length - size);
		if (after !== undefined) from = all.filter((m) => m.seq <= after).length;
		if (around !== undefined) from = Math.max(0, all.filter((m) => m.seq < around).length - Math.floor(size / 2));
		const to = before === undefined ? from + size : all.filter((m) => m.seq < before).length;
		return structuredClone({ messages: all.slice(from, to), hasBefore: from > 0, hasAfter: to < all.length });
	}

	function opened(roomId: string, me: Person, range = {}): OpenedRoom {
		return structuredClone({ room: myRoom(roomId, me), members: [...of(roomId).members.values()], ...stretch(roomId, range) });
	}

	function since(me: Person, cursors: [string, number][]) {
		const mine = [...rooms.values()].filter((room) => room.members.has(me.id));
		const asked = new Set(cursors.map(([id]) => id));
		const caught: CaughtUp[] = [];
		const gone: string[] = [];
		for (const [roomId, cursor] of cursors) {
			const room = rooms.get(roomId);
			if (!room?.members.has(me.id)) {
				gone.push(roomId);
				continue;
			}
			const reset = room.log.length - cursor > self.resetBehind;
			const facts = reset ? [] : structuredClone(room.log.slice(cursor, cursor + self.perAnswer));
			const { lastSeq, lastMsg, readSeq, readMsg, unreadDeleted } = myRoom(roomId, me);
			caught.push({ roomId, facts, lastSeq, lastMsg, readSeq, readMsg, reset, ...(reset && unreadDeleted ? { unreadDeleted } : {}) });
		}
		return { rooms: caught, gone, added: mine.filter((room) => !asked.has(room.id)).map((room) => myRoom(room.id, me)) };
	}

	function answer(me: Person, name: CallName, input: Asked): unknown {
		switch (name) {
			case "message:post": {
				if (self.outcome) return { id: "x", seq: null, ...self.outcome } satisfies Posted;
				return { id: "x", seq: post(input.roomId, me, input.body, input) } satisfies Posted;
			}
			case "message:edit":
				edit(input.roomId, input.seq, input.body);
				return { seq: of(input.roomId).log.length };
			case "message:delete":
				remove(input.roomId, input.seq);
				return { seq: of(input.roomId).log.length };
			case "message:stretch":
				return stretch(input.roomId, input);
			case "room:since":
				return since(me, input.cursors);
			case "room:here":
				return { here: [...sockets].filter((s) => s.connected).map((s) => s.person.id) };
			case "pointer:move": {
				const room = of(input.roomId);
				const old = room.read.get(me.id) ?? { readSeq: 0, readMsg: 0 };
				const readSeq = Math.max(old.readSeq, Math.min(input.read ?? 0, room.log.length));
				const readMsg = Math.max(old.readMsg, room.messages.filter((m) => m.seq <= readSeq).length);
				room.read.set(me.id, { readSeq, readMsg });
				return { readSeq, readMsg };
			}
			case "typing":
				return null;
			case "server:ping":
				return { at: timers.now() + clockAhead, instance: "fake/1" };
			case "server:slos":
				return { slos: null };
			case "message:journey":
				return null;
		}
	}

	function wire(person: Person): OpenWire {
		return (events) => {
			const socket: Socket = { events, person, connected: false, waiting: new Set(), deaf: false };
			sockets.add(socket);
			let attempt = 0;
			return {
				connect(handshake) {
					self.handshakes.push(handshake);
					const mine = ++attempt;
					timers.after(self.latency * 2, () => {
						if (mine !== attempt || socket.connected) return;
						if (self.isDown) return events.refused("transport error");
						if (self.handshake) return events.refused(self.handshake);
						socket.connected = true;
						socket.deaf = false;
						events.connected("websocket");
						const roomIds = [...rooms.values()].filter((room) => room.members.has(person.id)).map((room) => room.id);
						const serverTime = timers.now() + clockAhead;
						later(socket, () => events.signal({ kind: "welcome", me: person, build: self.build, serverTime, roomIds }));
					});
				},
				disconnect() {
					attempt++;
					cut(socket);
				},
				call(name, input, timeout, envelope) {
					if (!socket.connected) return Promise.resolve(null);
					heard.push({ name, input: input as Asked, at: timers.now(), envelope });
					return new Promise<Answer<unknown> | null>((resolve) => {
						const finish = (value: Answer<unknown> | null) => {
							socket.waiting.delete(finish as (value: null) => void);
							resolve(value);
						};
						socket.waiting.add(finish as (value: null) => void);
						timers.after(timeout, () => finish(null));
						later(socket, () => {
							if (self.isSilent) return;
							const refusals = self.refuse.get(name);
							const refusal = refusals?.shift();
							const reply: Answer<unknown> = refusal ? { ok: false, ...refusal } : { ok: true, data: answer(person, name, input as Asked) };
							if (self.loseAnswers > 0 && name === "message:post") {
								self.loseAnswers--;
								return;
							}
							later(socket, () => finish(reply));
						});
					});
				},
			};
		};
	}

	function cut(socket: Socket): void {
		socket.connected = false;
		for (const finish of [...socket.waiting]) finish(null);
	}

	function dropAll(): void {
		for (const socket of sockets)
			if (socket.connected) {
				cut(socket);
				socket.events.disconnected("transport close");
			}
	}

	function signal(it: Signal): void {
		for (const socket of sockets) later(socket, () => socket.events.signal(it));
	}

	return self;
}
