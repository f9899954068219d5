import { randomUUID } from "node:crypto";
import type { TracePart, TraceParts } from "../contract/ops.ts";
import { everybody, type Peers } from "./peers.ts";

/** Who has not answered by then, ms, is named instead: an operator waits, and a frozen process never answers. */
const answersWithin = 1000;
/** Where an instance is told what it asked for. */
const channelOf = (instance: string): string => `instance:${instance}`;
/** An instance's name without what only makes it unique. */
const nameOf = (instance: string): string => instance.split("#")[0] as string;

/**
 * A trace is kept by each instance as far as it went there. Asks the others for their parts, and answers them with its own;
 * `others` are those that gave a sign of life lately, and `part` gives null where nothing is kept.
 */
export function openTraceParts(given: {
	peers: Peers;
	/** This instance, as `peers` names it. */
	self: string;
	others: () => readonly string[];
	part: (reference: string) => TracePart | null;
	within?: number;
}): (reference: string) => Promise<TraceParts> {
	const { peers, self } = given;
	const asking = new Map<string, (from: string, part: TracePart | null) => void>();

	peers.follow(channelOf(self));
	peers.on("trace-asked", ({ ask, reference }, from) =>
		peers.tell(channelOf(from), { kind: "trace-told", ask, part: given.part(reference) }),
	);
	peers.on("trace-told", ({ ask, part }, from) => asking.get(ask)?.(from, part));

	return async (reference) => {
		const parts: TracePart[] = [];
		const silent = new Set(given.others());
		if (silent.size > 0 && peers.isOpen())
			await new Promise<void>((done) => {
				const ask = randomUUID();
				const end = () => {
					clearTimeout(late);
					asking.delete(ask);
					done();
				};
				const late = setTimeout(end, given.within ?? answersWithin);
				asking.set(ask, (from, part) => {
					if (part) parts.push(part);
					silent.delete(from);
					if (silent.size === 0) end();
				});
				peers.tell(everybody, { kind: "trace-asked", ask, reference });
			});
		return { parts, silent: [...silent].map(nameOf) };
	};
}
