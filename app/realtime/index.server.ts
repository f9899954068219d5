import { randomUUID } from "node:crypto";
import type { Server as HttpServer, IncomingMessage, ServerResponse } from "node:http";
import type { Socket as TcpSocket } from "node:net";
import { Server, type Socket } from "socket.io";
import type { Auth, Session } from "../auth/index.server.ts";
import type { Chat, News } from "../chat/index.server.ts";
import type { Envelope } from "../contract/envelope.ts";
import type { Fact, Signal } from "../contract/facts.ts";
import { type Language, pickLanguage } from "../contract/language.ts";
import { limits, type Rate } from "../contract/limits.ts";
import type { MyRoom, Person } from "../contract/shapes.ts";
import { openAdmission } from "./admission.ts";
import { audienceOf } from "./audience.ts";
import { aloneBus } from "./bus-alone.ts";
import { type Caller, openDispatch, type ServerStatus } from "./dispatch.ts";
import { gatherSignals } from "./gathered.ts";
import { inOrder } from "./in-order.ts";
import { backlogLimit, JoinedFramesAdapter, joinWindow } from "./joined-frames.ts";
import { everybody, openPeers, type Peers } from "./peers.ts";
import { grace, openPresence } from "./presence.ts";
import { openReachTrail } from "./reach-trail.ts";
import { noRecorder, type Recorder } from "./recorder.ts";
import { openUpkeep } from "./upkeep.ts";

export type { OpenBus } from "./bus.ts";
export { aloneBus } from "./bus-alone.ts";
export { redisBus } from "./bus-redis.ts";
export { workersBus } from "./bus-workers.ts";
export { everybody, openPeers, type Peers } from "./peers.ts";
export { shareRates } from "./shared-rates.ts";
export { openTraceParts } from "./trace-parts.ts";

/** A person on the way in: whom the server has looked up, and what happened to them since, as no room reaches them yet. */
type Arrival = { userId: string; missed: Signal[] };

/** `connId` names the connection in records; unlike the socket's own id nobody can do anything with it. */
type Data = {
	me: Person;
	language: Language;
	session: Session;
	rooms: MyRoom[];
	arrival: Arrival;
	connId: string;
	connectedAt: number;
	letIn: (refused: string | null) => void;
};
type ToBrowser = { fact: (fact: Fact, envelope?: Envelope) => void; signal: (signal: Signal) => void };
type ChatSocket = Socket<Record<string, never>, ToBrowser, Record<string, never>, Data>;

type Log = Record<"info" | "warn" | "error", (message: string, fields?: Record<string, unknown>) => void>;

/** How long somebody may take from being looked up to standing in their rooms, ms. Far longer than it takes. */
const arrivalLimit = 30_000;
/** Another instance made somebody a member or took them out: the hint for their own sockets is a moment behind, ms, or lost. */
const settleAfter = 100;
/** Calls refused as too fast before a socket is closed: a person never gets there, a runaway script in a second. */
const refusalsAllowed = 500;

/** Connections that are still open this long after everything was said, ms, are cut. */
const closeWithin = 1000;
/** A session in use is renewed this often, ms. */
const renewEvery = 24 * 3600_000;

/** Held by browsers that poll. infra/ names it to the load balancer. */
const pollingCookie = "charla-polls";

/**
 * Puts the chat on the wire: who may connect, what they may call, and who hears what happened. Returns what server.ts
 * needs: the listener for `publish`, and the way to stop.
 */
export function attachRealtime(given: {
	http: HttpServer;
	chat: Chat;
	auth: Auth;
	throttle: (rate: Rate, key: string) => void;
	log: Log;
	build: string;
	/** Whether a request comes from our own pages: checked on upgrade and on polling alike. */
	isOwnOrigin: (request: IncomingMessage) => boolean;
	/** Where somebody comes from, as far as it may be written down. */
	addressPrefix?: (request: IncomingMessage) => string;
	isUnavailable: (error: unknown) => boolean;
	recorder?: Recorder;
	report: (error: unknown, about: Record<string, string>) => string;
	refer: (error: unknown) => string;
	status: ServerStatus;
	/** The other instances; none by default. */
	peers?: Peers;
	/** Other instances on the same database, and how many of them no hint reaches. */
	others?: () => { all: number; unheard: number };
	/** Ends the id of every session of this process, so that others know whose it is. */
	sessionSuffix?: string;
	/** When newcomers have to wait. */
	admission?: { maxSockets: number; maxLag: number };
	/** The plain Socket.IO adapter instead of joined frames. */
	stockFanOut?: boolean;
}) {
	const { chat, auth, log, recorder = noRecorder } = given;
	const peers = given.peers ?? openPeers({ openBus: aloneBus, instance: "alone", onError() {} });
	const io = new Server<Record<string, never>, ToBrowser, Record<string, never>, Data>(given.http, {
		serveClient: false,
		// Compressing small frames costs five times the CPU and eight times the memory.
		perMessageDeflate: false,
		httpCompression: false,
		maxHttpBufferSize: limits.frame,
		pingInterval: 20_000,
		pingTimeout: 10_000,
		// Whoever was turned away hangs up at once; who does not is no page of ours.
		connectTimeout: 10_000,
		...(given.stockFanOut ? {} : { adapter: JoinedFramesAdapter }),
		// Catching up by cursor replaces connection state recovery, which let a revoked person back in.
	});
	// `allowRequest` would be asked at the handshake alone: what follows it is refused to other sites too, upgrade and all.
	io.engine.use((request: IncomingMessage, response: ServerResponse, next: () => void) => {
		if (given.isOwnOrigin(request)) return next();
		response.writeHead(403, { "Content-Type": "text/plain" });
		response.end("foreign-origin\n");
	});
	if (given.sessionSuffix) {
		const { generateId } = io.engine;
		io.engine.generateId = (request: IncomingMessage) => `${generateId(request)}${given.sessionSuffix}`;
	}
	// Only who polls has to come back to this instance. A load balancer can be told to keep them by this cookie, and nobody else: whoever
	// is kept while this instance is dead is sent to it again and again. A websocket that was begun anew needs it no more; one that
	// polling is about to become does, should the proxy not let it through.
	io.engine.on("initial_headers", (headers: Record<string, string>, request: IncomingMessage & { _query: { transport?: string } }) => {
		const polls = request._query.transport === "polling";
		if (polls || request.headers.cookie?.includes(`${pollingCookie}=`))
			headers["Set-Cookie"] = `${pollingCookie}=1; Path=/socket.io/; HttpOnly; SameSite=Lax${polls ? "" : "; Max-Age=0"}`;
	});
	const main = io.of("/");
	const lines = new Set<TcpSocket>();
	given.http.on("connection", (line: TcpSocket) => {
		lines.add(line);
		line.once("close", () => lines.delete(line));
	});
	/** Newcomers are sent elsewhere; those who are here go on. */
	let leaving = false;
	let closing = false;
	let underWay = 0;
	const arrivals = new Set<Arrival>();
	/** Sessions that ended within the last `arrivalLimit`: who was just being let in by one is turned away after all. */
	const ended = new Set<string>();

	const order = inOrder({
		emit(fact, source) {
			const audience = audienceOf.room(fact.roomId);
			recorder.fanOut(fact, main.adapter.rooms.get(audience)?.size ?? 0, source, (envelope) => {
				if (envelope) io.to(audience).emit("fact", fact, envelope);
				else io.to(audience).emit("fact", fact);
			});
			if (source.how === "here") return;
			if (fact.kind === "member-left") letGo(fact.person, fact.roomId);
			if (fact.kind === "member-joined") settleSoon(fact.person, fact.roomId);
		},
		onHealed: (roomId, from, to) => recorder.gap(roomId, from, to),
		load: (roomId, after) => chat.log.after(roomId, after),
		onError: (error, roomId) => log.warn("message.gap_open", { room_id: roomId, exception_message: String(error) }),
	});
	const signals = gatherSignals((roomId, signal) => io.to(audienceOf.room(roomId)).emit("signal", signal));
	main.adapter.on("create-room", (name: string) => {
		if (name.startsWith("room:") || name.startsWith("person:")) peers.follow(name);
	});
	main.adapter.on("delete-room", (name: string) => {
		if (name.startsWith("room:") || name.startsWith("person:")) peers.unfollow(name);
		if (!name.startsWith("room:")) return;
		order.unwatch(name.slice(5));
		presence.forget(name.slice(5));
	});

	function sockets(audience: string): ChatSocket[] {
		return [...(main.adapter.rooms.get(audience) ?? [])].flatMap((id) => (main.sockets.get(id) as ChatSocket | undefined) ?? []);
	}
	/** Whose last socket here closed within the grace, with the rooms it stood in. They still count as here. */
	const reloading = new Map<string, { rooms: Set<string>; timer: NodeJS.Timeout }>();
	function hereIn(roomId: string): string[] {
		const back = [...reloading].filter(([, { rooms }]) => rooms.has(roomId)).map(([userId]) => userId);
		return [...new Set([...sockets(audienceOf.room(roomId)).map((socket) => socket.data.me.id), ...back])];
	}
	/** A person's first socket here stands in its rooms: the others hear of it where they took them for gone. */
	function came(userId: string, roomIds: string[]): void {
		const before = reloading.get(userId);
		clearTimeout(before?.timer);
		reloading.delete(userId);
		for (const roomId of roomIds) if (!before?.rooms.has(roomId)) presence.changed(roomId, userId, true);
		for (const roomId of before?.rooms ?? []) if (!roomIds.includes(roomId)) presence.changed(roomId, userId, false);
	}
	/** A person's last socket here closed. */
	function mayComeBack(userId: string, rooms: Set<string>): void {
		const timer = setTimeout(() => {
			reloading.delete(userId);
			for (const roomId of rooms) presence.changed(roomId, userId, false);
		}, grace);
		reloading.set(userId, { rooms, timer: timer.unref() });
	}
	const localRooms = () => [...main.adapter.rooms.keys()].filter((name) => name.startsWith("room:")).map((name) => name.slice(5));
	const presence = openPresence({
		peers,
		hereIn,
		rooms: localRooms,
		tell(roomId, userId, isHere) {
			if ((main.adapter.rooms.get(audienceOf.room(roomId))?.size ?? 0) <= limits.presencePerRoom) signals.presence(roomId, userId, isHere);
		},
	});

	function hearPointer(roomId: string, moved: { userId: string; deliveredSeq: number; displayedSeq: number }): void {
		const { userId, deliveredSeq: delivered, displayedSeq: displayed } = moved;
		trail.hear(roomId, { userId, delivered, displayed });
		signals.pointer(roomId, userId, { delivered, displayed });
	}

	/** Tells a person's own sockets, and lets them into a room or out of it. */
	function tellPerson(userId: string, signal: Signal): void {
		const audience = audienceOf.person(userId);
		for (const arrival of arrivals) if (arrival.userId === userId) arrival.missed.push(signal);
		if (signal.kind === "room-added") {
			order.watch(signal.room.id, signal.room.lastSeq);
			main.in(audience).socketsJoin(audienceOf.room(signal.room.id));
			if (sockets(audience).length > 0) presence.changed(signal.room.id, userId, true);
			// Followed before anybody was in it: nobody here joined, so it is not followed after all.
			if (!main.adapter.rooms.has(audienceOf.room(signal.room.id))) order.unwatch(signal.room.id);
		}
		if (signal.kind === "room-removed") {
			const wasIn = hereIn(signal.roomId).includes(userId);
			main.in(audience).socketsLeave(audienceOf.room(signal.roomId));
			reloading.get(userId)?.rooms.delete(signal.roomId);
			if (wasIn) presence.changed(signal.roomId, userId, false);
		}
		io.to(audience).emit("signal", signal);
	}

	/** People whose sockets may stand in other rooms than they should. What fails is tried again at the next tick. */
	const unsettled = new Map<string, Person>();
	const isIn = (socket: ChatSocket, roomId: string) => socket.rooms.has(audienceOf.room(roomId));
	/** Who left hears not one fact more, hint or none. Had they come back meanwhile, the database says so. */
	function letGo(person: Person, roomId: string): void {
		if (!sockets(audienceOf.person(person.id)).some((socket) => isIn(socket, roomId))) return;
		tellPerson(person.id, { kind: "room-removed", roomId });
		setTimeout(() => settle(person).catch(() => undefined), settleAfter).unref();
	}
	function settleSoon(person: Person, roomId: string): void {
		const stray = () => sockets(audienceOf.person(person.id)).some((socket) => !isIn(socket, roomId));
		if (stray()) setTimeout(() => stray() && settle(person).catch(() => undefined), settleAfter).unref();
	}
	async function settle(person: Person): Promise<void> {
		unsettled.set(person.id, person);
		// What is told while the database is asked counts for more than its answer.
		const arrival: Arrival = { userId: person.id, missed: [] };
		arrivals.add(arrival);
		try {
			const rooms = roomsAfter(await chat.rooms.mine(person), arrival.missed);
			const own = sockets(audienceOf.person(person.id));
			const isMine = new Set(rooms.map((room) => audienceOf.room(room.id)));
			const left = new Set(own.flatMap((socket) => [...socket.rooms]).filter((name) => name.startsWith("room:") && !isMine.has(name)));
			for (const name of left) tellPerson(person.id, { kind: "room-removed", roomId: name.slice(5) });
			for (const room of rooms)
				if (own.some((socket) => !socket.rooms.has(audienceOf.room(room.id)))) tellPerson(person.id, { kind: "room-added", room });
			unsettled.delete(person.id);
		} finally {
			arrivals.delete(arrival);
		}
	}

	function endSession(audience: string): void {
		ended.add(audience);
		setTimeout(() => ended.delete(audience), arrivalLimit).unref();
		for (const socket of sockets(audience)) {
			socket.emit("signal", { kind: "signed-out" });
			// The signal leaves before the connection does.
			setTimeout(() => socket.disconnect(true), 50);
		}
	}

	peers.on("fact", ({ fact, ts }) => order.accept(fact, { how: "heard", ts }));
	peers.on("pointer", ({ roomId, ...moved }) => hearPointer(roomId, moved));
	peers.on("typing", ({ roomId, person }) => {
		io.to(audienceOf.room(roomId)).volatile.emit("signal", { kind: "typing", roomId, person });
	});
	peers.on("signal", ({ userId, signal }) => tellPerson(userId, signal));
	peers.on("session-ended", ({ session }) => endSession(session));
	peers.onFollowing((channels) => {
		for (const channel of channels) if (channel.startsWith("room:")) presence.following(channel.slice(5));
	});

	const upkeep = openUpkeep({
		peers,
		others: given.others ?? (() => ({ all: 0, unheard: 0 })),
		recorder,
		log,
		compareRooms: (some) => order.compare(chat.log.heads, some),
		async lookForJoins(seconds) {
			for (const { roomId, userId } of await chat.log.joinedWithin(seconds)) {
				const own = sockets(audienceOf.person(userId));
				const [first] = own;
				if (first && own.some((socket) => !socket.rooms.has(audienceOf.room(roomId)))) await settle(first.data.me);
			}
		},
		async lookForEnds() {
			const hashes = [...main.adapter.rooms.keys()].filter((name) => name.startsWith("session:")).map((name) => sessionOf(name));
			for (const hash of hashes.length > 0 ? await auth.endedOf(hashes) : []) endSession(audienceOf.session(hash));
		},
		async settleLeft() {
			for (const person of [...unsettled.values()]) await settle(person);
		},
	});

	const admission = openAdmission({
		maxSockets: Number.POSITIVE_INFINITY,
		maxLag: Number.POSITIVE_INFINITY,
		...given.admission,
		sockets: () => main.sockets.size + arrivals.size,
		onChange(reason, { sockets, lag }) {
			if (reason) log.warn("admission.closed", { reason, sockets, lag_ms: lag });
			else log.info("admission.open", { sockets, lag_ms: lag });
		},
	});
	const trail = openReachTrail();
	const dispatch = openDispatch({
		chat,
		throttle: given.throttle,
		status: given.status,
		here: presence.here,
		reached: trail.of,
		typing: (caller, roomId) => {
			const typing: Signal = { kind: "typing", roomId, person: caller.me };
			main.sockets.get(caller.socketId)?.to(audienceOf.room(roomId)).volatile.emit("signal", typing);
			peers.tell(audienceOf.room(roomId), { kind: "typing", roomId, person: caller.me });
		},
		around: recorder.call,
		isUnavailable: given.isUnavailable,
		report: given.report,
		refer: given.refer,
		closing: () => closing,
	});

	io.use(async (socket, passOn) => {
		const connId = randomUUID();
		const told = recorder.connecting({
			auth: socket.handshake.auth,
			transport: transportOf(socket as ChatSocket),
			connId,
			addressPrefix: given.addressPrefix?.(socket.request) ?? "",
		});
		const next = (refusal?: Error) => {
			if (refusal) told(refusal.message);
			passOn(refusal);
		};
		try {
			if (leaving || closing) return next(new Error("going-away"));
			const full = admission.refusal();
			if (full) return next(Object.assign(new Error("busy"), { data: { seconds: full.seconds } }));
			const { cookie, "accept-language": accept } = socket.handshake.headers;
			const session = await auth.whoIs(cookie);
			if (!session) return next(new Error("not-signed-in"));
			if (session.isDue) await auth.renew(session, cookie);
			const arriving = [...arrivals].filter((other) => other.userId === session.me.id).length;
			if (sockets(audienceOf.person(session.me.id)).length + arriving >= limits.socketsPerPerson)
				return next(new Error("too-many-sockets"));
			const arrival: Arrival = { userId: session.me.id, missed: [] };
			arrivals.add(arrival);
			// Also when it never gets here: the other side may hang up in between.
			setTimeout(() => arrivals.delete(arrival), arrivalLimit).unref();
			const rooms = await chat.rooms.mine(session.me);
			const letIn = (refused: string | null) => told(refused, { userId: session.me.id });
			const language = pickLanguage(session.language, accept);
			socket.data = { me: session.me, language, session, rooms, arrival, connId, connectedAt: Date.now(), letIn };
			next();
		} catch (error) {
			if (!given.isUnavailable(error)) given.report(error, { call: "connect" });
			next(new Error("unavailable"));
		}
	});

	io.on("connection", (socket: ChatSocket) => {
		const { me, language, session, arrival, connId, letIn } = socket.data;
		arrivals.delete(arrival);
		if (ended.has(audienceOf.session(session.tokenHash))) {
			letIn("not-signed-in");
			return void socket.disconnect(true);
		}
		const rooms = roomsAfter(socket.data.rooms, arrival.missed);
		// Into the rooms first, catch-up after: what is said in between arrives twice and folds to nothing the second time.
		for (const room of rooms) order.watch(room.id, room.lastSeq);
		socket.join([audienceOf.person(me.id), audienceOf.session(session.tokenHash), ...rooms.map((room) => audienceOf.room(room.id))]);
		const roomIds = rooms.map((room) => room.id);
		// Not kept for the life of the connection: thousands of idle sockets would each hold their list.
		socket.data.rooms = [];
		socket.emit("signal", { kind: "welcome", me, build: given.build, serverTime: Date.now(), roomIds });
		letIn(null);
		socket.data.letIn = () => {};
		if (sockets(audienceOf.person(me.id)).length === 1) came(me.id, roomIds);

		socket.conn.on("upgrade", () => recorder.upgraded(connId));
		socket.on("disconnect", (reason) => recorder.disconnected({ connId, reason, transport: transportOf(socket) }));

		const caller: Caller = { me, language, socketId: socket.id, connId, transport: () => transportOf(socket) };
		let tooFast = 0;
		let renewAt = performance.now() + renewEvery;
		socket.onAny((name: string, ...rest: unknown[]) => {
			const last = rest.at(-1);
			const ack = typeof last === "function" ? (last as (answer: unknown) => void) : null;
			underWay++;
			// A tab may stay open for weeks.
			if (performance.now() > renewAt) {
				renewAt = performance.now() + renewEvery;
				auth.renew(session, undefined).catch((error: unknown) => given.isUnavailable(error) || given.report(error, { call: "renew" }));
			}
			// Who asks and does not read what comes would have all of it kept here. Only the answer that says so is kept then.
			if (backlogOf(socket) > backlogLimit) {
				ack?.({ ok: false, code: "too-fast", details: { seconds: 1 } });
				underWay--;
				if (++tooFast > refusalsAllowed) socket.disconnect(true);
				return;
			}
			// The call's input, then what travels beside it; the answer's callback is always last.
			const [input, envelope] = ack ? rest.slice(0, -1) : rest;
			dispatch(caller, name, input, envelope)
				.then((answer) => {
					ack?.(answer);
					if (!answer.ok && answer.code === "too-fast" && ++tooFast > refusalsAllowed) socket.disconnect(true);
				})
				.finally(() => {
					underWay--;
				});
		});
		socket.on("disconnecting", () => {
			const stoodIn = [...socket.rooms].filter((name) => name.startsWith("room:")).map((name) => name.slice(5));
			if (sockets(audienceOf.person(me.id)).length === 1) mayComeBack(me.id, new Set(stoodIn));
		});
	});

	return {
		io,
		/** Hears everything the domain announces. */
		hear(news: News): void {
			if ("fact" in news) {
				const { fact } = news;
				if (peers.isOpen()) peers.tell(audienceOf.room(fact.roomId), { kind: "fact", fact, ts: recorder.telling(fact, peers.adapter) });
				return order.accept(fact);
			}
			if ("pointer" in news) {
				peers.tell(audienceOf.room(news.to.roomId), { kind: "pointer", roomId: news.to.roomId, ...news.pointer });
				return hearPointer(news.to.roomId, news.pointer);
			}
			peers.tell(audienceOf.person(news.to.userId), { kind: "signal", userId: news.to.userId, signal: news.signal });
			tellPerson(news.to.userId, news.signal);
		},
		/** Ends the sockets of a session that was left, wherever they are: told why, and closed at once. */
		endSession(session: Session): void {
			const audience = audienceOf.session(session.tokenHash);
			peers.tell(everybody, { kind: "session-ended", session: audience });
			endSession(audience);
		},
		/** Who is in a room now, on this instance and on those it hears of. */
		here: presence.here,
		/** Sockets open now. */
		count: (): number => main.sockets.size,
		/** People with a socket here, rooms somebody here is in, and the bytes that wait for slow readers. */
		stats() {
			const names = [...main.adapter.rooms.keys()];
			const rooms = names.filter((name) => name.startsWith("room:")).length;
			const people = names.filter((name) => name.startsWith("person:")).length;
			return { people, rooms, backlogBytes: [...main.sockets.values()].reduce((sum, socket) => sum + backlogOf(socket as ChatSocket), 0) };
		},
		/** Every socket, for the operators' page; names nobody's address and no credential. */
		table() {
			return [...main.sockets.values()].map((each) => {
				const socket = each as ChatSocket;
				const { me, connId, connectedAt } = socket.data;
				const rooms = [...socket.rooms].filter((name) => name.startsWith("room:")).length;
				const { writeBuffer } = socket.conn as unknown as { writeBuffer: unknown[] };
				const waiting = { backlogBytes: backlogOf(socket), backlogPackets: writeBuffer.length };
				return { connId, userId: me.id, name: me.name, transport: transportOf(socket), connectedAt, rooms, ...waiting };
			});
		},
		/** Asks everybody to come back within `within` ms, and goes on serving: for a load balancer that sends nobody new here. */
		move(within: number): void {
			io.emit("signal", { kind: "move", within });
		},
		/**
		 * Asks everybody to come back elsewhere within `within` ms, waits that long, then takes nothing new, finishes what was
		 * accepted, and closes the sockets and the listener. Where there is an `elsewhere`, nobody is let in from the first moment:
		 * a load balancer that has not noticed yet sends people here who would be cut off a moment later. Without one, those who
		 * come back are better served here to the end.
		 */
		async drain(within: number, elsewhere = false): Promise<void> {
			leaving = elsewhere;
			upkeep.close();
			presence.close();
			admission.close();
			if (main.sockets.size > 0) {
				io.emit("signal", { kind: "move", within });
				const until = Date.now() + within;
				while (Date.now() < until && main.sockets.size > 0) await new Promise((done) => setTimeout(done, 25));
			}
			closing = true;
			const until = Date.now() + 5000;
			while (underWay > 0 && Date.now() < until) await new Promise((done) => setTimeout(done, 10));
			signals.close();
			// What a busy room's members are still to be written leaves first.
			await new Promise((done) => setTimeout(done, 2 * joinWindow));
			// Closing waits for the last connection's end. One that says nothing, or does not hear, is ended here.
			const cut = setTimeout(() => {
				for (const line of lines) line.destroy();
			}, closeWithin);
			await io.close();
			clearTimeout(cut);
		},
	};
}

export type Realtime = ReturnType<typeof attachRealtime>;

const transportOf = (socket: ChatSocket): string => socket.conn.transport.name;

/** The session's hash in the name of its audience. */
const sessionOf = (audience: string): Buffer => Buffer.from(audience.slice("session:".length), "base64url");

/** Bytes this process holds for a socket because the other side has not taken them: those of its line, and the packets before it. */
function backlogOf(socket: ChatSocket): number {
	type Engine = { transport: { socket?: { _socket?: { writableLength: number } } }; writeBuffer: { data?: { length?: number } }[] };
	const { transport, writeBuffer } = socket.conn as unknown as Engine;
	return writeBuffer.reduce((sum, packet) => sum + (packet.data?.length ?? 0), transport.socket?._socket?.writableLength ?? 0);
}

/** The rooms of somebody on the way in, with what changed since they were read. */
function roomsAfter(rooms: MyRoom[], missed: readonly Signal[]): MyRoom[] {
	const byId = new Map(rooms.map((room) => [room.id, room]));
	for (const signal of missed) {
		if (signal.kind === "room-added") byId.set(signal.room.id, signal.room);
		if (signal.kind === "room-removed") byId.delete(signal.roomId);
	}
	return [...byId.values()];
}
