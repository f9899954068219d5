import type { Chat } from "../chat/index.server.ts";
import { type Answer, type CallAnswer, type CallInput, type CallName, calls } from "../contract/calls.ts";
import type { Language } from "../contract/language.ts";
import { type Rate, rates } from "../contract/limits.ts";
import type { PublicSlo } from "../contract/ops.ts";
import { parseCall } from "../contract/parse.ts";
import { asRefusal, refuse } from "../contract/refusals.ts";
import type { Person } from "../contract/shapes.ts";
import type { Reached } from "./reach-trail.ts";
import type { Recorder } from "./recorder.ts";

/** Who calls: a person on one socket. */
export type Caller = { me: Person; language: Language; socketId: string; connId: string; transport: () => string };

/** What people may know of the server itself. `slos`: null where nothing is measured. */
export type ServerStatus = { instance: string; slos: () => PublicSlo[] | null };

type Use = { [N in CallName]: (caller: Caller, input: CallInput<N>) => Promise<CallAnswer[N]> };

export type Dispatch = (caller: Caller, name: string, input: unknown, envelope?: unknown) => Promise<Answer<unknown>>;

/**
 * The one door for everything a browser asks over the socket: counts, parses by the contract, calls the domain, and turns
 * what is thrown into an answer. Nothing a browser sends gets past it as an exception.
 */
export function openDispatch(given: {
	chat: Chat;
	throttle: (rate: Rate, key: string) => void;
	/** What is not stored: typing and who is here. */
	typing: (caller: Caller, roomId: string) => void;
	here: (roomId: string) => string[];
	/** When a message reached the others, as far as this server heard. */
	reached: (roomId: string, seq: number, authorId: string) => { delivered: Reached; displayed: Reached };
	status: ServerStatus;
	/** Runs around each call. */
	around: Recorder["call"];
	/** Whether an error means that the database is away for the moment. */
	isUnavailable: (error: unknown) => boolean;
	/** Logs an unexpected error once and gives the reference a person can quote. */
	report: (error: unknown, about: { call: string; user_id: string }) => string;
	/** The reference of a failure that was expected; empty where nothing is recorded. */
	refer: (error: unknown) => string;
	/** True once the server only finishes what it has. */
	closing: () => boolean;
}): Dispatch {
	const { chat, throttle } = given;

	const use: Use = {
		"message:post": ({ me, language }, input) => {
			throttle(rates["message:post"], `post ${me.id}`);
			throttle(rates.room, `room ${input.roomId}`);
			return chat.messages.post(me, input, language);
		},
		"message:edit": ({ me }, input) => {
			throttle(rates["message:edit"], `edit ${me.id}`);
			return chat.messages.edit(me, input);
		},
		"message:delete": ({ me }, input) => {
			throttle(rates["message:edit"], `edit ${me.id}`);
			return chat.messages.remove(me, input);
		},
		"cart:decide": ({ me }, input) => {
			throttle(rates["message:edit"], `edit ${me.id}`);
			return chat.orders.decide(me, input);
		},
		"message:journey": async ({ me }, input) => {
			const journey = await chat.messages.journey(me, input);
			const { delivered, displayed } = given.reached(input.roomId, input.seq, me.id);
			return { ...journey, delivered: { ...journey.delivered, ...delivered }, displayed: { ...journey.displayed, ...displayed } };
		},
		"message:stretch": ({ me }, input) => chat.messages.stretch(me, input),
		"room:since": async ({ me }, input) => {
			const [rooms, mine] = await Promise.all([chat.rooms.since(me, input), chat.rooms.mine(me)]);
			const known = new Set(input.cursors.map(([roomId]) => roomId));
			const mineById = new Set(mine.map((room) => room.id));
			return {
				rooms: rooms.filter((room) => mineById.has(room.roomId)),
				gone: [...known].filter((id) => !mineById.has(id)),
				added: mine.filter((room) => !known.has(room.id)),
			};
		},
		"room:here": async ({ me }, input) => {
			await chat.rooms.stand(me, input);
			return { here: given.here(input.roomId) };
		},
		"pointer:move": ({ me }, input) => chat.rooms.pointers(me, input),
		typing: async (caller, input) => {
			throttle(rates.typing, `typing ${caller.me.id} ${input.roomId}`);
			await chat.rooms.stand(caller.me, input);
			given.typing(caller, input.roomId);
			return null;
		},
		"server:ping": async () => ({ at: Date.now(), instance: given.status.instance }),
		"server:slos": async () => ({ slos: given.status.slos() }),
	};

	async function run(caller: Caller, name: string, input: unknown): Promise<unknown> {
		throttle(rates.call, `call ${caller.socketId}`);
		if (given.closing()) throw refuse("going-away");
		if (!Object.hasOwn(calls, name)) throw refuse("unknown-call");
		const call = name as CallName;
		const parsed = parseCall(call, input);
		return (use[call] as (caller: Caller, input: unknown) => Promise<unknown>)(caller, parsed);
	}

	return async (caller, name, input, envelope) => {
		try {
			const known: CallName | "unknown" = Object.hasOwn(calls, name) ? (name as CallName) : "unknown";
			const about = { name: known, input, envelope, userId: caller.me.id, connId: caller.connId, transport: caller.transport() };
			return { ok: true, data: await given.around(about, () => run(caller, name, input)) };
		} catch (error) {
			const refusal = asRefusal(error);
			if (refusal) return { ok: false, code: refusal.code, details: refusal.details };
			if (given.isUnavailable(error)) {
				const reference = given.refer(error);
				return { ok: false, code: "unavailable", ...(reference ? { details: { reference } } : {}) };
			}
			const reference = given.report(error, { call: name.slice(0, 40), user_id: caller.me.id });
			return { ok: false, code: "failed", details: { reference } };
		}
	};
}
