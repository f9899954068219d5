import type { Rate } from "../contract/limits.ts";
import { everybody, type Peers } from "./peers.ts";

/** What was taken is gathered so long, ms: a hint per message would be as dear as the message. */
const gatherFor = 20;

/** Whether a limit spans instances. What one socket may call does not: it is on one instance. */
const isShared = (key: string): boolean => !key.startsWith("call ");

/**
 * Tells the other instances which tokens were taken here, and this one what they took, so that a limit is one limit however
 * many instances somebody talks to. `taken` goes where the buckets report; `heard` is theirs to hear.
 */
export function shareRates(peers: Peers, heard: (rate: Rate, key: string, tokens: number) => void): (rate: Rate, key: string) => void {
	let spent = new Map<string, [string, Rate, number]>();

	peers.on("spent", (hint) => {
		for (const [key, rate, tokens] of hint.spent) heard(rate, key, tokens);
	});

	function flush(): void {
		const all = [...spent.values()];
		spent = new Map();
		peers.tell(everybody, { kind: "spent", spent: all });
	}

	return (rate, key) => {
		if (!peers.isOpen() || !isShared(key)) return;
		const entry = spent.get(key);
		if (entry) entry[2]++;
		else {
			if (spent.size === 0) setTimeout(flush, gatherFor).unref();
			spent.set(key, [key, rate, 1]);
		}
	};
}
