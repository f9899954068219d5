import { monitorEventLoopDelay } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { seeded, shuffled } from "../../bench/seeded.ts";
import { percentile } from "../../bench/statistics.ts";
import { until } from "../support/crash-charla.ts";
import { type Found, openAudit } from "./audit.ts";
import { openCrowd } from "./crowd.ts";
import { describeFault, drawFault, type Fault, type FaultKind, faultKinds, faults } from "./faults.ts";
import { openFleet } from "./fleet.ts";
import { openLoad } from "./load.ts";
import type { Network } from "./network.ts";
import { presenceRight } from "./presence.ts";

export type ChaosOptions = {
	seed: number;
	instances: number;
	people: number;
	/** Messages a second from all together. */
	rate: number;
	/** Which faults; each comes once in an order of the seed's, then all again. */
	kinds?: readonly FaultKind[];
	/** Ends after the fault during which so many minutes are over, or (if given) so many deliveries were made. */
	minutes: number;
	deliveries?: number;
	/** After every kind had its turn once it is enough. */
	once?: boolean;
	/** Calm talk before the first fault, ms; else 8 s, in which what is kept on purpose is filled before memory is compared. */
	warmUp?: number;
	/** Where the version before this one is built; not needed without `rolling-versions`. */
	before?: string;
};

/** One fault and what came of it; times in ms. */
export type Struck = {
	fault: Fault;
	what: string;
	/** How long people heard nothing new, each person once. */
	blackout: { p50: number; p95: number; max: number };
	/** Who heard nothing for longest, and what happened to their attempts to connect. */
	slowest: string;
	/** People the server told to catch up, because they had read too slowly. */
	resyncs: number;
	/** From the moment it was put right until everybody had everything. */
	settled: number;
	/** From the moment it was put right until every instance knew who is here. */
	presence: number;
	/** How long the thread of the people was late for itself: what they waited below some turns of it says nothing of the servers. */
	late: { p50: number; max: number };
	/** MB alive in each instance afterwards. */
	heap: number[];
	found: Found;
};

export type ChaosReport = {
	seed: number;
	/** What was to be done to it; others are left out where they cannot be. */
	kinds: readonly FaultKind[];
	instances: number;
	people: number;
	minutes: number;
	said: number;
	acknowledged: number;
	messages: number;
	deliveries: number;
	/** Deliveries on a page that was open, in order. */
	shown: number;
	lost: number;
	doubled: number;
	reordered: number;
	miscounted: number;
	resyncs: number;
	resets: number;
	polling: number;
	blackout: { p50: number; p95: number; max: number };
	/** MB alive in each instance before the first fault and after the last. */
	heap: { before: number[]; after: number[] };
	struck: Struck[];
	/** Everything that must not be, in words; empty when all is well. */
	problems: string[];
};

/** Talk goes on for at least so long after a fault was put right, ms. */
const afterwards = 2000;
/** Whoever hears nothing for longer is told of by name, ms. */
const slowAbove = 30_000;
/** Everybody must hear something again within this, ms: the longest wait between two attempts of a browser is 45 s. */
const hearAgainWithin = 180_000;
const settleWithin = 120_000;
/** The product's promise, ms, from the moment that everything is put right; asked for on a machine that does much else. */
const presenceWithin = 45_000;
/** What an instance may hold more than before the first fault, MB: caches that fill, and what its telemetry keeps for operators. */
const heapGrowth = 60;

/**
 * Several real servers, hundreds of real clients that talk all the while, and one fault after the other. After each one
 * everything is held against the database. Resolves with what was found; rejects only when the machinery itself fails.
 */
export async function runChaos(options: ChaosOptions, network: Network, tell: (line: string) => void): Promise<ChaosReport> {
	const random = seeded(options.seed);
	const stops: (() => unknown)[] = [];
	const problems: string[] = [];
	const turns = monitorEventLoopDelay({ resolution: 20 });
	turns.enable();
	stops.push(() => turns.disable());
	const late = () => ({ p50: Math.round(turns.percentile(50) / 1e6), max: Math.round(turns.max / 1e6) });
	/** Whoever looks for the cause must know whether it may be this very process. */
	const lateInWords = () => `the turns of this process took p50 ${late().p50}, at most ${late().max} ms`;
	try {
		tell(`seed ${options.seed}: ${options.instances} instances, ${options.people} people, ${options.rate} messages/s`);
		tell(network.what);
		const fleet = await openFleet(options.instances, { network });
		stops.push(fleet.stop);
		tell(`the fleet is up at ${fleet.url}`);
		const crowd = await openCrowd(fleet, options.people, tell);
		stops.push(crowd.close);
		const { people, ledger } = crowd;
		const load = openLoad(people, options.rate, seeded(options.seed + 1));
		stops.push(load.stop);
		const audit = openAudit(crowd);
		const began = Date.now();
		const isOver = () => {
			const minutes = (Date.now() - began) / 60_000;
			return minutes >= options.minutes || (options.deliveries !== undefined && ledger.deliveries() >= options.deliveries);
		};
		const present = () => people.filter((person) => !person.isAway());
		const resyncs = () => people.reduce((total, person) => total + person.counts().resyncs, 0);

		/** Nobody talks; waits until everybody present has everything that is stored. */
		async function settle(): Promise<void> {
			load.stop();
			await until(
				() => present().every((person) => person.isSettled()),
				settleWithin,
				() => `not everybody settled, ${lateInWords()}:\n${unsettled(present().filter((person) => !person.isSettled()))}`,
			);
			const heads = await audit.heads();
			const isLevel = (person: (typeof people)[number]) =>
				[...person.followed].every(([roomId, { upTo }]) => upTo === heads.get(roomId) && person.live.getState().cursors[roomId] === upTo);
			await until(
				() => present().every(isLevel),
				settleWithin,
				() => `not everybody has everything, ${lateInWords()}:\n${unsettled(present().filter((person) => !isLevel(person)))}`,
			);
		}
		const heap = async () => Promise.all(fleet.instances.map(async (instance) => Math.round((await instance.probe()).heapUsed / 1e5) / 10));

		load.start();
		await sleep(options.warmUp ?? 8000);
		await settle();
		problems.push(...describe(await audit.check(), "before any fault"));
		await presenceRight(fleet, crowd, presenceWithin);
		const heapBefore = await heap();
		tell(`calm: ${ledger.deliveries()} deliveries, heap ${heapBefore.join(" ")} MB`);

		const struck: Struck[] = [];
		const blackouts: number[] = [];
		const kinds = options.kinds ?? faultKinds;
		let round: FaultKind[] = [];
		for (let rounds = 0; !isOver() && problems.length === 0; ) {
			if (round.length === 0) {
				if (options.once && rounds > 0) break;
				round = shuffled(kinds, random);
				rounds++;
			}
			const fault = drawFault(round.shift() as FaultKind, random);
			const what = describeFault(fault, fleet);
			tell(`${struck.length + 1}: ${what}`);
			load.start();
			await sleep(random() * 1000);
			// One of them shuts the lid at the very same moment.
			const leaver = people[Math.floor(random() * people.length)];
			leaver?.leave();
			for (const person of people) person.startWatch();
			turns.reset();
			const resyncsBefore = resyncs();
			await faults[fault.kind].run({ fleet, crowd, load, before: options.before }, fault);
			const righted = Date.now();
			await sleep(afterwards);
			const from = performance.now();
			await until(
				() => present().every((person) => person.heardAt() > from),
				hearAgainWithin,
				() => `somebody hears nothing any more, ${lateInWords()}:\n${unsettled(present().filter((person) => person.heardAt() <= from))}`,
			);
			await settle();
			const settled = Date.now() - righted;
			const silences = present()
				.filter((person) => fault.kind !== "slow-readers" || !crowd.slow.includes(person))
				.map((person) => person.longestSilence());
			blackouts.push(...silences);
			const slowest = present().reduce((most, person) => (person.longestSilence() > most.longestSilence() ? person : most));
			const found = await audit.check();
			const presence = await presenceRight(fleet, crowd, Math.max(1000, righted + presenceWithin - Date.now())).then(
				() => Date.now() - righted,
				(error: Error) => {
					problems.push(`after ${what}: ${error.message}`);
					return Number.NaN;
				},
			);
			leaver?.comeBack();
			problems.push(...describe(found, `after ${what}`), ...ledger.problems.splice(0));
			const entry: Struck = {
				fault,
				what,
				blackout: spread(silences),
				slowest: slowest.describe(),
				resyncs: resyncs() - resyncsBefore,
				settled,
				presence,
				late: late(),
				heap: await heap(),
				found,
			};
			// A fault that does nothing shows nothing. Without cables how much the system holds for somebody is not ours to say.
			if (fault.kind === "slow-readers" && entry.resyncs === 0)
				(network.isApart ? problems.push.bind(problems) : tell)(`${what}: nobody was so slow that the server told them`);
			struck.push(entry);
			tell(
				`   ${ledger.deliveries()} deliveries; nothing new for p50 ${entry.blackout.p50}, p95 ${entry.blackout.p95}, at most ${entry.blackout.max} ms; ` +
					`settled after ${settled} ms, presence right after ${presence} ms; ${lateInWords()}; heap ${entry.heap.join(" ")} MB; ` +
					`lost ${found.lost}, doubled ${found.doubled}, reordered ${found.reordered}, miscounted ${found.miscounted}` +
					(entry.resyncs > 0 ? `; ${entry.resyncs} told to catch up` : ""),
			);
			if (entry.blackout.max > slowAbove) tell(`   slowest: ${entry.slowest}`);
		}

		await settle();
		const last = await audit.check();
		problems.push(...describe(last, "at the end"), ...ledger.problems);
		const heapAfter = await heap();
		for (const [i, megabytes] of heapAfter.entries())
			if (megabytes > Math.max(...heapBefore) + heapGrowth)
				problems.push(`${fleet.instances[i]?.name} holds ${megabytes} MB, before the first fault the most was ${Math.max(...heapBefore)}`);
		for (const { endings, unexpected } of fleet.instances) problems.push(...endings, ...unexpected);
		const all = [...struck.map((each) => each.found), last];
		const sum = (what: "lost" | "doubled" | "reordered" | "miscounted") => all.reduce((total, each) => total + each[what], 0);
		const counts = people.map((person) => person.counts());
		return {
			seed: options.seed,
			kinds,
			instances: options.instances,
			people: people.length,
			minutes: Math.round((Date.now() - began) / 6000) / 10,
			said: load.said(),
			acknowledged: ledger.acked.size,
			messages: audit.messages(),
			deliveries: ledger.deliveries(),
			shown: counts.reduce((total, each) => total + each.shown, 0),
			lost: sum("lost"),
			doubled: sum("doubled"),
			reordered: sum("reordered"),
			miscounted: sum("miscounted"),
			resyncs: resyncs(),
			resets: counts.reduce((total, each) => total + each.resets, 0),
			polling: counts.filter((each) => each.transport === "polling").length,
			blackout: spread(blackouts),
			heap: { before: heapBefore, after: heapAfter },
			struck,
			problems,
		};
	} finally {
		for (const stop of stops.reverse()) await stop();
	}
}

function spread(values: readonly number[]): { p50: number; p95: number; max: number } {
	return {
		p50: Math.round(percentile(values, 0.5)),
		p95: Math.round(percentile(values, 0.95)),
		max: Math.round(Math.max(0, ...values)),
	};
}

const unsettled = (people: readonly { describe(): string }[]): string =>
	`${people.length} of them, such as\n${people
		.slice(0, 5)
		.map((person) => person.describe())
		.join("\n")}`;

const describe = (found: Found, when: string): string[] => found.examples.map((text) => `${when}: ${text}`);
