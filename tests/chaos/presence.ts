import { setTimeout as sleep } from "node:timers/promises";
import { io } from "socket.io-client";
import type { Answer, CallAnswer } from "../../app/contract/calls.ts";
import { lobbyId } from "../../app/contract/fixed.ts";
import type { Crowd } from "./crowd.ts";
import type { Fleet } from "./fleet.ts";

/** Between two looks, ms. */
const every = 500;

/**
 * Asks every instance who is in the lobby until all of them name exactly those who are. Gives how long that took, ms, or
 * throws with the difference after `within` ms.
 */
export async function presenceRight(fleet: Fleet, { people, watcher }: Crowd, within: number): Promise<number> {
	const began = Date.now();
	const present = new Set(people.filter((person) => !person.isAway()).map((person) => person.me.id));
	const watching = fleet.instances.map(({ url, name }) => ({
		name,
		socket: io(url, { transports: ["websocket"], extraHeaders: { cookie: watcher.cookie }, forceNew: true }),
	}));
	try {
		for (;;) {
			const wrong: string[] = [];
			for (const { name, socket } of watching) {
				const answer = await socket
					.timeout(2000)
					.emitWithAck("room:here", { roomId: lobbyId })
					.then((given: Answer<CallAnswer["room:here"]>) => (given.ok ? new Set(given.data.here) : null))
					.catch(() => null);
				if (answer === null) {
					wrong.push(`${name} does not answer`);
					continue;
				}
				answer.delete(watcher.person.id);
				const missing = [...present].filter((id) => !answer.has(id)).length;
				const ghosts = [...answer].filter((id) => !present.has(id)).length;
				if (missing + ghosts > 0) wrong.push(`${name} misses ${missing} and names ${ghosts} who are not here`);
			}
			if (wrong.length === 0) return Date.now() - began;
			if (Date.now() - began > within) throw new Error(`presence is still wrong after ${within} ms: ${wrong.join("; ")}`);
			await sleep(every);
		}
	} finally {
		for (const { socket } of watching) socket.disconnect();
	}
}
