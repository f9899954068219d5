import type { Fact, Signal } from "../contract/facts.ts";
import type { Sql } from "../storage/sql.ts";

/** What the domain announces, with its audience. Realtime, telemetry and the bot all listen to the same stream. */
export type News =
	| { to: { roomId: string }; fact: Fact }
	| { to: { userId: string }; signal: Signal }
	/** A member's pointers moved; whoever shows them may gather several. */
	| { to: { roomId: string }; pointer: { userId: string; deliveredSeq: number; displayedSeq: number } };

export type Publish = (news: News) => void;

/** Everything the domain needs from outside: handed in, so that a test builds the real thing with one part swapped. */
export type Ports = {
	sql: Sql;
	publish: Publish;
	/** UUIDv7. */
	ids: () => string;
};
