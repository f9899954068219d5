import assert from "node:assert/strict";
import { test } from "node:test";
import { drawChart } from "./chart.ts";
import { type FanOutInput, roomSize, simulateFanOut } from "./fan-out.ts";
import { type HotRoomInput, simulateHotRoom } from "./hot-room.ts";
import { hotRooms, storms } from "./scenarios.ts";
import { type StormInput, simulateStorm } from "./storm.ts";

const storm: StormInput = {
	seed: 1,
	people: 20_000,
	instances: 2,
	down: 3000,
	connect: 1.5,
	connectStore: 0.4,
	databaseCores: 4,
	patience: 20_000,
	admitBelow: null,
	horizon: 200_000,
};
const room: HotRoomInput = {
	seed: 1,
	members: 1000,
	instances: 1,
	rate: 20,
	duration: 60_000,
	message: 0.3,
	hint: 0.3,
	deliver: 0.014,
	joined: 0.003,
	commit: 2,
	tell: "everything",
};
const flow: FanOutInput = { seed: 1, people: 50_000, instances: 5, everySeconds: 120, sample: 5000, largest: 1000 };

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);

test("the same seed gives the same figures and the same drawing, another seed others", () => {
	for (const run of [simulateStorm, simulateStorm].map((simulate) => simulate(storm))) assert.deepEqual(run, simulateStorm(storm));
	assert.deepEqual(simulateHotRoom(room), simulateHotRoom(room));
	assert.deepEqual(simulateFanOut(flow), simulateFanOut(flow));
	assert.notDeepEqual(simulateStorm(storm), simulateStorm({ ...storm, seed: 2 }));
	assert.notDeepEqual(simulateHotRoom(room), simulateHotRoom({ ...room, seed: 2 }));
	assert.notDeepEqual(simulateFanOut(flow), simulateFanOut({ ...flow, seed: 2 }));
	assert.equal(drawChart(storms(1, [5000, 10_000]).chart), drawChart(storms(1, [5000, 10_000]).chart));
});

test("nobody gets lost in a storm: every attempt has one end, everybody is back or away", () => {
	const inputs: Partial<StormInput>[] = [
		{},
		{ admitBelow: 2000 },
		{ people: 60_000 },
		{ people: 60_000, admitBelow: 1000, horizon: 30_000 },
		{ people: 1 },
		{ databaseCores: 1, connectStore: 5 },
	];
	for (const more of inputs) {
		const input = { ...storm, ...more };
		const result = simulateStorm(input);
		assert.equal(result.attempts, result.back + result.refused + result.givenUp, JSON.stringify(more));
		assert.equal(result.back + result.away, input.people);
		assert.equal(sum(result.attemptsPerSecond), result.attempts);
		assert.ok(sum(result.backPerSecond) <= result.back);
		if (result.all !== null) assert.equal(sum(result.backPerSecond), input.people);
		if (input.admitBelow !== null) assert.equal(result.givenUp, 0, "who is let into a short line is served in time");
		// By any moment the instances have done no more work than they had time for, nor has the database.
		for (let second = 1, done = 0; second <= result.backPerSecond.length; second++) {
			done += result.backPerSecond[second - 1] as number;
			const time = Math.max(0, second * 1000 - input.down);
			assert.ok(done * input.connect <= time * input.instances + 1, `${done} back after ${second} s`);
			assert.ok(done * input.connectStore <= time * input.databaseCores + 1);
		}
	}
});

test("nobody is back while the servers are down, and with room enough everybody is soon after", () => {
	const result = simulateStorm({ ...storm, instances: 20, databaseCores: 32 });
	assert.deepEqual(result.backPerSecond.slice(0, 3), [0, 0, 0]);
	assert.equal(result.back, storm.people);
	assert.ok((result.all ?? Number.POSITIVE_INFINITY) < 15_000, `all back after ${result.all}`);
});

test("browsers that all wait the same time come at the same moment; the product's do not", () => {
	const patient = { ...storm, instances: 20, databaseCores: 32 };
	const most = (perSecond: readonly number[]) => Math.max(...perSecond);
	const same = simulateStorm({ ...patient, wait: () => 1000 });
	const spread = simulateStorm(patient);
	assert.equal(most(same.attemptsPerSecond), storm.people);
	// Once the servers are up; before, the first attempts follow one another quickly and cost nobody anything.
	const up = storm.down / 1000;
	assert.equal(most(same.attemptsPerSecond.slice(up)), storm.people);
	assert.ok(most(spread.attemptsPerSecond.slice(up)) < 0.8 * storm.people);
});

test("saying no early beats a long line once people give up in it", () => {
	const crowded = { ...storm, people: 60_000 };
	const inLine = simulateStorm(crowded);
	const admitted = simulateStorm({ ...crowded, admitBelow: 2000 });
	assert.ok(inLine.wasted > 0.3, `${inLine.wasted} was wasted`);
	assert.equal(admitted.wasted, 0);
	assert.ok((admitted.all as number) < (inLine.all ?? Number.POSITIVE_INFINITY));
});

test("a hot room delivers each message to each member, and its load grows with both", () => {
	for (const members of [2, 100, 5000]) {
		const result = simulateHotRoom({ ...room, members });
		assert.equal(result.deliveries, result.messages * members);
		assert.ok(Math.abs(result.messages - 1200) < 200, `${result.messages} messages in a minute at 20 a second`);
		assert.ok(result.p50 >= room.commit && result.p99 >= result.p50);
	}
	const small = simulateHotRoom({ ...room, members: 100 });
	const large = simulateHotRoom({ ...room, members: 1000 });
	assert.ok(large.load > small.load * 2);
	assert.ok(simulateHotRoom({ ...room, members: 20_000 }).behind > 1000, "more than an instance can do piles up");
	const notices = simulateHotRoom({ ...room, members: 20_000, tell: { noticesPerSecond: 2, looking: 0.1 } });
	assert.equal(notices.deliveries, 120 * 20_000);
	assert.equal(notices.behind < 1000, true);
});

test("a fan-out reaches every member once, here or elsewhere, and tells an instance at most once of a message", () => {
	const result = simulateFanOut(flow);
	assert.equal(result.reached, result.reachedHere + result.reachedElsewhere);
	assert.ok(result.reachedHere >= result.followed, "whoever writes is reached where they are");
	assert.ok(Math.abs(result.deliveries - (result.messages * result.reached) / result.followed) < 1e-6);
	assert.ok(result.hints <= result.messages * (flow.instances - 1));
	assert.equal(simulateFanOut({ ...flow, instances: 1 }).hints, 0);
	assert.deepEqual([roomSize(0, 1000), roomSize(0.999_999, 1000)], [2, 1000]);
});

test("a chart says in words what it shows, names every line and keeps its text apart from markup", () => {
	const svg = drawChart({ ...hotRooms(1, [100, 1000]).chart, title: "a <b> & c" });
	assert.match(svg, /<title id="title">a &#60;b&#62; &#38; c<\/title><desc id="says">[^<]{30,}<\/desc>/);
	assert.match(svg, /prefers-color-scheme: dark/);
	assert.equal(svg.match(/class="line c\d" d="M[\d. L]+"/g)?.length, 3);
	assert.ok(!/NaN|undefined|Infinity/.test(svg));
});
