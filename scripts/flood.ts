/**
 * `npm run flood -- --url http://localhost:3000 --people 20 --seconds 30`: guests who enter by the form, talk in the
 * lobby as fast as the limits let them, and check what each of them hears: nothing lost, doubled or out of order.
 */
import { randomUUID } from "node:crypto";
import { parseArgs } from "node:util";
import { io, type Socket } from "socket.io-client";
import type { Answer, Posted } from "../app/contract/calls.ts";
import type { Fact } from "../app/contract/facts.ts";
import { lobbyId } from "../app/contract/fixed.ts";

const { values } = parseArgs({
	options: {
		url: { type: "string", default: "http://localhost:3000" },
		people: { type: "string", default: "20" },
		seconds: { type: "string", default: "30" },
	},
});
const people = Number(values.people);
const until = Date.now() + Number(values.seconds) * 1000;
const run = randomUUID().slice(0, 4);

type Guest = { socket: Socket; heard: number[]; acked: number; limited: number };

async function enter(n: number): Promise<Guest> {
	const body = new URLSearchParams({ name: `Flood ${run} ${n}` });
	const answer = await fetch(`${values.url}/?index`, { method: "POST", body, redirect: "manual" });
	const cookie = answer.headers
		.getSetCookie()
		.find((each) => /sid=/.test(each))
		?.split(";")[0];
	if (!cookie)
		throw new Error(
			`entering was refused with ${answer.status}; new guests per address are limited, or the server runs with RATE_LIMITS=off`,
		);
	const socket = io(values.url, { transports: ["websocket"], extraHeaders: { cookie }, forceNew: true });
	const guest: Guest = { socket, heard: [], acked: 0, limited: 0 };
	socket.on("fact", (fact: Fact) => fact.roomId === lobbyId && guest.heard.push(fact.seq));
	await new Promise<void>((resolve, reject) => {
		socket.once("signal", () => resolve());
		socket.once("connect_error", reject);
	});
	return guest;
}

async function talk(guest: Guest, n: number): Promise<void> {
	for (let i = 0; Date.now() < until; i++) {
		const input = { roomId: lobbyId, clientId: randomUUID(), body: `flood ${run}: ${n} says ${i}`, replyTo: null };
		for (;;) {
			const answer: Answer<Posted> = await guest.socket.timeout(10_000).emitWithAck("message:post", input);
			if (answer.ok) {
				guest.acked++;
				break;
			}
			if (answer.code !== "too-fast") throw new Error(`refused: ${answer.code}`);
			guest.limited++;
			if (Date.now() >= until) return;
			await new Promise((done) => setTimeout(done, Number(answer.details?.seconds ?? 1) * 1000));
		}
	}
}

const guests: Guest[] = [];
for (let n = 0; n < people; n++) guests.push(await enter(n));
console.log(`${people} guests are in; talking for ${values.seconds} s`);
const progress = setInterval(() => console.log(`  stored ${guests.reduce((sum, guest) => sum + guest.acked, 0)}`), 5000);
await Promise.all(guests.map(talk));
clearInterval(progress);
await new Promise((done) => setTimeout(done, 1000));

const broken = guests.filter(({ heard }) => heard.some((seq, i) => i > 0 && seq !== (heard[i - 1] as number) + 1)).length;
const stored = guests.reduce((sum, guest) => sum + guest.acked, 0);
const limited = guests.reduce((sum, guest) => sum + guest.limited, 0);
const complete = guests.filter(({ heard }) => heard.length >= stored).length;
for (const { socket } of guests) socket.close();
console.log(
	`stored ${stored}, asked to wait ${limited} times; heard everything in order: ${people - broken} of ${people}, complete: ${complete} of ${people}`,
);
process.exitCode = broken === 0 && complete === people ? 0 : 1;
