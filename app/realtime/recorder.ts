import type { CallName } from "../contract/calls.ts";
import type { Envelope } from "../contract/envelope.ts";
import type { Fact } from "../contract/facts.ts";
import type { Bus } from "./bus.ts";
import type { Source } from "./in-order.ts";

export type { Source } from "./in-order.ts";
export type Adapter = Bus["adapter"];

/** One connection as the recorder sees it; `about` is given back unread. */
export type Connected = { about: unknown };

/**
 * What the sockets tell whoever keeps records, and nothing more: realtime knows no telemetry. The default keeps none. None
 * of these may throw, and none may change what happens.
 */
export type Recorder = {
	/** Runs a call; what it throws goes on being thrown. Called with no ambient context of any request. */
	call<T>(
		about: { name: CallName | "unknown"; input: unknown; envelope: unknown; userId: string; connId: string; transport: string },
		run: () => Promise<T>,
	): Promise<T>;
	/** Somebody stands at the door. `answer` is called once: null when they were let in and welcomed, else the refusal's code. */
	connecting(about: {
		auth: unknown;
		transport: string;
		connId: string;
		addressPrefix?: string;
	}): (answer: string | null, who?: { userId: string }) => void;
	upgraded(connId: string): void;
	disconnected(about: { connId: string; reason: string; transport: string }): void;
	/** Around the announcement of a fact to the sockets of this instance. `send` must be called exactly once. */
	fanOut(fact: Fact, recipients: number, source: Source, send: (envelope?: Envelope) => void): void;
	/** A fact of ours is told to other instances, by `adapter`. Gives the stamps it has so far, for them to go on with. */
	telling(fact: Fact, adapter: Adapter): number[] | undefined;
	/** Facts were missing and came from the log. */
	gap(roomId: string, from: number, to: number): void;
	/** A job of our own, in a context of its own. */
	job<T>(name: "safety-tick", run: () => Promise<T>): Promise<T>;
};

export const noRecorder: Recorder = {
	call: (_about, run) => run(),
	connecting: () => () => {},
	upgraded() {},
	disconnected() {},
	fanOut: (_fact, _recipients, _source, send) => send(),
	telling: () => undefined,
	gap() {},
	job: (_name, run) => run(),
};
