import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Crowd } from "./crowd.ts";
import type { Fleet } from "./fleet.ts";
import { openFullDisk } from "./full-disk.ts";
import type { Instance } from "./instance.ts";
import type { LinkState } from "./links.ts";
import type { Load } from "./load.ts";

/** What is done to whom, drawn before the run begins: the same seed gives the same again. */
export type Fault = { kind: FaultKind; victim: number; seconds: number; ms: number };
type Scene = {
	fleet: Fleet;
	crowd: Crowd;
	load: Load;
	/** Where the version before this one is built. */
	before?: string | undefined;
};

const open: LinkState = { kind: "open" };
/** A disk that is not full by then is not going to be, ms. */
const fullWithin = 120_000;

/** Each breaks something, waits, and puts it right again; resolves when it is. Seconds are drawn between the two given. */
export const faults = {
	"kill-instance": { seconds: [0, 3], run: ({ fleet }, fault) => restarted(victim(fleet, fault), "kill", fault) },
	"kill-every-instance": {
		seconds: [0, 1],
		async run({ fleet }, fault) {
			await Promise.all(fleet.instances.map((instance) => restarted(instance, "kill", fault)));
		},
	},
	"kill-redis": {
		seconds: [1, 12],
		async run({ fleet }, fault) {
			await fleet.redis.kill();
			await sleep(fault.seconds * 1000);
			await fleet.redis.start();
		},
	},
	"kill-postgres": { seconds: [0, 0], run: ({ fleet }) => fleet.killDatabase() },
	"freeze-instance": {
		// Long enough for the balancer to give it up, and for its people to be taken for gone.
		seconds: [20, 20],
		async run({ fleet }, fault) {
			const instance = victim(fleet, fault);
			instance.freeze();
			await sleep(fault.seconds * 1000);
			instance.thaw();
		},
	},
	"part-redis": { seconds: [3, 15], run: ({ fleet }, fault) => linked(victim(fleet, fault), "redis", { kind: "stalled" }, fault) },
	"delay-redis": {
		seconds: [3, 8],
		run: ({ fleet }, fault) => linked(victim(fleet, fault), "redis", { kind: "delayed", ms: fault.ms }, fault),
	},
	"part-database": { seconds: [3, 12], run: ({ fleet }, fault) => linked(victim(fleet, fault), "database", { kind: "stalled" }, fault) },
	"delay-database": {
		seconds: [3, 8],
		run: ({ fleet }, fault) => linked(victim(fleet, fault), "database", { kind: "delayed", ms: fault.ms / 2 }, fault),
	},
	"rolling-deploy": {
		seconds: [0, 0],
		async run({ fleet }, fault) {
			for (const instance of fleet.instances) await restarted(instance, "stop", fault);
		},
	},
	"rolling-versions": {
		// Between two instances: so long the versions are side by side, in every share.
		seconds: [0.5, 1.5],
		async run({ fleet, crowd, before }, fault) {
			if (!before) throw new Error("there is no version before this one");
			const roll = async (how: { root?: string }) => {
				for (const instance of fleet.instances) {
					await instance.stop();
					await instance.start(how);
					await sleep(fault.seconds * 1000);
				}
			};
			// Back to the version before, and forth again: pages meet older servers and newer ones.
			await roll({ root: before });
			const toldOf = crowd.people.filter((person) => person.live.getState().connection.newVersion).length;
			if (toldOf < crowd.people.length / 2)
				throw new Error(`only ${toldOf} of ${crowd.people.length} pages know that theirs is another version`);
			await roll({});
		},
	},
	"wrong-clock": {
		seconds: [4, 8],
		async run({ fleet }, fault) {
			const instance = victim(fleet, fault);
			await instance.stop();
			// Five minutes behind, or ahead.
			await instance.start({ skew: (fault.ms < 250 ? -1 : 1) * 300_000 });
			await sleep(fault.seconds * 1000);
			await restarted(instance, "stop", { ...fault, seconds: 0 });
		},
	},
	"full-disk": {
		seconds: [3, 5],
		async run({ fleet }, fault) {
			const instance = victim(fleet, fault);
			const disk = await openFullDisk(fleet.network.isApart ? join(instance.folder, "log") : null);
			await instance.stop();
			await instance.start({ disk });
			// A line is written for each page; for what people say there is none.
			const ask = () => fetch(instance.url).then((page) => page.text());
			// How long some hundred pages take is the machine's affair; the fault begins when there is no room left.
			for (const end = Date.now() + fullWithin; !disk.isFull() && Date.now() < end; ) await ask();
			for (const end = Date.now() + fault.seconds * 1000; Date.now() < end; ) await ask();
			disk.makeRoom();
			await instance.stop();
			instance.unexpected.push(...(await disk.close()).map((text) => `${instance.name}: ${text}`));
			await instance.start();
		},
	},
	"slow-readers": {
		// Less than the 5 s a call may take: after three calls without an answer a page takes its connection for lost, and has nothing to catch up in it.
		seconds: [4, 4.5],
		async run({ fleet, crowd, load }, fault) {
			// Within one machine the system holds some megabytes for somebody who does not read, and that takes longer.
			const seconds = fleet.network.isApart ? fault.seconds : fault.seconds * 2;
			await crowd.slowLine.set({ kind: "stalled" });
			load.letters(crowd.slowRoom);
			await sleep(seconds * 1000);
			load.letters(null);
			await crowd.slowLine.set(open);
		},
	},
} as const satisfies Record<string, { seconds: readonly [number, number]; run(scene: Scene, fault: Fault): Promise<void> }>;

export type FaultKind = keyof typeof faults;
export const faultKinds = Object.keys(faults) as FaultKind[];

/** A fault of a kind, its victim and measures drawn. */
export function drawFault(kind: FaultKind, random: () => number): Fault {
	const [from, to] = faults[kind].seconds;
	return { kind, victim: random(), seconds: Math.round((from + random() * (to - from)) * 10) / 10, ms: Math.round(100 + random() * 300) };
}

/** In words, for whoever watches. */
export function describeFault(fault: Fault, fleet: Fleet): string {
	const everybody: FaultKind[] = [
		"kill-every-instance",
		"kill-redis",
		"kill-postgres",
		"rolling-deploy",
		"rolling-versions",
		"slow-readers",
	];
	const whom = everybody.includes(fault.kind) ? "" : ` of ${victim(fleet, fault).name}`;
	const late = fault.kind.startsWith("delay") ? ` by ${fault.kind === "delay-redis" ? 2 * fault.ms : fault.ms} ms there and back` : "";
	return `${fault.kind}${whom}${fault.seconds > 0 ? ` for ${fault.seconds} s` : ""}${late}`;
}

function victim(fleet: Fleet, fault: Fault): Instance {
	return fleet.instances[Math.floor(fault.victim * fleet.instances.length)] as Instance;
}

async function restarted(instance: Instance, how: "kill" | "stop", fault: Fault): Promise<void> {
	await instance[how]();
	await sleep(fault.seconds * 1000);
	await instance.start();
}

async function linked(instance: Instance, line: "redis" | "database", state: LinkState, fault: Fault): Promise<void> {
	await instance[line].set(state);
	await sleep(fault.seconds * 1000);
	await instance[line].set(open);
}
