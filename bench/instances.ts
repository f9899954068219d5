import { openAuth } from "../app/auth/index.server.ts";
import { openStorage } from "../app/storage/index.server.ts";
import { type Fleet, openFleet, secret } from "../tests/chaos/fleet.ts";
import { takeSeat } from "./audience.ts";
import type { Connection } from "./connection.ts";
import { cpuTime } from "./cpu.ts";
import { DeliveryCheck, type Faults, numberedText } from "./delivery-check.ts";
import { charla } from "./dialects.ts";
import { makeRooms } from "./servers/charla-rooms.ts";
import { percentile, rounded } from "./statistics.ts";

/** CPU seconds by who used them. */
type Cpu = { instances: number; database: number; redis: number };
type Load = { seconds: number; messages: number; deliveries: number; cpu: Cpu; ackP50: number; ackP99: number } & Faults;

/** What a fleet of so many instances did. CPU in ms, memory in KB. */
export type InstancesResult = {
	instances: number;
	connections: number;
	connect: { seconds: number; instanceMs: number; databaseMs: number };
	kilobytesPerSocket: number;
	/** Rooms of two: what a message costs. Rooms of fifty: what its deliveries cost on top. */
	thin: Load;
	wide: Load;
};

const shapes = { thin: { rooms: 20, members: 2 }, wide: { rooms: 10, members: 50 } };
/** Members of each room who write, one message of each under way. */
const sendersPerRoom = 4;
/** What a fleet does when nobody speaks is taken off what it does under load; looked at for so long, ms. */
const idleFor = 4000;
const welcomeWithin = 60_000;
const settleWithin = 20_000;

/**
 * Measures a fleet of real instances with Redis and PostgreSQL: connecting, and a closed loop of one message under way in each room, the
 * members of every room spread over all instances. All on one machine, so CPU time is what counts and not the clock.
 */
export async function benchInstances(count: number, milliseconds: number, tell: (line: string) => void): Promise<InstancesResult> {
	const fleet = await openFleet(count, { env: { LOG_LEVEL: "info" } });
	const log = { info() {}, warn() {}, error() {} };
	const storage = await openStorage({ databaseUrl: fleet.database.url, dataDir: "", log });
	const seats: Connection[] = [];
	try {
		const auth = openAuth({ sql: storage.sql, secret, secure: false });
		const wide = await makeRooms(storage.sql, auth, shapes.wide);
		const thin = await makeRooms(storage.sql, auth, shapes.thin);
		// Some first, and away again: code is compiled and pools are filled.
		const first = await seatAll(fleet, thin, () => undefined);
		for (const seat of first.flatMap((room) => room.seats)) seat.close();
		await new Promise((done) => setTimeout(done, 1000));

		const heapBefore = await heap(fleet);
		const cpuBefore = cpu(fleet);
		const began = performance.now();
		const wideRooms = await seatAll(fleet, wide, (seat) => seats.push(seat));
		const seconds = (performance.now() - began) / 1000;
		const connections = seats.length;
		const connecting = between(cpuBefore, cpu(fleet));
		await new Promise((done) => setTimeout(done, 2000));
		const kilobytesPerSocket = rounded(((await heap(fleet)) - heapBefore) / 1024 / connections, 1);
		const thinRooms = await seatAll(fleet, thin, (seat) => seats.push(seat));
		const connect = {
			seconds: rounded(seconds, 1),
			instanceMs: rounded((connecting.instances * 1000) / connections, 2),
			databaseMs: rounded((connecting.database * 1000) / connections, 2),
		};
		tell(`${count} instances: ${connections} connected in ${connect.seconds} s, ${kilobytesPerSocket} KB each`);
		await loop(fleet, thinRooms, 1000, none);
		const idle = await atRest(fleet);
		const result = {
			instances: count,
			connections,
			connect,
			kilobytesPerSocket,
			thin: await loop(fleet, thinRooms, milliseconds, idle),
			wide: await loop(fleet, wideRooms, milliseconds, idle),
		};
		for (const name of ["thin", "wide"] as const) {
			const { messages, deliveries, cpu: used, ackP50, lost, duplicated, reordered } = result[name];
			tell(
				`  ${name}: ${messages} messages, ${deliveries} deliveries; CPU s: instances ${used.instances}, database ${used.database}, Redis ${used.redis}; ` +
					`ack p50 ${ackP50} ms; lost ${lost}, duplicated ${duplicated}, reordered ${reordered}`,
			);
		}
		return result;
	} finally {
		for (const seat of seats) seat.close();
		await storage.close();
		await fleet.stop();
	}
}

type BenchRoom = { id: string; seats: Connection[]; check: DeliveryCheck; hear: { ack(call: number): void; delivery(): void } };

async function seatAll(
	fleet: Fleet,
	rooms: readonly { id: string; cookies: (string | null)[] }[],
	onSeat: (seat: Connection) => void,
): Promise<BenchRoom[]> {
	const waiting: Promise<void>[] = [];
	const seated = rooms.map(({ id, cookies }, r) => {
		const room: BenchRoom = {
			id,
			seats: [],
			check: new DeliveryCheck(cookies.length, Math.min(sendersPerRoom, cookies.length)),
			hear: { ack() {}, delivery() {} },
		};
		for (const [member, cookie] of cookies.entries()) {
			const { port } = fleet.instances[(member + r) % fleet.instances.length] as { port: number };
			const welcomed = new Promise<void>((resolve, reject) => {
				const timer = setTimeout(() => reject(new Error(`no welcome within ${welcomeWithin} ms`)), welcomeWithin);
				const seat = takeSeat(
					{ port, dialect: charla },
					{ room: id, cookie },
					{
						welcomed() {
							clearTimeout(timer);
							resolve();
						},
						failed: (reason) => reject(new Error(reason)),
						hear(number) {
							room.check.heard(member, number);
							room.hear.delivery();
						},
						ack(call, ok) {
							if (!ok) throw new Error("a message was refused");
							room.hear.ack(call);
						},
					},
				);
				room.seats.push(seat);
				onSeat(seat);
			});
			waiting.push(welcomed);
		}
		return room;
	});
	await Promise.all(waiting);
	return seated;
}

async function loop(fleet: Fleet, rooms: BenchRoom[], milliseconds: number, idle: Cpu): Promise<Load> {
	const took: number[] = [];
	let [messages, deliveries] = [0, 0];
	const before = cpu(fleet);
	const began = performance.now();
	for (const room of rooms) {
		const sentAt: number[] = [];
		const post = (sender: number) => {
			sentAt[sender] = performance.now();
			messages++;
			room.seats[sender]?.send(charla.post(sender, room.id, numberedText(sender, room.check.take(sender))));
		};
		room.hear = {
			ack(sender) {
				took.push(performance.now() - (sentAt[sender] as number));
				if (performance.now() - began < milliseconds) post(sender);
			},
			delivery() {
				deliveries++;
			},
		};
		for (let sender = 0; sender < Math.min(sendersPerRoom, room.seats.length); sender++) post(sender);
	}
	await new Promise((done) => setTimeout(done, milliseconds));
	for (const end = performance.now() + settleWithin; performance.now() < end; ) {
		if (rooms.every((room) => room.check.missing === 0)) break;
		await new Promise((done) => setTimeout(done, 20));
	}
	const seconds = (performance.now() - began) / 1000;
	const all = between(before, cpu(fleet));
	const used = {
		instances: all.instances - idle.instances * seconds,
		database: all.database - idle.database * seconds,
		redis: all.redis - idle.redis * seconds,
	};
	const faults = rooms.map((room) => room.check.faults());
	const sum = (kind: keyof Faults) => faults.reduce((total, each) => total + each[kind], 0);
	return {
		seconds: rounded(seconds, 1),
		messages,
		deliveries,
		cpu: { instances: rounded(used.instances, 2), database: rounded(used.database, 2), redis: rounded(used.redis, 2) },
		ackP50: rounded(percentile(took, 0.5), 1),
		ackP99: rounded(percentile(took, 0.99), 1),
		lost: sum("lost"),
		duplicated: sum("duplicated"),
		reordered: sum("reordered"),
	};
}

const none: Cpu = { instances: 0, database: 0, redis: 0 };

/** CPU seconds in a second in which nobody says anything. */
async function atRest(fleet: Fleet): Promise<Cpu> {
	const before = cpu(fleet);
	await new Promise((done) => setTimeout(done, idleFor));
	const { instances, database, redis } = between(before, cpu(fleet));
	return { instances: (instances * 1000) / idleFor, database: (database * 1000) / idleFor, redis: (redis * 1000) / idleFor };
}

/** What is alive in all instances together, bytes. */
async function heap(fleet: Fleet): Promise<number> {
	const probed = await Promise.all(fleet.instances.map((instance) => instance.probe()));
	return probed.reduce((sum, { heapUsed }) => sum + heapUsed, 0);
}

function cpu(fleet: Fleet): Cpu {
	const database = cpuTime(fleet.database.pid());
	return {
		instances: fleet.instances.reduce((sum, instance) => sum + cpuTime(instance.pid()).server, 0),
		database: database.server + database.store,
		redis: cpuTime(fleet.redis.pid()).server,
	};
}

const between = (from: Cpu, to: Cpu): Cpu => ({
	instances: to.instances - from.instances,
	database: to.database - from.database,
	redis: to.redis - from.redis,
});

/** What one thing costs, worked out of a fleet of one and a fleet of several; ms of CPU. */
export function costsOf(one: InstancesResult, several: InstancesResult) {
	const per = (load: Load) => (load.cpu.instances * 1000) / load.messages;
	const { thin, wide } = shapes;
	// Two equations for a message and its deliveries: rooms of two and rooms of fifty.
	const deliver = (per(one.wide) - per(one.thin)) / (wide.members - thin.members);
	const message = per(one.thin) - thin.members * deliver;
	const others = several.instances - 1;
	// In a fleet all but the writer's instance hear of each message of a wide room.
	const hint = (per(several.wide) - per(one.wide)) / others;
	return {
		deliver: rounded(deliver, 4),
		message: rounded(message, 3),
		hint: rounded(hint, 3),
		store: rounded((one.wide.cpu.database * 1000) / one.wide.messages, 3),
		relay: rounded((several.wide.cpu.redis * 1000) / several.wide.messages / others, 4),
		connect: one.connect.instanceMs,
		connectStore: one.connect.databaseMs,
		socket: one.kilobytesPerSocket,
		ack: one.thin.ackP50,
	};
}
