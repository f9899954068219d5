import { setTimeout as sleep } from "node:timers/promises";
import { enter } from "../../tests/support/crash-charla.ts";
import { type LivePerson, openPerson } from "../../tests/support/crash-person.ts";

/** What each scene did to people, ms. */
export type SceneFigures = {
	scene: string;
	messages: number;
	/** The longest time each person was without a complete connection: lost, until caught up. */
	blackouts: number[];
	/** How long after it was first seen anywhere a message came to somebody, over all people and messages. */
	arrivals: number[];
};
export type Crowd = Awaited<ReturnType<typeof openCrowd>>;

/** Between two messages of one person, ms: below what the rate limit lets one write for ever. */
const pace = { from: 1100, to: 1900 };

/**
 * People who talk in the lobby all the while, by the client every browser runs, and note when they were without a connection and when
 * each message reached them.
 */
export async function openCrowd(url: string, size: number) {
	const people: LivePerson[] = [];
	for (let n = 1; n <= size; n++) people.push(await openPerson(`Person ${n}`, url, await enter(url, `Person ${n}`)));
	let talking = true;
	let scene = "before";
	const scenes = new Map<string, { from: number; lost: Map<string, number>; cursorAt: Map<string, number> }>();
	/** By person: when each was at which place of the log. */
	const arrived = new Map<string, { cursor: number; at: number }[]>(people.map(({ name }) => [name, []]));
	const outSince = new Map<string, number>();

	function watch(person: LivePerson): () => void {
		return person.live.subscribe(() => {
			const now = performance.now();
			const { connection, open } = person.live.getState();
			const marks = arrived.get(person.name) ?? [];
			const cursor = open?.cursor ?? 0;
			if (cursor > (marks.at(-1)?.cursor ?? 0)) marks.push({ cursor, at: now });
			const isWhole = connection.state === "online" && connection.synced;
			const since = outSince.get(person.name);
			if (!isWhole && since === undefined) outSince.set(person.name, now);
			if (!isWhole || since === undefined) return;
			outSince.delete(person.name);
			note(person.name, now - since);
		});
	}
	function note(name: string, ms: number): void {
		const lost = scenes.get(scene)?.lost;
		lost?.set(name, Math.max(lost.get(name) ?? 0, ms));
	}
	const forget = people.map(watch);

	const loops = people.map(async (person) => {
		while (talking) {
			person.say();
			await sleep(pace.from + Math.random() * (pace.to - pace.from));
		}
	});

	function begin(name: string): void {
		scene = name;
		const cursorAt = new Map(people.map((person) => [person.name, person.cursor()]));
		scenes.set(name, { from: Math.max(...cursorAt.values()), lost: new Map(), cursorAt });
	}

	return {
		people,
		begin,
		acked: () => people.reduce((sum, person) => sum + person.told.acked.size, 0),
		describe: () => people.map((person) => person.describe()).join("\n"),
		/** Waits until everybody has a connection and so many more messages are acknowledged. */
		async flowing(messages: number, within: number): Promise<void> {
			const enough = this.acked() + messages;
			const end = Date.now() + within;
			while (this.acked() < enough || outSince.size > 0) {
				if (Date.now() > end) throw new Error(`The conversation did not go on:\n${this.describe()}`);
				await sleep(50);
			}
		},
		/** Stops talking; resolves when everything written is stored and everybody has all of it. */
		async settle(lastSeq: () => Promise<number>, within: number): Promise<void> {
			talking = false;
			await Promise.all(loops);
			const end = Date.now() + within;
			const wait = async (done: () => boolean) => {
				for (; !done(); await sleep(50)) if (Date.now() > end) throw new Error(`Not everybody has everything:\n${this.describe()}`);
			};
			await wait(() => people.every((person) => person.isSettled()));
			const last = await lastSeq();
			await wait(() => people.every((person) => person.cursor() >= last));
		},
		figures(): SceneFigures[] {
			const first = new Map<number, number>();
			const at = (marks: { cursor: number; at: number }[], seq: number) => marks.find(({ cursor }) => cursor >= seq)?.at;
			const starts = [...scenes.entries()];
			return starts.map(([name, { from, lost }], index) => {
				const to = starts[index + 1]?.[1].from ?? Math.max(...people.map((person) => person.cursor()));
				const arrivals: number[] = [];
				for (let seq = from + 1; seq <= to; seq++) {
					const times = people.flatMap((person) => at(arrived.get(person.name) ?? [], seq) ?? []);
					first.set(seq, Math.min(...times));
					for (const time of times) arrivals.push(time - Math.min(...times));
				}
				return { scene: name, messages: to - from, blackouts: people.map((person) => lost.get(person.name) ?? 0), arrivals };
			});
		},
		close(): void {
			talking = false;
			for (const stop of forget) stop();
			for (const person of people) person.close();
		},
	};
}

export function percentile(values: readonly number[], share: number): number {
	const sorted = [...values].sort((a, b) => a - b);
	return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}
