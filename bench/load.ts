import { type Audience, type Room, settleWithin } from "./audience.ts";
import { type CpuTime, cpuBetween, cpuTime } from "./cpu.ts";

/** Latencies in ms. */
export type Burst = { seconds: number; messages: number; deliveries: number; cpu: CpuTime; ack: number[] };
export type Paced = { ack: number[]; delivery: number[]; cpu: CpuTime; messages: number };

/**
 * Closed loop: in every room `outstanding` messages under way, spread over `senders` members; each ack lets the next one
 * go. Runs for `milliseconds` and then until everything has arrived, so CPU and deliveries belong to each other.
 */
export async function closedLoop(
	audience: Audience,
	pid: number,
	load: { outstanding: number; senders: number; milliseconds: number },
	patience: number = settleWithin,
): Promise<Burst> {
	const slots = audience.rooms.flatMap((room) => Array.from({ length: load.outstanding }, (_, i) => ({ room, sender: i % load.senders })));
	const sentAt = new Float64Array(slots.length);
	const ack: number[] = [];
	const from = { cpu: cpuTime(pid), deliveries: audience.deliveries, messages: audience.posted, at: performance.now() };
	const until = from.at + load.milliseconds;

	function post(slot: number): void {
		const { room, sender } = slots[slot] as { room: Room; sender: number };
		sentAt[slot] = performance.now();
		audience.post(room, sender, slot);
	}
	audience.ears = {
		ack(slot, at) {
			ack.push(at - (sentAt[slot] as number));
			if (at < until) post(slot);
		},
	};
	for (let slot = 0; slot < slots.length; slot++) post(slot);
	await new Promise((resolve) => setTimeout(resolve, load.milliseconds));
	await audience.settle(patience);
	return {
		seconds: (performance.now() - from.at) / 1000,
		messages: audience.posted - from.messages,
		deliveries: audience.deliveries - from.deliveries,
		cpu: cpuBetween(from.cpu, cpuTime(pid)),
		ack,
	};
}

/**
 * Open loop: one message every 1000 / `perSecond` ms whatever happens, by `senders` members in turn. Latencies count from
 * when a message was due, so a server (or generator) that falls behind cannot hide it.
 */
export async function paced(
	audience: Audience,
	pid: number,
	load: { perSecond: number; senders: number; milliseconds: number },
): Promise<Paced> {
	const room = audience.rooms[0] as Room;
	const every = 1000 / load.perSecond;
	const total = Math.round(load.milliseconds / every);
	const ack: number[] = [];
	const delivery: number[] = [];
	const due: number[] = [];
	const dueOf = new Map<number, number>();
	const keyOf = (sender: number, n: number) => n * load.senders + sender;
	audience.ears = {
		ack: (call, at) => ack.push(at - (due[call] as number)),
		delivery: (_room, sender, n, at) => delivery.push(at - (dueOf.get(keyOf(sender, n)) as number)),
	};
	const cpu = cpuTime(pid);
	const start = performance.now() + 20;
	for (let i = 0; i < total; i++) {
		const at = start + i * every;
		const wait = at - performance.now();
		if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
		due.push(at);
		const sender = i % load.senders;
		// Before it is sent: the answer may be here before the next line.
		dueOf.set(keyOf(sender, room.check.sentBy(sender)), at);
		audience.post(room, sender, i);
	}
	await audience.settle(settleWithin);
	return { ack, delivery, cpu: cpuBetween(cpu, cpuTime(pid)), messages: total };
}
