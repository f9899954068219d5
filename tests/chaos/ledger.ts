import type { Fact } from "../../app/contract/facts.ts";
import { keyOf } from "../support/crash-person.ts";

/** What the server said of messages, by everybody together: the same fact must be the same for all. */
export type Ledger = ReturnType<typeof openLedger>;

export type Acked = { roomId: string; seq: number; author: string; body: string };

export function openLedger() {
	const facts = new Map<string, string[]>();
	const acked = new Map<string, Acked>();
	const problems: string[] = [];
	let deliveries = 0;
	return {
		/** Everything that must never happen and did. */
		problems,
		/** Acknowledged messages by clientId. */
		acked,
		/** Messages that reached somebody for the first time. */
		deliveries: () => deliveries,
		delivered(): void {
			deliveries++;
		},
		/** A fact somebody heard. What others heard under this number must be the same. */
		heard(fact: Fact, by: string): void {
			const room = facts.get(fact.roomId) ?? facts.set(fact.roomId, []).get(fact.roomId) ?? [];
			const key = keyOf(fact);
			const before = room[fact.seq];
			if (before === undefined) room[fact.seq] = key;
			else if (before !== key) problems.push(`${by} heard as number ${fact.seq} what is another for others: ${key}, ${before}`);
		},
		/** What was heard as a number of a room, by anybody. */
		factOf: (roomId: string, seq: number): string | undefined => facts.get(roomId)?.[seq],
		ack(clientId: string, ack: Acked): void {
			const before = acked.get(clientId);
			if (before && before.seq !== ack.seq) problems.push(`${ack.body} was acknowledged as ${before.seq} and as ${ack.seq}`);
			acked.set(clientId, ack);
		},
	};
}
