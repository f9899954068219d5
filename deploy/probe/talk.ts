import { randomUUID } from "node:crypto";
import { io, type Socket } from "socket.io-client";
import type { Answer, Posted } from "../../app/contract/calls.ts";
import type { Fact, Signal } from "../../app/contract/facts.ts";
import { keepPair, keptPair, type Pair } from "./pair.ts";

export type Talked = { stored: number; delivered: number; seen: number; build: string };
type Welcome = Extract<Signal, { kind: "welcome" }>;

/**
 * Lets two people talk once, over the forms and the sockets everybody uses. Gives how long it took from writing to stored, delivered and seen,
 * ms. Throws with the step that did not happen; all of it takes `within` ms at most.
 */
export async function probe(given: { url: string; kept?: string | undefined; within: number }): Promise<Talked> {
	const deadline = Date.now() + given.within;
	const pair = (given.kept ? keptPair(given.kept) : null) ?? (await newPair(given.url));
	try {
		return await talk(given.url, pair, deadline);
	} catch (error) {
		// Sessions end. Whoever is not known any more enters again, once.
		if (!(error instanceof Error && error.message.includes("not-signed-in"))) throw error;
		return await talk(given.url, await newPair(given.url), deadline);
	}

	async function newPair(url: string): Promise<Pair> {
		const name = `Probe ${randomUUID().slice(0, 8)}`;
		const pair = { writer: await enter(url, `${name} A`), reader: await enter(url, `${name} B`) };
		if (given.kept) keepPair(given.kept, pair);
		return pair;
	}
}

async function talk(url: string, pair: Pair, deadline: number): Promise<Talked> {
	const sockets: Socket[] = [];
	const open = (cookie: string) => {
		const socket = io(url, { transports: ["websocket"], extraHeaders: { cookie }, reconnection: false, forceNew: true });
		sockets.push(socket);
		return socket;
	};
	try {
		const first = open(pair.reader);
		const { me: reader } = await welcome(first, deadline);
		const roomId = await direct(url, pair.writer, reader.id);
		// Again, now that the conversation is there: who connects stands in all their rooms.
		first.close();
		const reading = open(pair.reader);
		const writing = open(pair.writer);
		const [{ build }] = await Promise.all([welcome(reading, deadline), welcome(writing, deadline)]);

		const clientId = randomUUID();
		const began = performance.now();
		const since = () => Math.round((performance.now() - began) * 10) / 10;
		const delivery = heard<Fact>(reading, "fact", "the message did not reach the other", deadline, (fact) => {
			return fact.kind === "message-posted" && fact.message.clientId === clientId;
		}).then((fact) => ({ fact, delivered: since() }));
		const seeing = heard<Signal>(writing, "signal", "the message was not seen", deadline, (signal) => {
			return (
				signal.kind === "pointers" &&
				signal.roomId === roomId &&
				signal.moved.some(([id, , displayed]) => id === reader.id && displayed >= seq)
			);
		}).then(() => since());
		// Told below, by whoever waits for them first.
		delivery.catch(() => {});
		seeing.catch(() => {});

		let seq = Number.POSITIVE_INFINITY;
		const posted = await ask<Posted>(writing, "message:post", { roomId, clientId, body: `probe of ${build}`, replyTo: null }, deadline);
		const stored = since();
		if (posted.seq === null) throw new Error("the message was not stored");
		seq = posted.seq;
		const { fact, delivered } = await delivery;
		if (fact.seq !== seq) throw new Error(`the message was stored as ${seq} and reached the other as ${fact.seq}`);
		await ask(reading, "pointer:move", { roomId, delivered: seq, displayed: seq, read: seq }, deadline);
		return { stored, delivered, seen: await seeing, build };
	} finally {
		for (const socket of sockets) socket.close();
	}
}

async function enter(url: string, name: string): Promise<string> {
	const answer = await post(`${url}/?index`, "", { name });
	const cookie = answer.headers
		.getSetCookie()
		.map((each) => each.split(";")[0] as string)
		.find((each) => /sid=./.test(each));
	if (!cookie) throw new Error(`entering was answered with ${answer.status}`);
	return cookie;
}

async function direct(url: string, cookie: string, userId: string): Promise<string> {
	const answer = await post(`${url}/people`, cookie, { userId });
	const roomId = /\/rooms\/([0-9a-f-]{36})/.exec(answer.headers.get("location") ?? "")?.[1];
	if (!roomId) throw new Error(answer.status === 302 ? "not-signed-in" : `opening a conversation was answered with ${answer.status}`);
	return roomId;
}

function post(url: string, cookie: string, fields: Record<string, string>): Promise<Response> {
	const options = { method: "POST", body: new URLSearchParams(fields), redirect: "manual" } as const;
	return fetch(url, { ...options, headers: { cookie }, signal: AbortSignal.timeout(10_000) });
}

async function ask<T>(socket: Socket, name: string, input: unknown, deadline: number): Promise<T> {
	const answer = (await socket.timeout(left(deadline)).emitWithAck(name, input)) as Answer<T>;
	if (!answer.ok) throw new Error(`${name} was refused: ${answer.code}`);
	return answer.data;
}

const welcome = (socket: Socket, deadline: number): Promise<Welcome> =>
	heard<Signal>(socket, "signal", "nobody was welcomed", deadline, ({ kind }) => kind === "welcome") as Promise<Welcome>;

/** Resolves with the first of its kind that fulfils a condition. */
function heard<T>(socket: Socket, kind: string, otherwise: string, deadline: number, is: (one: T) => boolean): Promise<T> {
	return new Promise((resolve, reject) => {
		const timer = setTimeout(() => settle(() => reject(new Error(otherwise))), left(deadline));
		const hear = (one: T) => {
			if (is(one)) settle(() => resolve(one));
		};
		const refused = (error: Error) => settle(() => reject(new Error(`${otherwise}: ${error.message}`)));
		const lost = (reason: string) => settle(() => reject(new Error(`${otherwise}: ${reason}`)));
		function settle(how: () => void): void {
			clearTimeout(timer);
			socket.off(kind, hear);
			socket.off("connect_error", refused);
			socket.off("disconnect", lost);
			how();
		}
		socket.on(kind, hear);
		socket.once("connect_error", refused);
		socket.once("disconnect", lost);
	});
}

const left = (deadline: number): number => Math.max(1, deadline - Date.now());
