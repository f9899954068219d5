import type { CallInput, Posted } from "../../app/contract/calls.ts";
import type { MyRoom, OpenedRoom, Person } from "../../app/contract/shapes.ts";
import { count } from "../instruments.ts";
import type { recordCalls } from "./calls.ts";
import { directionOf } from "./describe.ts";
import type { Shared } from "./shared.ts";
import { endingOf } from "./spans.ts";

type UseCase = (...given: never[]) => unknown;
type After = (result: unknown, given: readonly unknown[], error: unknown) => void;

/**
 * Wraps the domain's use cases from outside, by the noun and verb they are called: what only they know (who entered, which
 * room was joined, what kind a room is) is told here, so that the domain holds not a line of it.
 */
export function recordUseCases(shared: Shared, calls: ReturnType<typeof recordCalls>) {
	const learn = (room: unknown) => {
		const { id, kind } = (room ?? {}) as Partial<MyRoom>;
		if (id && kind) shared.learnKind(id, kind);
	};
	const joined: After = (room, given, error) => {
		learn(room);
		if (!error) shared.log.info("room.joined", { room_id: (room as MyRoom | undefined)?.id, user_id: (given[0] as Person).id });
	};
	const entered = (method: "guest" | "return", userId: string | undefined, error: unknown) => {
		const { outcome, errorType } = error ? endingOf(error, shared.isUnavailable) : { outcome: "ok" as const, errorType: undefined };
		count("chat.auth.attempts", 1, { method, outcome });
		if (userId) shared.log.info("auth.login.succeeded", { method, user_id: userId });
		else shared.log.warn("auth.login.failed", { method, error_code: errorType });
	};
	const after: Record<string, After> = {
		"people.enter": (person, _given, error) => entered("guest", (person as Person | undefined)?.id, error),
		"auth.comeBack": (back, _given, error) => {
			const me = (back as { me: Person } | null | undefined)?.me;
			// Nobody to come back as is no attempt.
			if (me || error) entered("return", me?.id, error);
		},
		"auth.becomeOwner": (_done, given, error) => {
			const { outcome } = error ? endingOf(error, shared.isUnavailable) : { outcome: "ok" as const };
			count("chat.auth.attempts", 1, { method: "owner-link", outcome });
			if (!error) shared.log.warn("admin.action", { action: "become-owner", user_id: (given[0] as Person).id });
		},
		"auth.leave": (_cookies, given, error) => {
			if (!error) shared.log.info("auth.logout", { user_id: (given[0] as { me: Person }).me.id });
		},
		"rooms.mine": (rooms) => {
			for (const room of (rooms ?? []) as MyRoom[]) learn(room);
		},
		"rooms.open": (opened) => learn((opened as OpenedRoom | undefined)?.room),
		"rooms.create": joined,
		"rooms.direct": (room) => learn(room),
		"rooms.join": joined,
		"rooms.leave": (_done, given, error) => {
			if (!error) shared.log.info("room.left", { room_id: (given[1] as { roomId: string }).roomId, user_id: (given[0] as Person).id });
		},
		"messages.stretch": (stretch, given) => {
			const input = given[1] as CallInput<"message:stretch">;
			const direction = directionOf(input);
			if (stretch)
				shared.log.debug("history.page", {
					room_id: input.roomId,
					user_id: (given[0] as Person).id,
					direction,
					returned: (stretch as { messages: unknown[] }).messages.length,
				});
		},
	};

	return function observe<T extends object>(noun: string, useCases: T): T {
		const wrapped = Object.entries(useCases).map(([verb, useCase]): [string, unknown] => {
			const name = `${noun}.${verb}`;
			const tell = after[name];
			if (name === "messages.post") return [verb, recordPost(useCase as (...given: unknown[]) => Promise<unknown>)];
			return [verb, tell ? told(useCase as UseCase, tell) : useCase];
		});
		return Object.fromEntries(wrapped) as T;
	};

	function told(verb: UseCase, tell: After) {
		return async (...given: unknown[]) => {
			let error: unknown;
			let result: unknown;
			try {
				result = await verb(...(given as never[]));
				return result;
			} catch (caught) {
				error = caught;
				throw caught;
			} finally {
				shared.aside(() => tell(result, given, error));
			}
		};
	}

	/** The message's own: a call of the socket is known here already, a form's post becomes one. */
	function recordPost(post: (...given: unknown[]) => Promise<unknown>) {
		return async (...given: unknown[]) => {
			const [me, input] = given as [Person, CallInput<"message:post">];
			const about = { name: "message:post" as const, input, envelope: undefined, userId: me.id, connId: "", transport: "unknown" };
			const posted = await calls.message(about, () => post(...given));
			// By a command.
			if ((posted as Posted).seq === null && (posted as { notice?: string }).notice === "left")
				shared.aside(() => shared.log.info("room.left", { room_id: input.roomId, user_id: me.id }));
			return posted;
		};
	}
}
