import type { StoredMessage } from "./database.ts";
import type { Crowd } from "./people.ts";

/**
 * What is wrong between what people wrote, were told and saw, and what is stored; nothing, as it should be. Every acknowledged message
 * is stored once, where its acknowledgement said; everybody's are in the order they were written; everybody heard each, once.
 */
export function audit(people: Crowd["people"], stored: readonly StoredMessage[]): string[] {
	const problems: string[] = [];
	const byKey = new Map<string, StoredMessage[]>();
	for (const message of stored)
		byKey.set(`${message.author} ${message.key}`, [...(byKey.get(`${message.author} ${message.key}`) ?? []), message]);
	for (const [key, twice] of byKey) if (twice.length > 1) problems.push(`${key} is stored ${twice.length} times`);
	for (const person of people) {
		for (const [key, ack] of person.told.acked) {
			const [found] = byKey.get(`${person.me.id} ${key}`) ?? [];
			if (!found) problems.push(`${person.name}: ${ack.body} was acknowledged and is not stored`);
			else if (found.seq !== ack.seq) problems.push(`${person.name}: ${ack.body} was acknowledged as ${ack.seq} and is ${found.seq}`);
		}
		const theirs = stored.filter(({ author }) => author === person.me.id).map(({ body }) => body);
		if (theirs.join("\n") !== person.sent.join("\n"))
			problems.push(`${person.name} wrote ${person.sent.length} messages, and ${theirs.length} are stored, or not in this order`);
		const skipped = (seq: number) => person.told.skipped.some(({ after, upTo }) => seq > after && seq <= upTo);
		const unheard = stored.filter(({ seq }) => seq > person.from && !person.told.heard.has(seq) && !skipped(seq));
		if (unheard.length > 0) problems.push(`${person.name} never heard ${unheard.length}, the first of them ${unheard[0]?.seq}`);
		const shown = person.live.getState().open?.messages ?? [];
		const tail = stored.slice(-shown.length);
		if (shown.some((message, i) => message.seq !== tail[i]?.seq)) problems.push(`${person.name} does not see what is stored`);
		problems.push(...person.told.problems.slice(0, 3).map((problem) => `${person.name}: ${problem}`));
	}
	return problems;
}
