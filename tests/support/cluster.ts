import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Fact, Signal } from "../../app/contract/facts.ts";
import { lobbyId } from "../../app/contract/fixed.ts";
import { type TestCharla, type TestSocket, testCharla } from "./charla.ts";

/** Several instances on one database, in this process; with `REDIS_URL` in `env` they hear of each other by it. */
export async function testInstances(count: number, env: Record<string, string> = {}) {
	const instances: TestCharla[] = [];
	for (let i = 0; i < count; i++) instances.push(await testCharla({ env, ...(instances[0] ? { database: instances[0].database } : {}) }));
	await until(() => instances.every((each) => env.REDIS_URL === undefined || each.peers.isOpen()), 20_000);
	return {
		instances,
		async [Symbol.asyncDispose]() {
			// The first one's database goes last.
			for (const each of instances.reverse()) await each[Symbol.asyncDispose]();
		},
	};
}

/** Waits for a condition, looking often: what is measured here takes milliseconds. */
export async function until(condition: () => boolean, within = 30_000): Promise<void> {
	const end = Date.now() + within;
	while (!condition()) {
		assert.ok(Date.now() < end, `not within ${within} ms: ${condition}`);
		await sleep(5);
	}
}

export const posts = (facts: readonly Fact[]): string[] =>
	facts.flatMap((fact) => (fact.kind === "message-posted" ? [fact.message.body] : []));

export const signalsOf = <K extends Signal["kind"]>(socket: TestSocket, kind: K) =>
	socket.signals.filter((signal): signal is Extract<Signal, { kind: K }> => signal.kind === kind);

/** Posts and gives the seq. */
export async function say(socket: TestSocket, body: string, roomId = lobbyId): Promise<number> {
	const answer = await socket.call("message:post", { roomId, clientId: randomUUID(), body });
	assert.ok(answer.ok, JSON.stringify(answer));
	return answer.data.seq as number;
}

/** Facts of a room from a seq on: each once, none missing, in order. */
export function assertWhole(socket: TestSocket, from: number, roomId = lobbyId): void {
	const seqs = socket.facts.filter((fact) => fact.roomId === roomId && fact.seq >= from).map((fact) => fact.seq);
	assert.deepEqual(
		seqs,
		seqs.map((_, i) => from + i),
	);
}
