import type { Chart } from "./chart.ts";
import { costs, supposed } from "./costs.ts";
import { simulateFanOut } from "./fan-out.ts";
import { simulateHotRoom } from "./hot-room.ts";
import { type StormResult, simulateStorm } from "./storm.ts";

/** A question, its answer as a chart, and the figures behind it. */
export type Answered = { file: string; chart: Chart; columns: readonly string[]; rows: readonly (readonly (string | number)[])[] };

export const sizes = [10_000, 100_000, 1_000_000, 10_000_000];
const per = supposed.socketsPerInstance.value;
const { down, patience, databaseCores } = supposed;

/** Everybody loses the connection at once and comes back. */
export function storms(seed: number, people: readonly number[] = sizes): Answered {
	const largest = Math.max(...people);
	const all = [
		...people.map((count) => ({ count, admitBelow: null })),
		// Where one database is not enough for all of them at once, turning people away early is what saves the day.
		{ count: largest, admitBelow: 2000 },
	].map(({ count, admitBelow }) => ({
		name: `${size(count)} people, ${instancesFor(count)}${admitBelow ? ", turned away early" : ""}`,
		result: storm(seed, count, Math.ceil(count / per), admitBelow),
	}));
	return {
		file: "scale-storm",
		chart: {
			title: "Every instance restarts: how many are back",
			says: "Share of the people who are connected and caught up again, over the seconds since everybody lost the connection.",
			x: { label: "seconds since the connection was lost", to: 180 },
			y: { label: "% of the people are back", to: 100 },
			// The second looks like the first.
			lines: all.filter((_, i) => i !== 1).map(({ name, result }) => ({ name, points: backOverTime(result) })),
		},
		columns: stormColumns,
		rows: all.map(({ name, result }) => stormRow(name, result)),
	};
}

/** More on an instance than it can take back within a browser's patience: with and without saying so. */
export function overload(seed: number, people = 400_000): Answered {
	const instances = Math.ceil(people / (3 * per));
	const all = [
		{ name: "everybody waits in line", result: storm(seed, people, instances, null) },
		{ name: "turned away at once when the line is longer than 2 s", result: storm(seed, people, instances, 2000) },
	];
	return {
		file: "scale-overload",
		chart: {
			title: `A storm on instances with ${size(3 * per)} people each`,
			says: "Without admission control people give up while they wait in line, and the work done for them is lost; with it everybody is back steadily.",
			x: { label: "seconds since the connection was lost", to: 240 },
			y: { label: "% of the people are back", to: 100 },
			lines: all.map(({ name, result }) => ({ name, points: backOverTime(result) })),
		},
		columns: stormColumns,
		rows: all.map(({ name, result }) => stormRow(name, result)),
	};
}

/** One room with everybody in it. */
export function hotRooms(
	seed: number,
	members: readonly number[] = [100, 300, 1000, 3000, 10_000, 30_000, 100_000, 300_000, 1_000_000],
): Answered {
	const ask = (count: number, rate: number, tell: "everything" | { noticesPerSecond: number; looking: number }) =>
		simulateHotRoom({
			seed,
			members: count,
			instances: Math.ceil(count / per),
			rate,
			duration: 60_000,
			message: costs.message.value,
			hint: costs.hint.value,
			deliver: costs.deliver.value,
			joined: costs.joined.value,
			commit: supposed.commit.value,
			tell,
		});
	const kinds = [
		{ name: "5 messages/s, each to everybody", run: (count: number) => ask(count, 5, "everything") },
		{ name: "50 messages/s, each to everybody", run: (count: number) => ask(count, 50, "everything") },
		{
			name: "50 messages/s, notices twice a second, a tenth looks",
			run: (count: number) => ask(count, 50, { noticesPerSecond: 2, looking: 0.1 }),
		},
	];
	const results = kinds.map(({ name, run }) => ({ name, results: members.map((count) => ({ count, result: run(count) })) }));
	return {
		file: "scale-hot-room",
		chart: {
			title: "One room with everybody in it",
			says: "Time until the last member has a message, 99 of 100 messages, by how many members the room has; it climbs to tens of seconds where instances cannot keep up.",
			x: { label: `members, ${size(per)} on an instance`, log: true },
			y: { label: "ms until the last member has it (p99)", log: true, from: 1, to: 100_000 },
			lines: results.map((each) => ({ name: each.name, points: each.results.map(({ count, result }) => [count, result.p99] as const) })),
		},
		columns: ["room", "members", "instances", "messages", "deliveries or notices", "load of an instance", "p50 ms", "p99 ms"],
		rows: results.flatMap((each) =>
			each.results.map(({ count, result }) => [
				each.name,
				count,
				Math.ceil(count / per),
				result.messages,
				result.deliveries,
				`${Math.round(result.load * 100)} %`,
				rounded(result.p50),
				rounded(result.p99),
			]),
		),
	};
}

/** Ordinary talk in rooms of all sizes: what each part has to do. */
export function fanOut(seed: number, people: readonly number[] = sizes): Answered {
	const all = people.map((count) => {
		const instances = Math.ceil(count / per);
		const flow = simulateFanOut({
			seed,
			people: count,
			instances,
			everySeconds: supposed.everySeconds.value,
			sample: 40_000,
			largest: 5000,
		});
		const instanceCores =
			(flow.messages * costs.message.value + flow.hints * costs.hint.value + flow.deliveries * costs.deliver.value) /
			1000 /
			supposed.instanceLoad.value;
		return {
			count,
			instances,
			flow,
			instanceCores,
			database: (flow.messages * costs.store.value) / 1000,
			redis: (flow.hints * supposed.relay.value) / 1000,
			memory: (count * costs.socket.value) / 1e6,
			network: (flow.deliveries * costs.factBytes.value * 8) / 1e9,
		};
	});
	return {
		file: "scale-parts",
		chart: {
			title: "Cores each part needs in the busiest hour",
			says: "Cores for the instances, for one PostgreSQL and for one Redis, by the number of people connected; a Redis has one core, the largest PostgreSQL some 32.",
			x: { label: "people connected", log: true },
			y: { label: "cores", log: true, from: 0.001, to: 10_000 },
			lines: [
				{ name: "instances", points: all.map((each) => [each.count, each.instanceCores] as const) },
				{ name: "PostgreSQL, messages alone", points: all.map((each) => [each.count, each.database] as const) },
				{ name: "Redis", points: all.map((each) => [each.count, each.redis] as const) },
			],
		},
		columns: [
			"people",
			"instances by sockets",
			"messages/s",
			"deliveries/s",
			"hints/s",
			"cores of instances",
			"cores of PostgreSQL",
			"cores of Redis",
			"GB for sockets",
			"Gbit/s out",
		],
		rows: all.map((each) => [
			each.count,
			each.instances,
			rounded(each.flow.messages),
			rounded(each.flow.deliveries),
			rounded(each.flow.hints),
			rounded(each.instanceCores),
			rounded(each.database),
			rounded(each.redis),
			rounded(each.memory),
			rounded(each.network),
		]),
	};
}

function storm(seed: number, people: number, instances: number, admitBelow: number | null): StormResult {
	return simulateStorm({
		seed,
		people,
		instances,
		down: down.value,
		connect: costs.connect.value,
		connectStore: costs.connectStore.value,
		databaseCores: databaseCores.value,
		patience: patience.value,
		admitBelow,
		horizon: 300_000,
	});
}

const stormColumns = ["who", "attempts", "refused", "given up", "half back after", "95 % after", "all after", "work wasted"];

function stormRow(name: string, result: StormResult): (string | number)[] {
	const after = (ms: number | null) => (ms === null ? "not within 5 min" : `${ms / 1000} s`);
	return [
		name,
		result.attempts,
		result.refused,
		result.givenUp,
		after(result.half),
		after(result.most),
		after(result.all),
		`${Math.round(result.wasted * 100)} %`,
	];
}

function backOverTime({ backPerSecond, back, away }: StormResult): [number, number][] {
	let sum = 0;
	return backPerSecond.map((more, second) => {
		sum += more;
		return [second + 1, (sum / (back + away)) * 100];
	});
}

const instancesFor = (count: number) => (count <= per ? "1 instance" : `${Math.ceil(count / per)} instances`);
const rounded = (value: number) => Number(value.toPrecision(3));
const size = (count: number) => (count >= 1e6 ? `${count / 1e6} M` : `${count / 1e3} k`);
