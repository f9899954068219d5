import { Audience, type Seat, takeSeat } from "./audience.ts";
import type { Connection } from "./connection.ts";
import { cpuBetween, cpuTime } from "./cpu.ts";
import type { Faults } from "./delivery-check.ts";
import { closedLoop, paced } from "./load.ts";
import { median, percentile, rounded } from "./statistics.ts";
import { type Running, type SystemName, startSystem, systemNames } from "./systems.ts";

/** What one system did in one scenario; which figures there are depends on the scenario. */
export type Figures = Record<string, number> & Faults;
export type Result = Record<SystemName, Figures>;
type Tell = (line: string) => void;
type Scenario = { what: string; run(quick: boolean, tell: Tell): Promise<Result> };

type Seated = { name: SystemName; running: Running; audience: Audience };

/** Runs `work` with every system up and everybody connected; leaves and stops them whatever happens. */
async function withAll<T>(shape: { rooms: number; members: number }, senders: number, work: (all: Seated[]) => Promise<T>): Promise<T> {
	const all: Seated[] = [];
	try {
		for (const name of systemNames) {
			const running = await startSystem(name, shape);
			all.push({ name, running, audience: await Audience.gather(running, senders) });
		}
		return await work(all);
	} finally {
		for (const { audience } of all) audience.leave();
		await Promise.all(all.map(({ running }) => running.stop()));
	}
}

/** A round each, every time beginning with another one, so that whatever else the machine does hits all alike. */
async function alternate<T extends { name: SystemName }, R>(
	rounds: number,
	all: T[],
	run: (each: T, round: number) => Promise<R>,
): Promise<Record<SystemName, R[]>> {
	const results = Object.fromEntries(systemNames.map((name) => [name, [] as R[]])) as Record<SystemName, R[]>;
	for (let round = 0; round < rounds; round++) {
		for (let i = 0; i < all.length; i++) {
			const each = all[(i + round) % all.length] as T;
			results[each.name].push(await run(each, round));
		}
	}
	return results;
}

/** `figure` of each round divided by that of bare Socket.IO in the same round, and the median of these. */
function paired<R>(rounds: Record<SystemName, R[]>, name: SystemName, to: SystemName, figure: (round: R) => number): number {
	return median(rounds[name].map((round, i) => figure(round) / figure(rounds[to][i] as R)));
}

const toResult = (figures: (name: SystemName) => Figures): Result =>
	Object.fromEntries(systemNames.map((name) => [name, figures(name)])) as Result;

/** Throughput: how many deliveries a CPU-second buys, the database's CPU counted. */
function throughput(what: string, load: { rooms: number; members: number; outstanding: number; senders: number }): Scenario {
	async function run(quick: boolean, tell: Tell): Promise<Result> {
		const [milliseconds, warmUp, rounds] = quick ? [500, 500, 1] : [2500, 2000, 5];
		const shape = quick ? { ...load, rooms: Math.min(load.rooms, 10) } : load;
		return withAll(shape, load.senders, async (all) => {
			for (const { audience, running } of all) await closedLoop(audience, running.pid, { ...load, milliseconds: warmUp });
			const bursts = await alternate(rounds, all, async ({ name, audience, running }, round) => {
				const burst = await closedLoop(audience, running.pid, { ...load, milliseconds });
				tell(
					`round ${round + 1} ${name}: ${Math.round(perCpuSecond(burst))} deliveries per CPU-second, ${Math.round(burst.messages / burst.seconds)} messages/s`,
				);
				return burst;
			});
			return toResult((name) => {
				const mine = bursts[name];
				const ack = mine.flatMap((burst) => burst.ack);
				const total = (figure: (burst: (typeof mine)[number]) => number) => mine.reduce((sum, burst) => sum + figure(burst), 0);
				return {
					deliveriesPerCpuSecond: Math.round(median(mine.map(perCpuSecond))),
					ratioToBare: rounded(paired(bursts, name, "bare-socket.io", perCpuSecond), 2),
					ratioToJoinedWs: rounded(paired(bursts, name, "ws-joined", perCpuSecond), 2),
					messages: total((burst) => burst.messages),
					deliveries: total((burst) => burst.deliveries),
					messagesPerSecond: Math.round(median(mine.map((burst) => burst.messages / burst.seconds))),
					storeShareOfCpu: rounded(total((burst) => burst.cpu.store) / total((burst) => burst.cpu.server + burst.cpu.store), 2),
					ackP50: rounded(percentile(ack, 0.5), 2),
					ackP99: rounded(percentile(ack, 0.99), 2),
					...faultsOf(all, name),
				};
			});
		});
	}
	return { what, run };
}

const perCpuSecond = (burst: { deliveries: number; cpu: { server: number; store: number } }) =>
	burst.deliveries / (burst.cpu.server + burst.cpu.store);
const faultsOf = (all: Seated[], name: SystemName) => (all.find((each) => each.name === name) as Seated).audience.faults();

/** Latency at a pace far below what anybody can take: 100 messages a second into 100 members. */
async function runPaced(quick: boolean, tell: Tell): Promise<Result> {
	const [milliseconds, warmUp, rounds] = quick ? [500, 300, 1] : [4000, 1500, 4];
	const load = { perSecond: 100, senders: 10 };
	return withAll({ rooms: 1, members: 100 }, load.senders, async (all) => {
		for (const { audience, running } of all) await paced(audience, running.pid, { ...load, milliseconds: warmUp });
		const heard = await alternate(rounds, all, async ({ name, audience, running }, round) => {
			const { ack, delivery, messages } = await paced(audience, running.pid, { ...load, milliseconds });
			const figures = {
				ackP50: percentile(ack, 0.5),
				ackP99: percentile(ack, 0.99),
				deliveryP50: percentile(delivery, 0.5),
				deliveryP99: percentile(delivery, 0.99),
				messages,
			};
			tell(
				`round ${round + 1} ${name}: ack p50 ${figures.ackP50.toFixed(2)} p99 ${figures.ackP99.toFixed(2)}, delivery p50 ${figures.deliveryP50.toFixed(2)} p99 ${figures.deliveryP99.toFixed(2)} ms`,
			);
			return figures;
		});
		return toResult((name) => {
			const mine = heard[name];
			const middle = (key: "ackP50" | "ackP99" | "deliveryP50" | "deliveryP99") => rounded(median(mine.map((round) => round[key])), 2);
			return {
				ackP50: middle("ackP50"),
				ackP99: middle("ackP99"),
				deliveryP50: middle("deliveryP50"),
				deliveryP99: middle("deliveryP99"),
				ackP99ToBare: rounded(
					paired(heard, name, "bare-socket.io", (round) => round.ackP99),
					2,
				),
				deliveryP99ToBare: rounded(
					paired(heard, name, "bare-socket.io", (round) => round.deliveryP99),
					2,
				),
				messages: mine.reduce((sum, round) => sum + round.messages, 0),
				...faultsOf(all, name),
			};
		});
	});
}

const none: Faults = { lost: 0, duplicated: 0, reordered: 0 };
const seatsOf = (running: Running): Seat[] => running.rooms.flatMap(({ id, cookies }) => cookies.map((cookie) => ({ room: id, cookie })));

type Storm = { failures: number; seconds: number; cpuSeconds: number; reasons: Map<string, number>; connections: Connection[] };

/** Connects everybody at the same moment; resolves when each is welcomed or has failed. */
async function storm(running: Running, seats: Seat[], within: number): Promise<Storm> {
	const from = { cpu: cpuTime(running.pid), at: performance.now() };
	const reasons = new Map<string, number>();
	const connections: Connection[] = [];
	let over = false;
	const outcomes = seats.map(
		(seat) =>
			new Promise<boolean>((resolve) => {
				const failed = (reason: string) => {
					if (!over) reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
					resolve(false);
				};
				const timer = setTimeout(failed, within, `no welcome within ${within} ms`);
				const settle = (done: () => void) => {
					clearTimeout(timer);
					done();
				};
				connections.push(
					takeSeat(running, seat, { welcomed: () => settle(() => resolve(true)), failed: (reason) => settle(() => failed(reason)) }),
				);
			}),
	);
	const welcomed = await Promise.all(outcomes);
	over = true;
	const { server, store } = cpuBetween(from.cpu, cpuTime(running.pid));
	return {
		failures: welcomed.filter((is) => !is).length,
		seconds: (performance.now() - from.at) / 1000,
		cpuSeconds: server + store,
		reasons,
		connections,
	};
}

async function withOne<T>(
	name: SystemName,
	shape: { rooms: number; members: number },
	work: (running: Running) => Promise<T>,
	flags: string[] = [],
): Promise<T> {
	const running = await startSystem(name, shape, flags);
	try {
		return await work(running);
	} finally {
		await running.stop();
	}
}

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Connects a few at a time: what a storm leaves behind in the heap belongs to the storm. */
async function connectGently(running: Running, seats: Seat[]): Promise<{ connections: Connection[]; failures: number }> {
	const connections: Connection[] = [];
	let failures = 0;
	for (let i = 0; i < seats.length; i += 50) {
		const some = await storm(running, seats.slice(i, i + 50), 20_000);
		connections.push(...some.connections);
		failures += some.failures;
	}
	return { connections, failures };
}

/** Young objects get up to 48 MB as soon as a server is busy, whoever asks; over 1,000 connections that would hide their own. */
const smallNursery = "--max-semi-space-size=1";

/**
 * Resident memory of the server per connection that is open and says nothing. `live` is the part of
 * it that the garbage collector knows; the rest is the system's own and pages half full.
 */
async function runIdle(quick: boolean, tell: Tell): Promise<Result> {
	const [rooms, members] = [quick ? 2 : 10, 100];
	const results = {} as Result;
	for (const name of systemNames) {
		results[name] = await withOne(
			name,
			{ rooms, members },
			async (running) => {
				const seats = seatsOf(running);
				// Some first, and away again: code is compiled and pools are filled, which is no cost of a connection.
				const first = await connectGently(running, seats.slice(0, 100));
				for (const connection of first.connections) connection.close();
				await pause(1000);
				const before = await running.memory();
				const { connections, failures } = await connectGently(running, seats);
				// What is gathered over a second (who came) has been told by then.
				await pause(quick ? 1200 : 2000);
				const after = await running.memory();
				for (const connection of connections) connection.close();
				const perConnection = (key: "resident" | "live") => rounded((after[key] - before[key]) / 1024 / seats.length, 1);
				const [resident, live] = [perConnection("resident"), perConnection("live")];
				// A heap that had room left grows by less than what is put into it: then what is alive is the honest figure.
				const figures = { kilobytesPerConnection: Math.max(resident, live), residentKilobytes: resident, liveKilobytes: live };
				tell(`${name}: ${figures.kilobytesPerConnection} KB per connection (resident ${resident}, alive ${live})`);
				return { ...figures, connections: seats.length, failures, megabytesAtRest: rounded(before.resident / 1024 / 1024, 0), ...none };
			},
			[smallNursery],
		);
	}
	return results;
}

/** Everybody at once, as after a restart. */
async function runStorm(quick: boolean, tell: Tell): Promise<Result> {
	const [rooms, members] = [quick ? 3 : 20, 100];
	const results = {} as Result;
	for (const name of systemNames) {
		results[name] = await withOne(name, { rooms, members }, async (running) => {
			const seats = seatsOf(running);
			const { failures, seconds, cpuSeconds, reasons, connections } = await storm(running, seats, 30_000);
			for (const connection of connections) connection.close();
			tell(`${name}: ${seats.length} connects, ${failures} failed, all in after ${seconds.toFixed(2)} s`);
			for (const [reason, times] of reasons) tell(`  ${times} times: ${reason}`);
			return {
				connects: seats.length,
				failures,
				seconds: rounded(seconds, 2),
				connectsPerCpuSecond: Math.round(seats.length / cpuSeconds),
				...none,
			};
		});
	}
	return results;
}

export const scenarios = {
	"1x100": throughput("1 room of 100, 8 messages under way from 4 senders", { rooms: 1, members: 100, outstanding: 8, senders: 4 }),
	"50x20": throughput("50 rooms of 20, 1 message under way in each: frames that cannot be joined", {
		rooms: 50,
		members: 20,
		outstanding: 1,
		senders: 1,
	}),
	paced: { what: "100 messages a second into a room of 100; ms from when each was due", run: runPaced },
	idle: { what: "memory of connections that say nothing", run: runIdle },
	storm: { what: "everybody connects at the same moment", run: runStorm },
} as const satisfies Record<string, Scenario>;
export type ScenarioName = keyof typeof scenarios;
export const scenarioNames = Object.keys(scenarios) as ScenarioName[];
